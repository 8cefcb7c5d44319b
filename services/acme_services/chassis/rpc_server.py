"""The gRPC server of a process: the guard, health, reflection and the limits; it knows no service by name."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import grpc.aio
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from acme_services.chassis.health import Health
from acme_services.chassis.readiness import Readiness
from acme_services.chassis.rpc_guard import Guard
from acme_services.chassis.settings import Settings, SettingsError
from acme_services.chassis.telemetry import Metrics

_OPTIONS = (
    # Two processes on one port would share the calls and hide a mistake.
    ("grpc.so_reuseport", 0),
    # Callers come back through the Service now and then, so that a pod added later gets its share.
    ("grpc.max_connection_age_ms", 300_000),
    ("grpc.max_connection_age_grace_ms", 30_000),
)


@dataclass(frozen=True, slots=True)
class Rpc:
    """What a service offers over gRPC: the full names of its services, and how to register them."""

    services: Sequence[str]
    register: Callable[[grpc.aio.Server], None]


@dataclass(frozen=True, slots=True)
class RpcServer:
    """A listening server and the port it got."""

    server: grpc.aio.Server
    port: int


@asynccontextmanager
async def serving(rpc: Rpc, settings: Settings, readiness: Readiness, metrics: Metrics) -> AsyncIterator[RpcServer]:
    """Answer calls until the block ends; SettingsError when the port is taken. Draining is up to the caller."""
    guard = Guard(metrics, settings.max_concurrent_rpcs, settings.rpc_deadline)
    server = grpc.aio.server(interceptors=[guard], options=_OPTIONS)
    rpc.register(server)
    health_pb2_grpc.add_HealthServicer_to_server(Health(readiness, rpc.services), server)
    health_name = health_pb2.DESCRIPTOR.services_by_name["Health"].full_name
    reflection.enable_server_reflection((*rpc.services, health_name, reflection.SERVICE_NAME), server)
    port = _listen(server, settings)
    await server.start()
    try:
        yield RpcServer(server, port)
    finally:
        await server.stop(grace=None)


def _listen(server: grpc.aio.Server, settings: Settings) -> int:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    try:
        return server.add_insecure_port(f"{host}:{settings.grpc_port}")
    except RuntimeError as error:
        raise SettingsError(
            f"cannot listen on {host}:{settings.grpc_port}: end what listens there, or set ACME_GRPC_PORT"
        ) from error
