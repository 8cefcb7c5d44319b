"""A small operator on the engine, for tests of the engine: a Thing becomes a ConfigMap, a Service, a Deployment and more."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from acme_operator.api.manifests import Manifest
from acme_operator.api.marks import OWNER_UID
from acme_operator.engine.apply import Applier
from acme_operator.engine.cluster import Cluster, Kind, Ref
from acme_operator.engine.kinds import (
    CONFIG_MAP,
    DEPLOYMENT,
    NETWORK_POLICY,
    PDB,
    SECRET,
    SERVICE,
    SERVICE_ACCOUNT,
    STATEFULSET,
    ref_of,
)
from acme_operator.engine.metrics import Metrics
from acme_operator.engine.plan import differences
from acme_operator.engine.prune import Pruner
from acme_operator.engine.runner import Engine, EngineOptions
from acme_operator.engine.status import StatusWriter
from acme_operator.engine.store import Store
from acme_operator.testing import manifest
from tests.plugins.clusters import THING, Bench
from tests.plugins.waiting import eventually

CHILD_KINDS = (SERVICE_ACCOUNT, CONFIG_MAP, SECRET, SERVICE, PDB, NETWORK_POLICY, DEPLOYMENT, STATEFULSET)


class Keeper:
    """The controller of Things."""

    kind: Kind = THING

    def __init__(self, cluster: Cluster, store: Store, metrics: Metrics) -> None:
        self._store = store
        self._applier = Applier(cluster, store, metrics)
        self._pruner = Pruner(cluster, store, CHILD_KINDS)
        self._writer = StatusWriter(cluster, store)

    async def reconcile(self, ref: Ref) -> None:
        """Apply, prune, report."""
        live = self._store.get(ref)
        if live is None or "deletionTimestamp" in live["metadata"]:
            return
        changes = await self._applier.apply(ref, children(live))
        await self._pruner.prune(live["metadata"]["uid"], changes.all)
        status = {"observedGeneration": live["metadata"]["generation"], "children": len(changes.all)}
        await self._writer.write(ref, status)


def children(thing: Manifest) -> list[Manifest]:
    """What a Thing becomes: one of each kind, and a ConfigMap for every word in `spec.extras`."""
    name, spec = thing["metadata"]["name"], thing.get("spec", {})
    labels = {"app": name}
    port = {"name": "grpc", "port": 9090, "protocol": "TCP", "targetPort": "grpc"}
    rule = {"from": [{"podSelector": {"matchLabels": {"app": "caller"}}}], "ports": [{"port": 9090, "protocol": "TCP"}]}
    policy = {"podSelector": {"matchLabels": labels}, "policyTypes": ["Ingress"], "ingress": [rule]}
    workload = {"replicas": 0, "selector": {"matchLabels": labels}, "template": _template(labels, spec)}
    return [
        _child(thing, SERVICE_ACCOUNT, name, automountServiceAccountToken=False),
        _child(thing, CONFIG_MAP, name, data={"word": str(spec.get("word", ""))}),
        _child(thing, SECRET, name, data={"password": "YQ=="}, type="Opaque"),
        _child(thing, SERVICE, name, spec={"selector": labels, "ports": [port], "type": "ClusterIP"}),
        _child(thing, PDB, name, spec={"maxUnavailable": 1, "selector": {"matchLabels": labels}}),
        _child(thing, NETWORK_POLICY, name, spec=policy),
        _child(thing, DEPLOYMENT, name, spec=workload),
        _child(thing, STATEFULSET, name, spec={**workload, "serviceName": name, **_volumes()}),
        *(_child(thing, CONFIG_MAP, f"{name}-{extra}", data={"extra": extra}) for extra in spec.get("extras", ())),
    ]


def _template(labels: dict[str, str], spec: Manifest) -> Manifest:
    container = {
        "name": "main",
        "image": spec.get("image", "none"),
        "imagePullPolicy": "IfNotPresent",
        "ports": [{"name": "grpc", "containerPort": 9090, "protocol": "TCP"}],
        "env": [{"name": "WORD", "value": str(spec.get("word", ""))}],
        "resources": {"requests": {"cpu": "500m", "memory": "1Gi"}},
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],  # noqa: S108 - a path in a container
    }
    volumes = [{"name": "tmp", "emptyDir": {"sizeLimit": "64Mi"}}]
    return {"metadata": {"labels": labels}, "spec": {"containers": [container], "volumes": volumes}}


def _volumes() -> Manifest:
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    return {"volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": claim}]}


def _child(thing: Manifest, kind: Kind, name: str, **fields: Any) -> Manifest:
    metadata = thing["metadata"]
    made = manifest(kind, name, namespace=metadata["namespace"], owner=metadata["uid"], **fields)
    reference = {
        "apiVersion": THING.api_version,
        "kind": THING.kind,
        "name": metadata["name"],
        "uid": metadata["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }
    made["metadata"]["ownerReferences"] = [reference]
    return made


def owner_of(kind: Kind, child: Manifest) -> Iterable[Ref]:
    """The Thing that a child belongs to."""
    if kind != THING and OWNER_UID in child["metadata"].get("labels", {}):
        for owner in child["metadata"].get("ownerReferences", ()):
            yield Ref(THING, child["metadata"]["namespace"], owner["name"])


async def want(bench: Bench, **spec: Any) -> None:
    """A person declares the Thing."""
    await bench.person.apply(bench.manifest(THING, "shop", spec=spec), force=True)


async def wrong(bench: Bench) -> list[str]:
    """In what the world is not as the Thing wants it; what is there too much counts, and so does a status of the past."""
    thing = await bench.live(bench.ref(THING, "shop"))
    wanted = children(thing)
    found: list[str] = []
    for child in wanted:
        live = await bench.person.get(ref_of(child))
        found += [f"no {ref_of(child)}"] if live is None else differences(child, live)
    made = f"{OWNER_UID}={thing['metadata']['uid']}"
    page = await bench.person.list(CONFIG_MAP, bench.namespace, made, 500, None)
    found += [f"left over: {ref_of(item)}" for item in page.items if ref_of(item) not in map(ref_of, wanted)]
    status = {"observedGeneration": thing["metadata"]["generation"], "children": len(wanted)}
    return found + ([] if thing.get("status") == status else ["status"])


async def until_right(bench: Bench) -> None:
    """Wait for the engine to have made it so."""

    async def right() -> bool:
        return await wrong(bench) == []

    await eventually(right, "everything is as the Thing wants", 30)


@asynccontextmanager
async def keeping(cluster: Cluster, namespace: str, metrics: Metrics | None = None) -> AsyncIterator[Engine]:
    """The small operator at work in one namespace, from the moment it is synced."""
    store, metrics = Store(), metrics or Metrics()
    options = EngineOptions(namespace=namespace, gap=timedelta(milliseconds=50), metrics=metrics)
    controllers = {THING: Keeper(cluster, store, metrics)}
    engine = Engine(cluster, store, controllers, CHILD_KINDS, owner_of, options)
    running = asyncio.create_task(engine.run())

    async def synced() -> bool:
        assert not running.done(), "the engine ended"
        return engine.synced()

    try:
        await eventually(synced, "the engine is synced")
        yield engine
        assert not running.done(), "the engine ended"
        engine.stop()
        await asyncio.wait_for(running, 5)
    finally:
        running.cancel()
