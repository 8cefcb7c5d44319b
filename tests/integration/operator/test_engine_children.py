"""The engine against the real API server: what it costs, what it repairs, what it leaves alone."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio

from acme_local.controlplanes import ControlPlane
from acme_operator.engine.cluster import Kind, Manifest
from acme_operator.engine.connection import from_kubeconfig
from acme_operator.engine.kinds import CONFIG_MAP, DEPLOYMENT, NETWORK_POLICY, SERVICE, STATEFULSET, ref_of
from acme_operator.engine.metrics import Metrics
from acme_operator.engine.plan import differences
from tests.plugins.audits import Audit
from tests.plugins.clusters import THING, Bench, real_bench
from tests.plugins.keeper import CHILD_KINDS, children, keeping
from tests.plugins.waiting import eventually

pytestmark = [pytest.mark.asyncio, pytest.mark.controlplane]


@dataclass(frozen=True)
class Shop:
    """A bench whose requests are told apart in the audit log, and questions about one Thing."""

    bench: Bench
    audit: Audit
    metrics: Metrics = field(default_factory=Metrics)

    async def want(self, **spec: Any) -> Manifest:
        """A person declares the Thing."""
        return await self.bench.person.apply(self.bench.manifest(THING, "shop", spec=spec), force=True)

    async def missing(self) -> list[str]:
        """In what the children are not as the Thing wants; the status counts as one of them."""
        thing = await self.bench.live(self.bench.ref(THING, "shop"))
        found: list[str] = []
        for child in children(thing):
            live = await self.bench.person.get(ref_of(child))
            found += [f"no {ref_of(child)}"] if live is None else differences(child, live)
        seen = thing.get("status", {}).get("observedGeneration")
        return found + ([] if seen == thing["metadata"]["generation"] else ["status"])

    async def until_right(self) -> None:
        async def right() -> bool:
            return await self.missing() == []

        await eventually(right, "everything is as the Thing wants")

    async def until_quiet(self) -> None:
        """Until the cluster's own controllers have said what they have to say, and we have answered."""
        versions: list[list[str]] = []

        async def quiet() -> bool:
            thing = await self.bench.live(self.bench.ref(THING, "shop"))
            live = [await self.bench.person.get(ref_of(child)) for child in children(thing)]
            versions.append([str(each and each["metadata"]["resourceVersion"]) for each in live])
            return len(versions) > 10 and all(seen == versions[-1] for seen in versions[-10:])

        await eventually(quiet, "the cluster is quiet")


@pytest_asyncio.fixture
async def shop(control_plane: ControlPlane) -> AsyncIterator[Shop]:
    user = f"engine-{uuid4().hex[:8]}"
    connection = from_kubeconfig(control_plane.kubeconfig_for(user, "system:masters"))
    async with real_bench(control_plane, connection) as bench:
        yield Shop(bench, Audit(control_plane.audit_log, user, bench.namespace))


async def test_a_create_costs_one_apply_a_child_and_a_status(shop: Shop) -> None:
    async with keeping(shop.bench.cluster, shop.bench.namespace):
        await shop.want(word="one")
        await shop.until_right()
        await shop.until_quiet()

    writes = shop.audit.writes()
    assert sorted(writes[:8]) == sorted(f"patch {kind.plural}/shop" for kind in CHILD_KINDS)
    assert writes[8:] == ["patch things/shop/status"]
    assert [request for request in shop.audit.requests() if request.startswith("get ")] == []


async def test_a_restart_with_everything_in_place_writes_nothing(shop: Shop) -> None:
    async with keeping(shop.bench.cluster, shop.bench.namespace):
        await shop.want(word="one", extras=["a", "b"])
        await shop.until_right()
        await shop.until_quiet()
    before = shop.audit.writes()

    metrics = Metrics()
    async with keeping(shop.bench.cluster, shop.bench.namespace, metrics):
        await eventually(_passed(metrics), "the Thing was looked at")

    assert shop.audit.writes() == before
    assert metrics.registry.get_sample_value("acme_applies_skipped_total") == len(CHILD_KINDS) + 2


async def test_a_changed_word_costs_one_apply_for_each_child_that_holds_it_and_a_status(shop: Shop) -> None:
    async with keeping(shop.bench.cluster, shop.bench.namespace):
        await shop.want(word="one")
        await shop.until_right()
        await shop.until_quiet()
        before = len(shop.audit.writes())
        await shop.want(word="two")
        await shop.until_right()
        await shop.until_quiet()

    assert sorted(shop.audit.writes()[before:]) == [
        "patch configmaps/shop",
        "patch deployments/shop",
        "patch statefulsets/shop",
        "patch things/shop/status",
    ]


