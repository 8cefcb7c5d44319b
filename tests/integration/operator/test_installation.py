"""What the chart installs, on a real API server: its objects are taken, and the operator gets by with the rights it is given."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest
import yaml

import chart_files
from acme_local.controlplanes import ControlPlane
from acme_operator.controllers.assembly import assemble
from acme_operator.controllers.kinds import OWNERS
from acme_operator.engine.connection import from_kubeconfig
from acme_operator.engine.kube import Kube
from acme_operator.engine.metrics import Metrics
from acme_operator.settings import Platform, Settings
from tests.plugins.controlplane import why_no_control_plane
from tests.plugins.kubectl import Kubectl
from tests.plugins.waiting import eventually

ROOT = Path(__file__).resolve().parents[3]
ACCOUNT = "system:serviceaccount:acme-system:acme-operator"
GROUPS = ("system:serviceaccounts", "system:serviceaccounts:acme-system", "system:authenticated")

pytestmark = [pytest.mark.asyncio, pytest.mark.controlplane]


@pytest.fixture(scope="module")
def installed() -> Iterator[ControlPlane]:
    """A control plane of this file's own, as what is installed serves all namespaces; without Helm, as the README says."""
    with fresh_plane() as plane:
        kubectl(plane, "acme-system").must("apply", "--server-side", "-k", str(ROOT / "config" / "default"))
        yield plane


@contextmanager
def fresh_plane() -> Iterator[ControlPlane]:
    """A control plane with nothing on it."""
    if reason := why_no_control_plane():
        pytest.skip(reason)
    with ControlPlane("installation") as plane:
        yield plane


def kubectl(plane: ControlPlane, namespace: str) -> Kubectl:
    """kubectl as the administrator of the plane."""
    return Kubectl(plane.kubectl, plane.kubeconfig, namespace)


@asynccontextmanager
async def operator(plane: ControlPlane, namespace: str | None = None) -> AsyncIterator[None]:
    """The operator as the service account of its pod while the block runs, with its first lists in."""
    settings = Settings(
        platform=Platform(images={"postgres": {"17": "postgres:17"}}),
        namespace="acme-system",
        watch_namespace=namespace,
        http_port=0,
        log_level="INFO",
    )
    async with Kube(from_kubeconfig(plane.kubeconfig_for(ACCOUNT, *GROUPS)), OWNERS) as kube:
        engine = assemble(settings, kube, Metrics())

        async def synced() -> bool:
            return engine.synced()

        async with asyncio.TaskGroup() as group:
            group.create_task(engine.run())
            await eventually(synced)
            yield
            engine.stop()


def refused(plane: ControlPlane) -> list[str]:
    """Every request of the operator that the API server forbade, by the audit log."""
    entries = [json.loads(line) for line in plane.audit_log.read_text().splitlines()]
    ours = [entry for entry in entries if entry["user"]["username"] == ACCOUNT]
    assert {"create", "patch", "delete", "list", "watch"} <= {entry["verb"] for entry in ours}
    return [
        f"{entry['verb']} {entry['requestURI']}" for entry in ours if entry.get("responseStatus", {}).get("code") == 403
    ]


EXTERNAL = {
    "apiVersion": "platform.acme.dev/v1alpha1",
    "kind": "AcmeDatastore",
    "metadata": {"name": "elsewhere", "namespace": "shop"},
    "spec": {
        "postgres": {},
        "provider": "External",
        "external": {"host": "127.0.0.1", "port": 1, "adminSecret": {"name": "admin"}},
    },
}
ADMIN = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {"name": "admin", "namespace": "shop"},
    "stringData": {"username": "postgres", "password": "secret"},
}
WEB = {
    "apiVersion": "platform.acme.dev/v1alpha1",
    "kind": "AcmeService",
    "metadata": {"name": "web", "namespace": "shop"},
    "spec": {"image": "web:1", "ports": [{"name": "http", "port": 8000, "protocol": "HTTP"}]},
}


async def live(shop: Kubectl) -> None:
    """A life of the sample: made, damaged and mended, changed, deleted with a datastore that has a finalizer."""
    shop.must("apply", "-f", str(ROOT / "config" / "samples"))
    shop.apply(ADMIN, EXTERNAL, WEB)

    async def made() -> bool:
        reported = shop.get("acmedatastore", "elsewhere").get("status", {}).get("conditions")
        return bool(reported and shop.names("statefulsets") and {"web"} <= shop.names("services"))

    await eventually(made)
    shop.must("delete", "deployment", "web")
    shop.must("patch", "acmeservice", "web", "--type=merge", "--patch", '{"spec": {"ports": []}}')

    async def mended_and_pruned() -> bool:
        return "web" in shop.names("deployments") and "web" not in shop.names("services")

    await eventually(mended_and_pruned)
    shop.must("annotate", "acmedatastore", "elsewhere", "platform.acme.dev/force-delete=true")
    # Not waited for by kubectl: the operator turns in this very loop.
    shop.must("delete", "acmeservices,acmedatastores", "--all", "--wait=false")

    async def gone() -> bool:
        return not shop.names("acmeservices,acmedatastores,deployments")

    await eventually(gone)


async def test_the_plain_manifests_suffice_for_the_operators_whole_work(installed: ControlPlane) -> None:
    async with operator(installed):
        await live(kubectl(installed, "shop"))

    assert refused(installed) == []


async def test_a_restricted_namespace_admits_the_operators_pod(installed: ControlPlane) -> None:
    system = kubectl(installed, "acme-system")

    async def pod() -> bool:
        return bool(system.names("pods"))

    await eventually(pod)


async def test_one_namespace_is_served_with_rights_in_it_alone() -> None:
    helm = chart_files.helm()
    if helm is None:
        pytest.skip("helm is not here: `make up` builds it, or set HELM")
    with fresh_plane() as plane:
        shop = kubectl(plane, "shop")
        for namespace in ("acme-system", "shop"):
            shop.must("create", "namespace", namespace)
        for each in chart_files.rendered_objects(helm, "--set", "watchNamespace=shop"):
            there = kubectl(plane, each["metadata"].get("namespace", ""))
            there.must("apply", "--server-side", "-f", "-", stdin=yaml.safe_dump(each))

        async with operator(plane, "shop"):
            await live(shop)

        assert refused(plane) == []
        denied = shop.run("auth", "can-i", "get", "secrets", "--namespace=default", f"--as={ACCOUNT}")
        assert denied.stdout.strip() == "no"


async def test_a_reader_of_a_namespace_reads_the_kinds_and_an_editor_changes_them(installed: ControlPlane) -> None:
    library = kubectl(installed, "library")
    library.must("create", "namespace", "library")
    for level in ("view", "edit"):
        library.must("create", "rolebinding", level, f"--clusterrole={level}", f"--user={level}er")

    def may(who: str, verb: str) -> str:
        return library.run("auth", "can-i", verb, "acmeservices.platform.acme.dev", f"--as={who}").stdout.strip()

    async def aggregated() -> bool:
        return may("viewer", "get") == may("editer", "patch") == "yes"

    await eventually(aggregated)
    assert (may("viewer", "patch"), may("editer", "get")) == ("no", "yes")
    assert may("editer", "deletecollection") == "no"
