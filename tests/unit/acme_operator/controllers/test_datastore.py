"""A Builtin datastore's controller on the fake cluster: what it makes first, and how it waits for the server."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest

from acme_operator.api.manifests import Manifest
from acme_operator.controllers.datastore import START_DEADLINE, DatastoreController, Surroundings
from acme_operator.controllers.kinds import ACME_DATASTORE, CHILDREN, OWNERS
from acme_operator.controllers.reports import Reporter, Tools
from acme_operator.engine.apply import Applier
from acme_operator.engine.cluster import Ref
from acme_operator.engine.errors import Waiting
from acme_operator.engine.events import Recorder
from acme_operator.engine.kinds import POD, SECRET, STATEFULSET
from acme_operator.engine.prune import Pruner
from acme_operator.engine.status import StatusWriter
from acme_operator.engine.store import Store
from acme_operator.providers.contract import Provider, Server
from acme_operator.testing import NOW, FakeCluster, manifest
from tests.plugins.kubectl import condition

pytestmark = pytest.mark.asyncio

REF = Ref(ACME_DATASTORE, "shop", "shop-db")


def unreachable(server: Server, owner: str) -> Provider:
    raise AssertionError(f"{owner} connected to {server.address} before it was ready")


@dataclass
class World:
    """One datastore, its controller, and a clock that a test moves."""

    cluster: FakeCluster = field(default_factory=lambda: FakeCluster(OWNERS))
    store: Store = field(default_factory=Store)
    now: datetime = NOW

    def controller(self, images: dict[str, str]) -> DatastoreController:
        applier, pruner = Applier(self.cluster, self.store), Pruner(self.cluster, self.store, CHILDREN)
        tools = Tools(self.cluster, self.store, applier, pruner, lambda: self.now)
        reporter = Reporter(tools, StatusWriter(self.cluster, self.store), Recorder(self.cluster, "test"))
        surroundings = Surroundings(lambda _, version: images.get(version), "acme-system", unreachable)
        return DatastoreController(tools, reporter, surroundings)

    async def declare(self, **spec: Any) -> None:
        given = {"postgres": {}, **spec}
        live = await self.cluster.apply(manifest(ACME_DATASTORE, "shop-db", spec=given), force=False)
        self.store.upsert(ACME_DATASTORE, live)

    async def ready(self) -> Manifest:
        live = await self.cluster.get(REF)
        assert live is not None
        return condition(live, "Ready")


@pytest.fixture
def world() -> World:
    return World()


async def test_a_server_that_starts_is_waited_for_and_looked_at_again(world: World) -> None:
    await world.declare()

    with pytest.raises(Waiting) as waiting:
        await world.controller({"17": "postgres:17"}).reconcile(REF)

    assert waiting.value.retry_in <= timedelta(minutes=1)
    assert world.store.get(Ref(STATEFULSET, "shop", "shop-db-postgres")) is not None
    assert (await world.ready())["status"] == "Unknown"


async def test_a_server_that_does_not_start_is_stalled_when_its_deadline_passes(world: World) -> None:
    await world.declare()
    controller = world.controller({"17": "postgres:17"})
    with pytest.raises(Waiting):
        await controller.reconcile(REF)
    pod = manifest(POD, "shop-db-postgres-0", status={"conditions": [unready_since(NOW)]})
    pod["metadata"]["labels"]["platform.acme.dev/datastore"] = "shop-db"
    pod["metadata"]["resourceVersion"] = "1"
    world.store.upsert(POD, pod)

    world.now = NOW + START_DEADLINE
    await controller.reconcile(REF)

    assert (await world.ready())["reason"] == "ProgressDeadlineExceeded"


async def test_a_password_is_made_once_and_kept(world: World) -> None:
    await world.declare()
    controller = world.controller({"17": "postgres:17"})
    with pytest.raises(Waiting):
        await controller.reconcile(REF)
    first = await world.cluster.get(Ref(SECRET, "shop", "shop-db-admin"))

    with pytest.raises(Waiting):
        await controller.reconcile(REF)

    assert await world.cluster.get(Ref(SECRET, "shop", "shop-db-admin")) == first


async def test_an_image_that_the_catalog_lacks_is_named(world: World) -> None:
    await world.declare()

    await world.controller({}).reconcile(REF)

    assert (await world.ready())["reason"] == "ImageNotCataloged"
    assert world.store.get(Ref(STATEFULSET, "shop", "shop-db-postgres")) is None


async def test_an_engine_of_a_later_release_is_not_supported(world: World) -> None:
    live = await world.cluster.apply(manifest(ACME_DATASTORE, "shop-db", spec={"redis": {}}), force=False)
    world.store.upsert(ACME_DATASTORE, live)

    await world.controller({}).reconcile(REF)

    assert (await world.ready())["reason"] == "NotSupported"


def unready_since(moment: datetime) -> Manifest:
    return {"type": "Ready", "status": "False", "lastTransitionTime": moment.isoformat()}
