"""Pages by key: a token names the last thing seen, so a page costs the same wherever it lies; no offsets."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from acme_services.kernel.errors import Invalid

DEFAULT_SIZE = 50
LARGEST_SIZE = 200
# The first byte of every token, so that a later form can be told from this one.
_FORM = b"\x01"


@dataclass(frozen=True, slots=True)
class Page[T]:
    """Some things in order, and the key to go on after; `last` is None when nothing follows."""

    items: Sequence[T]
    last: UUID | None


def page_size(asked: int) -> int:
    """How many things a page holds: 0 means the default, too many means the most; Invalid when negative."""
    if asked < 0:
        raise Invalid("page_size", f"{asked} is negative; leave it 0 for {DEFAULT_SIZE}")
    return min(asked or DEFAULT_SIZE, LARGEST_SIZE)


def token(last: UUID | None) -> str:
    """The opaque token that goes on after `last`; empty when nothing follows."""
    return "" if last is None else urlsafe_b64encode(_FORM + last.bytes).decode().rstrip("=")


def parse_token(text: str) -> UUID | None:
    """The key to go on after, None for the first page; Invalid when `text` is no token of ours."""
    if not text:
        return None
    try:
        raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError as error:
        raise _not_ours() from error
    if len(raw) != len(_FORM) + 16 or not raw.startswith(_FORM):
        raise _not_ours()
    return UUID(bytes=raw[len(_FORM) :])


def _not_ours() -> Invalid:
    return Invalid("page_token", "not a token of this service; start again without one")
