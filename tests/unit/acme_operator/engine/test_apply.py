"""What an apply leaves in the cluster, and what it costs."""

from datetime import timedelta
from typing import Any

import pytest

from acme_operator.api.manifests import Manifest
from acme_operator.api.marks import APPLIED_HASH
from acme_operator.engine.apply import Applier
from acme_operator.engine.cluster import Ref
from acme_operator.engine.errors import Claim, Forbidden, Rejected, Unavailable, Waiting
from acme_operator.engine.kinds import CONFIG_MAP, DEPLOYMENT, SECRET, SERVICE, SERVICE_ACCOUNT, STATEFULSET, ref_of
from acme_operator.engine.plan import differences
from acme_operator.engine.store import Store
from acme_operator.testing import FakeCluster, manifest

pytestmark = pytest.mark.asyncio
OWNER = Ref(CONFIG_MAP, "shop", "owner")


class World:
    """A fake cluster, the store as the watch would have filled it, and an applier on both."""

    def __init__(self) -> None:
        self.cluster = FakeCluster()
        self.person = self.cluster.acting_as("kubectl-edit")
        self.store = Store()
        self.applier = Applier(self.cluster, self.store)

    async def edit(self, wanted: Manifest, path: str, value: Any, op: str = "replace") -> None:
        """A person changes a field, and the watch tells of it."""
        ref = ref_of(wanted)
        live = await self.person.get(ref)
        assert live is not None
        operation = {"op": op, "path": path, "value": value}
        answer = await self.person.patch(ref, [operation], live["metadata"]["resourceVersion"])
        self.store.upsert(ref.kind, answer)

    async def live(self, wanted: Manifest) -> Manifest:
        found = await self.cluster.get(ref_of(wanted))
        assert found is not None
        return found

    def new_writes(self) -> list[str]:
        """The verbs written since the last call."""
        verbs = [request.verb for request in self.cluster.writes]
        self.cluster.requests.clear()
        return verbs


@pytest.fixture
def world() -> World:
    return World()


def deployment(**container: Any) -> Manifest:
    base = {"name": "product", "image": "one", "ports": [{"name": "grpc", "containerPort": 9090, "protocol": "TCP"}]}
    spec = {"selector": {"matchLabels": {"app": "product"}}, "template": {"spec": {"containers": [base | container]}}}
    return manifest(DEPLOYMENT, "product", spec=spec)


async def test_what_is_not_there_is_created_with_one_request_each(world: World) -> None:
    wanted = [deployment(), manifest(SERVICE, "product", spec={"ports": [{"port": 80}]})]

    changes = await world.applier.apply(OWNER, wanted)

    assert set(changes.created) == {ref_of(each) for each in wanted} == changes.all
    assert world.new_writes() == ["apply", "apply"]


async def test_a_second_apply_of_the_same_costs_nothing(world: World) -> None:
    await world.applier.apply(OWNER, [deployment()])
    world.cluster.requests.clear()

    changes = await world.applier.apply(OWNER, [deployment()])

    assert changes.unchanged == (ref_of(deployment()),)
    assert world.cluster.requests == []


async def test_a_changed_field_is_applied_and_one_no_longer_rendered_is_dropped(world: World) -> None:
    await world.applier.apply(OWNER, [deployment(command=["old"])])
    world.new_writes()

    changes = await world.applier.apply(OWNER, [deployment(image="two")])

    container = (await world.live(deployment()))["spec"]["template"]["spec"]["containers"][0]
    assert changes.configured == (ref_of(deployment()),)
    assert container == deployment(image="two")["spec"]["template"]["spec"]["containers"][0]
    assert world.new_writes() == ["apply"]


async def test_what_workloads_use_is_there_before_them(world: World) -> None:
    kinds = [DEPLOYMENT, SERVICE, SERVICE_ACCOUNT, STATEFULSET, SECRET]

    await world.applier.apply(OWNER, [manifest(kind, "product") for kind in kinds])

    order = [request.ref.kind for request in world.cluster.writes]
    assert set(order[:2]) == {SERVICE_ACCOUNT, SECRET}
    assert order[2] == SERVICE
    assert set(order[3:]) == {DEPLOYMENT, STATEFULSET}


async def test_drift_is_put_back_and_the_other_manager_named(world: World) -> None:
    await world.applier.apply(OWNER, [deployment()])
    await world.edit(deployment(), "/spec/template/spec/containers/0/image", "theirs")

    changes = await world.applier.apply(OWNER, [deployment()])

    live = await world.live(deployment())
    assert differences(deployment(), live) == []
    [(ref, claim)] = changes.conflicts
    assert ref == ref_of(deployment())
    assert claim == Claim("kubectl-edit", "spec.template.spec.containers[product].image")


