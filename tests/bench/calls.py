"""Plain HTTP to an API server for both sides of the benchmark: aiohttp, orjson, 32 connections, nothing clever.

It retries nothing and shares no code with the operator's own client, or the floor would not be a floor.
"""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp
import orjson

from acme_operator.engine.connection import from_kubeconfig

Manifest = dict[str, Any]
CONNECTIONS = 32
APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"


class BenchError(Exception):
    """The run can't go on; the message says what was waited for and where to look."""


class Calls:
    """Requests of one identity; use as an async context manager."""

    def __init__(self, kubeconfig: Path) -> None:
        self._connection = from_kubeconfig(kubeconfig)
        self._short: aiohttp.ClientSession
        self._long: aiohttp.ClientSession

    async def __aenter__(self) -> Self:
        self._short, self._long = self._session(CONNECTIONS), self._session(0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for session in (self._short, self._long):
            if session.connector is not None:
                await session.connector.close(abort_ssl=True)  # A TLS farewell would outlive the event loop.
            await session.close()

    async def send(
        self,
        method: str,
        path: str,
        body: object = None,
        content: str = "application/json",
        query: Mapping[str, str] | None = None,
    ) -> Manifest:
        """The answer, parsed. `body` is JSON bytes or a value; a refusal raises BenchError with the server's words."""
        data = body if isinstance(body, bytes) or body is None else orjson.dumps(body)
        headers = {"Content-Type": content} if data is not None else {}
        url = self._connection.server + path
        async with self._short.request(method, url, data=data, headers=headers, params=query) as response:
            answer = await response.read()
            if not response.ok:
                raise BenchError(f"{method} {path}: {response.status} {answer.decode()[:400]}")
            parsed: Manifest = orjson.loads(answer)
            return parsed

    async def exists(self, path: str) -> bool:
        """Whether the server has such an object."""
        async with self._short.get(self._connection.server + path) as response:
            return response.ok

    async def watch(self, path: str, selector: str, version: str) -> AsyncIterator[tuple[str, Manifest]]:
        """Type and object of each event after `version`, until the server ends the watch."""
        query = {"watch": "true", "labelSelector": selector, "resourceVersion": version}
        rest = b""
        async with self._long.get(self._connection.server + path, params=query) as response:
            async for chunk in response.content.iter_any():
                *lines, rest = (rest + chunk).split(b"\n")
                for line in filter(None, lines):
                    event = orjson.loads(line)
                    yield event["type"], event["object"]

    def _session(self, connections: int) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(limit=connections, ssl=self._connection.ssl_context() or True)
        return aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=None, sock_connect=30))
