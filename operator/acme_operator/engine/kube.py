"""The real `Cluster`: HTTP/1.1 to an API server. The only room that knows the HTTP client, and it never retries.

Watches have their own connections, so that they never stand in line behind writes; writes share few, because one event
loop can't fill more and each costs the API server memory.
"""

import random
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import aiohttp
import orjson

from acme_operator.api.manifests import Manifest
from acme_operator.api.marks import FIELD_MANAGER, STATUS_MANAGER
from acme_operator.engine.cluster import Kind, Operation, Page, Ref, WatchEvent
from acme_operator.engine.connection import Connection, Token
from acme_operator.engine.errors import ClusterError, NotFound, Unauthorized, Unavailable
from acme_operator.engine.kinds import EVENT, index, kind_of, ref_of
from acme_operator.engine.refusals import refusal
from acme_operator.engine.sockets import Sockets

OnWrite = Callable[[str, Kind], None]

_JSON = "application/json"
_APPLY = "application/apply-patch+yaml"
_JSON_PATCH = "application/json-patch+json"
_MERGE_PATCH = "application/merge-patch+json"
_USER_AGENT = "acme-operator"


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds and counts. `silence` is longer than the minute between bookmarks; `watch` is drawn anew for each watch,
    so that they don't all end together."""

    request: float = 30
    silence: float = 90
    watch: tuple[int, int] = (240, 360)
    connections: int = 32


@dataclass(frozen=True, slots=True)
class _Request:
    verb: str  # as metrics and messages say it
    method: str
    path: str
    query: Mapping[str, str]
    body: Any = None
    content: str = _JSON


