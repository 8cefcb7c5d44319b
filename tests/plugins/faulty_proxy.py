"""A proxy before the API server that breaks things on order: plain HTTP to the engine, TLS to the server."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
import orjson
from aiohttp import web

from acme_operator.engine.connection import Connection

Answer = Callable[["FaultyProxy", web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Fault:
    """What befalls the next `times` requests of that method whose path ends so (or any); a watch is the method WATCH."""

    method: str
    answer: Answer
    ending: str = ""
    times: int = 1

    def takes(self, request: web.Request) -> bool:
        """Whether this request is one of them; counts it."""
        method = "WATCH" if "watch" in request.query else request.method
        hit = self.times > 0 and method == self.method and request.path.endswith(self.ending)
        self.times -= hit
        return hit


def refused(code: int, reason: str = "", **headers: str) -> Answer:
    """An error of the API server's, in its form."""

    async def answer(proxy: "FaultyProxy", request: web.Request) -> web.StreamResponse:
        body = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.json_response(body, status=code, headers=named)

    return answer


async def cut(proxy: "FaultyProxy", request: web.Request) -> web.StreamResponse:
    """The connection breaks before the server has heard of the request."""
    _hang_up(request)
    return web.Response()


async def lost(proxy: "FaultyProxy", request: web.Request) -> web.StreamResponse:
    """The server does it, and the answer is lost on the way."""
    await proxy.forward(request)
    _hang_up(request)
    return web.Response()


async def expired_stream(proxy: "FaultyProxy", request: web.Request) -> web.StreamResponse:
    """A watch that answers 200 and then says that its version is too old."""
    status = {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old resource version"}
    return await _stream(request, orjson.dumps({"type": "ERROR", "object": status}) + b"\n")


async def broken_stream(proxy: "FaultyProxy", request: web.Request) -> web.StreamResponse:
    """A watch that ends in the middle of a line."""
    return await _stream(request, b'{"type":"MODIFIED","object":{"meta\n')


async def ended_stream(proxy: "FaultyProxy", request: web.Request) -> web.StreamResponse:
    """A watch that ends at once, without a word."""
    return await _stream(request, b"")


async def silent_stream(proxy: "FaultyProxy", request: web.Request) -> web.StreamResponse:
    """A watch that never says anything and never ends: a connection that died without telling."""
    response = web.StreamResponse()
    await response.prepare(request)
    await proxy.closing.wait()
    return response


@dataclass
class FaultyProxy:
    """Forwards everything, but for what `faults` say."""

    connection: Connection
    session: aiohttp.ClientSession
    faults: list[Fault] = field(default_factory=list)
    closing: asyncio.Event = field(default_factory=asyncio.Event)
    streams: set[asyncio.Transport] = field(default_factory=set)
    url: str = ""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """One request."""
        for fault in self.faults:
            if fault.takes(request):
                return await fault.answer(self, request)
        if "watch" in request.query:
            return await self._forward_stream(request)
        return await self.forward(request)

    async def forward(self, request: web.Request) -> web.Response:
        """Ask the server and hand back its whole answer."""
        async with self._ask(request, await request.read()) as answer:
            headers = {name: answer.headers[name] for name in ("Content-Type",) if name in answer.headers}
            return web.Response(status=answer.status, body=await answer.read(), headers=headers)

    async def _forward_stream(self, request: web.Request) -> web.StreamResponse:
        async with self._ask(request, b"") as answer:
            response = web.StreamResponse(status=answer.status)
            await response.prepare(request)
            transport = request.transport
            assert transport is not None
            self.streams.add(transport)
            try:
                async for chunk in answer.content.iter_any():
                    await response.write(chunk)
            except ConnectionError:
                pass  # the engine went away
            finally:
                self.streams.discard(transport)
                # A TLS farewell would wait for the server's, which may come after the end of the event loop.
                if answer.connection is not None and answer.connection.transport is not None:
                    answer.connection.transport.abort()
            return response

    def _ask(self, request: web.Request, body: bytes) -> aiohttp.client._RequestContextManager:
        kept = {name: request.headers[name] for name in ("Content-Type", "Accept") if name in request.headers}
        url = self.connection.server + request.path_qs
        return self.session.request(request.method, url, data=body or None, headers=kept)

    def cut_watches(self) -> None:
        """Break every running watch."""
        for transport in list(self.streams):
            transport.abort()


@asynccontextmanager
async def faulty_proxy(connection: Connection) -> AsyncIterator[FaultyProxy]:
    """A proxy to the server of `connection`, with its credentials, at `url` on loopback."""
    connector = aiohttp.TCPConnector(ssl=connection.ssl_context() or True, limit=0)
    async with aiohttp.ClientSession(connector=connector) as session:
        proxy = FaultyProxy(connection, session)
        app = web.Application(client_max_size=2**24)
        app.router.add_route("*", "/{path:.*}", proxy.handle)
        runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        proxy.url = f"http://{host}:{port}"
        try:
            yield proxy
        finally:
            proxy.closing.set()
            await runner.cleanup()


def _hang_up(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()


async def _stream(request: web.Request, body: bytes) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    if body:
        await response.write(body)
    return response
