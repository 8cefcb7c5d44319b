"""The whole thing on a real node: pods start, answer over gRPC, survive what is done to them, and go without a trace.

The tests of this file tell one story in their order, on one namespace: the sample's life.
"""

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from acme_local.platforms import SAMPLES
from acme_local.readiness import wait_until
from tests.plugins.cluster import LocalCluster, why_no_cluster
from tests.plugins.kubectl import Kubectl, condition

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.skipif(bool(why_no_cluster()), reason=why_no_cluster() or "it can"),
]

SYSTEM = "acme-system"
CLIENT = ("python3", "-m", "acme_services.product.client")


@pytest.fixture(scope="module")
def shop(cluster: LocalCluster) -> Iterator[Kubectl]:
    """The sample, applied as a user applies it, and Ready."""
    kubectl = Kubectl(cluster.kubectl.program, cluster.kubeconfig, "shop")
    kubectl.must("apply", "-f", str(SAMPLES))
    kubectl.must("wait", "--for=condition=Ready", "ads,asvc", "--all", "--timeout=240s")
    yield kubectl
    kubectl.must("delete", "namespace", "shop", "--ignore-not-found", "--timeout=180s")


@pytest.fixture
def system(shop: Kubectl) -> Kubectl:
    """kubectl in the operator's namespace."""
    return shop.within(SYSTEM)


def products(
    shop: Kubectl, *command: str, address: str = "product.shop.svc.cluster.local:9090"
) -> list[dict[str, Any]]:
    """What the service answers to a client in the cluster, by its Service's name."""
    output = shop.must("exec", "deploy/product", "--", *CLIENT, "--address", address, *command)
    return [json.loads(line) for line in output.splitlines()]


def create(shop: Kubectl, name: str) -> dict[str, Any]:
    (made,) = products(shop, "create", "--name", name, "--price", "4800", "--currency", "JPY")
    return made


def service(name: str, **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "platform.acme.dev/v1alpha1",
        "kind": "AcmeService",
        "metadata": {"name": name},
        "spec": {"image": "localhost/acme/services:dev", **spec},
    }


def sql(shop: Kubectl, statement: str) -> str:
    ask = ("psql", "-h", "/run/postgresql", "-U", "postgres", "-Atc", statement)
    return shop.must("exec", "shop-db-postgres-0", "--", *ask).strip()


def kill_operator(system: Kubectl) -> None:
    system.must(
        "delete", "pod", "-l", "app.kubernetes.io/name=acme-operator", "--grace-period=0", "--force", "--wait=false"
    )


def test_the_sample_answers_over_grpc_by_its_service_s_name(shop: Kubectl) -> None:
    made = create(shop, "Tea bowl")

    assert made["name"] == "Tea bowl"
    assert made["id"] in {product["id"] for product in products(shop, "list")}


def test_status_is_live_and_says_where(shop: Kubectl) -> None:
    live = shop.get("asvc", "product")

    assert condition(live, "Ready")["reason"] == "Live"
    assert live["status"]["observedGeneration"] == live["metadata"]["generation"]
    assert {"name": "grpc", "address": "product.shop.svc.cluster.local:9090"} in live["status"]["endpoints"]


def test_the_service_logs_in_as_itself_and_only_over_tls(shop: Kubectl) -> None:
    seen = sql(
        shop,
        "SELECT DISTINCT usename, ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE datname = 'product'",
    )

    assert seen == "shop.product.db|t"


def test_a_deleted_deployment_returns_and_serves(shop: Kubectl) -> None:
    before = shop.get("deployment", "product")["metadata"]["uid"]

    shop.must("delete", "deployment", "product")

    assert wait_until(lambda: _uid(shop, "deployment", "product") not in {None, before}, 30)
    shop.must("wait", "--for=condition=Ready", "asvc/product", "--timeout=120s")
    shop.must("wait", "--for=condition=Available", "deployment/product", "--timeout=120s")
    assert products(shop, "list")


def test_a_killed_postgres_pod_comes_back_with_its_data(shop: Kubectl) -> None:
    made = create(shop, "Kettle")
    before = _uid(shop, "pod", "shop-db-postgres-0")

    shop.must("delete", "pod", "shop-db-postgres-0", "--grace-period=0", "--force")

    assert wait_until(lambda: _uid(shop, "pod", "shop-db-postgres-0") not in {None, before}, 60)
    shop.must("wait", "--for=condition=Ready", "pod/shop-db-postgres-0", "--timeout=120s")
    shop.must("wait", "--for=condition=Ready", "pod", "-l", "platform.acme.dev/service=product", "--timeout=120s")
    assert made["id"] in {product["id"] for product in products(shop, "list")}


