"""The engine against the real API server: what it costs, what it repairs, what it leaves alone."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio

from acme_local.controlplanes import ControlPlane
from acme_operator.api.marks import MANAGED_SELECTOR
from acme_operator.engine.cluster import Kind
from acme_operator.engine.connection import from_kubeconfig
from acme_operator.engine.kinds import CONFIG_MAP, DEPLOYMENT, NETWORK_POLICY, SERVICE, STATEFULSET, ref_of
from acme_operator.engine.metrics import Metrics
from acme_operator.engine.plan import differences
from acme_operator.engine.prune import Pruner
from acme_operator.engine.store import Store
from tests.plugins.audits import Audit
from tests.plugins.clusters import THING, Bench, real_bench
from tests.plugins.keeper import CHILD_KINDS, children, keeping, until_right, want
from tests.plugins.waiting import eventually

pytestmark = [pytest.mark.asyncio, pytest.mark.controlplane]


@dataclass(frozen=True)
class Shop:
    """A bench whose requests are told apart in the audit log, and questions about one Thing."""

    bench: Bench
    audit: Audit

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
        await want(shop.bench, word="one")
        await until_right(shop.bench)
        await shop.until_quiet()

    writes = shop.audit.writes()
    assert sorted(writes[:8]) == sorted(f"patch {kind.plural}/shop" for kind in CHILD_KINDS)
    assert writes[8:] == ["patch things/shop/status"]
    assert [request for request in shop.audit.requests() if request.startswith("get ")] == []


async def test_a_restart_with_everything_in_place_writes_nothing(shop: Shop) -> None:
    async with keeping(shop.bench.cluster, shop.bench.namespace):
        await want(shop.bench, word="one", extras=["a", "b"])
        await until_right(shop.bench)
        await shop.until_quiet()
    before = shop.audit.writes()

    metrics = Metrics()
    async with keeping(shop.bench.cluster, shop.bench.namespace, metrics):
        await eventually(_passed(metrics), "the Thing was looked at")

    assert shop.audit.writes() == before
    assert metrics.registry.get_sample_value("acme_applies_skipped_total") == len(CHILD_KINDS) + 2


async def test_a_changed_word_costs_one_apply_for_each_child_that_holds_it_and_a_status(shop: Shop) -> None:
    async with keeping(shop.bench.cluster, shop.bench.namespace):
        await want(shop.bench, word="one")
        await until_right(shop.bench)
        await shop.until_quiet()
        before = len(shop.audit.writes())
        await want(shop.bench, word="two")
        await until_right(shop.bench)
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
        await want(shop.bench, extras=["a", "b"])
        await until_right(shop.bench)
        await want(shop.bench, extras=["b"])
        await until_right(shop.bench)

    assert await shop.bench.person.get(shop.bench.ref(CONFIG_MAP, "shop-a")) is None
    assert await shop.bench.person.get(shop.bench.ref(CONFIG_MAP, "shop-b")) is not None
    assert await shop.bench.person.get(shop.bench.ref(CONFIG_MAP, "theirs")) is not None


async def test_a_prune_on_an_old_view_deletes_nothing_that_changed_or_was_made_anew(shop: Shop) -> None:
    cluster, store = shop.bench.cluster, Store()
    for name in ("changed", "anew", "same"):
        made = await shop.bench.person.create(shop.bench.manifest(CONFIG_MAP, name, owner="u1"))
        store.upsert(CONFIG_MAP, made)
    store.mark_synced(CONFIG_MAP)
    await shop.bench.edit(shop.bench.ref(CONFIG_MAP, "changed"), "/data", {"new": "1"}, op="add")
    await shop.bench.remove(shop.bench.ref(CONFIG_MAP, "anew"))
    await shop.bench.person.create(shop.bench.manifest(CONFIG_MAP, "anew", owner="u1"))

    pruned = await Pruner(cluster, store, [CONFIG_MAP]).prune("u1", set())

    page = await shop.bench.person.list(CONFIG_MAP, shop.bench.namespace, MANAGED_SELECTOR, 500, None)
    assert {item["metadata"]["name"] for item in page.items} == {"changed", "anew"}
    assert ([ref.name for ref in pruned.deleted], pruned.left) == (["same"], 2)


async def test_a_deleted_child_comes_back_with_one_write(shop: Shop) -> None:
    async with keeping(shop.bench.cluster, shop.bench.namespace):
        await want(shop.bench)
        await until_right(shop.bench)
        await shop.until_quiet()
        before = len(shop.audit.writes())
        await shop.bench.remove(shop.bench.ref(SERVICE, "shop"))
        await until_right(shop.bench)

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
        await want(shop.bench)
        await until_right(shop.bench)
        await shop.until_quiet()
        before = len(shop.audit.writes())
        edited = await shop.bench.edit(shop.bench.ref(kind, "shop"), path, value, op=op)
        thing = await shop.bench.live(shop.bench.ref(THING, "shop"))
        assert [child for child in children(thing) if ref_of(child) == ref_of(edited) and differences(child, edited)]
        await until_right(shop.bench)
        await shop.until_quiet()

    # Where another manager took a field over, a refused apply comes before the forced one.
    assert shop.audit.writes()[before:] == [f"patch {kind.plural}/shop"] * cost


async def test_deletions_while_nobody_looked_are_made_good_after(shop: Shop) -> None:
    async with keeping(shop.bench.cluster, shop.bench.namespace):
        await want(shop.bench)
        await until_right(shop.bench)
        await shop.until_quiet()
    before = len(shop.audit.writes())
    await shop.bench.remove(shop.bench.ref(DEPLOYMENT, "shop"))

    async with keeping(shop.bench.cluster, shop.bench.namespace):
        await until_right(shop.bench)

    assert shop.audit.writes()[before:] == ["patch deployments/shop"]


def _passed(metrics: Metrics) -> Callable[[], Awaitable[bool]]:
    async def question() -> bool:
        labels = {"kind": "Thing", "outcome": "done"}
        return metrics.registry.get_sample_value("acme_reconciles_total", labels) is not None

    return question