class Kube:
    """A `Cluster` over one `Connection`; use as an async context manager, one per process.

    `kinds` are the platform's own, which no built-in table knows. `on_write` hears of every request that changes things.
    """

    def __init__(
        self,
        connection: Connection,
        kinds: Iterable[Kind] = (),
        *,
        manager: str = FIELD_MANAGER,
        limits: Limits | None = None,
        on_write: OnWrite | None = None,
    ) -> None:
        self._connection = connection
        self._kinds = index(kinds)
        self._manager = manager
        self._limits = limits or Limits()
        self._on_write = on_write
        self._sockets = Sockets()
        self._calls: aiohttp.ClientSession
        self._watches: aiohttp.ClientSession

    async def __aenter__(self) -> Self:
        limits = self._limits
        self._calls = self._session(limits.connections, aiohttp.ClientTimeout(total=limits.request))
        silence = aiohttp.ClientTimeout(total=None, sock_connect=limits.request, sock_read=limits.silence)
        self._watches = self._session(0, silence)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        await self._calls.close()
        await self._watches.close()
        await self._sockets.end()

    async def list(
        self, kind: Kind, namespace: str | None, selector: str | None, limit: int, token: str | None
    ) -> Page:
        """See `Cluster.list`."""
        query = {"limit": str(limit), **({"labelSelector": selector} if selector else {})}
        if token:
            query["continue"] = token
        answer = await self._send(_Request("list", "GET", kind.path(namespace), query))
        metadata = answer["metadata"]
        # The items of a list don't say what they are.
        items = [{**item, "apiVersion": kind.api_version, "kind": kind.kind} for item in answer.get("items") or ()]
        return Page(items, metadata["resourceVersion"], metadata.get("continue") or None)

    async def watch(
        self, kind: Kind, namespace: str | None, selector: str | None, resource_version: str
    ) -> AsyncGenerator[WatchEvent, None]:
        """See `Cluster.watch`."""
        query = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": resource_version,
            "timeoutSeconds": str(random.randint(*self._limits.watch)),  # noqa: S311 - spreads load, guards nothing
            **({"labelSelector": selector} if selector else {}),
        }
        what = f"watch {kind.path(namespace)}"
        try:
            async with self._watches.get(
                self._url(kind.path(namespace)), params=query, headers=self._headers()
            ) as response:
                await self._check(what, response)
                rest = b""
                # By chunks, because the client's own line reader refuses an object that is past its buffer.
                async for chunk in response.content.iter_any():
                    *lines, rest = (rest + chunk).split(b"\n")
                    for event in map(orjson.loads, filter(None, lines)):
                        yield WatchEvent(event["type"], event["object"])
        except (aiohttp.ClientError, TimeoutError, orjson.JSONDecodeError) as error:
            raise Unavailable(what, type(error).__name__) from error

    async def get(self, ref: Ref) -> Manifest | None:
        """See `Cluster.get`."""
        try:
            return await self._send(_Request("get", "GET", _path(ref), {}))
        except NotFound:
            return None

    async def create(self, manifest: Manifest) -> Manifest:
        """See `Cluster.create`."""
        ref = self._ref(manifest)
        query = {"fieldManager": self._manager}
        path = ref.kind.path(ref.namespace)
        return await self._write(ref, _Request("create", "POST", path, query, manifest))

    async def apply(self, manifest: Manifest, *, force: bool) -> Manifest:
        """See `Cluster.apply`."""
        ref = self._ref(manifest)
        query = {"fieldManager": self._manager, "force": str(force).lower()}
        return await self._write(ref, _Request("apply", "PATCH", _path(ref), query, manifest, _APPLY))

    async def apply_status(self, manifest: Manifest) -> Manifest:
        """See `Cluster.apply_status`."""
        ref = self._ref(manifest)
        query = {"fieldManager": STATUS_MANAGER, "force": "true"}
        request = _Request("apply_status", "PATCH", f"{_path(ref)}/status", query, manifest, _APPLY)
        return await self._write(ref, request)

    async def patch(self, ref: Ref, operations: Sequence[Operation], resource_version: str | None = None) -> Manifest:
        """See `Cluster.patch`."""
        # A `test` that fails answers 422 like any bad patch; a replaced version is compared by the server: 409.
        version = {"op": "replace", "path": "/metadata/resourceVersion", "value": resource_version}
        body = [version, *operations] if resource_version else list(operations)
        query = {"fieldManager": self._manager}
        request = _Request("patch", "PATCH", _path(ref), query, body, _JSON_PATCH)
        return await self._write(ref, request)

    async def patch_finalizers(self, ref: Ref, finalizers: Sequence[str], resource_version: str) -> Manifest:
        """See `Cluster.patch_finalizers`."""
        body = {"metadata": {"finalizers": list(finalizers), "resourceVersion": resource_version}}
        query = {"fieldManager": self._manager}
        return await self._write(ref, _Request("patch", "PATCH", _path(ref), query, body, _MERGE_PATCH))

    async def delete(self, ref: Ref, *, uid: str, resource_version: str | None) -> None:
        """See `Cluster.delete`."""
        preconditions = {"uid": uid, **({"resourceVersion": resource_version} if resource_version else {})}
        body = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "propagationPolicy": "Background",
            "preconditions": preconditions,
        }
        try:
            await self._write(ref, _Request("delete", "DELETE", _path(ref), {}, body))
        except NotFound:
            return

    async def create_event(self, manifest: Manifest) -> None:
        """See `Cluster.create_event`."""
        namespace = manifest["metadata"]["namespace"]
        request = _Request("create", "POST", EVENT.path(namespace), {}, manifest)
        await self._write(Ref(EVENT, namespace, "(new)"), request)

    async def _write(self, ref: Ref, request: _Request) -> Manifest:
        if self._on_write is not None:
            self._on_write(request.verb, ref.kind)
        return await self._send(request, f"{request.verb} {ref}")

    async def _send(self, request: _Request, what: str = "") -> Manifest:
        what = what or f"{request.verb} {request.path}"
        body = None if request.body is None else orjson.dumps(request.body)
        headers = self._headers() | ({"Content-Type": request.content} if body is not None else {})
        try:
            async with self._calls.request(
                request.method, self._url(request.path), params=request.query, data=body, headers=headers
            ) as response:
                await self._check(what, response)
                answer: Manifest = orjson.loads(await response.read())
                return answer
        except (aiohttp.ClientError, TimeoutError, orjson.JSONDecodeError) as error:
            raise Unavailable(what, f"no answer from {self._connection.server} ({type(error).__name__})") from error

    async def _check(self, what: str, response: aiohttp.ClientResponse) -> None:
        if response.status < 400:  # noqa: PLR2004
            return
        error = _refused(what, response.status, await response.read(), response.headers.get("Retry-After"))
        if isinstance(error, Unauthorized) and isinstance(self._connection.token, Token):
            self._connection.token.renew()
        raise error

    def _session(self, connections: int, timeout: aiohttp.ClientTimeout) -> aiohttp.ClientSession:
        context = self._connection.ssl_context()
        connector = aiohttp.TCPConnector(
            limit=connections, ssl=context or True, keepalive_timeout=60, socket_factory=self._sockets.make
        )
        return aiohttp.ClientSession(connector=connector, timeout=timeout, read_bufsize=2**18)

    def _headers(self) -> dict[str, str]:
        authorization = self._connection.authorization()
        accepted = {"Accept": _JSON, "User-Agent": _USER_AGENT}
        return accepted | ({"Authorization": authorization} if authorization else {})

    def _url(self, path: str) -> str:
        return self._connection.server + path

    def _ref(self, manifest: Manifest) -> Ref:
        return ref_of(manifest, kind_of(manifest, self._kinds))


def _path(ref: Ref) -> str:
    return ref.kind.path(ref.namespace, ref.name)


def _refused(what: str, code: int, body: bytes, retry_after: str | None) -> ClusterError:
    try:
        status = orjson.loads(body)
    except orjson.JSONDecodeError:
        status = {}  # A proxy between us and the server answers in HTML.
    return refusal(what, code, status if isinstance(status, dict) else {}, retry_after)