async def test_a_foreign_list_entry_is_removed_with_one_write(world: World) -> None:
    await world.applier.apply(OWNER, [deployment()])
    path = "/spec/template/spec/containers/0/ports/-"
    await world.edit(deployment(), path, {"containerPort": 9999, "protocol": "TCP"}, op="add")
    world.new_writes()

    changes = await world.applier.apply(OWNER, [deployment()])

    assert changes.configured == (ref_of(deployment()),)
    assert world.new_writes() == ["patch"]
    assert differences(deployment(), await world.live(deployment())) == []


async def test_an_entry_whose_key_was_edited_is_put_back_with_one_write(world: World) -> None:
    await world.applier.apply(OWNER, [deployment()])
    await world.edit(deployment(), "/spec/template/spec/containers/0/ports/0/containerPort", 9999)
    world.new_writes()

    await world.applier.apply(OWNER, [deployment()])

    assert world.new_writes() == ["patch"]
    assert differences(deployment(), await world.live(deployment())) == []


async def test_a_list_entry_that_is_no_longer_rendered_is_dropped_by_the_apply_itself(world: World) -> None:
    await world.applier.apply(OWNER, [deployment(env=[{"name": "A", "value": "1"}, {"name": "B", "value": "2"}])])
    world.new_writes()

    await world.applier.apply(OWNER, [deployment(env=[{"name": "A", "value": "1"}])])

    assert world.new_writes() == ["apply"]
    container = (await world.live(deployment()))["spec"]["template"]["spec"]["containers"][0]
    assert container["env"] == [{"name": "A", "value": "1"}]


async def test_a_foreign_entry_goes_with_a_change_of_ours(world: World) -> None:
    await world.applier.apply(OWNER, [deployment()])
    path = "/spec/template/spec/containers/0/ports/-"
    await world.edit(deployment(), path, {"containerPort": 9999, "protocol": "TCP"}, op="add")

    await world.applier.apply(OWNER, [deployment(image="two")])

    assert differences(deployment(image="two"), await world.live(deployment())) == []


async def test_a_foreign_entry_that_stands_elsewhere_by_now_is_looked_for_again(world: World) -> None:
    await world.applier.apply(OWNER, [deployment()])
    path = "/spec/template/spec/containers/0/ports"
    await world.edit(deployment(), f"{path}/-", {"containerPort": 9999, "protocol": "TCP"}, op="add")
    stale = await world.live(deployment())
    await world.edit(deployment(), f"{path}/0", {"containerPort": 1111, "protocol": "TCP"}, op="add")
    world.store = Store()
    world.store.upsert(DEPLOYMENT, stale)
    world.applier = Applier(world.cluster, world.store)

    await world.applier.apply(OWNER, [deployment()])

    assert differences(deployment(), await world.live(deployment())) == []


async def test_a_foreign_entry_that_only_the_server_knows_of_is_removed_when_it_refuses_ours(world: World) -> None:
    await world.applier.apply(OWNER, [deployment()])
    stale = await world.live(deployment())
    await world.edit(deployment(), "/spec/template/spec/containers/0/ports/0/containerPort", 9999)
    world.store = Store()
    world.store.upsert(DEPLOYMENT, stale)
    world.applier = Applier(world.cluster, world.store)

    wanted = deployment(image="two")
    await world.applier.apply(OWNER, [wanted])

    assert differences(wanted, await world.live(wanted)) == []


async def test_what_the_server_insists_on_is_applied_once_and_not_for_ever(world: World) -> None:
    class Insisting(FakeCluster):
        async def apply(self, manifest: Manifest, *, force: bool) -> Manifest:
            return await super().apply({**manifest, "data": {"key": "as the webhook likes"}}, force=force)

    cluster = Insisting()
    applier = Applier(cluster, Store())
    wanted = manifest(CONFIG_MAP, "settings", data={"key": "as we like"})
    await applier.apply(OWNER, [wanted])
    cluster.requests.clear()

    changes = await applier.apply(OWNER, [wanted])

    assert changes.unchanged == (ref_of(wanted),)
    assert cluster.requests == []


@pytest.mark.parametrize(("kind", "field"), [(DEPLOYMENT, "spec.selector"), (STATEFULSET, "selector")])
async def test_an_immutable_field_is_rejected_with_object_field_and_next_step(
    world: World, kind: Any, field: str
) -> None:
    before, after = (manifest(kind, "db", spec={"selector": {"matchLabels": {"app": app}}}) for app in "ab")
    await world.applier.apply(OWNER, [before])

    with pytest.raises(Rejected) as refused:
        await world.applier.apply(OWNER, [after])

    assert refused.value.reason == "ImmutableField"
    for part in (str(ref_of(before)), field, "delete", str(OWNER)):
        assert part in refused.value.message


