"""A domain service as the process that a container runs, with its binding files, its log and its ports."""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import aiohttp

from tests.plugins.postgres_server import PostgresServer
from tests.plugins.waiting import eventually

_SOURCES = Path(__file__).parents[2] / "services"
_SECONDS = 30.0


def write_binding(root: Path, name: str, server: PostgresServer, database: str, login: tuple[str, str]) -> None:
    """The files that the operator mounts for a dependency on `database`, for `login` (name, password)."""
    folder = root / name
    folder.mkdir(parents=True, exist_ok=True)
    values = {
        "type": "postgresql",
        "provider": "acme",
        "host": server.host,
        "port": str(server.port),
        "database": database,
        "username": login[0],
        "password": login[1],
        "sslmode": "verify-full",
        "certificates": server.ca_pem,
    }
    for key, value in values.items():
        (folder / key).write_text(value)


class ServiceProcess:
    """One process; `start` returns when it listens, and `events` holds what it has logged since."""

    def __init__(self, name: str, bindings: Path, **environment: str) -> None:
        self._name = name
        self.environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": f"{_SOURCES}:{_SOURCES / 'gen'}",
            "PYTHONWARNINGS": "error",
            "SERVICE_BINDING_ROOT": str(bindings),
            "ACME_LISTEN_HOST": "127.0.0.1",
            "ACME_GRPC_PORT": "0",
            "ACME_HTTP_PORT": "0",
            "ACME_STOP_DELAY": "0",
            **environment,
        }
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self.events: list[dict[str, Any]] = []

    @property
    def address(self) -> str:
        """Where it answers gRPC."""
        return f"127.0.0.1:{self._logged('listening')['grpc_port']}"

    async def start(self) -> None:
        """Start the process and wait until it listens."""
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "acme_services",
            self._name,
            env=self.environment,
            stdout=asyncio.subprocess.PIPE,
        )
        self._reader = asyncio.create_task(self._read(self._process))
        await self.wait_for_event("listening")

    async def wait_for_event(self, event: str) -> None:
        """Wait until the process has logged `event`."""

        async def logged() -> bool:
            assert self.is_running or event == "stopped", f"{self._name} ended: {self.events}"
            return any(line["event"] == event for line in self.events)

        await eventually(logged, f"{self._name} logs {event!r}", _SECONDS)

    async def wait_until_ready(self, ready: bool = True) -> None:
        """Wait until /readyz says so."""

        async def is_so() -> bool:
            return (await self.readyz())["ready"] is ready

        await eventually(is_so, f"{self._name} ready: {ready}", _SECONDS)

    async def readyz(self) -> dict[str, Any]:
        """The body of /readyz; asserts that the status agrees with it."""
        status, text = await self.get("/readyz")
        body: dict[str, Any] = json.loads(text)
        assert status == (200 if body["ready"] else 503)
        return body

    async def get(self, path: str) -> tuple[int, str]:
        """Status and text of a page of the HTTP port."""
        port = self._logged("listening")["http_port"]
        async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}{path}") as response:
            return response.status, await response.text()

    @property
    def is_running(self) -> bool:
        """Whether the process is alive."""
        return self._process is not None and self._process.returncode is None

    def send(self, number: signal.Signals) -> None:
        """Send a signal."""
        assert self._process is not None
        self._process.send_signal(number)

    async def ended(self) -> int:
        """Wait for the end; the exit code."""
        assert self._process is not None
        assert self._reader is not None
        code = await asyncio.wait_for(self._process.wait(), _SECONDS)
        await self._reader
        return code

    async def kill(self) -> None:
        """End it as the kernel does when memory runs out."""
        if self.is_running:
            self.send(signal.SIGKILL)
        if self._process is not None:
            await self.ended()

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        async for line in process.stdout:
            self.events.append(json.loads(line))

    def _logged(self, event: str) -> dict[str, Any]:
        return next(line for line in self.events if line["event"] == event)
