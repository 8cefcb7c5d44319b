"""Products in PostgreSQL: the SQL for the port, and nothing else knows a row."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from uuid import UUID

import asyncpg

from acme_services.chassis.database import Connection, Database
from acme_services.kernel.money import Money
from acme_services.kernel.paging import Page
from acme_services.product.domain import Product
from acme_services.product.ports import Claim

_COLUMNS = "id, name, description, price_minor_units, price_currency, version, created_at, updated_at"


class PostgresStore:
    """The Store over a Database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @asynccontextmanager
    async def begin(self) -> AsyncIterator["PostgresTransaction"]:
        """A transaction of the server."""
        async with self._database.transaction() as connection:
            yield PostgresTransaction(connection)

    async def find(self, product_id: UUID) -> Product | None:
        """The product, or None."""
        async with self._database.connection() as connection:
            row = await connection.fetchrow(f"SELECT {_COLUMNS} FROM products WHERE id = $1", product_id)  # noqa: S608
        return None if row is None else _product(row)

    async def page(self, after: UUID | None, size: int) -> Page[Product]:
        """Up to `size` products by id after `after`; one more is read to know whether any follows."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                f"SELECT {_COLUMNS} FROM products WHERE id > $1 ORDER BY id LIMIT $2",  # noqa: S608
                after or UUID(int=0),
                size + 1,
            )
        items = [_product(row) for row in rows[:size]]
        return Page(items, items[-1].id if len(rows) > size else None)

    async def forget_claims(self, before: datetime) -> int:
        """Delete old claims; returns how many."""
        async with self._database.connection() as connection:
            done = await connection.execute("DELETE FROM idempotency_claims WHERE claimed_at < $1", before)
        return int(done.removeprefix("DELETE "))


class PostgresTransaction:
    """The Transaction over one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def lock(self, product_id: UUID) -> Product | None:
        """The product with its row locked, or None."""
        row = await self._connection.fetchrow(
            f"SELECT {_COLUMNS} FROM products WHERE id = $1 FOR UPDATE",  # noqa: S608
            product_id,
        )
        return None if row is None else _product(row)

    async def add(self, product: Product) -> None:
        """Insert the row."""
        await self._connection.execute(
            f"INSERT INTO products ({_COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",  # noqa: S608
            *_row(product),
        )

    async def save(self, product: Product) -> None:
        """Update the row."""
        await self._connection.execute(
            "UPDATE products SET name = $2, description = $3, price_minor_units = $4, price_currency = $5,"
            " version = $6, created_at = $7, updated_at = $8 WHERE id = $1",
            *_row(product),
        )

    async def remove(self, product_id: UUID) -> None:
        """Delete the row."""
        await self._connection.execute("DELETE FROM products WHERE id = $1", product_id)

    async def claim(self, claim: Claim) -> Claim:
        """Insert the claim; on a key that is taken PostgreSQL waits for its transaction, then we read what it left."""
        mine = await self._connection.fetchval(
            "INSERT INTO idempotency_claims (key, fingerprint, product, claimed_at) VALUES ($1, $2, $3, $4)"
            " ON CONFLICT (key) DO NOTHING RETURNING key",
            claim.key,
            claim.fingerprint,
            _document(claim.product),
            claim.product.created_at,
        )
        if mine is not None:
            return claim
        first = await self._connection.fetchrow(
            "SELECT fingerprint, product FROM idempotency_claims WHERE key = $1", claim.key
        )
        if first is None:
            # It expired between the two statements, so the key is free again.
            return await self.claim(claim)
        return Claim(claim.key, first["fingerprint"], _from_document(first["product"]))


def _product(row: asyncpg.Record) -> Product:
    return Product(
        id=row["id"],
        name=row["name"],
        description=row["description"],
        price=Money(row["price_minor_units"], row["price_currency"]),
        version=row["version"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )


def _row(product: Product) -> tuple[UUID, str, str, int, str, int, datetime, datetime]:
    return (
        product.id,
        product.name,
        product.description,
        product.price.minor_units,
        product.price.currency,
        product.version,
        product.created_at,
        product.updated_at,
    )


def _document(product: Product) -> str:
    names = _COLUMNS.split(", ")
    return json.dumps(dict(zip(names, _row(product), strict=True)), default=str)


def _from_document(text: str) -> Product:
    fields = json.loads(text)
    return Product(
        id=UUID(fields["id"]),
        name=fields["name"],
        description=fields["description"],
        price=Money(fields["price_minor_units"], fields["price_currency"]),
        version=fields["version"],
        created_at=datetime.fromisoformat(fields["created_at"]),
        updated_at=datetime.fromisoformat(fields["updated_at"]),
    )
