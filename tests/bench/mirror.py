"""Some kinds of one namespace as the API server shows them, kept by LIST and WATCH. Decides nothing, changes nothing."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager

from acme_operator.api.marks import MANAGED_SELECTOR
from acme_operator.engine.cluster import Kind
from tests.bench.calls import BenchError, Calls, Manifest
from tests.bench.work import OWNER

Key = tuple[Kind, str]
Question = Callable[[], bool]


class Mirror:
    """The objects by kind and name, and what is waited for. Its waiting ends at the event, not at the next look."""

    def __init__(self, calls: Calls, namespace: str, listen: Callable[[Kind, Manifest], None] | None = None) -> None:
        self.objects: dict[Key, Manifest] = {}
        self._calls = calls
        self._namespace = namespace
        self._listen = listen
        self._expected: list[tuple[Question, asyncio.Future[float]]] = []

    @asynccontextmanager
    async def following(self, kinds: Iterable[Kind]) -> AsyncIterator[None]:
        """Kept up to date while the block runs, which begins when every list is in."""
        listed = [await self._list(kind) for kind in kinds]
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._follow(kind, version)) for kind, version in listed]
            yield
            for task in tasks:
                task.cancel()

    def expect(self, question: Question) -> asyncio.Future[float]:
        """Resolves to the `perf_counter` of the event that first makes it true; register it before the cause."""
        future: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self._expected.append((question, future))
        self._ask()
        return future

    def get(self, kind: Kind, name: str) -> Manifest:
        """The object, which must be there."""
        found = self.objects.get((kind, name))
        if found is None:
            raise BenchError(f"{kind.kind} {name} should be there and is not")
        return found

    async def _list(self, kind: Kind) -> tuple[Kind, str]:
        answer = await self._calls.send("GET", kind.path(self._namespace), query={"labelSelector": _selector(kind)})
        for item in answer["items"]:
            self._take(kind, "ADDED", item)
        return kind, answer["metadata"]["resourceVersion"]

    async def _follow(self, kind: Kind, version: str) -> None:
        path = kind.path(self._namespace)
        async for event, item in self._calls.watch(path, _selector(kind), version):
            self._take(kind, event, item)
        raise BenchError(f"the watch of {path} ended: see the API server's log")

    def _take(self, kind: Kind, event: str, item: Manifest) -> None:
        key = (kind, item["metadata"]["name"])
        if event == "DELETED":
            self.objects.pop(key, None)
        else:
            self.objects[key] = item
            if self._listen is not None:
                self._listen(kind, item)
        self._ask()

    def _ask(self) -> None:
        for each in [each for each in self._expected if each[0]()]:
            self._expected.remove(each)
            if not each[1].done():
                each[1].set_result(time.perf_counter())


async def reached(what: str, expected: asyncio.Future[float], seconds: float = 300) -> float:
    """The moment at which it came true; BenchError names what never did."""
    try:
        return await asyncio.wait_for(expected, seconds)
    except TimeoutError as error:
        raise BenchError(f"not within {seconds:.0f} s: {what}") from error


def _selector(kind: Kind) -> str:
    return "" if kind is OWNER else MANAGED_SELECTOR
