"""A status is written when it says something new."""

import pytest

from acme_operator.engine.kinds import DEPLOYMENT, ref_of
from acme_operator.engine.status import StatusWriter
from acme_operator.engine.store import Store
from acme_operator.testing import FakeCluster, manifest

pytestmark = pytest.mark.asyncio
OBJECT = manifest(DEPLOYMENT, "product", spec={"replicas": 1})
REF = ref_of(OBJECT)


async def world() -> tuple[FakeCluster, Store, StatusWriter]:
    cluster, store = FakeCluster(), Store()
    store.upsert(DEPLOYMENT, await cluster.create(OBJECT))
    return cluster, store, StatusWriter(cluster, store)


async def test_a_new_status_is_written_and_the_same_again_is_not() -> None:
    cluster, _, writer = await world()

    wrote = [await writer.write(REF, {"observedGeneration": 1, "ready": "1/1"}) for _ in range(2)]

    assert wrote == [True, False]
    assert [request.verb for request in cluster.writes] == ["create", "apply_status"]
    assert cluster.live(DEPLOYMENT)["shop/product"]["status"] == {"observedGeneration": 1, "ready": "1/1"}


async def test_what_is_no_longer_said_disappears_and_the_spec_is_untouched() -> None:
    cluster, _, writer = await world()
    await writer.write(REF, {"observedGeneration": 1, "blockedBy": [{"kind": "X", "name": "db"}]})

    await writer.write(REF, {"observedGeneration": 1})

    live = cluster.live(DEPLOYMENT)["shop/product"]
    assert live["status"] == {"observedGeneration": 1}
    assert (live["spec"], live["metadata"]["generation"]) == ({"replicas": 1}, 1)


async def test_an_object_that_is_gone_needs_no_status() -> None:
    cluster, store, writer = await world()
    live = store.get(REF)
    assert live is not None
    await cluster.delete(REF, uid=live["metadata"]["uid"], resource_version=None)

    assert not await writer.write(REF, {"observedGeneration": 1})
    store.remove(REF)
    assert not await writer.write(REF, {"observedGeneration": 1})
