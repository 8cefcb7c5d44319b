"""The engine's clusters for tests: the fake one, and the real API server under the real client, by the same handle."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio

from acme_local.controlplanes import ControlPlane
from acme_operator.api.manifests import Manifest
from acme_operator.engine.cluster import Cluster, Kind, Ref
from acme_operator.engine.connection import Connection, from_kubeconfig
from acme_operator.engine.errors import NotFound
from acme_operator.engine.kinds import NAMESPACE
from acme_operator.engine.kube import Kube
from acme_operator.testing import FakeCluster, manifest
from tests.plugins.waiting import eventually

THING = Kind("contract.acme.dev", "v1", "Thing", "things")
_CRD = Kind("apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions")
_KINDS = (THING, _CRD)


@dataclass(frozen=True)
class Bench:
    """A cluster as we use it, the same one as another person uses it, and a namespace for this test alone."""

    cluster: Cluster
    person: Cluster
    namespace: str
    fake: FakeCluster | None = None
    connection: Connection | None = None

    def manifest(self, kind: Kind, name: str, **fields: Any) -> Manifest:
        """A manifest in this test's namespace."""
        return manifest(kind, name, namespace=self.namespace, **fields)

    def ref(self, kind: Kind, name: str) -> Ref:
        """A name in this test's namespace."""
        return Ref(kind, self.namespace, name)

    async def live(self, wanted: Manifest | Ref, kind: Kind | None = None) -> Manifest:
        """An object that must be there."""
        ref = wanted if isinstance(wanted, Ref) else self.ref(kind or THING, wanted["metadata"]["name"])
        found = await self.person.get(ref)
        assert found is not None, f"no {ref}"
        return found

    async def edit(self, ref: Ref, path: str, value: Any, op: str = "replace") -> Manifest:
        """Another person changes a field."""
        version = (await self.live(ref))["metadata"]["resourceVersion"]
        return await self.person.patch(ref, [{"op": op, "path": path, "value": value}], version)

    async def remove(self, ref: Ref) -> None:
        """Delete an object as anybody would."""
        await self.person.delete(ref, uid=(await self.live(ref))["metadata"]["uid"], resource_version=None)


@asynccontextmanager
async def real_bench(plane: ControlPlane, connection: Connection | None = None) -> AsyncIterator[Bench]:
    """A bench on the real API server; `connection` is ours, the other person and the cleaning use the plane's own."""
    namespace = f"bench-{uuid4().hex[:8]}"
    direct = from_kubeconfig(plane.kubeconfig)
    ours = connection or direct
    async with Kube(ours, _KINDS) as cluster, Kube(direct, _KINDS, manager="kubectl-edit") as person:
        await _serve_things(person)
        await person.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
        yield Bench(cluster, person, namespace, connection=ours)
        made = await person.get(Ref(NAMESPACE, "", namespace))
        assert made is not None
        await person.delete(Ref(NAMESPACE, "", namespace), uid=made["metadata"]["uid"], resource_version=None)


@pytest_asyncio.fixture(params=["fake", pytest.param("real", marks=pytest.mark.controlplane)])
async def bench(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    """Each test that asks for it runs twice: what holds for one cluster must hold for the other."""
    if request.param == "real":
        async with real_bench(request.getfixturevalue("control_plane")) as real:
            yield real
        return
    fake = FakeCluster(_KINDS)
    yield Bench(fake, fake.acting_as("kubectl-edit"), f"bench-{uuid4().hex[:8]}", fake)


async def _serve_things(person: Kube) -> None:
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {
        "name": THING.version,
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": schema},
        "subresources": {"status": {}},
    }
    names = {"kind": THING.kind, "plural": THING.plural}
    spec = {"group": THING.group, "names": names, "scope": "Namespaced", "versions": [version]}
    metadata = {"name": f"{THING.plural}.{THING.group}"}
    await person.apply(
        {"apiVersion": _CRD.api_version, "kind": _CRD.kind, "metadata": metadata, "spec": spec}, force=True
    )

    async def served() -> bool:
        try:
            await person.list(THING, None, None, 1, None)
        except NotFound:
            return False
        return True

    await eventually(served, "the API server serves Things")
