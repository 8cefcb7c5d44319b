"""Identities: UUIDv7, so that a newer thing sorts after an older one in every index."""

from collections.abc import Callable
from uuid import UUID

from uuid_utils.compat import uuid7

from acme_services.kernel.errors import Invalid

type NewId = Callable[[], UUID]


def new_id() -> UUID:
    """A fresh UUIDv7."""
    return uuid7()


def parse_id(text: str, field: str = "id") -> UUID:
    """The id written in `text`; Invalid, naming `field`, when it is none."""
    try:
        return UUID(text)
    except ValueError as error:
        raise Invalid(field, f"{text[:60]!r} is not an id; use the one the service returned") from error
