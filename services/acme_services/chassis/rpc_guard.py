"""What stands before every unary call: admission, deadline, the error table, one metric and one log line.

Never a payload in the log: a request may hold what its sender would not want written down.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, cast

import grpc
import grpc.aio

from acme_services.chassis.rpc_errors import Overloaded, status
from acme_services.chassis.telemetry import Metrics

_log = logging.getLogger(__name__)

type _Context = grpc.aio.ServicerContext[Any, Any]
type _Behaviour = Callable[[Any, _Context], Awaitable[Any]]
type _Handler = grpc.RpcMethodHandler[Any, Any]

# The kubelet's question must be answered above all when the process is full.
_NEVER_SHED = "/grpc.health.v1.Health/"


class Guard(grpc.aio.ServerInterceptor):
    """Admits at most `most` calls at a time and gives each at most `deadline` seconds; streams pass by."""

    def __init__(self, metrics: Metrics, most: int, deadline: float) -> None:
        self._metrics = metrics
        self._most = most
        self._deadline = deadline
        self._in_flight = 0

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[_Handler | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> _Handler | None:
        """The method's handler with the guard around it."""
        handler = await continuation(handler_call_details)
        method = handler_call_details.method
        if handler is None or handler.unary_unary is None or method.startswith(_NEVER_SHED):
            return handler
        # On an asyncio server it is a coroutine function; the types know only the threaded server.
        behaviour = cast("_Behaviour", handler.unary_unary)
        return grpc.unary_unary_rpc_method_handler(
            self._guarded(method, behaviour), handler.request_deserializer, handler.response_serializer
        )

    def _guarded(self, method: str, behaviour: _Behaviour) -> _Behaviour:
        async def answer(request: Any, context: _Context) -> Any:
            started = time.perf_counter()
            code = grpc.StatusCode.CANCELLED  # what it stays when the caller hangs up
            try:
                response = await self._bounded(behaviour, request, context)
            except Exception as error:
                code, message = status(error)
                if code is grpc.StatusCode.INTERNAL:
                    _log.exception("call failed", extra={"method": method})
                await context.abort(code, message)
            else:
                code = grpc.StatusCode.OK
                return response
            finally:
                self._record(method, code, time.perf_counter() - started)

        return answer

    async def _bounded(self, behaviour: _Behaviour, request: Any, context: _Context) -> Any:
        asked = context.time_remaining()
        seconds = self._deadline if asked is None else min(asked, self._deadline)
        with self._place():
            async with asyncio.timeout(seconds):
                return await behaviour(request, context)

    @contextmanager
    def _place(self) -> Iterator[None]:
        if self._in_flight >= self._most:
            raise Overloaded
        self._in_flight += 1
        self._metrics.rpc_in_flight.set(self._in_flight)
        try:
            yield
        finally:
            self._in_flight -= 1
            self._metrics.rpc_in_flight.set(self._in_flight)

    def _record(self, method: str, code: grpc.StatusCode, seconds: float) -> None:
        self._metrics.rpc_seconds.labels(method, code.name).observe(seconds)
        _log.info("call", extra={"method": method, "code": code.name, "ms": round(seconds * 1000, 2)})