@pytest.mark.parametrize("moment", ["before its children", "amid its children"])
def test_an_operator_killed_in_the_middle_of_a_create_ends_the_same(
    moment: str, shop: Kubectl, system: Kubectl
) -> None:
    name = f"catalogue-{moment.split(maxsplit=1)[0]}"
    ports = [{"name": "grpc", "port": 9090, "protocol": "GRPC"}]
    needs = [{"name": "db", "datastore": {"name": "shop-db"}}]

    shop.apply(service(name, args=["product"], ports=ports, dependencies=needs))
    if moment.startswith("amid"):
        assert wait_until(lambda: shop.find("serviceaccount", name) is not None, 30)
    kill_operator(system)

    shop.must("wait", "--for=condition=Ready", f"asvc/{name}", "--timeout=180s")
    roles = sql(shop, f"SELECT rolname FROM pg_roles WHERE rolname LIKE 'shop.{name}.%'")
    assert roles == f"shop.{name}.db"
    kinds = ("deployment", "service", "serviceaccount", "poddisruptionbudget", "networkpolicy")
    assert all(shop.find(kind, name) for kind in kinds)


def test_a_restarted_operator_rolls_no_pod(shop: Kubectl, system: Kubectl) -> None:
    before = {pod["metadata"]["uid"] for pod in _pods(shop)}

    kill_operator(system)
    system.must("rollout", "status", "deployment/acme-operator", "--timeout=120s")
    shop.must("wait", "--for=condition=Ready", "asvc/product", "--timeout=60s")

    assert {pod["metadata"]["uid"] for pod in _pods(shop)} == before


def test_an_image_that_can_not_start_is_stalled_with_container_reason_and_exit_code(shop: Kubectl) -> None:
    shop.apply(service("broken", args=["no-such-service"], rollout={"progressDeadline": "15s"}))

    shop.must("wait", "--for=condition=Stalled", "asvc/broken", "--timeout=120s")

    ready = condition(shop.get("asvc", "broken"), "Ready")
    assert (ready["status"], ready["reason"]) == ("False", "ProgressDeadlineExceeded")
    assert "container broken" in ready["message"]
    assert "exit code 2" in ready["message"]
    shop.must("delete", "asvc", "broken")


def test_a_missing_dependency_heals_when_the_thing_appears(shop: Kubectl) -> None:
    needs = [{"name": "db", "datastore": {"name": "late-db"}}]
    shop.apply(service("early", args=["product"], dependencies=needs))
    shop.must("wait", "--for=jsonpath={.status.blockedBy[0].name}=late-db", "asvc/early", "--timeout=30s")
    assert shop.find("deployment", "early") is None

    late = {
        "apiVersion": "platform.acme.dev/v1alpha1",
        "kind": "AcmeDatastore",
        "metadata": {"name": "late-db"},
        "spec": {"postgres": {}, "size": {"storage": "1Gi", "memory": "256Mi"}, "deletionPolicy": "Delete"},
    }
    shop.must("apply", "-f", "-", stdin=yaml.safe_dump(late))

    shop.must("wait", "--for=condition=Ready", "asvc/early", "--timeout=180s")
    shop.must("delete", "asvc/early", "ads/late-db")
    assert wait_until(lambda: not any("late-db" in name for name in shop.names("persistentvolumeclaim")), 60)


def test_nothing_secret_is_in_logs_events_and_status(shop: Kubectl, system: Kubectl) -> None:
    secrets = json.loads(shop.must("get", "secrets", "--output=json"))["items"]
    passwords = {_clear(secret["data"]["password"]) for secret in secrets if "password" in secret.get("data", {})}
    assert len(passwords) >= 2

    told = [
        system.must("logs", "deployment/acme-operator"),
        shop.must("logs", "deployment/product"),
        shop.must("get", "events", "--output=yaml"),
        shop.must("get", "asvc,ads,statefulsets,deployments,configmaps", "--output=yaml"),
    ]

    assert not [password for password in passwords if any(password in text for text in told)]


def test_a_deleted_service_leaves_nothing_behind(shop: Kubectl) -> None:
    shop.must("delete", "asvc", "product", "--timeout=60s")

    kinds = "deployments,replicasets,pods,services,serviceaccounts,poddisruptionbudgets,networkpolicies,secrets"
    assert wait_until(lambda: not _of_service(shop, kinds, "product"), 90)
    assert sql(shop, "SELECT count(*) FROM pg_roles WHERE rolname LIKE 'shop.product.%'") == "0"


def test_a_retained_datastore_is_taken_up_again_with_its_data(shop: Kubectl) -> None:
    shop.must("delete", "asvc", "--all", "--timeout=60s")
    shop.must("delete", "ads", "shop-db", "--timeout=60s")
    assert wait_until(lambda: shop.find("pod", "shop-db-postgres-0") is None, 90)

    shop.must("apply", "-f", str(SAMPLES))

    shop.must("wait", "--for=condition=Ready", "ads,asvc", "--all", "--timeout=240s")
    shop.must("wait", "--for=condition=Available", "deployment/product", "--timeout=120s")
    assert "Kettle" in {product["name"] for product in products(shop, "list")}


def _clear(encoded: str) -> str:
    return base64.b64decode(encoded).decode()


def _uid(shop: Kubectl, kind: str, name: str) -> str | None:
    found = shop.find(kind, name)
    return None if found is None else str(found["metadata"]["uid"])


def _pods(shop: Kubectl) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = json.loads(shop.must("get", "pods", "--output=json"))["items"]
    return items


def _of_service(shop: Kubectl, kinds: str, name: str) -> list[str]:
    found = shop.must("get", kinds, "-l", f"platform.acme.dev/service={name}", "--output=name")
    return found.split()