async def test_what_is_no_longer_wanted_is_pruned_and_what_others_made_is_not(shop: Shop) -> None:
    await shop.bench.person.create(shop.bench.manifest(CONFIG_MAP, "theirs", owner=None))
    async with keeping(shop.bench.cluster, shop.bench.namespace):
        await shop.want(extras=["a", "b"])
        await shop.until_right()
        await shop.want(extras=["b"])
        await shop.until_right()

        async def pruned() -> bool:
            return await shop.bench.person.get(shop.bench.ref(CONFIG_MAP, "shop-a")) is None

        await eventually(pruned, "the extra is gone")

    assert await shop.bench.person.get(shop.bench.ref(CONFIG_MAP, "shop-b")) is not None
    assert await shop.bench.person.get(shop.bench.ref(CONFIG_MAP, "theirs")) is not None


async def test_a_deleted_child_comes_back_with_one_write(shop: Shop) -> None:
    async with keeping(shop.bench.cluster, shop.bench.namespace):
        await shop.want()
        await shop.until_right()
        await shop.until_quiet()
        before = len(shop.audit.writes())
        await shop.bench.remove(shop.bench.ref(SERVICE, "shop"))
        await shop.until_right()

    assert shop.audit.writes()[before:] == ["patch services/shop"]


MAIN = "/spec/template/spec/containers/0"


@pytest.mark.parametrize(
    ("kind", "path", "value", "op", "cost"),
    [
        pytest.param(CONFIG_MAP, "/data/word", "theirs", "replace", 2, id="a field"),
        pytest.param(DEPLOYMENT, f"{MAIN}/image", "theirs", "replace", 2, id="an image"),
        pytest.param(SERVICE, "/spec/selector/version", "2", "add", 2, id="a selector's key"),
        pytest.param(NETWORK_POLICY, "/spec/ingress/-", {}, "add", 2, id="a network rule that admits all"),
        pytest.param(DEPLOYMENT, f"{MAIN}/env/-", {"name": "DEBUG", "value": "1"}, "add", 1, id="a foreign variable"),
        pytest.param(DEPLOYMENT, f"{MAIN}/ports/0/containerPort", 9999, "replace", 1, id="a port's own key"),
        pytest.param(STATEFULSET, f"{MAIN}/ports/-", {"containerPort": 99}, "add", 1, id="a foreign container port"),
        pytest.param(SERVICE, "/spec/ports/-", {"name": "x", "port": 99}, "add", 1, id="a foreign service port"),
        pytest.param(SERVICE, "/spec/ports/0/port", 9999, "replace", 1, id="a service port's own key"),
    ],
)
async def test_drift_is_repaired(shop: Shop, kind: Kind, path: str, value: Any, op: str, cost: int) -> None:
    async with keeping(shop.bench.cluster, shop.bench.namespace):
        await shop.want()
        await shop.until_right()
        await shop.until_quiet()
        before = len(shop.audit.writes())
        edited = await shop.bench.edit(shop.bench.ref(kind, "shop"), path, value, op=op)
        thing = await shop.bench.live(shop.bench.ref(THING, "shop"))
        assert [child for child in children(thing) if ref_of(child) == ref_of(edited) and differences(child, edited)]
        await shop.until_right()
        await shop.until_quiet()

    # Where another manager took a field over, a refused apply comes before the forced one.
    assert shop.audit.writes()[before:] == [f"patch {kind.plural}/shop"] * cost


async def test_deletions_while_nobody_looked_are_made_good_after(shop: Shop) -> None:
    async with keeping(shop.bench.cluster, shop.bench.namespace):
        await shop.want()
        await shop.until_right()
        await shop.until_quiet()
    before = len(shop.audit.writes())
    await shop.bench.remove(shop.bench.ref(DEPLOYMENT, "shop"))

    async with keeping(shop.bench.cluster, shop.bench.namespace):
        await shop.until_right()

    assert shop.audit.writes()[before:] == ["patch deployments/shop"]


def _passed(metrics: Metrics) -> Callable[[], Awaitable[bool]]:
    async def question() -> bool:
        labels = {"kind": "Thing", "outcome": "done"}
        return metrics.registry.get_sample_value("acme_reconciles_total", labels) is not None

    return question
