"""What callers can have done, on the store in memory."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acme_services.kernel.errors import Conflict, Invalid, NotFound
from acme_services.kernel.money import Money
from acme_services.product import usecases
from acme_services.product.domain import Change, Draft, Product
from acme_services.product.memory import MemoryStore
from acme_services.product.usecases import Creation, fingerprint

NOW = datetime(2026, 3, 1, tzinfo=UTC)
DRAFT = Draft("mug", "of clay", Money(1999, "EUR"))


async def create(store: MemoryStore, number: int, key: str | None = None, draft: Draft = DRAFT) -> Product:
    return await usecases.create_product(draft, Creation(UUID(int=number), NOW, key), store)


@pytest.mark.asyncio
async def test_a_repeated_request_gets_the_first_answer() -> None:
    store = MemoryStore()
    first = await create(store, 1, "k")

    assert await create(store, 2, "k") == first
    assert list(store.products) == [UUID(int=1)]


@pytest.mark.asyncio
async def test_requests_without_a_key_are_never_taken_for_one_another() -> None:
    store = MemoryStore()

    assert await create(store, 1) != await create(store, 2)
    assert len(store.products) == 2


@pytest.mark.asyncio
async def test_a_key_of_another_request_is_refused_and_nothing_is_made() -> None:
    store = MemoryStore()
    await create(store, 1, "k")

    with pytest.raises(Invalid, match=r"^idempotency-key: "):
        await create(store, 2, "k", Draft("cup", "", Money(1, "EUR")))

    assert list(store.products) == [UUID(int=1)]


@pytest.mark.asyncio
async def test_reading_what_is_not_there_says_so() -> None:
    with pytest.raises(NotFound, match=str(UUID(int=9))):
        await usecases.get_product(UUID(int=9), MemoryStore())


@pytest.mark.asyncio
async def test_an_update_is_kept() -> None:
    store = MemoryStore()
    await create(store, 1)

    updated = await usecases.update_product(UUID(int=1), Change(name="cup"), 1, NOW + timedelta(hours=1), store)

    assert await usecases.get_product(UUID(int=1), store) == updated
    assert updated.name == "cup"


@pytest.mark.asyncio
async def test_a_delete_of_an_old_version_removes_nothing() -> None:
    store = MemoryStore()
    await create(store, 1)

    with pytest.raises(Conflict):
        await usecases.delete_product(UUID(int=1), 7, store)
    assert store.products

    await usecases.delete_product(UUID(int=1), 1, store)
    assert not store.products


@pytest.mark.asyncio
async def test_changing_or_removing_what_is_not_there_says_so() -> None:
    with pytest.raises(NotFound):
        await usecases.update_product(UUID(int=9), Change(name="cup"), 1, NOW, MemoryStore())
    with pytest.raises(NotFound):
        await usecases.delete_product(UUID(int=9), None, MemoryStore())


@pytest.mark.asyncio
async def test_a_key_past_its_lifetime_is_free_again() -> None:
    store = MemoryStore()
    await create(store, 1, "k")

    assert await usecases.forget_old_claims(NOW + timedelta(hours=23), timedelta(days=1), store) == 0
    assert await usecases.forget_old_claims(NOW + timedelta(hours=25), timedelta(days=1), store) == 1

    assert (await create(store, 2, "k")).id == UUID(int=2)


DRAFTS = st.builds(
    Draft,
    st.text("ab1:", min_size=1, max_size=4),
    st.text("ab1:", max_size=4),
    st.builds(Money, st.integers(0, 99), st.sampled_from(["EUR", "JPY"])),
)


@given(DRAFTS, DRAFTS)
def test_fingerprints_are_equal_exactly_when_the_requests_are(one: Draft, other: Draft) -> None:
    assert (fingerprint(one) == fingerprint(other)) is (one == other)
