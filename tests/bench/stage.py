"""One round's stage: a namespace, the side that is measured, an administrator's calls, and what is seen and counted."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from acme_operator.engine.kinds import NAMESPACE
from tests.bench.audit import AuditLog, Request
from tests.bench.calls import BenchError, Calls
from tests.bench.mirror import Mirror
from tests.bench.processes import USERS, Running, SideName, Starter, cpu_ms
from tests.bench.work import CHILDREN, OWNER, service_name

_LOOK = 0.25
_QUIET = 2.0
_GONE = 180.0
_ADMIN = "acme-admin"


@dataclass(slots=True)
class Stage:
    """`running` is replaced when the side is started anew; everything else stays for the round."""

    side: SideName
    namespace: str
    size: int
    calls: Calls
    mirror: Mirror
    audit: AuditLog
    starter: Starter
    running: Running

    @property
    def user(self) -> str:
        """Whose requests are the side's own."""
        return USERS[self.side]

    @property
    def services(self) -> list[str]:
        """The names of all services of the round."""
        return [service_name(number) for number in range(self.size)]

    def api_server_cpu_ms(self) -> float:
        """Processor time of the API server until now."""
        return cpu_ms(self.starter.plane.pids()["kube-apiserver"] or 0)

    def requests(self, mark: int) -> list[Request]:
        """The side's own requests since a mark."""
        return list(self.audit.since(mark, self.user))

    async def quiet(self, seconds: float = _QUIET) -> None:
        """Until nobody but the administrator has changed anything for a while, the cluster's own controllers included."""
        mark = self.audit.mark()
        for _ in range(int(240 / _LOOK)):
            seen = self.audit.since(mark)
            busy = [each for each in seen if each.changes and each.user != _ADMIN]
            if not busy and seconds <= 0:
                return
            seconds = _QUIET if busy else seconds - _LOOK
            mark += len(seen)
            await asyncio.sleep(_LOOK)
        raise BenchError(f"the cluster does not come to rest: {Counter((each.user, each.resource) for each in busy)}")


@asynccontextmanager
async def staged(starter: Starter, audit: AuditLog, side: SideName, namespace: str, size: int) -> AsyncIterator[Stage]:
    """A namespace with the side running in it; both are gone after."""
    async with Calls(starter.plane.kubeconfig) as calls:
        await calls.send("POST", NAMESPACE.path(None), {"metadata": {"name": namespace}})
        mirror = Mirror(calls, namespace)
        async with mirror.following([*CHILDREN, OWNER]):
            running = await starter.start(side, namespace)
            stage = Stage(side, namespace, size, calls, mirror, audit, starter, running)
            try:
                await stage.quiet()
                yield stage
            except BenchError as error:
                raise BenchError(f"{error}; {stage.running.last_words()}") from error
            finally:
                await stage.running.kill()
        await _remove(calls, namespace)


async def _remove(calls: Calls, namespace: str) -> None:
    path = NAMESPACE.path(None, namespace)
    await calls.send("DELETE", path)
    deadline = asyncio.get_running_loop().time() + _GONE
    while await calls.exists(path):
        if asyncio.get_running_loop().time() > deadline:
            raise BenchError(f"namespace {namespace} is not gone after {_GONE:.0f} s: see the controller-manager's log")
        await asyncio.sleep(_LOOK)
