"""Posts events: few, the same thing at most once in ten minutes, and never at the cost of a reconcile."""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Literal

from acme_operator.api.manifests import Manifest
from acme_operator.api.marks import FIELD_MANAGER
from acme_operator.engine.cluster import Cluster
from acme_operator.engine.errors import ClusterError
from acme_operator.engine.kinds import EVENT

_SILENCE = 600.0
_REMEMBERED = 4096
_WAITING = 256
_NOTE_LIMIT = 1024
log = logging.getLogger(__name__)


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Recorder:
    """Takes events from anywhere at once and posts them one after another in `run`.

    When the API server is slower than we are, new events are dropped: they are for people, and people have the status.
    """

    def __init__(
        self,
        cluster: Cluster,
        instance: str,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = _utc_now,
    ) -> None:
        self._cluster = cluster
        self._instance = instance
        self._clock = clock
        self._now = now
        self._posted: OrderedDict[tuple[str, str, str], float] = OrderedDict()
        self._waiting: asyncio.Queue[Manifest] = asyncio.Queue(_WAITING)

    def record(self, about: Manifest, kind: Literal["Normal", "Warning"], reason: str, message: str) -> None:
        """Tell that something happened to a live object. Returns at once and never raises."""
        if not self._is_news((about["metadata"]["uid"], reason, message)):
            return
        try:
            self._waiting.put_nowait(self._event(about, kind, reason, message))
        except asyncio.QueueFull:
            log.warning("event dropped", extra={"reason": reason})

    async def run(self) -> None:
        """Post what is recorded until cancelled."""
        while True:
            event = await self._waiting.get()
            try:
                await self._cluster.create_event(event)
            except ClusterError as error:
                log.warning("event refused", extra={"reason": event["reason"], "error": type(error).__name__})
            finally:
                self._waiting.task_done()

    async def drained(self) -> None:
        """Wait until everything recorded so far was posted or refused; `run` must be running."""
        await self._waiting.join()

    def _is_news(self, key: tuple[str, str, str]) -> bool:
        now = self._clock()
        if now - self._posted.get(key, -_SILENCE) < _SILENCE:
            return False
        self._posted[key] = now
        self._posted.move_to_end(key)
        if len(self._posted) > _REMEMBERED:
            self._posted.popitem(last=False)
        return True

    def _event(self, about: Manifest, kind: str, reason: str, message: str) -> Manifest:
        metadata = about["metadata"]
        namespace = metadata.get("namespace", "default")
        regarding = {
            "apiVersion": about["apiVersion"],
            "kind": about["kind"],
            "namespace": namespace,
            "name": metadata["name"],
            "uid": metadata["uid"],
        }
        return {
            "apiVersion": EVENT.api_version,
            "kind": EVENT.kind,
            "metadata": {"generateName": f"{metadata['name'][:50]}-", "namespace": namespace},
            "eventTime": self._now().strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "type": kind,
            "reason": reason,
            "action": "Reconcile",
            "note": message.encode()[:_NOTE_LIMIT].decode(errors="ignore"),
            "regarding": regarding,
            "reportingController": f"platform.acme.dev/{FIELD_MANAGER}",
            "reportingInstance": self._instance[:128],
        }
