"""Products and their rules; pure: time and ids come in as arguments."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from acme_services.kernel.errors import Conflict, Invalid
from acme_services.kernel.money import Money

LONGEST_NAME = 200
LONGEST_DESCRIPTION = 5000


@dataclass(frozen=True, slots=True)
class Draft:
    """What a caller says about a product that is to be."""

    name: str
    description: str
    price: Money

    def __post_init__(self) -> None:
        _check_name(self.name)
        _check_description(self.description)


@dataclass(frozen=True, slots=True)
class Change:
    """What a caller wants different; None leaves a field as it is."""

    name: str | None = None
    description: str | None = None
    price: Money | None = None

    def __post_init__(self) -> None:
        if self.name is None and self.description is None and self.price is None:
            raise Invalid("request", "nothing to change; set name, description or price")
        if self.name is not None:
            _check_name(self.name)
        if self.description is not None:
            _check_description(self.description)


@dataclass(frozen=True, slots=True)
class Product:
    """A product at one version; a change makes a new value."""

    id: UUID
    name: str
    description: str
    price: Money
    version: int
    created_at: datetime
    updated_at: datetime

    def changed(self, change: Change, based_on: int, now: datetime) -> "Product":
        """The product after `change`; Conflict when it is not at the version the change is based on."""
        self.require_version(based_on)
        return replace(
            self,
            name=self.name if change.name is None else change.name,
            description=self.description if change.description is None else change.description,
            price=self.price if change.price is None else change.price,
            version=self.version + 1,
            updated_at=now,
        )

    def require_version(self, version: int) -> None:
        """Raise Conflict unless the product is at `version`."""
        if version != self.version:
            raise Conflict(f"product {self.id} is at version {self.version}, not {version}: read it and decide again")


def new_product(draft: Draft, product_id: UUID, now: datetime) -> Product:
    """The first version of a product."""
    return Product(product_id, draft.name, draft.description, draft.price, 1, now, now)


def _check_name(name: str) -> None:
    if not name.strip():
        raise Invalid("name", "must not be empty")
    if len(name) > LONGEST_NAME:
        raise Invalid("name", f"has {len(name)} characters; at most {LONGEST_NAME} are allowed")
    if not name.isprintable():
        raise Invalid("name", "must be one line of printable characters")


def _check_description(description: str) -> None:
    if len(description) > LONGEST_DESCRIPTION:
        raise Invalid("description", f"has {len(description)} characters; at most {LONGEST_DESCRIPTION} are allowed")
    if "\0" in description:
        raise Invalid("description", "must not hold the character NUL")
