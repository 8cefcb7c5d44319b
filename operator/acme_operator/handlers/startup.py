"""The process: kopf holds signals, login and life cycle; our engine does the work between its startup and its cleanup."""

import asyncio
import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import kopf

from acme_operator.controllers.assembly import assemble
from acme_operator.controllers.kinds import OWNERS
from acme_operator.engine.cluster import Kind
from acme_operator.engine.connection import Connection, from_kubeconfig, in_cluster
from acme_operator.engine.kube import Kube
from acme_operator.engine.metrics import Metrics
from acme_operator.engine.runner import Engine
from acme_operator.handlers.endpoints import serving
from acme_operator.settings import Settings

# Without one kopf asks for the user's name, and the image's uid has none.
_IDENTITY: Any = "acme-operator"


def connection(environment: Mapping[str, str]) -> Connection:
    """How to reach the API server: from inside a pod, else by KUBECONFIG. Raises ConnectionConfigError."""
    host = environment.get("KUBERNETES_SERVICE_HOST")
    if host and "KUBECONFIG" not in environment:
        return in_cluster(host, environment.get("KUBERNETES_SERVICE_PORT", "443"))
    return from_kubeconfig(Path(environment.get("KUBECONFIG", "~/.kube/config")).expanduser())


async def run(settings: Settings, to: Connection) -> None:
    """Serve until SIGTERM or SIGINT; an engine that fails ends the process, so that Kubernetes starts it anew."""
    metrics = Metrics()

    def count(verb: str, kind: Kind) -> None:
        metrics.writes.labels(verb, kind.kind).inc()

    async with Kube(to, OWNERS, on_write=count) as kube:
        engine = assemble(settings, kube, metrics)
        async with serving(settings.http_port, engine, metrics.registry):
            await _run_together(engine, to)


async def _run_together(engine: Engine, to: Connection) -> None:
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        work = group.create_task(engine.run())
        work.add_done_callback(lambda _: stop.set())
        group.create_task(_shell(engine, to, stop))


async def _shell(engine: Engine, to: Connection, stop: asyncio.Event) -> None:
    try:
        await kopf.operator(
            registry=_registry(to), stop_flag=stop, clusterwide=True, standalone=True, identity=_IDENTITY
        )
    finally:
        engine.stop()


def _registry(to: Connection) -> kopf.OperatorRegistry:
    """Startup and login only: config/decisions explains why the kinds are watched by our reflectors."""
    registry = kopf.OperatorRegistry()

    @kopf.on.startup(registry=registry)
    async def configure(settings: kopf.OperatorSettings, **_: Any) -> None:
        settings.posting.enabled = False
        settings.scanning.disabled = True
        settings.peering.standalone = True

    @kopf.on.login(registry=registry)
    async def login(**_: Any) -> kopf.ConnectionInfo:
        return _connection_info(to)

    return registry


def _connection_info(to: Connection) -> kopf.ConnectionInfo:
    header = to.authorization()
    return kopf.ConnectionInfo(
        server=to.server,
        ca_data=_base64(to.ca),
        token=header.removeprefix("Bearer ") if header else None,
        certificate_data=_base64(to.cert),
        private_key_data=_base64(to.key),
    )


def _base64(pem: str | None) -> str | None:
    return base64.b64encode(pem.encode()).decode() if pem else None
