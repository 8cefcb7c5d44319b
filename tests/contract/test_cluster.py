"""What the engine relies on, held against the fake cluster and the real API server alike."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from acme_operator.api.marks import MANAGED_SELECTOR
from acme_operator.engine.cluster import Cluster, WatchEvent
from acme_operator.engine.errors import AlreadyExists, ClusterError, Conflict, Expired, Invalid, NotFound
from acme_operator.engine.kinds import CONFIG_MAP, DEPLOYMENT, EVENT, NETWORK_POLICY, SECRET, SERVICE
from acme_operator.engine.plan import compare, differences, repairs
from acme_operator.engine.store import version_of
from tests.plugins.clusters import THING, Bench
from tests.plugins.waiting import eventually

pytestmark = pytest.mark.asyncio


async def seen(events: AsyncGenerator[WatchEvent, None], count: int) -> list[tuple[str, str]]:
    """The next events but bookmarks, as (type, name)."""
    found: list[tuple[str, str]] = []
    async with aclosing(events), asyncio.timeout(15):
        async for event in events:
            if event.type != "BOOKMARK":
                found.append((event.type, event.object["metadata"]["name"]))
            if len(found) == count:
                return found
    raise AssertionError(f"the watch ended after {found}")


async def list_all(cluster: Cluster, bench: Bench, limit: int = 500) -> tuple[list[str], str]:
    names, token = [], None
    while True:
        page = await cluster.list(THING, bench.namespace, None, limit, token)
        names += [item["metadata"]["name"] for item in page.items]
        if not (token := page.token):
            return names, page.resource_version


# --- reading ----------------------------------------------------------------------------------------------------


async def test_what_is_not_there_is_none(bench: Bench) -> None:
    assert await bench.cluster.get(bench.ref(CONFIG_MAP, "missing")) is None


async def test_a_list_comes_in_pages_that_show_one_moment(bench: Bench) -> None:
    for number in range(5):
        await bench.cluster.create(bench.manifest(THING, f"t{number}"))

    first = await bench.cluster.list(THING, bench.namespace, None, 2, None)
    await bench.cluster.create(bench.manifest(THING, "t9"))
    second = await bench.cluster.list(THING, bench.namespace, None, 2, first.token)
    third = await bench.cluster.list(THING, bench.namespace, None, 2, second.token)

    names = [item["metadata"]["name"] for page in (first, second, third) for item in page.items]
    assert sorted(names) == ["t0", "t1", "t2", "t3", "t4"]
    assert third.token is None
    assert first.resource_version == third.resource_version
    assert {item["kind"] for item in first.items} == {"Thing"}


async def test_a_list_is_selected_by_label_and_namespace(bench: Bench) -> None:
    stranger = bench.manifest(THING, "stranger")
    stranger["metadata"]["labels"] = {}
    await bench.cluster.create(stranger)
    await bench.cluster.create(bench.manifest(THING, "ours"))

    page = await bench.cluster.list(THING, bench.namespace, MANAGED_SELECTOR, 500, None)

    assert [item["metadata"]["name"] for item in page.items] == ["ours"]


async def test_a_watch_tells_what_happened_after_the_list_in_order(bench: Bench) -> None:
    await bench.cluster.create(bench.manifest(THING, "before"))
    _, version = await list_all(bench.cluster, bench)

    await bench.cluster.create(bench.manifest(THING, "new"))
    await bench.cluster.apply(bench.manifest(THING, "before", spec={"a": 1}), force=True)
    await bench.remove(bench.ref(THING, "new"))
    found = await seen(bench.cluster.watch(THING, bench.namespace, None, version), 3)

    assert found == [("ADDED", "new"), ("MODIFIED", "before"), ("DELETED", "new")]


async def test_a_watch_tells_what_happens_while_it_runs(bench: Bench) -> None:
    _, version = await list_all(bench.cluster, bench)
    watching = asyncio.create_task(seen(bench.cluster.watch(THING, bench.namespace, None, version), 1))

    await bench.cluster.create(bench.manifest(THING, "new"))

    assert await watching == [("ADDED", "new")]


async def test_the_event_of_a_deletion_has_a_version_of_its_own(bench: Bench) -> None:
    made = await bench.cluster.create(bench.manifest(THING, "old"))
    await bench.remove(bench.ref(THING, "old"))

    events = bench.cluster.watch(THING, bench.namespace, None, made["metadata"]["resourceVersion"])
    async with aclosing(events), asyncio.timeout(15):
        event = await anext(events)
        while event.type == "BOOKMARK":
            event = await anext(events)

    assert event.type == "DELETED"
    assert version_of(event.object) > version_of(made)


async def test_an_object_that_loses_its_label_leaves_the_watch(bench: Bench) -> None:
    await bench.cluster.create(bench.manifest(THING, "ours"))
    _, version = await list_all(bench.cluster, bench)
    await bench.edit(bench.ref(THING, "ours"), "/metadata/labels", {})
    await bench.edit(bench.ref(THING, "ours"), "/metadata/labels", {"app.kubernetes.io/managed-by": "acme-operator"})

    found = await seen(bench.cluster.watch(THING, bench.namespace, MANAGED_SELECTOR, version), 2)

    assert found == [("DELETED", "ours"), ("ADDED", "ours")]


async def test_a_version_that_is_too_old_ends_a_watch_with_410(bench: Bench) -> None:
    await bench.cluster.create(bench.manifest(THING, "any"))
    if bench.fake is not None:
        bench.fake.forget_history()

    events = bench.cluster.watch(THING, None, None, "1")
    try:
        async with aclosing(events), asyncio.timeout(15):
            event = await anext(events)
    except Expired:
        return
    assert (event.type, event.object["code"]) == ("ERROR", 410)


# --- creating and applying --------------------------------------------------------------------------------------


async def test_create_makes_an_object_and_never_overwrites_one(bench: Bench) -> None:
    made = await bench.cluster.create(bench.manifest(SECRET, "login", data={"password": "YQ=="}))

    with pytest.raises(AlreadyExists):
        await bench.cluster.create(bench.manifest(SECRET, "login", data={"password": "Yg=="}))

    live = await bench.live(bench.ref(SECRET, "login"))
    assert live["data"] == {"password": "YQ=="}
    assert live["metadata"]["uid"] == made["metadata"]["uid"]


async def test_apply_makes_an_object_and_the_same_again_changes_nothing(bench: Bench) -> None:
    first = await bench.cluster.apply(bench.manifest(THING, "a", spec={"x": 1}), force=False)
    second = await bench.cluster.apply(bench.manifest(THING, "a", spec={"x": 1}), force=False)

    assert first["metadata"]["resourceVersion"] == second["metadata"]["resourceVersion"]
    assert first["metadata"]["generation"] == 1


async def test_a_changed_spec_is_a_new_generation_and_a_changed_label_is_not(bench: Bench) -> None:
    await bench.cluster.apply(bench.manifest(THING, "a", spec={"x": 1}), force=False)
    labelled = bench.manifest(THING, "a", spec={"x": 1})
    labelled["metadata"]["labels"]["team"] = "shop"

    generations = [
        (await bench.cluster.apply(wanted, force=False))["metadata"]["generation"]
        for wanted in (labelled, bench.manifest(THING, "a", spec={"x": 2}))
    ]

    assert generations == [1, 2]


async def test_a_field_that_is_no_longer_applied_is_dropped_and_fields_of_others_stay(bench: Bench) -> None:
    ref = bench.ref(CONFIG_MAP, "a")
    await bench.cluster.apply(bench.manifest(CONFIG_MAP, "a", data={"ours": "1", "gone": "1"}), force=False)
    await bench.edit(ref, "/data/theirs", "1", op="add")

    answer = await bench.cluster.apply(bench.manifest(CONFIG_MAP, "a", data={"ours": "1"}), force=False)

    assert answer["data"] == {"ours": "1", "theirs": "1"}


async def test_a_field_that_somebody_took_over_is_a_conflict_that_names_him_until_forced(bench: Bench) -> None:
    wanted = bench.manifest(CONFIG_MAP, "a", data={"key": "ours"})
    await bench.cluster.apply(wanted, force=False)
    await bench.edit(bench.ref(CONFIG_MAP, "a"), "/data/key", "theirs")

    with pytest.raises(Conflict) as conflict:
        await bench.cluster.apply(wanted, force=False)
    forced = await bench.cluster.apply(wanted, force=True)
    again = await bench.cluster.apply(bench.manifest(CONFIG_MAP, "a", data={"key": "new"}), force=False)

    assert [(claim.manager, claim.field) for claim in conflict.value.claims] == [("kubectl-edit", "data.key")]
    assert (forced["data"], again["data"]) == ({"key": "ours"}, {"key": "new"})


async def test_an_apply_leaves_a_foreign_list_entry_and_our_repair_takes_it_out(bench: Bench) -> None:
    port = {"name": "grpc", "port": 9090, "protocol": "TCP", "targetPort": 9090}
    wanted = bench.manifest(SERVICE, "a", spec={"selector": {"app": "a"}, "ports": [port]})
    await bench.cluster.apply(wanted, force=False)
    added = {"name": "debug", "port": 9999, "protocol": "TCP", "targetPort": 9999}
    await bench.edit(bench.ref(SERVICE, "a"), "/spec/ports/-", added, op="add")

    applied = await bench.cluster.apply(wanted, force=True)
    operations = repairs(compare(wanted, applied))
    repaired = await bench.cluster.patch(bench.ref(SERVICE, "a"), operations)

    assert differences(wanted, applied) == ["spec.ports[port=9999,protocol=TCP] (foreign)"]
    assert differences(wanted, repaired) == []


async def test_a_repair_removes_nothing_but_what_it_was_made_for(bench: Bench) -> None:
    port = {"name": "grpc", "port": 9090, "protocol": "TCP", "targetPort": 9090}
    wanted = bench.manifest(SERVICE, "a", spec={"selector": {"app": "a"}, "ports": [port]})
    await bench.cluster.apply(wanted, force=False)
    added = {"name": "debug", "port": 9999, "protocol": "TCP", "targetPort": 9999}
    live = await bench.edit(bench.ref(SERVICE, "a"), "/spec/ports/0", added, op="add")
    operations = repairs(compare(wanted, live))
    await bench.edit(bench.ref(SERVICE, "a"), "/spec/ports/0", {}, op="remove")

    with pytest.raises(Invalid):
        await bench.cluster.patch(bench.ref(SERVICE, "a"), operations)

    assert differences(wanted, await bench.live(bench.ref(SERVICE, "a"))) == []


async def test_an_entry_whose_key_was_edited_makes_ours_invalid_until_repaired(bench: Bench) -> None:
    port = {"name": "grpc", "port": 9090, "protocol": "TCP", "targetPort": 9090}
    wanted = bench.manifest(SERVICE, "a", spec={"selector": {"app": "a"}, "ports": [port]})
    await bench.cluster.apply(wanted, force=False)
    live = await bench.edit(bench.ref(SERVICE, "a"), "/spec/ports/0/port", 9999)

    with pytest.raises(Invalid) as refused:
        await bench.cluster.apply(wanted, force=True)
    operations = repairs(compare(wanted, live))
    repaired = await bench.cluster.patch(bench.ref(SERVICE, "a"), operations)

    assert refused.value.causes[0].reason == "FieldValueDuplicate"
    assert differences(wanted, repaired) == []


async def test_an_atomic_list_is_replaced_as_a_whole(bench: Bench) -> None:
    rule = {"ports": [{"port": 9090, "protocol": "TCP"}]}
    spec = {"podSelector": {"matchLabels": {"app": "a"}}, "policyTypes": ["Ingress"], "ingress": [rule]}
    wanted = bench.manifest(NETWORK_POLICY, "a", spec=spec)
    await bench.cluster.apply(wanted, force=False)
    widened = await bench.edit(bench.ref(NETWORK_POLICY, "a"), "/spec/ingress/-", {}, op="add")

    repaired = await bench.cluster.apply(wanted, force=True)

    assert differences(wanted, widened) == ["spec.ingress"]
    assert differences(wanted, repaired) == []


async def test_an_immutable_field_is_invalid_and_named(bench: Bench) -> None:
    def deployment(app: str) -> dict[str, object]:
        template = {"metadata": {"labels": {"app": app}}, "spec": {"containers": [{"name": "a", "image": "none"}]}}
        spec = {"replicas": 0, "selector": {"matchLabels": {"app": app}}, "template": template}
        return bench.manifest(DEPLOYMENT, "a", spec=spec)

    await bench.cluster.apply(deployment("one"), force=False)

    with pytest.raises(Invalid) as refused:
        await bench.cluster.apply(deployment("two"), force=True)

    assert "spec.selector" in [cause.field for cause in refused.value.causes]


# --- status, finalizers, deletion -------------------------------------------------------------------------------


async def test_status_is_written_apart_from_the_spec_and_replaced_as_a_whole(bench: Bench) -> None:
    thing = bench.manifest(THING, "a", spec={"x": 1})
    made = await bench.cluster.apply({**thing, "status": {"ignored": True}}, force=False)

    first = await bench.cluster.apply_status({**thing, "status": {"ready": "0/1", "gone": "x"}})
    second = await bench.cluster.apply_status({**thing, "spec": {"x": 2}, "status": {"ready": "1/1"}})

    assert "status" not in made
    assert first["status"] == {"ready": "0/1", "gone": "x"}
    assert (second["status"], second["spec"], second["metadata"]["generation"]) == ({"ready": "1/1"}, {"x": 1}, 1)


async def test_a_status_makes_no_object(bench: Bench) -> None:
    with pytest.raises(NotFound):
        await bench.cluster.apply_status(bench.manifest(THING, "a", status={"ready": "1/1"}))


async def test_a_patch_of_another_version_than_the_live_one_is_a_conflict_without_claims(bench: Bench) -> None:
    ref = bench.ref(CONFIG_MAP, "a")
    old = await bench.cluster.create(bench.manifest(CONFIG_MAP, "a", data={"x": "1"}))
    await bench.edit(ref, "/data/x", "2")

    operation = {"op": "replace", "path": "/data/x", "value": "3"}
    for attempt in (
        bench.cluster.patch(ref, [operation], old["metadata"]["resourceVersion"]),
        bench.cluster.patch_finalizers(ref, ["example.dev/held"], old["metadata"]["resourceVersion"]),
        bench.cluster.delete(ref, uid=old["metadata"]["uid"], resource_version=old["metadata"]["resourceVersion"]),
    ):
        with pytest.raises(Conflict) as conflict:
            await attempt
        assert conflict.value.claims == ()

    assert (await bench.live(ref))["data"] == {"x": "2"}


async def test_a_finalizer_holds_a_deleted_object_until_it_is_taken_off(bench: Bench) -> None:
    ref = bench.ref(THING, "a")
    made = await bench.cluster.create(bench.manifest(THING, "a"))
    version = made["metadata"]["resourceVersion"]
    await bench.cluster.patch_finalizers(ref, ["platform.acme.dev/cleanup"], version)
    await bench.remove(ref)

    held = await bench.live(ref)
    await bench.cluster.patch_finalizers(ref, [], held["metadata"]["resourceVersion"])

    assert "deletionTimestamp" in held["metadata"]
    assert await bench.cluster.get(ref) is None


async def test_deleting_another_incarnation_is_a_conflict_and_deleting_nothing_is_fine(bench: Bench) -> None:
    ref = bench.ref(CONFIG_MAP, "a")
    await bench.cluster.create(bench.manifest(CONFIG_MAP, "a"))

    with pytest.raises(Conflict):
        await bench.cluster.delete(ref, uid="00000000-0000-0000-0000-000000000000", resource_version=None)
    await bench.remove(ref)
    await bench.cluster.delete(ref, uid="00000000-0000-0000-0000-000000000000", resource_version=None)

    assert await bench.cluster.get(ref) is None


async def test_what_an_owner_leaves_behind_goes_with_it(bench: Bench) -> None:
    owner = await bench.cluster.create(bench.manifest(THING, "owner"))
    child = bench.manifest(CONFIG_MAP, "child")
    reference = {"apiVersion": THING.api_version, "kind": "Thing", "name": "owner", "uid": owner["metadata"]["uid"]}
    child["metadata"]["ownerReferences"] = [reference]
    await bench.cluster.create(child)

    await bench.remove(bench.ref(THING, "owner"))

    async def gone() -> bool:
        return await bench.cluster.get(bench.ref(CONFIG_MAP, "child")) is None

    # The garbage collector of a real cluster learns of a new kind only when it next looks at the API (half a minute).
    await eventually(gone, "the child is gone", 60)


async def test_an_event_is_posted_under_a_name_of_its_own(bench: Bench) -> None:
    thing = await bench.cluster.create(bench.manifest(THING, "a"))
    regarding = {
        "apiVersion": THING.api_version,
        "kind": "Thing",
        "namespace": bench.namespace,
        "name": "a",
        "uid": thing["metadata"]["uid"],
    }
    event = {
        "apiVersion": EVENT.api_version,
        "kind": EVENT.kind,
        "metadata": {"generateName": "a-", "namespace": bench.namespace},
        "eventTime": "2030-01-01T12:00:00.000000Z",
        "type": "Normal",
        "reason": "Created",
        "action": "Reconcile",
        "note": "made it",
        "regarding": regarding,
        "reportingController": "platform.acme.dev/acme-operator",
        "reportingInstance": "test",
    }

    await bench.cluster.create_event(event)
    await bench.cluster.create_event(event)

    page = await bench.cluster.list(EVENT, bench.namespace, None, 500, None)
    assert [item["note"] for item in page.items] == ["made it", "made it"]


async def test_every_refusal_is_a_cluster_error_that_names_the_object(bench: Bench) -> None:
    ref = bench.ref(CONFIG_MAP, "a")
    await bench.cluster.create(bench.manifest(CONFIG_MAP, "a"))

    with pytest.raises(ClusterError, match=f"ConfigMap {bench.namespace}/a"):
        await bench.cluster.create(bench.manifest(CONFIG_MAP, "a"))
    with pytest.raises(ClusterError, match=f"ConfigMap {bench.namespace}/a"):
        await bench.cluster.patch(ref, [], "1")
