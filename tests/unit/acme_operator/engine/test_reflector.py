"""The store equals the cluster, whatever happens to the watch."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from acme_operator.api.manifests import Manifest
from acme_operator.api.marks import MANAGED_SELECTOR
from acme_operator.engine.cluster import Kind, Page, WatchEvent
from acme_operator.engine.errors import ClusterError, Forbidden, Unavailable
from acme_operator.engine.kinds import CONFIG_MAP, ref_of
from acme_operator.engine.reflector import PAGE, Reflector, Source
from acme_operator.engine.store import Store
from acme_operator.testing import FakeCluster, FixedClock, manifest

pytestmark = pytest.mark.asyncio


class World:
    """A cluster, a store that a reflector keeps, and news to wait for."""

    def __init__(self, cluster: FakeCluster | None = None) -> None:
        self.cluster, self.store, self.clock = cluster or FakeCluster(), Store(), FixedClock()
        source = Source(CONFIG_MAP, None, MANAGED_SELECTOR)
        self.reflector = Reflector(self.cluster, self.store, source, self.clock)
        self.news: list[tuple[str, str]] = []
        self._heard = asyncio.Event()
        self.store.listen(self._listen)

    def _listen(self, _: Kind, old: Manifest | None, new: Manifest | None) -> None:
        about = new or old or {}
        self.news.append((about["metadata"]["name"], "gone" if new is None else "new" if old is None else "changed"))
        self._heard.set()

    async def until(self, true: Callable[[], bool]) -> None:
        async with asyncio.timeout(5):
            while not true():
                self._heard.clear()
                await self._heard.wait()

    def verbs(self) -> list[str]:
        return [request.verb for request in self.cluster.requests if request.verb in ("list", "watch")]

    async def delete(self, name: str) -> None:
        live = self.cluster.live(CONFIG_MAP)[f"shop/{name}"]
        await self.cluster.delete(ref_of(live), uid=live["metadata"]["uid"], resource_version=None)


@asynccontextmanager
async def following(world: World) -> AsyncIterator[None]:
    running = asyncio.create_task(world.reflector.run())
    try:
        await asyncio.wait_for(world.reflector.synced.wait(), 5)
        yield
        assert not running.done()
    finally:
        running.cancel()


def config(name: str, **fields: Any) -> Manifest:
    return manifest(CONFIG_MAP, name, **fields)


async def test_what_is_there_and_what_comes_is_in_the_store() -> None:
    world = World()
    await world.cluster.create(config("before"))

    async with following(world):
        await world.cluster.create(config("after"))
        await world.cluster.apply(config("before", data={"a": "b"}), force=True)
        await world.until(lambda: len(world.news) == 3)
        await world.delete("after")
        await world.until(lambda: len(world.news) == 4)

    assert world.store.synced(CONFIG_MAP)
    assert world.news == [("before", "new"), ("after", "new"), ("before", "changed"), ("after", "gone")]


async def test_objects_without_our_label_are_not_seen_and_losing_it_is_leaving() -> None:
    world = World()
    stranger = config("stranger")
    del stranger["metadata"]["labels"]
    await world.cluster.create(stranger)
    ours = await world.cluster.create(config("ours"))

    async with following(world):
        remove = {"op": "remove", "path": "/metadata/labels"}
        await world.cluster.patch(ref_of(ours), [remove], ours["metadata"]["resourceVersion"])
        await world.until(lambda: ("ours", "gone") in world.news)

    assert world.store.list(CONFIG_MAP) == []


async def test_a_long_list_comes_in_pages() -> None:
    world = World()
    for number in range(PAGE + 1):
        await world.cluster.create(config(f"c{number}"))

    async with following(world):
        assert len(world.store.list(CONFIG_MAP)) == PAGE + 1

    assert world.verbs()[:2] == ["list", "list"]


async def test_the_echo_of_our_own_write_is_no_news() -> None:
    world = World()

    async with following(world):
        answer = await world.cluster.create(config("ours"))
        world.store.upsert(CONFIG_MAP, answer)
        await world.cluster.create(config("theirs"))
        await world.until(lambda: len(world.news) == 2)

    assert world.news == [("ours", "new"), ("theirs", "new")]


async def test_after_a_cut_the_watch_goes_on_without_a_list() -> None:
    world = World()
    await world.cluster.create(config("before"))

    async with following(world):
        await world.cluster.create(config("first"))
        await world.until(lambda: len(world.news) == 2)
        world.cluster.cut_watches()
        await world.cluster.create(config("in-the-gap"))
        await world.until(lambda: ("in-the-gap", "new") in world.news)

    assert world.verbs() == ["list", "watch", "watch"]


async def test_deletions_that_no_watch_saw_are_found_by_the_next_list() -> None:
    world = World()
    for name in ("kept", "lost"):
        await world.cluster.create(config(name))

    async with following(world):
        world.cluster.cut_watches()
        await world.delete("lost")
        world.cluster.forget_history()
        await world.until(lambda: ("lost", "gone") in world.news)

    assert [found["metadata"]["name"] for found in world.store.list(CONFIG_MAP)] == ["kept"]
    assert world.verbs().count("list") == 2


async def test_a_fresh_write_of_ours_survives_a_list_that_is_older() -> None:
    class Slow(FakeCluster):
        store: Store

        async def list(
            self, kind: Kind, namespace: str | None, selector: str | None, limit: int, token: str | None
        ) -> Page:
            page = await super().list(kind, namespace, selector, limit, token)
            self.store.upsert(CONFIG_MAP, await self.create(config("fresh")))
            return page

    cluster = Slow()
    world = World(cluster)
    cluster.store = world.store

    async with following(world):
        assert world.news == [("fresh", "new")]


@pytest.mark.parametrize(
    ("verb", "error"),
    [
        ("list", Unavailable("list", "503")),
        ("list", Forbidden("list", "no RBAC")),
        ("watch", Unavailable("watch", "cut")),
        ("watch", ClusterError("watch", "the server sent an error of code 500")),
        ("watch", RuntimeError("a mistake of ours")),
    ],
)
async def test_no_error_ends_it(verb: str, error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("acme_operator.engine.reflector.BUG_PAUSE", 0.01)
    world = World()
    world.cluster.fail(verb, error)

    async with following(world):
        await world.cluster.create(config("after"))
        await world.until(lambda: ("after", "new") in world.news)


class Closing(FakeCluster):
    """Its first watches end without a word."""

    closed = 0

    async def watch(
        self, kind: Kind, namespace: str | None, selector: str | None, resource_version: str
    ) -> AsyncGenerator[WatchEvent, None]:
        self.closed += 1
        if self.closed < 3:
            return
        async for event in super().watch(kind, namespace, selector, resource_version):
            yield event


async def test_watches_that_end_at_once_are_not_asked_for_in_a_loop(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    cluster = Closing()
    world = World(cluster)

    async with following(world):
        await cluster.create(config("after"))
        await world.until(lambda: bool(world.news))

    broken = [record.levelname for record in caplog.records if record.message == "watch broke off"]
    assert broken == ["INFO", "WARNING"]
    assert world.verbs().count("list") == 1


async def test_the_age_is_that_of_the_last_sign_of_life() -> None:
    world = World()

    async with following(world):
        world.clock.advance(50)
        before = world.reflector.age()
        await world.cluster.create(config("after"))
        await world.until(lambda: bool(world.news))
        after = world.reflector.age()

    assert (before, after) == (50, 0)
