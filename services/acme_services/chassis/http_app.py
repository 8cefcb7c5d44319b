"""The side door for the kubelet and the scraper: /livez, /readyz and /metrics; no business goes through it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from acme_services.chassis.readiness import Readiness
from acme_services.chassis.settings import SettingsError


def http_app(readiness: Readiness, registry: CollectorRegistry) -> web.Application:
    """The application; /readyz is 503 with the reasons by part, as JSON, while there are any."""

    async def live(_: web.Request) -> web.Response:
        return web.json_response({"live": True})

    async def ready(_: web.Request) -> web.Response:
        body = {"ready": readiness.is_ready, "reasons": dict(readiness.reasons)}
        return web.json_response(body, status=200 if readiness.is_ready else 503)

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(body=generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    app = web.Application()
    app.add_routes([web.get("/livez", live), web.get("/readyz", ready), web.get("/metrics", metrics)])
    return app


@asynccontextmanager
async def listening(app: web.Application, host: str, port: int) -> AsyncIterator[int]:
    """Serve `app` until the block ends; gives the port, a free one when `port` is 0; SettingsError when it is taken."""
    # Probes and scrapes every few seconds would be most of the log.
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await _listen(runner, host, port)
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


async def _listen(runner: web.AppRunner, host: str, port: int) -> None:
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as error:
        raise SettingsError(f"cannot listen on {host}:{port}: end what listens there, or set ACME_HTTP_PORT") from error
