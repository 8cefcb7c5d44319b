"""What the use cases need from a store; both the real one and the one in memory answer the same contract suite."""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from acme_services.kernel.paging import Page
from acme_services.product.domain import Product


@dataclass(frozen=True, slots=True)
class Claim:
    """A request made under an idempotency key: what was asked (its fingerprint), and the product it made."""

    key: str
    fingerprint: str
    product: Product


class Transaction(Protocol):
    """Reads for a decision, and the writes that follow from it: all of them, or none."""

    async def lock(self, product_id: UUID) -> Product | None:
        """The product, which nobody else changes until this transaction ends; None when there is none."""

    async def add(self, product: Product) -> None:
        """Keep a new product."""

    async def save(self, product: Product) -> None:
        """Keep a product that was locked here, as it is now."""

    async def remove(self, product_id: UUID) -> None:
        """Forget a product that was locked here."""

    async def claim(self, claim: Claim) -> Claim:
        """The claim that holds its key: this one, or the one that was first.

        Waits for a rival transaction with the same key to end, so that two can never both be first.
        """


class Store(Protocol):
    """Where products are kept. Every method raises Unavailable while the store cannot be reached."""

    def begin(self) -> AbstractAsyncContextManager[Transaction]:
        """A transaction: committed when the block ends, undone when it raises."""

    async def find(self, product_id: UUID) -> Product | None:
        """The product, or None."""

    async def page(self, after: UUID | None, size: int) -> Page[Product]:
        """Up to `size` products by id, from the first whose id is greater than `after`."""

    async def forget_claims(self, before: datetime) -> int:
        """Forget claims of products made before that time; returns how many."""
