"""grpc.health.v1 over the process's readiness: asked each time, so it can never disagree with /readyz."""

import asyncio
from collections.abc import AsyncIterator, Iterable

import grpc
import grpc.aio
from grpc_health.v1 import health_pb2, health_pb2_grpc

from acme_services.chassis.readiness import Readiness

type _Context = grpc.aio.ServicerContext[health_pb2.HealthCheckRequest, health_pb2.HealthCheckResponse]
_Response = health_pb2.HealthCheckResponse


class Health(health_pb2_grpc.HealthServicer):  # type: ignore[misc] # its package ships no types
    """Answers for the process (the empty name) and for each service it was told of."""

    def __init__(self, readiness: Readiness, services: Iterable[str]) -> None:
        self._readiness = readiness
        self._known = frozenset(services) | {""}
        self._watchers: set[asyncio.Event] = set()
        readiness.listen(self._wake)

    async def Check(self, request: health_pb2.HealthCheckRequest, context: _Context) -> health_pb2.HealthCheckResponse:
        """SERVING or NOT_SERVING; the status NOT_FOUND for a name that is not served here."""
        if request.service not in self._known:
            await context.abort(grpc.StatusCode.NOT_FOUND, "no such service here")
        return self._response(request.service)

    async def Watch(
        self, request: health_pb2.HealthCheckRequest, context: _Context
    ) -> AsyncIterator[health_pb2.HealthCheckResponse]:
        """The state now and after every change; ends when the process stops, so that no watcher delays it."""
        changed = asyncio.Event()
        self._watchers.add(changed)
        try:
            while True:
                # Asked before the answer is sent: a stop that comes while it is sent must be told as well.
                last = self._readiness.is_stopping
                yield self._response(request.service)
                if last:
                    return
                await changed.wait()
                changed.clear()
        finally:
            self._watchers.discard(changed)

    def _response(self, service: str) -> health_pb2.HealthCheckResponse:
        if service not in self._known:
            return _Response(status=_Response.SERVICE_UNKNOWN)
        return _Response(status=_Response.SERVING if self._readiness.is_ready else _Response.NOT_SERVING)

    def _wake(self, _: bool) -> None:
        for changed in self._watchers:
            changed.set()
