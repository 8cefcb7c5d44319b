"""One suite for the product store in PostgreSQL and the one in memory: what the use cases rely on."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from uuid import UUID

import pytest
import pytest_asyncio

from acme_services.chassis.bindings import postgres_binding
from acme_services.chassis.database import Database
from acme_services.chassis.readiness import Readiness
from acme_services.kernel.errors import Unavailable
from acme_services.kernel.money import Money
from acme_services.product import wiring
from acme_services.product.domain import Product
from acme_services.product.memory import MemoryStore
from acme_services.product.ports import Claim, Store, Transaction
from acme_services.product.store import PostgresStore
from tests.plugins.catalogue import drop_catalogue, make_catalogue
from tests.plugins.postgres_server import PostgresServer
from tests.plugins.waiting import eventually

pytestmark = pytest.mark.asyncio

NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
MIGRATIONS = Path(wiring.__file__).parent / "migrations"


def a_product(number: int = 1, name: str = "mug") -> Product:
    return Product(UUID(int=number), name, "of clay", Money(1999, "EUR"), 1, NOW, NOW)


@pytest_asyncio.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.postgres)])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    """An empty store."""
    if request.param == "memory":
        yield MemoryStore()
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    catalogue = make_catalogue(server, tmp_path)
    readiness = Readiness()
    database = Database(partial(postgres_binding, catalogue.bindings, "db"), MIGRATIONS, readiness, 5)
    with pytest.raises(Unavailable):
        await PostgresStore(database).find(UUID(int=1))
    keeping = asyncio.create_task(database.keep())
    await eventually(partial(_is_ready, readiness), "the database is ready")
    yield PostgresStore(database)
    keeping.cancel()
    await database.close()
    drop_catalogue(catalogue)


async def _is_ready(readiness: Readiness) -> bool:
    return readiness.is_ready


async def add(store: Store, *products: Product) -> None:
    async with store.begin() as transaction:
        for product in products:
            await transaction.add(product)


async def test_what_was_added_is_found_unchanged(store: Store) -> None:
    await add(store, a_product(name="Kaffee ☕ 'mug'; --"))

    assert await store.find(UUID(int=1)) == a_product(name="Kaffee ☕ 'mug'; --")


async def test_what_was_never_added_is_not_found(store: Store) -> None:
    assert await store.find(UUID(int=1)) is None


async def test_a_transaction_that_raises_leaves_nothing(store: Store) -> None:
    with pytest.raises(LookupError):
        await _add_and_fail(store)

    assert await store.find(UUID(int=1)) is None
    async with store.begin() as transaction:
        mine = Claim("k", "other", a_product(2))
        assert await transaction.claim(mine) == mine


async def _add_and_fail(store: Store) -> None:
    async with store.begin() as transaction:
        await transaction.claim(Claim("k", "f", a_product()))
        await transaction.add(a_product())
        raise LookupError


async def test_what_was_saved_replaces_what_was_there(store: Store) -> None:
    await add(store, a_product())
    changed = replace(a_product(), name="cup", price=Money(5, "JPY"), version=2, updated_at=NOW + timedelta(hours=1))

    async with store.begin() as transaction:
        assert await transaction.lock(UUID(int=1)) == a_product()
        await transaction.save(changed)

    assert await store.find(UUID(int=1)) == changed


async def test_what_was_removed_is_gone(store: Store) -> None:
    await add(store, a_product())

    async with store.begin() as transaction:
        await transaction.lock(UUID(int=1))
        await transaction.remove(UUID(int=1))

    assert await store.find(UUID(int=1)) is None


async def test_locking_what_is_not_there_gives_nothing(store: Store) -> None:
    async with store.begin() as transaction:
        assert await transaction.lock(UUID(int=1)) is None


async def test_pages_go_by_id_and_say_whether_more_follows(store: Store) -> None:
    products = [a_product(number) for number in (1, 2, 3)]
    await add(store, *reversed(products))

    first = await store.page(None, 2)
    second = await store.page(first.last, 2)

    assert (list(first.items), first.last) == (products[:2], UUID(int=2))
    assert (list(second.items), second.last) == (products[2:], None)


async def test_a_page_of_nothing_is_the_last(store: Store) -> None:
    page = await store.page(None, 2)

    assert (list(page.items), page.last) == ([], None)


async def test_the_first_claim_of_a_key_stands(store: Store) -> None:
    first = Claim("k", "f1", a_product(1))
    async with store.begin() as transaction:
        assert await transaction.claim(first) == first

    async with store.begin() as transaction:
        assert await transaction.claim(Claim("k", "f2", a_product(2))) == first


async def test_of_rivals_for_a_key_all_hear_of_the_same_one(store: Store) -> None:
    async def rival(number: int) -> Claim:
        async with store.begin() as transaction:
            return await transaction.claim(Claim("k", "f", a_product(number)))

    claims = await asyncio.gather(*(rival(number) for number in range(1, 21)))

    assert len(set(claims)) == 1


async def test_a_claim_waits_for_its_rival_and_takes_over_when_that_fails(store: Store) -> None:
    claimed = asyncio.Event()
    second = Claim("k", "f2", a_product(2))

    async def fails() -> None:
        async with store.begin() as transaction:
            await transaction.claim(Claim("k", "f1", a_product(1)))
            claimed.set()
            raise LookupError

    async def follows() -> Claim:
        await claimed.wait()
        async with store.begin() as transaction:
            return await transaction.claim(second)

    failed, taken = await asyncio.gather(fails(), follows(), return_exceptions=True)

    assert isinstance(failed, LookupError)
    assert taken == second


async def test_changes_under_a_lock_do_not_lose_one_another(store: Store) -> None:
    await add(store, a_product())

    async def bump(transaction: Transaction) -> None:
        product = await transaction.lock(UUID(int=1))
        assert product is not None
        await transaction.save(replace(product, version=product.version + 1))

    async def change() -> None:
        async with store.begin() as transaction:
            await bump(transaction)

    await asyncio.gather(*(change() for _ in range(20)))

    found = await store.find(UUID(int=1))
    assert found is not None
    assert found.version == 21


async def test_old_claims_are_forgotten_and_young_ones_kept(store: Store) -> None:
    old, young = Claim("old", "f", a_product(1)), Claim("young", "f", replace(a_product(2), created_at=NOW))
    old = replace(old, product=replace(old.product, created_at=NOW - timedelta(days=2)))
    async with store.begin() as transaction:
        await transaction.claim(old)
        await transaction.claim(young)

    assert await store.forget_claims(NOW - timedelta(days=1)) == 1

    async with store.begin() as transaction:
        assert await transaction.claim(replace(young, fingerprint="other")) == young
        assert await transaction.claim(replace(old, fingerprint="other")) == replace(old, fingerprint="other")
