"""The life of a service process: start, serve, stop in order. The only room that reads the environment or exits."""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

from acme_services.chassis.bindings import BindingError
from acme_services.chassis.http_app import http_app, listening
from acme_services.chassis.readiness import Readiness
from acme_services.chassis.rpc_server import Rpc, RpcServer, serving
from acme_services.chassis.settings import Settings, SettingsError, read_settings
from acme_services.chassis.telemetry import Metrics, start_logging

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Process:
    """What a service may build itself from."""

    environment: Mapping[str, str]
    settings: Settings
    readiness: Readiness
    metrics: Metrics


@dataclass(frozen=True, slots=True)
class Assembly:
    """A service, put together and not yet running."""

    rpc: Rpc
    # Run beside the server until it has drained, then cancelled.
    jobs: Sequence[Callable[[], Coroutine[None, None, None]]]
    # The last thing done.
    close: Callable[[], Awaitable[None]]


def start(name: str, assemble: Callable[[Process], Assembly]) -> None:
    """Run the service `name` until SIGTERM or SIGINT; exits with 2 and a sentence when it cannot be set up."""
    try:
        settings = read_settings(os.environ)
        start_logging(name, settings.log_level)
        # The migration tool notes who migrates, and a container's user id has no name to look up.
        os.environ.setdefault("LOGNAME", name)
        process = Process(os.environ, settings, Readiness(), Metrics())
        asyncio.run(_serve(assemble(process), process))
    except (SettingsError, BindingError) as error:
        sys.exit(_refusal(name, error))


def _refusal(name: str, error: Exception) -> int:
    sys.stderr.write(f"{name}: {error}\n")
    return 2


async def _serve(assembly: Assembly, process: Process) -> None:
    stopping = _stop_signal()
    settings = process.settings
    process.metrics.follow(process.readiness)
    app = http_app(process.readiness, process.metrics.registry)
    # Unwound from the last to the first: calls, then connections, then the probes that report on both.
    async with AsyncExitStack() as stack:
        http_port = await stack.enter_async_context(listening(app, settings.host, settings.http_port))
        stack.push_async_callback(assembly.close)
        rpc = await stack.enter_async_context(serving(assembly.rpc, settings, process.readiness, process.metrics))
        _log.info("listening", extra={"grpc_port": rpc.port, "http_port": http_port})
        await _work(assembly, rpc, process, stopping)
    _log.info("stopped")


async def _work(assembly: Assembly, rpc: RpcServer, process: Process, stopping: asyncio.Event) -> None:
    async with asyncio.TaskGroup() as group:
        jobs = [group.create_task(job()) for job in assembly.jobs]
        await stopping.wait()
        _log.info("stopping")
        process.readiness.stop()
        await asyncio.sleep(process.settings.stop_delay)
        await rpc.server.stop(process.settings.stop_grace)
        for job in jobs:
            job.cancel()


def _stop_signal() -> asyncio.Event:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    return stopping
