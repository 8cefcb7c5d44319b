"""One AcmeService against the real API server: what it becomes, what brings it back, what it costs, how it goes."""

from typing import Any

import pytest

from acme_operator.engine.metrics import Metrics
from tests.plugins.kubectl import Kubectl, condition
from tests.plugins.operator import Operators, passed, settled
from tests.plugins.waiting import eventually

pytestmark = [pytest.mark.controlplane, pytest.mark.asyncio]

PORTS = [{"name": "grpc", "port": 9090, "protocol": "GRPC"}, {"name": "metrics", "port": 9464, "protocol": "Metrics"}]
CHILDREN = ("deployment", "service", "serviceaccount", "poddisruptionbudget", "networkpolicy")


def service(name: str = "product", **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "platform.acme.dev/v1alpha1",
        "kind": "AcmeService",
        "metadata": {"name": name},
        "spec": {"image": "acme/services:1.0", "args": ["product"], "ports": PORTS, **spec},
    }


async def all_children(kubectl: Kubectl, name: str = "product") -> bool:
    return all(kubectl.find(kind, name) is not None for kind in CHILDREN)


async def reason_of(kubectl: Kubectl, name: str) -> str | None:
    found: str | None = condition(kubectl.get("asvc", name), "Ready").get("reason")
    return found


async def test_a_service_becomes_its_children(operator: Metrics, kubectl: Kubectl) -> None:
    kubectl.apply(service())

    assert await eventually(lambda: all_children(kubectl))
    live = kubectl.get("asvc", "product")
    for kind in CHILDREN:
        child = kubectl.get(kind, "product")
        assert child["metadata"]["ownerReferences"][0]["uid"] == live["metadata"]["uid"]


async def test_the_status_is_converging_until_pods_serve(operator: Metrics, kubectl: Kubectl) -> None:
    kubectl.apply(service())

    assert await eventually(lambda: reason_of(kubectl, "product")) == "Progressing"
    live = kubectl.get("asvc", "product")
    assert condition(live, "Ready")["status"] == "Unknown"
    assert condition(live, "Reconciling")["status"] == "True"
    assert condition(live, "Available")["status"] == "False"
    assert live["status"]["observedGeneration"] == live["metadata"]["generation"]


async def test_a_deleted_child_returns(operator: Metrics, kubectl: Kubectl) -> None:
    kubectl.apply(service())
    await eventually(lambda: all_children(kubectl))
    before = kubectl.get("service", "product")["metadata"]["uid"]

    kubectl.must("delete", "service", "product")

    async def anew() -> bool:
        found = kubectl.find("service", "product")
        return found is not None and found["metadata"]["uid"] != before

    assert await eventually(anew)


async def test_a_field_changed_by_hand_is_put_back(operator: Metrics, kubectl: Kubectl) -> None:
    kubectl.apply(service())
    await eventually(lambda: all_children(kubectl))

    kubectl.must("set", "image", "deployment/product", "product=somebody/elses:2")

    async def image() -> bool:
        pod = kubectl.get("deployment", "product")["spec"]["template"]["spec"]
        return bool(pod["containers"][0]["image"] == "acme/services:1.0")

    assert await eventually(image)


async def test_a_port_that_is_no_longer_declared_takes_its_service_along(operator: Metrics, kubectl: Kubectl) -> None:
    kubectl.apply(service())
    await eventually(lambda: all_children(kubectl))

    kubectl.apply(service(ports=[]))

    async def gone() -> bool:
        return kubectl.find("service", "product") is None

    assert await eventually(gone)
    assert kubectl.find("deployment", "product") is not None


async def test_what_is_live_costs_no_write_after_a_restart(operators: Operators, kubectl: Kubectl) -> None:
    kubectl.apply(service())
    async with operators.running():
        await eventually(lambda: reason_of(kubectl, "product"))
        await settled(operators)
    before = operators.writes()

    async with operators.running() as metrics:
        await passed(metrics, "AcmeService")

        assert operators.writes() == before


async def test_creating_costs_one_write_a_child_and_at_most_three_of_status(
    operators: Operators, kubectl: Kubectl
) -> None:
    async with operators.running():
        kubectl.apply(service())
        await eventually(lambda: reason_of(kubectl, "product"))
        await settled(operators)

    assert len(operators.writes()) <= len(CHILDREN) + 3


async def test_a_missing_dependency_is_named_and_heals_by_itself(operator: Metrics, kubectl: Kubectl) -> None:
    needs = [{"name": "stock", "service": {"name": "inventory", "port": "grpc"}}]
    kubectl.apply(service(dependencies=needs))

    assert await eventually(lambda: reason_of(kubectl, "product")) == "DependencyMissing"
    live = kubectl.get("asvc", "product")
    assert condition(live, "Ready")["status"] == "False"
    assert "AcmeService inventory does not exist" in condition(live, "Ready")["message"]
    assert live["status"]["blockedBy"] == [{"kind": "AcmeService", "name": "inventory", "reason": "DependencyMissing"}]
    assert kubectl.find("deployment", "product") is None

    kubectl.apply(service("inventory"))

    assert await eventually(lambda: all_children(kubectl))
    assert kubectl.find("secret", "product.stock.binding") is not None


async def test_a_dependency_that_goes_leaves_the_running_revision_alone(operator: Metrics, kubectl: Kubectl) -> None:
    needs = [{"name": "stock", "service": {"name": "inventory", "port": "grpc"}}]
    kubectl.apply(service("inventory"), service(dependencies=needs))
    await eventually(lambda: all_children(kubectl))
    before = kubectl.get("deployment", "product")["metadata"]

    kubectl.must("delete", "asvc", "inventory")

    async def missing() -> bool:
        return await reason_of(kubectl, "product") == "DependencyMissing"

    assert await eventually(missing)
    after = kubectl.get("deployment", "product")["metadata"]
    assert (after["uid"], after["generation"]) == (before["uid"], before["generation"])
    assert kubectl.find("secret", "product.stock.binding") is not None


async def test_a_stranger_of_the_same_name_is_not_taken_over(operator: Metrics, kubectl: Kubectl) -> None:
    kubectl.must("create", "deployment", "product", "--image=somebody/elses:1")

    kubectl.apply(service())

    async def refused() -> bool:
        return await reason_of(kubectl, "product") == "NameTaken"

    assert await eventually(refused)
    assert condition(kubectl.get("asvc", "product"), "Stalled")["status"] == "True"
    assert "acme.dev" not in str(kubectl.get("deployment", "product")["metadata"].get("labels"))


async def test_a_deleted_service_leaves_nothing(operator: Metrics, kubectl: Kubectl) -> None:
    kubectl.apply(service())
    await eventually(lambda: all_children(kubectl))

    kubectl.must("delete", "asvc", "product", "--cascade=foreground", "--timeout=30s")

    async def nothing() -> bool:
        return not any(kubectl.find(kind, "product") for kind in (*CHILDREN, "asvc"))

    assert await eventually(nothing)


async def test_a_topic_says_that_it_is_not_supported(operator: Metrics, kubectl: Kubectl) -> None:
    kubectl.apply(
        {
            "apiVersion": "platform.acme.dev/v1alpha1",
            "kind": "AcmeTopic",
            "metadata": {"name": "orders"},
            "spec": {"kafka": {"name": "events"}},
        }
    )

    async def answered() -> str:
        return str(condition(kubectl.get("atop", "orders"), "Ready").get("reason", ""))

    assert await eventually(answered) == "NotSupported"
    assert condition(kubectl.get("atop", "orders"), "Ready")["status"] == "False"
