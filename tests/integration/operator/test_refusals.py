"""What the API server refuses by itself, and the sentence it says: no webhook and no operator is running here."""

from typing import Any

import pytest

from tests.plugins.kubectl import Kubectl

pytestmark = pytest.mark.controlplane


def service(name: str = "shop", **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "platform.acme.dev/v1alpha1",
        "kind": "AcmeService",
        "metadata": {"name": name},
        "spec": {"image": "acme/services:1.0", **spec},
    }


def datastore(name: str = "shop-db", **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "platform.acme.dev/v1alpha1",
        "kind": "AcmeDatastore",
        "metadata": {"name": name},
        "spec": spec,
    }


REFUSED = {
    "an unknown field": (service(imagee="x"), 'unknown field "spec.imagee"'),
    "a port out of range": (service(ports=[{"name": "http", "port": 70000}]), "spec.ports[0].port"),
    "two ports of one number": (
        service(ports=[{"name": "a", "port": 80}, {"name": "b", "port": 80}]),
        "two ports have the same number",
    ),
    "two ports of one name": (
        service(ports=[{"name": "a", "port": 80}, {"name": "a", "port": 81}]),
        "spec.ports[1]: Duplicate value",
    ),
    "a dependency on itself": (
        service(dependencies=[{"name": "me", "service": {"name": "shop", "port": "grpc"}}]),
        "spec.dependencies names the service itself",
    ),
    "a dependency on two things": (
        service(dependencies=[{"name": "x", "service": {"name": "a", "port": "b"}, "datastore": {"name": "c"}}]),
        "a dependency needs exactly one of datastore and service",
    ),
    "a dependency on nothing": (
        service(dependencies=[{"name": "x"}]),
        "a dependency needs exactly one of datastore and service",
    ),
    "a name too long for the children": (service("a" * 53), "metadata.name is longer than 52 characters"),
    "a name that no Service can have": (service("1st"), "metadata.name must be lower-case letters"),
    "more requested than allowed": (
        service(resources={"requests": {"cpu": "2"}, "limits": {"cpu": "500m"}}),
        "requests.cpu is larger than limits.cpu",
    ),
    "a deadline that no pod can meet": (
        service(rollout={"progressDeadline": "5s"}),
        "rollout.progressDeadline must be longer than 10s",
    ),
    "no image": ({**service(), "spec": {}}, "spec.image: Required value"),
    "two engines": (datastore(postgres={}, redis={}), "a datastore needs exactly one engine"),
    "no engine": (datastore(), "a datastore needs exactly one engine"),
    "External without an address": (
        datastore(postgres={}, provider="External"),
        "provider External needs spec.external",
    ),
    "an address without External": (
        datastore(postgres={}, external={"host": "db", "adminSecret": {"name": "x"}}),
        "spec.external is only for provider External",
    ),
    "a database of PostgreSQL's own": (
        datastore(postgres={"databases": [{"name": "template1"}]}),
        "names one of PostgreSQL's own databases",
    ),
    "a datastore's name too long": (datastore("d" * 41, postgres={}), "metadata.name is longer than 40 characters"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_the_api_server_refuses(case: str, kubectl: Kubectl) -> None:
    manifest, sentence = REFUSED[case]

    assert sentence in kubectl.refusal(manifest)


def test_the_smallest_service_is_an_image(kubectl: Kubectl) -> None:
    kubectl.apply(service())

    live = kubectl.get("asvc", "shop")

    assert live["spec"]["replicas"] == 1
    assert live["spec"]["resources"]["requests"] == {"cpu": "100m", "memory": "128Mi"}


def test_a_new_object_is_never_taken_for_a_finished_one(kubectl: Kubectl) -> None:
    kubectl.apply(service())

    assert kubectl.get("asvc", "shop")["status"] == {"observedGeneration": -1}


def test_the_size_of_a_volume_can_not_be_changed(kubectl: Kubectl) -> None:
    kubectl.apply(datastore(postgres={}))

    refusal = kubectl.refusal(datastore(postgres={}, size={"storage": "20Gi"}))

    assert "spec.size.storage can't be changed after creation yet" in refusal


def test_a_topic_never_loses_partitions(kubectl: Kubectl) -> None:
    topic = {
        "apiVersion": "platform.acme.dev/v1alpha1",
        "kind": "AcmeTopic",
        "metadata": {"name": "orders"},
        "spec": {"kafka": {"name": "events"}, "partitions": 6},
    }
    kubectl.apply(topic)

    refusal = kubectl.refusal({**topic, "spec": {"kafka": {"name": "events"}, "partitions": 3}})

    assert "spec.partitions can only grow" in refusal
