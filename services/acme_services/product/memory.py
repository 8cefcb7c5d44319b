"""The Store in memory, for tests and for nothing else; the contract suite holds it to the real one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from uuid import UUID

from acme_services.kernel.paging import Page
from acme_services.product.domain import Product
from acme_services.product.ports import Claim


class MemoryStore:
    """Products in a dictionary; one transaction at a time, which is stricter than the real store and never wrong."""

    def __init__(self) -> None:
        self.products: dict[UUID, Product] = {}
        self.claims: dict[str, Claim] = {}
        self._turn = asyncio.Lock()

    @asynccontextmanager
    async def begin(self) -> AsyncIterator["MemoryTransaction"]:
        """A transaction on copies, which take the originals' place when the block ends well."""
        async with self._turn:
            transaction = MemoryTransaction(dict(self.products), dict(self.claims))
            yield transaction
            self.products, self.claims = transaction.products, transaction.claims

    async def find(self, product_id: UUID) -> Product | None:
        """The product, or None."""
        return self.products.get(product_id)

    async def page(self, after: UUID | None, size: int) -> Page[Product]:
        """Up to `size` products by id after `after`."""
        following = sorted(key for key in self.products if after is None or key > after)
        items = [self.products[key] for key in following[:size]]
        return Page(items, items[-1].id if len(following) > size else None)

    async def forget_claims(self, before: datetime) -> int:
        """Drop old claims; returns how many."""
        old = [key for key, claim in self.claims.items() if claim.product.created_at < before]
        for key in old:
            del self.claims[key]
        return len(old)


class MemoryTransaction:
    """The Transaction over copies."""

    def __init__(self, products: dict[UUID, Product], claims: dict[str, Claim]) -> None:
        self.products = products
        self.claims = claims

    async def lock(self, product_id: UUID) -> Product | None:
        """The product, or None."""
        return self.products.get(product_id)

    async def add(self, product: Product) -> None:
        """Keep it."""
        self.products[product.id] = product

    async def save(self, product: Product) -> None:
        """Keep it as it is now."""
        self.products[product.id] = product

    async def remove(self, product_id: UUID) -> None:
        """Drop it."""
        del self.products[product_id]

    async def claim(self, claim: Claim) -> Claim:
        """The claim that holds the key."""
        return self.claims.setdefault(claim.key, claim)
