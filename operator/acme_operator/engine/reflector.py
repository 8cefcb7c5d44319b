"""Keeps the store equal to the API server for one kind. Decides nothing and never gives up."""

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass
from datetime import timedelta

from acme_operator.api.manifests import Manifest
from acme_operator.engine.cluster import Cluster, Kind, Ref, WatchEvent
from acme_operator.engine.errors import ClusterError, Expired, Unavailable
from acme_operator.engine.kinds import ref_of
from acme_operator.engine.queue import back_off
from acme_operator.engine.store import Store

PAGE = 500
BUG_PAUSE = 30.0
LONGEST_PAUSE = timedelta(seconds=10)
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Source:
    """What one reflector follows: a kind, in one namespace or all, with a label selector or without."""

    kind: Kind
    namespace: str | None = None
    selector: str | None = None


class Reflector:
    """LIST in pages, then WATCH from there; after any doubt, LIST again and bury what vanished in between."""

    def __init__(
        self,
        cluster: Cluster,
        store: Store,
        source: Source,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._cluster = cluster
        self._store = store
        self._source = source
        self._clock = clock
        self._alive_at = clock()
        self._version: str | None = None
        self._failures = 0
        self.synced = asyncio.Event()

    @property
    def kind(self) -> Kind:
        """What it follows."""
        return self._source.kind

    def age(self) -> float:
        """Seconds since the API server last gave a sign of life on this kind."""
        return self._clock() - self._alive_at

    async def run(self) -> None:
        """Follow the kind until cancelled. No answer of the API server ends it."""
        self._alive_at = self._clock()
        while True:
            try:
                await self._follow()
            except Unavailable as error:
                await self._pause(error)  # The version is still good: going on from it costs no list.
            except ClusterError as error:
                self._version = None
                await self._pause(error)
            except Exception:
                log.exception("reflector failed", extra={"kind": self.kind.kind})
                self._version = None
                await asyncio.sleep(BUG_PAUSE)

    async def _follow(self) -> None:
        if self._version is None:
            self._version = await self._list()
        source, silent = self._source, True
        watch = self._cluster.watch(source.kind, source.namespace, source.selector, self._version)
        async with aclosing(watch):
            async for event in watch:
                self._alive_at, self._failures, silent = self._clock(), 0, False
                self._version = self._take(event)
        # A healthy server closes a watch after minutes and many bookmarks; this one would be asked again in a loop.
        if silent:
            raise Unavailable(f"watch {self.kind.plural}", "ended without an event")

    async def _list(self) -> str:
        seen: set[Ref] = set()
        token: str | None = None
        source = self._source
        while True:
            page = await self._cluster.list(source.kind, source.namespace, source.selector, PAGE, token)
            self._alive_at = self._clock()
            for item in page.items:
                seen.add(ref_of(item, self.kind))
                self._store.upsert(self.kind, item)
            if not (token := page.token):
                break
        self._bury_vanished(seen, page.resource_version)
        self._store.mark_synced(self.kind)
        self.synced.set()
        return page.resource_version

    def _bury_vanished(self, seen: set[Ref], version: str) -> None:
        # Deletions made while nobody watched have no event. An object newer than the list is our own fresh write.
        for ref in self._store.refs(self.kind):
            if ref not in seen:
                self._store.remove(ref, version)

    def _take(self, event: WatchEvent) -> str:
        if event.type == "ERROR":
            _raise(self.kind, event.object)
        version: str = event.object["metadata"]["resourceVersion"]
        if event.type == "DELETED":
            # A selector's watch says so also when an object's labels no longer match; for us it is gone either way.
            self._store.remove(ref_of(event.object, self.kind), version)
        elif event.type != "BOOKMARK":
            self._store.upsert(self.kind, event.object)
        return version

    async def _pause(self, error: ClusterError) -> None:
        self._failures += 1
        delay = min(back_off(self._failures), LONGEST_PAUSE)
        # One break is everyday and costs nothing; a second without an event in between is worth a look.
        level = logging.WARNING if self._failures > 1 else logging.INFO
        fields = {"kind": self.kind.kind, "error": type(error).__name__, "again": str(delay)}
        log.log(level, "watch broke off", extra=fields)
        await asyncio.sleep(delay.total_seconds())


def _raise(kind: Kind, status: Manifest) -> None:
    what = f"watch {kind.plural}"
    if status.get("code") == 410:  # noqa: PLR2004 - the HTTP code, as everywhere
        raise Expired(what, str(status.get("message", "")))
    raise ClusterError(what, f"the server sent an error of code {status.get('code')}")
