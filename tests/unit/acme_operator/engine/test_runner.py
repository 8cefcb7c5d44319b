"""Who is woken by what, and what becomes of errors."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from acme_operator.api.manifests import Manifest
from acme_operator.engine.apply import Applier
from acme_operator.engine.cluster import Kind, Page, Ref
from acme_operator.engine.errors import Rejected, Throttled, Unavailable, Waiting
from acme_operator.engine.kinds import CONFIG_MAP, ref_of
from acme_operator.engine.runner import Engine, EngineOptions
from acme_operator.engine.status import StatusWriter
from acme_operator.engine.store import Store
from acme_operator.testing import FakeCluster, manifest

pytestmark = pytest.mark.asyncio
THING = Kind("example.dev", "v1", "Thing", "things")
Deed = Callable[[Ref], Awaitable[None]]


class Recording:
    """A controller that notes its passes and does as the test says."""

    def __init__(self, deed: Deed | None = None) -> None:
        self.kind = THING
        self.passes: list[str] = []
        self.deed = deed
        self.running: set[Ref] = set()
        self._passed = asyncio.Event()

    async def reconcile(self, ref: Ref) -> None:
        assert ref not in self.running
        self.running.add(ref)
        try:
            if self.deed is not None:
                await self.deed(ref)
        finally:
            self.running.discard(ref)
            self.passes.append(ref.name)
            self._passed.set()

    async def until(self, passes: int) -> None:
        async with asyncio.timeout(5):
            while len(self.passes) < passes:
                self._passed.clear()
                await self._passed.wait()


def owner_of(kind: Kind, child: Manifest) -> Iterable[Ref]:
    """A ConfigMap wakes the Thing it names; a Thing wakes the one that looks at it."""
    if "of" in child.get("data", {}):
        yield Ref(THING, "shop", child["data"]["of"])
    if "watchedBy" in child.get("spec", {}):
        yield Ref(THING, "shop", child["spec"]["watchedBy"])


class World:
    """An engine over a fake cluster with one kind of ours and one of children."""

    def __init__(self, deed: Deed | None = None, cluster: FakeCluster | None = None, **options: object) -> None:
        self.cluster, self.store = cluster or FakeCluster([THING]), Store()
        self.controller = Recording(deed)
        chosen = EngineOptions(**({"gap": timedelta(0)} | options))  # type: ignore[arg-type]
        self.metrics = chosen.metrics
        controllers = {THING: self.controller}
        self.engine = Engine(self.cluster, self.store, controllers, [CONFIG_MAP], owner_of, chosen)

    async def write(self, wanted: Manifest) -> Manifest:
        return await self.cluster.acting_as("person").apply(wanted, force=True)


@asynccontextmanager
async def running(world: World) -> AsyncIterator[None]:
    task = asyncio.create_task(world.engine.run())
    try:
        yield
        world.engine.stop()
        await asyncio.wait_for(task, 5)
    finally:
        task.cancel()


def thing(name: str = "a", **spec: object) -> Manifest:
    return manifest(THING, name, spec=spec)


async def test_every_object_is_looked_at_after_the_start() -> None:
    world = World()
    for name in "abc":
        await world.write(thing(name))

    async with running(world):
        await world.controller.until(3)

    assert sorted(world.controller.passes) == ["a", "b", "c"]
    assert world.engine.synced()


class SlowToList(FakeCluster):
    """Lists ConfigMaps only when the test lets it."""

    asked: asyncio.Event
    answer: asyncio.Event

    async def list(
        self, kind: Kind, namespace: str | None, selector: str | None, limit: int, token: str | None
    ) -> Page:
        if kind == CONFIG_MAP:
            self.asked.set()
            await self.answer.wait()
        return await super().list(kind, namespace, selector, limit, token)


async def test_no_pass_begins_before_every_kind_is_synced() -> None:
    cluster = SlowToList([THING])
    cluster.asked, cluster.answer = asyncio.Event(), asyncio.Event()
    world = World(cluster=cluster)
    await world.write(thing())

    async with running(world):
        await asyncio.wait_for(cluster.asked.wait(), 5)
        for _ in range(20):  # turns of the loop: all that can happen without the answer has happened
            await asyncio.sleep(0)
        early, half = list(world.controller.passes), world.store.synced(THING)
        cluster.answer.set()
        await world.controller.until(1)

    assert (early, half) == ([], True)


async def test_a_changed_spec_label_or_annotation_wakes_and_a_status_does_not() -> None:
    world = World()
    await world.write(thing())

    async with running(world):
        await world.controller.until(1)
        await world.cluster.apply_status({**thing(), "status": {"ready": "1/1"}})
        labelled = thing()
        labelled["metadata"]["labels"]["team"] = "x"
        await world.write(labelled)
        await world.controller.until(2)
        await world.write(thing(replicas=2))
        await world.controller.until(3)
        await world.write(thing("b"))
        await world.controller.until(4)

    assert world.controller.passes == ["a", "a", "a", "b"]


async def test_a_child_wakes_its_owner_when_it_comes_changes_and_goes() -> None:
    world = World()
    child = manifest(CONFIG_MAP, "child", data={"of": "a"})

    async with running(world):
        await world.write(child)
        await world.controller.until(1)
        await world.write({**child, "data": {"of": "a", "more": "x"}})
        await world.controller.until(2)
        live = world.cluster.live(CONFIG_MAP)["shop/child"]
        await world.cluster.delete(ref_of(live), uid=live["metadata"]["uid"], resource_version=None)
        await world.controller.until(3)

    assert world.controller.passes == ["a", "a", "a"]


async def test_a_child_that_changes_hands_wakes_both_owners() -> None:
    world = World()
    child = manifest(CONFIG_MAP, "child", data={"of": "a"})

    async with running(world):
        await world.write(child)
        await world.controller.until(1)
        await world.write({**child, "data": {"of": "b"}})
        await world.controller.until(3)

    assert sorted(world.controller.passes[1:]) == ["a", "b"]


async def test_our_own_writes_wake_those_who_look_and_not_the_pass_that_made_them() -> None:
    world = World()
    writer = StatusWriter(world.cluster, world.store)

    async def report(ref: Ref) -> None:
        if ref.name == "datastore":
            await writer.write(ref, {"ready": "yes"})

    world.controller.deed = report
    await world.write(thing("datastore", watchedBy="service"))

    async with running(world):
        await world.controller.until(2)
        await world.write(thing("probe"))
        await world.controller.until(3)

    assert world.controller.passes[0] in ("datastore", "service")
    assert world.controller.passes.count("datastore") == 1
    assert "service" in world.controller.passes


async def test_the_children_that_a_pass_writes_do_not_wake_it_again() -> None:
    world = World()
    applier = Applier(world.cluster, world.store)

    async def make_child(ref: Ref) -> None:
        if ref.name == "a":
            await applier.apply(ref, [manifest(CONFIG_MAP, "child", data={"of": "a"})])

    world.controller.deed = make_child
    await world.write(thing())

    async with running(world):
        await world.controller.until(1)
        await world.write(thing("probe"))
        await world.controller.until(2)

    assert world.controller.passes == ["a", "probe"]


async def test_what_waits_comes_again_after_its_time_and_errors_after_a_back_off() -> None:
    errors: list[Exception] = [
        Waiting("DatabaseMissing", "waiting", timedelta(milliseconds=10)),
        Unavailable("apply", "503"),
        RuntimeError("a mistake"),
        Throttled("apply", "429", timedelta(milliseconds=20)),
    ]
    left = list(errors)

    async def fail(ref: Ref) -> None:
        if left:
            raise left.pop(0)

    world = World(fail)
    await world.write(thing())

    async with running(world):
        await world.controller.until(5)

    value = world.metrics.registry.get_sample_value
    assert [value("acme_errors_total", {"reason": type(error).__name__}) for error in errors] == [None, 1, 1, 1]
    assert value("acme_reconciles_total", {"kind": "Thing", "outcome": "waiting"}) == 1
    assert value("acme_reconciles_total", {"kind": "Thing", "outcome": "done"}) == 1


async def test_what_is_rejected_comes_again_only_when_somebody_changes_it() -> None:
    async def refuse(ref: Ref) -> None:
        raise Rejected("ImmutableField", "cannot be changed")

    world = World(refuse)
    await world.write(thing())

    async with running(world):
        await world.controller.until(1)
        await world.write(thing("probe"))
        await world.controller.until(2)
        await world.write(thing(replicas=2))
        await world.controller.until(3)

    assert world.controller.passes == ["a", "probe", "a"]


async def test_a_pass_that_hangs_is_broken_off_and_repeated() -> None:
    hung: list[Ref] = []

    async def hang(ref: Ref) -> None:
        if not hung:
            hung.append(ref)
            await asyncio.Event().wait()

    world = World(hang, patience=timedelta(milliseconds=20))
    await world.write(thing())

    async with running(world):
        await world.controller.until(2)

    assert world.metrics.registry.get_sample_value("acme_errors_total", {"reason": "TimeoutError"}) == 1


async def test_the_resync_looks_at_everything_and_asks_the_server_nothing() -> None:
    world = World(resync=timedelta(milliseconds=30))
    await world.write(thing())

    async with running(world):
        await world.controller.until(1)
        world.cluster.requests.clear()
        await world.controller.until(3)

    assert world.cluster.requests == []


async def test_child_events_within_the_gap_are_one_pass_and_a_changed_spec_does_not_wait() -> None:
    world = World(gap=timedelta(seconds=30))
    await world.write(thing())

    async with running(world):
        await world.controller.until(1)
        await world.write(manifest(CONFIG_MAP, "child", data={"of": "a"}))
        await world.write(thing("b"))
        await world.controller.until(2)
        await world.write(thing(replicas=2))
        await world.controller.until(3)

    assert world.controller.passes == ["a", "b", "a"]


async def test_it_is_healthy_while_every_watch_lives() -> None:
    now = [1000.0]
    world = World(clock=lambda: now[0])
    await world.write(thing())
    unstarted = world.engine.healthy()

    async with running(world):
        await world.controller.until(1)
        alive = world.engine.healthy()
        now[0] += 241
        silent = world.engine.healthy()
        world.engine.observe()

    assert (unstarted, alive, silent) == (True, True, False)
    value = world.metrics.registry.get_sample_value
    assert value("acme_watch_age_seconds", {"kind": "Thing"}) == 241
    assert value("acme_queue_depth") == 0


async def test_services_live_and_end_with_the_engine_and_a_broken_one_ends_it() -> None:
    async def broken() -> None:
        raise RuntimeError("no more")

    world = World(services=(broken,))

    with pytest.raises(ExceptionGroup) as ended:
        await asyncio.wait_for(world.engine.run(), 5)

    assert ended.group_contains(RuntimeError, match="no more")
