"""What a caller can have done: one function each, which loads, lets the domain decide, and saves."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID

from acme_services.kernel.errors import Invalid, NotFound
from acme_services.kernel.paging import Page
from acme_services.product.domain import Change, Draft, Product, new_product
from acme_services.product.ports import Claim, Store, Transaction


@dataclass(frozen=True, slots=True)
class Creation:
    """A new product's id, its time, and the key that makes a repeated request harmless; None for no key."""

    product_id: UUID
    now: datetime
    key: str | None = None


async def create_product(draft: Draft, creation: Creation, store: Store) -> Product:
    """Add a product; with a key, a repeated request gets the product as it was first answered.

    Raises Invalid when the key was used for another request.
    """
    product = new_product(draft, creation.product_id, creation.now)
    async with store.begin() as transaction:
        if creation.key is not None:
            mine = Claim(creation.key, fingerprint(draft), product)
            first = await transaction.claim(mine)
            if first != mine:
                return _answered(first, mine)
        await transaction.add(product)
    return product


async def get_product(product_id: UUID, store: Store) -> Product:
    """The product; NotFound when there is none."""
    product = await store.find(product_id)
    if product is None:
        raise _missing(product_id)
    return product


async def list_products(after: UUID | None, size: int, store: Store) -> Page[Product]:
    """A page of products, the oldest first."""
    return await store.page(after, size)


async def update_product(product_id: UUID, change: Change, based_on: int, now: datetime, store: Store) -> Product:
    """Change a product; NotFound, or Conflict when it is not at the version the change is based on."""
    async with store.begin() as transaction:
        product = (await _locked(transaction, product_id)).changed(change, based_on, now)
        await transaction.save(product)
    return product


async def delete_product(product_id: UUID, based_on: int | None, store: Store) -> None:
    """Remove a product; NotFound, or Conflict when a version is given and it is not at that one."""
    async with store.begin() as transaction:
        product = await _locked(transaction, product_id)
        if based_on is not None:
            product.require_version(based_on)
        await transaction.remove(product_id)


async def forget_old_claims(now: datetime, lifetime: timedelta, store: Store) -> int:
    """Forget the idempotency keys that are past their lifetime; returns how many."""
    return await store.forget_claims(now - lifetime)


def fingerprint(draft: Draft) -> str:
    """The same for the same request and for no other; what tells a retry from a key used twice."""
    fields = (draft.name, draft.description, str(draft.price.minor_units), draft.price.currency)
    return sha256("".join(f"{len(field)}:{field}" for field in fields).encode()).hexdigest()


def _answered(first: Claim, mine: Claim) -> Product:
    if first.fingerprint != mine.fingerprint:
        raise Invalid("idempotency-key", "was used for another request already; use a new key for a new request")
    return first.product


async def _locked(transaction: Transaction, product_id: UUID) -> Product:
    product = await transaction.lock(product_id)
    if product is None:
        raise _missing(product_id)
    return product


def _missing(product_id: UUID) -> NotFound:
    return NotFound(f"product {product_id} does not exist; list the products to see which do")
