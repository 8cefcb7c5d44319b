"""/livez, /readyz and /metrics on one port.

kopf's own liveness only says that its loop turns; ours says that every watch has shown life lately.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from acme_operator.engine.runner import Engine

Question = Callable[[], bool]
Handler = Callable[[web.Request], Awaitable[web.Response]]


@asynccontextmanager
async def serving(port: int, engine: Engine, registry: CollectorRegistry) -> AsyncIterator[None]:
    """Answer on all addresses while the block runs."""
    app = web.Application()
    app.router.add_get("/livez", _answer(engine.healthy, "a watch has been silent for too long"))
    app.router.add_get("/readyz", _answer(engine.synced, "the first lists are not in yet"))
    app.router.add_get("/metrics", _metrics(engine, registry))
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, port=port).start()
        yield
    finally:
        await runner.cleanup()


def _answer(question: Question, why_not: str) -> Handler:
    async def handler(_: web.Request) -> web.Response:
        return web.Response(text="ok") if question() else web.Response(status=503, text=why_not)

    return handler


def _metrics(engine: Engine, registry: CollectorRegistry) -> Handler:
    async def handler(_: web.Request) -> web.Response:
        engine.observe()
        return web.Response(body=generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    return handler