async def test_an_invalid_manifest_is_rejected_with_its_field(world: World) -> None:
    ports = [{"name": "a", "port": 1}, {"name": "a", "port": 2}]

    with pytest.raises(Rejected) as refused:
        await world.applier.apply(OWNER, [manifest(SERVICE, "product", spec={"ports": ports})])

    assert refused.value.reason == "InvalidManifest"
    assert "spec.ports[1].name" in refused.value.message


async def test_an_object_that_somebody_made_by_hand_is_not_taken_over(world: World) -> None:
    theirs = manifest(CONFIG_MAP, "settings", data={"key": "theirs"})
    theirs["metadata"]["labels"] = {}
    await world.person.create(theirs)

    with pytest.raises(Rejected) as refused:
        await world.applier.apply(OWNER, [manifest(CONFIG_MAP, "settings", data={"key": "ours"})])

    assert refused.value.reason == "NameTaken"
    assert (await world.live(theirs))["data"] == {"key": "theirs"}


async def test_a_child_of_another_owner_is_waited_for_and_not_fought_over(world: World) -> None:
    def owned(uid: str) -> Manifest:
        made = manifest(CONFIG_MAP, "settings", owner=uid, data={"of": uid})
        reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": f"owner-{uid}", "uid": uid, "controller": True}
        made["metadata"]["ownerReferences"] = [reference]
        return made

    await world.applier.apply(OWNER, [owned("1")])

    with pytest.raises(Waiting, match="belongs to ConfigMap owner-1") as waiting:
        await world.applier.apply(OWNER, [owned("2")])

    assert waiting.value.reason == "NameTaken"
    assert (await world.live(owned("1")))["data"] == {"of": "1"}


async def test_a_child_that_is_being_deleted_is_waited_for(world: World) -> None:
    wanted = manifest(CONFIG_MAP, "settings")
    await world.applier.apply(OWNER, [wanted])
    live = await world.live(wanted)
    held = await world.cluster.patch_finalizers(ref_of(wanted), ["held"], live["metadata"]["resourceVersion"])
    await world.cluster.delete(ref_of(wanted), uid=held["metadata"]["uid"], resource_version=None)
    world.store.upsert(CONFIG_MAP, await world.live(wanted))

    with pytest.raises(Waiting) as waiting:
        await world.applier.apply(OWNER, [wanted])

    assert (waiting.value.reason, waiting.value.retry_in) == ("ChildTerminating", timedelta(seconds=1))


async def test_a_refusal_lets_the_wave_finish_and_keeps_back_the_next(world: World) -> None:
    world.cluster.fail("apply", Forbidden("apply ConfigMap shop/a", "quota"))
    wanted = [manifest(CONFIG_MAP, "a"), manifest(CONFIG_MAP, "b"), manifest(SERVICE, "c")]

    with pytest.raises(Forbidden):
        await world.applier.apply(OWNER, wanted)

    assert set(world.cluster.live(CONFIG_MAP)) == {"shop/b"}
    assert world.cluster.live(SERVICE) == {}


async def test_an_answer_that_was_lost_after_the_deed_is_made_good_by_repeating(world: World) -> None:
    world.cluster.fail("apply", Unavailable("apply", "cut off"), after_commit=True)
    with pytest.raises(Unavailable):
        await world.applier.apply(OWNER, [deployment()])

    await world.applier.apply(OWNER, [deployment()])

    assert differences(deployment(), await world.live(deployment())) == []
    assert (await world.live(deployment()))["metadata"]["generation"] == 1


async def test_a_generated_secret_is_made_once_and_never_overwritten(world: World) -> None:
    first, second = (manifest(SECRET, "login", data={"password": value}) for value in ("YQ==", "Yg=="))
    await world.applier.create_once(first)
    blind = Applier(world.cluster, Store())

    found = await blind.create_once(second)

    assert found["data"] == first["data"] == (await world.live(first))["data"]


async def test_the_first_apply_of_what_was_created_costs_nothing(world: World) -> None:
    secret = manifest(SECRET, "login", data={"password": "YQ=="})
    await world.applier.create_once(secret)
    world.cluster.requests.clear()

    changes = await world.applier.apply(OWNER, [secret])

    assert changes.unchanged == (ref_of(secret),)
    assert world.cluster.requests == []


async def test_a_generated_secret_that_is_being_deleted_is_waited_for(world: World) -> None:
    secret = manifest(SECRET, "login", data={"password": "YQ=="})
    made = await world.applier.create_once(secret)
    await world.cluster.patch_finalizers(ref_of(secret), ["held"], made["metadata"]["resourceVersion"])
    await world.cluster.delete(ref_of(secret), uid=made["metadata"]["uid"], resource_version=None)

    with pytest.raises(Waiting):
        await Applier(world.cluster, Store()).create_once(secret)


async def test_the_hash_is_written_with_the_object(world: World) -> None:
    await world.applier.apply(OWNER, [deployment()])

    assert APPLIED_HASH in (await world.live(deployment()))["metadata"]["annotations"]
