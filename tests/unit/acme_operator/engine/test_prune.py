"""What a prune deletes, and above all what it does not."""

import pytest

from acme_operator.api.manifests import Manifest
from acme_operator.api.marks import RETAIN
from acme_operator.engine.cluster import Ref
from acme_operator.engine.kinds import CONFIG_MAP, SERVICE, ref_of
from acme_operator.engine.prune import PASS_LIMIT, Pruned, Pruner
from acme_operator.engine.store import Store
from acme_operator.testing import FakeCluster, manifest

pytestmark = pytest.mark.asyncio


class World:
    """A cluster with objects of owner `u1`, a synced store, and a pruner."""

    def __init__(self) -> None:
        self.cluster, self.store = FakeCluster(), Store()
        self.pruner = Pruner(self.cluster, self.store, [CONFIG_MAP, SERVICE])

    async def have(self, *manifests: Manifest) -> None:
        for each in manifests:
            self.store.upsert(ref_of(each).kind, await self.cluster.create(each))

    def sync(self) -> None:
        for kind in (CONFIG_MAP, SERVICE):
            self.store.mark_synced(kind)

    def names(self) -> set[str]:
        return {name for kind in (CONFIG_MAP, SERVICE) for name in self.cluster.live(kind)}


@pytest.fixture
def world() -> World:
    return World()


def child(name: str, owner: str = "u1") -> Manifest:
    return manifest(CONFIG_MAP, name, owner=owner)


async def test_what_is_no_longer_wanted_goes_and_the_rest_stays(world: World) -> None:
    await world.have(child("kept"), child("old"), child("of-another", "u2"), manifest(SERVICE, "old", owner="u1"))
    world.sync()

    pruned = await world.pruner.prune("u1", {ref_of(child("kept"))})

    assert world.names() == {"shop/kept", "shop/of-another"}
    assert {ref.name for ref in pruned.deleted} == {"old"}
    assert world.store.get(ref_of(child("old"))) is None


async def test_nothing_goes_until_every_kind_is_synced(world: World) -> None:
    await world.have(child("old"))
    world.store.mark_synced(CONFIG_MAP)

    assert await world.pruner.prune("u1", set()) == Pruned()
    assert world.names() == {"shop/old"}


async def test_what_is_marked_to_be_retained_stays(world: World) -> None:
    retained = child("data")
    retained["metadata"]["annotations"] = {RETAIN: "true"}
    await world.have(retained)
    world.sync()

    await world.pruner.prune("u1", set())

    assert world.names() == {"shop/data"}


async def test_what_changed_since_we_looked_stays_until_we_looked_again(world: World) -> None:
    await world.have(child("old"))
    world.sync()
    live = await world.cluster.get(ref_of(child("old")))
    assert live is not None
    add = {"op": "add", "path": "/data", "value": {"new": "1"}}
    await world.cluster.patch(ref_of(child("old")), [add], live["metadata"]["resourceVersion"])

    pruned = await world.pruner.prune("u1", set())

    assert pruned == Pruned((), 1)
    assert world.names() == {"shop/old"}


async def test_a_pass_deletes_no_more_than_its_limit(world: World) -> None:
    await world.have(*(child(f"old-{number}") for number in range(PASS_LIMIT + 3)))
    world.sync()

    first = await world.pruner.prune("u1", set())
    second = await world.pruner.prune("u1", set())

    assert (len(first.deleted), first.left) == (PASS_LIMIT, 3)
    assert (len(second.deleted), second.left) == (3, 0)
    assert world.names() == set()


async def test_what_is_gone_already_counts_as_deleted(world: World) -> None:
    await world.have(child("old"))
    world.sync()
    live = world.store.get(ref_of(child("old")))
    assert live is not None
    await world.cluster.delete(ref_of(child("old")), uid=live["metadata"]["uid"], resource_version=None)

    pruned = await world.pruner.prune("u1", set())

    assert pruned.deleted == (Ref(CONFIG_MAP, "shop", "old"),)
