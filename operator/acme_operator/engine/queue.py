"""Which key is reconciled next. Knows nothing of clusters, and runs nothing.

Semantics of the usual controller queue: a key is in at most once, is never handed out twice at the same time, and an
add while it is being worked on brings it back afterwards. Added: three priorities, and turns between namespaces.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from datetime import timedelta
from enum import IntEnum
from itertools import count

from acme_operator.engine.cluster import Ref

FIRST_RETRY = timedelta(milliseconds=100)
LAST_RETRY = timedelta(seconds=60)
_STARVED_EVERY = 8


class Priority(IntEnum):
    """Lower is sooner: somebody waits for a change; drift is repaired; the cold start and the resync have time."""

    CHANGE = 0
    DRIFT = 1
    COLD = 2


class _Lane:
    """Keys of one priority: first come, first served within a namespace, and the namespaces take turns."""

    def __init__(self) -> None:
        self._turns: OrderedDict[str, dict[Ref, float]] = OrderedDict()

    def push(self, key: Ref, since: float) -> None:
        self._turns.setdefault(key.namespace, {})[key] = since

    def take(self) -> Ref | None:
        if not self._turns:
            return None
        namespace, keys = self._turns.popitem(last=False)
        key = next(iter(keys))
        del keys[key]
        if keys:
            self._turns[namespace] = keys
        return key

    def drop(self, key: Ref) -> float:
        keys = self._turns[key.namespace]
        since = keys.pop(key)
        if not keys:
            del self._turns[key.namespace]
        return since

    def oldest(self) -> float | None:
        return min((since for keys in self._turns.values() for since in keys.values()), default=None)


class WorkQueue:
    """Keys waiting for a worker. Not for threads: all calls come from one event loop."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lanes = {priority: _Lane() for priority in Priority}
        self._queued: dict[Ref, Priority] = {}
        self._working: set[Ref] = set()
        self._dirty: dict[Ref, Priority] = {}
        self._later: dict[Ref, asyncio.TimerHandle] = {}
        self._failures: dict[Ref, int] = {}
        self._ready = asyncio.Semaphore(0)
        self._picks = count(1)

    def add(self, key: Ref, priority: Priority = Priority.DRIFT) -> None:
        """Ask for the key to be worked on; more urgent asking moves it up."""
        if key in self._working:
            self._dirty[key] = min(priority, self._dirty.get(key, priority))
            return
        known = self._queued.get(key)
        if known is not None and known <= priority:
            return
        since = self._clock()
        if known is None:
            self._ready.release()
        else:
            since = self._lanes[known].drop(key)
        self._queued[key] = priority
        self._lanes[priority].push(key, since)

    def add_after(self, key: Ref, delay: timedelta, priority: Priority = Priority.DRIFT) -> None:
        """Ask for it later; of several delays the shortest counts."""
        loop = asyncio.get_running_loop()
        pending = self._later.get(key)
        if pending is not None and pending.when() <= loop.time() + delay.total_seconds():
            return
        if pending is not None:
            pending.cancel()
        self._later[key] = loop.call_later(delay.total_seconds(), self._due, key, priority)

    async def get(self) -> Ref:
        """The next key, once there is one. The caller owes a `done`."""
        await self._ready.acquire()
        key = self._take()
        del self._queued[key]
        self._working.add(key)
        return key

    def done(self, key: Ref, rest: timedelta = timedelta(0)) -> None:
        """The work is over, whatever came of it. If it was asked for meanwhile it comes again after `rest`, or at once
        if somebody changed it."""
        self._working.discard(key)
        priority = self._dirty.pop(key, None)
        if priority is Priority.CHANGE or (priority is not None and not rest):
            self.add(key, priority)
        elif priority is not None:
            self.add_after(key, rest, priority)

    def retry(self, key: Ref, at_least: timedelta = timedelta(0)) -> timedelta:
        """Ask for it again after its own back-off, and say how long that is."""
        failures = self._failures[key] = self._failures.get(key, 0) + 1
        delay = max(back_off(failures), at_least)
        self.add_after(key, delay)
        return delay

    def forget(self, key: Ref) -> None:
        """It went well: the next failure starts from the shortest back-off."""
        self._failures.pop(key, None)

    def depth(self) -> int:
        """How many keys wait for a worker, not counting those asked for later."""
        return len(self._queued)

    def oldest(self) -> float:
        """For how many seconds the longest waiting key has been waiting."""
        stamps = [stamp for lane in self._lanes.values() if (stamp := lane.oldest()) is not None]
        return self._clock() - min(stamps) if stamps else 0.0

    def close(self) -> None:
        """Let go of the timers; what is queued stays."""
        for handle in self._later.values():
            handle.cancel()
        self._later.clear()

    def _due(self, key: Ref, priority: Priority) -> None:
        del self._later[key]
        self.add(key, priority)

    def _take(self) -> Ref:
        # Every so often the least urgent goes first, so that a storm of changes delays repairs but never ends them.
        order = list(Priority) if next(self._picks) % _STARVED_EVERY else list(reversed(Priority))
        for priority in order:
            if (key := self._lanes[priority].take()) is not None:
                return key
        raise AssertionError("the queue counted a key that no lane holds")


def back_off(failures: int) -> timedelta:
    """How long to wait after that many failures in a row: doubling, between 100 ms and a minute."""
    doublings = min(failures - 1, 16)
    return min(FIRST_RETRY * (1 << doublings), LAST_RETRY)
