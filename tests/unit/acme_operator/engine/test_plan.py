"""What the comparison sees, and what it is blind to on purpose."""

import copy
from typing import Any

import pytest

from acme_operator.engine.kinds import CONFIG_MAP, DEPLOYMENT, NETWORK_POLICY, SECRET, SERVICE
from acme_operator.engine.plan import compare, content_hash, differences, repairs
from acme_operator.testing import manifest
from acme_operator.testing.operations import PatchTestFailedError, patched

CONTAINER = {
    "name": "product",
    "image": "acme/services:1",
    "ports": [{"name": "grpc", "containerPort": 9090, "protocol": "TCP"}],
    "env": [{"name": "ROOT", "value": "/bindings"}],
    "resources": {"limits": {"cpu": "1000m", "memory": "1Gi"}},
}


def deployment(**changes: Any) -> dict[str, Any]:
    container = {**copy.deepcopy(CONTAINER), **changes}
    return manifest(DEPLOYMENT, "product", spec={"replicas": 2, "template": {"spec": {"containers": [container]}}})


def live_container(live: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = live["spec"]["template"]["spec"]["containers"][0]
    return found


def test_an_object_is_no_different_from_itself() -> None:
    assert differences(deployment(), deployment()) == []


def test_defaults_and_fields_of_others_are_no_difference() -> None:
    live = deployment()
    live_container(live)["terminationMessagePath"] = "/dev/termination-log"
    live["metadata"] |= {"uid": "1", "annotations": {"deployment.kubernetes.io/revision": "4"}}
    live["status"] = {"replicas": 2}

    assert differences(deployment(), live) == []


def test_a_changed_field_is_named_with_the_entry_it_is_in() -> None:
    live = deployment(image="acme/services:2")

    assert differences(deployment(), live) == ["spec.template.spec.containers[name=product].image"]


def test_a_missing_field_and_a_missing_entry_are_differences() -> None:
    live = deployment(env=[])
    del live_container(live)["image"]

    assert differences(deployment(), live) == [
        "spec.template.spec.containers[name=product].image",
        "spec.template.spec.containers[name=product].env[name=ROOT]",
    ]


@pytest.mark.parametrize(
    ("field", "entry", "label"),
    [
        ("env", {"name": "DEBUG", "value": "1"}, "env[name=DEBUG]"),
        ("ports", {"containerPort": 9999, "protocol": "TCP"}, "ports[containerPort=9999,protocol=TCP]"),
    ],
)
def test_an_entry_that_somebody_put_into_a_list_of_ours_is_foreign(field: str, entry: Any, label: str) -> None:
    live = deployment()
    live_container(live)[field].append(entry)

    assert differences(deployment(), live) == [f"spec.template.spec.containers[name=product].{label} (foreign)"]


def test_the_order_of_a_keyed_list_does_not_matter() -> None:
    pair = [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]

    assert differences(deployment(env=pair), deployment(env=pair[::-1])) == []


def test_the_order_of_an_atomic_list_matters() -> None:
    found = differences(deployment(args=["serve", "fast"]), deployment(args=["fast", "serve"]))

    assert [path.rpartition(".")[2] for path in found] == ["args[0]", "args[1]"]


def test_quantities_are_compared_by_value_only_where_they_are_quantities() -> None:
    cpu = deployment(resources={"limits": {"cpu": "1", "memory": "1024Mi"}})
    env = deployment(env=[{"name": "ROOT", "value": "1000m"}])

    assert differences(deployment(), cpu) == []
    assert differences(deployment(env=[{"name": "ROOT", "value": "1"}]), env) != []


def test_a_port_without_protocol_is_the_tcp_port() -> None:
    bare = deployment(ports=[{"name": "grpc", "containerPort": 9090}])

    assert differences(bare, deployment()) == []


def test_false_that_the_server_has_as_absent_is_a_difference() -> None:
    wanted = manifest(DEPLOYMENT, "product", spec={"automountServiceAccountToken": False})

    assert differences(wanted, manifest(DEPLOYMENT, "product", spec={})) == ["spec.automountServiceAccountToken"]


def test_what_is_empty_may_be_absent() -> None:
    wanted = manifest(CONFIG_MAP, "settings", data={}, binaryData=None, note="")

    assert differences(wanted, manifest(CONFIG_MAP, "settings")) == []


def test_a_key_added_to_a_selector_is_a_difference() -> None:
    wanted = manifest(SERVICE, "product", spec={"selector": {"app": "product"}})
    live = manifest(SERVICE, "product", spec={"selector": {"app": "product", "version": "2"}})

    assert differences(wanted, live) == ["spec.selector.version"]


def test_a_network_rule_that_somebody_widened_or_narrowed_is_a_difference() -> None:
    peer = {"podSelector": {"matchLabels": {"app": "gateway"}}}
    rule = {"from": [peer], "ports": [{"port": 9090}]}
    wanted = manifest(NETWORK_POLICY, "product", spec={"podSelector": {}, "ingress": [rule]})
    live = copy.deepcopy(wanted)
    live["spec"]["ingress"][0]["ports"][0]["protocol"] = "TCP"
    narrowed = copy.deepcopy(live)
    narrowed["spec"]["ingress"][0]["from"][0]["namespaceSelector"] = {"matchLabels": {"team": "x"}}
    widened = copy.deepcopy(live)
    widened["spec"]["ingress"].append({})

    assert differences(wanted, live) == []
    assert differences(wanted, narrowed) == ["spec.ingress[0].from[0].namespaceSelector"]
    assert differences(wanted, widened) == ["spec.ingress"]


def test_another_owner_reference_is_not_ours_to_remove() -> None:
    wanted, live = deployment(), deployment()
    wanted["metadata"]["ownerReferences"] = [{"uid": "1"}]
    live["metadata"]["ownerReferences"] = [{"uid": "1"}, {"uid": "2"}]

    assert differences(wanted, live) == []


def test_repairs_take_out_what_is_foreign_and_put_back_ours_in_one_patch() -> None:
    live = deployment(ports=[{"name": "grpc", "containerPort": 9999, "protocol": "TCP"}])
    live_container(live)["env"].insert(0, {"name": "DEBUG", "value": "1"})
    live["spec"]["template"]["spec"]["containers"].insert(0, {"name": "sidecar"})

    repaired = patched(live, repairs(compare(deployment(), live)))

    assert repaired == deployment()


def test_repairs_remove_nothing_but_what_was_looked_at() -> None:
    live, moved = deployment(), deployment()
    live_container(live)["env"].insert(0, {"name": "DEBUG", "value": "1"})

    with pytest.raises(PatchTestFailedError):
        patched(moved, repairs(compare(deployment(), live)))


def test_differences_that_an_apply_can_answer_need_no_repair() -> None:
    live = deployment(image="acme/services:2", env=[])

    assert repairs(compare(deployment(), live)) == []


def test_the_hash_of_a_secret_tells_its_keys_and_not_its_values() -> None:
    one, two = (manifest(SECRET, "login", data={"password": value}) for value in ("YQ==", "Yg=="))
    other = manifest(SECRET, "login", data={"username": "YQ=="})

    assert content_hash(one) == content_hash(two)
    assert content_hash(one) != content_hash(other)


def test_the_hash_of_anything_else_tells_every_value_and_no_order() -> None:
    assert content_hash(deployment()) != content_hash(deployment(image="other"))
    assert content_hash(dict(reversed(deployment().items()))) == content_hash(deployment())
