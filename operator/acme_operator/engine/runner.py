"""Runs everything: follows the kinds, decides who is woken, and gives keys to the controllers. Knows no kind by name.

Level-based: a controller is told which object to look at, never what happened. What wakes it may be lost, doubled or
late; the resync, which costs no request, makes good for what nobody thought of.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

from acme_operator.api.manifests import Manifest
from acme_operator.api.marks import MANAGED_SELECTOR
from acme_operator.engine.cluster import Cluster, Kind, Ref
from acme_operator.engine.errors import ClusterError, Rejected, Throttled, Waiting
from acme_operator.engine.kinds import ref_of
from acme_operator.engine.metrics import Metrics
from acme_operator.engine.queue import Priority, WorkQueue
from acme_operator.engine.reflector import Reflector, Source
from acme_operator.engine.store import Store

log = logging.getLogger(__name__)
# The object whose pass the running task belongs to, if any.
_under_way: ContextVar[Ref | None] = ContextVar("under_way", default=None)
Wakes = Callable[[Kind, Manifest], Iterable[Ref]]


class Controller(Protocol):
    """The thread of one kind: makes the world as one object says."""

    @property
    def kind(self) -> Kind:
        """The kind of the objects it is given."""
        ...

    async def reconcile(self, ref: Ref) -> None:
        """One whole pass over one object, which may be gone. Never called twice at once for one object.

        Raises `Waiting` to be called again after a while; any other error is retried with back-off.
        """
        ...


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """`gap` is the least time between two passes over one object that nobody is waiting for: a roll-out then gives a few
    status writes and not one per pod event. `silence` is the age of a watch at which the process is no longer healthy:
    longer than a read deadline and the minute to the first bookmark of the watch that follows, or one lost bookmark would do it.
    `services` are further loops that live as long as the engine: the event recorder, for one."""

    namespace: str | None = None
    workers: int = 16
    resync: timedelta = timedelta(minutes=10)
    gap: timedelta = timedelta(milliseconds=300)
    silence: timedelta = timedelta(seconds=240)
    patience: timedelta = timedelta(minutes=5)
    services: Sequence[Callable[[], Awaitable[None]]] = ()
    metrics: Metrics = field(default_factory=Metrics)
    clock: Callable[[], float] = time.monotonic


class Engine:
    """One per process: follows `controllers`' kinds as they are, and of `child_kinds` what carries our label."""

    def __init__(
        self,
        cluster: Cluster,
        store: Store,
        controllers: Mapping[Kind, Controller],
        child_kinds: Iterable[Kind],
        wakes: Wakes,
        options: EngineOptions | None = None,
    ) -> None:
        self._store = store
        self._controllers = controllers
        self._wakes = wakes
        self._options = options = options or EngineOptions()
        self._metrics = options.metrics
        self._clock = clock = options.clock
        self._queue = WorkQueue(clock)
        self._passed: dict[Ref, float] = {}
        self._stopping = asyncio.Event()
        self._started = False
        sources = [Source(kind, options.namespace) for kind in controllers]
        sources += [Source(kind, options.namespace, MANAGED_SELECTOR) for kind in child_kinds]
        self._reflectors = [Reflector(cluster, store, source, clock) for source in sources]
        store.listen(self._changed)

    async def run(self) -> None:
        """Follow and reconcile until `stop` or cancellation. Workers start when every kind is synced."""
        self._started = True
        loops: list[Callable[[], Awaitable[None]]] = [reflector.run for reflector in self._reflectors]
        loops += [self._work_when_synced, self._resync, *self._options.services]
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(_await(loop)) for loop in loops]
                await self._stopping.wait()
                for task in tasks:
                    task.cancel()
        finally:
            self._queue.close()

    def stop(self) -> None:
        """End `run`; passes under way are broken off, which is always safe."""
        self._stopping.set()

    def synced(self) -> bool:
        """Whether a complete list of every kind has been seen: the process is ready for work."""
        return all(reflector.synced.is_set() for reflector in self._reflectors)

    def healthy(self) -> bool:
        """Whether every watch gave a sign of life lately; if not, a new process is the cure. True before `run`."""
        silence = self._options.silence.total_seconds()
        return not self._started or all(reflector.age() < silence for reflector in self._reflectors)

    def wake(self, ref: Ref, priority: Priority = Priority.DRIFT) -> None:
        """Have an object looked at; unless it is urgent, not sooner than the gap after its last pass."""
        if ref.kind not in self._controllers:
            return
        due = self._passed.get(ref, float("-inf")) + self._options.gap.total_seconds() - self._clock()
        if priority is Priority.CHANGE or due <= 0:
            self._queue.add(ref, priority)
        else:
            self._queue.add_after(ref, timedelta(seconds=due), priority)

    def observe(self) -> None:
        """Bring the gauges up to date; called before they are read."""
        self._metrics.depth.set(self._queue.depth())
        self._metrics.oldest.set(self._queue.oldest())
        for reflector in self._reflectors:
            self._metrics.watch_age.labels(reflector.kind.kind).set(reflector.age())

    def _changed(self, kind: Kind, old: Manifest | None, new: Manifest | None) -> None:
        # Before everything is synced all is news, and none of it is urgent.
        urgent, normal = (Priority.CHANGE, Priority.DRIFT) if self.synced() else (Priority.COLD, Priority.COLD)
        seen = [manifest for manifest in (new, old) if manifest is not None]
        if kind in self._controllers and _is_asked_for(old, new):
            self.wake(ref_of(seen[0], kind), urgent)
        # Our own writes come here too: they wake the others that look at the object, and not the pass that made them.
        for ref in {ref for manifest in seen for ref in self._wakes(kind, manifest)} - {_under_way.get()}:
            self.wake(ref, normal)

    async def _work_when_synced(self) -> None:
        await asyncio.gather(*(reflector.synced.wait() for reflector in self._reflectors))
        log.info("synced", extra={"kinds": len(self._reflectors), "objects": self._queue.depth()})
        async with asyncio.TaskGroup() as group:
            for _ in range(self._options.workers):
                group.create_task(self._work())

    async def _work(self) -> None:
        while True:
            ref = await self._queue.get()
            mark = _under_way.set(ref)
            try:
                await self._pass(ref)
            finally:
                _under_way.reset(mark)
                self._remember(ref)
                self._queue.done(ref, self._options.gap)

    async def _pass(self, ref: Ref) -> None:
        started, outcome = self._clock(), "error"
        try:
            async with asyncio.timeout(self._options.patience.total_seconds()):
                await self._controllers[ref.kind].reconcile(ref)
            outcome = "done"
            self._queue.forget(ref)
        except Waiting as wait:
            outcome = "waiting"
            self._queue.forget(ref)
            self._queue.add_after(ref, wait.retry_in)
        except Rejected as refusal:
            outcome = "rejected"
            self._queue.forget(ref)
            log.info("rejected", extra={"object": str(ref), "reason": refusal.reason})
        except Exception as error:
            self._failed(ref, error)
        self._metrics.reconciles.labels(ref.kind.kind, outcome).inc()
        self._metrics.seconds.labels(ref.kind.kind).observe(self._clock() - started)

    def _failed(self, ref: Ref, error: Exception) -> None:
        self._metrics.errors.labels(type(error).__name__).inc()
        delay = self._queue.retry(ref, error.retry_after if isinstance(error, Throttled) else timedelta(0))
        fields = {"object": str(ref), "error": type(error).__name__, "again": str(delay)}
        if isinstance(error, ClusterError):
            log.warning("reconcile failed", extra={**fields, "detail": str(error)})
        else:
            log.error("reconcile failed", extra=fields, exc_info=error)

    def _remember(self, ref: Ref) -> None:
        if self._store.get(ref) is None:
            self._passed.pop(ref, None)
        else:
            self._passed[ref] = self._clock()

    async def _resync(self) -> None:
        while True:
            await asyncio.sleep(self._options.resync.total_seconds())
            for kind in self._controllers:
                for ref in self._store.refs(kind):
                    self._queue.add(ref, Priority.COLD)


async def _await(loop: Callable[[], Awaitable[None]]) -> None:
    await loop()


def _is_asked_for(old: Manifest | None, new: Manifest | None) -> bool:
    """Whether the object itself has new orders; the echo of a status write has none."""
    if old is None or new is None:
        return True
    return _orders(old) != _orders(new)


def _orders(manifest: Manifest) -> tuple[object, ...]:
    metadata = manifest["metadata"]
    asked = ("uid", "generation", "labels", "annotations", "deletionTimestamp")
    return tuple(metadata.get(field) for field in asked)
