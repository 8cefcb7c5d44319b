"""What is done to one side in a round, and measured: create, change, drift, restart, rest. Each leaves the cluster quiet."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from functools import partial

from acme_operator.engine.kinds import DEPLOYMENT
from tests.bench.audit import count_writes
from tests.bench.calls import MERGE
from tests.bench.drift import CASES, Case, Undone
from tests.bench.figures import percentile
from tests.bench.mirror import reached
from tests.bench.stage import Stage
from tests.bench.work import CHILDREN, OWNER, acme_service, change

Figures = dict[str, float]
Samples = dict[str, Sequence[float]]
_REST_SECONDS = 30
# After a change both sides have written their status and the operator its debounced second look is over.
_PACE = 0.4


async def create(stage: Stage) -> tuple[Figures, Samples]:
    """All services posted at once; seconds until every child is seen, everything else until nobody writes any more."""
    mark, cpu, server = stage.audit.mark(), stage.running.cpu_ms(), stage.api_server_cpu_ms()
    wanted = stage.size * (1 + len(CHILDREN))
    complete = stage.mirror.expect(lambda: len(stage.mirror.objects) >= wanted)
    start = time.perf_counter()
    path = OWNER.path(stage.namespace)
    await asyncio.gather(*(stage.calls.send("POST", path, acme_service(name)) for name in stage.services))
    seconds = await reached("every child exists", complete) - start
    await stage.quiet()
    requests = stage.requests(mark)
    totals = {
        "create.writes": count_writes(requests),
        "create.events": sum(1 for each in requests if each.tells),
        "create.reads": sum(1 for each in requests if each.reads),
        "create.cpu_ms": stage.running.cpu_ms() - cpu,
        "create.server_cpu_ms": stage.api_server_cpu_ms() - server,
    }
    figures = {"create.seconds": seconds, **{key: value / stage.size for key, value in totals.items()}}
    return {**figures, "create.peak_mib": stage.running.memory_mib("VmHWM")}, {}


async def changes(stage: Stage, count: int) -> tuple[Figures, Samples]:
    """Single changes, one after another, each on an idle cluster."""
    mark, cpu = stage.audit.mark(), stage.running.cpu_ms()
    taken = [await _change(stage, stage.services[number % stage.size], 700 + number) for number in range(count)]
    figures = {
        "change.p50_ms": percentile(taken, 0.5),
        "change.p95_ms": percentile(taken, 0.95),
        "change.writes": count_writes(stage.requests(mark)) / count,
        "change.cpu_ms": (stage.running.cpu_ms() - cpu) / count,
    }
    await stage.quiet()
    return figures, {"change_ms": taken}


async def _change(stage: Stage, name: str, seconds: int) -> float:
    shown = stage.mirror.expect(partial(_shows, stage, name, seconds))
    start = time.perf_counter()
    answer = await stage.calls.send("PATCH", OWNER.path(stage.namespace, name), change(seconds), MERGE)
    taken = await reached(f"the Deployment {name} shows the change", shown) - start
    said = stage.mirror.expect(partial(_is_told, stage, name, answer["metadata"]["generation"]))
    await reached(f"AcmeService {name} says that its change was seen", said)
    await asyncio.sleep(_PACE)
    return taken * 1000


def _shows(stage: Stage, name: str, seconds: int) -> bool:
    return bool(stage.mirror.get(DEPLOYMENT, name)["spec"]["progressDeadlineSeconds"] == seconds)


def _is_told(stage: Stage, name: str, generation: int) -> bool:
    status: Mapping[str, object] = stage.mirror.get(OWNER, name).get("status", {})
    return status.get("observedGeneration") == generation


async def drift(stage: Stage) -> tuple[Figures, Samples]:
    """Every case once, each on its own service; the worst of each sort is the round's figure."""
    samples: dict[str, list[float]] = {}
    for number, case in enumerate(CASES):
        taken = await _undone(stage, case, stage.services[number % stage.size])
        samples.setdefault(case.figure, []).append(taken)
    await stage.quiet()
    return {figure: max(taken) for figure, taken in samples.items()}, {**samples}


async def _undone(stage: Stage, case: Case, name: str) -> float:
    before = stage.mirror.get(case.kind, name)
    undone = stage.mirror.expect(Undone(case, partial(stage.mirror.objects.get, (case.kind, name)), before))
    start = time.perf_counter()
    await stage.calls.send(case.method, case.kind.path(stage.namespace, name), case.body, case.content)
    what = f"{case.kind.kind} {name} is as it was, after {case.figure} {case.body or ''}"
    taken = await reached(what, undone, 60) - start
    await asyncio.sleep(_PACE)
    return taken


async def restart(stage: Stage) -> tuple[Figures, Samples]:
    """Killed; one service is changed while nobody looks; started anew."""
    await stage.running.kill()
    name, seconds = stage.services[-1], 999
    await stage.calls.send("PATCH", OWNER.path(stage.namespace, name), change(seconds), MERGE)
    mark = stage.audit.mark()
    shown = stage.mirror.expect(partial(_shows, stage, name, seconds))
    start = time.perf_counter()
    stage.running = await stage.starter.start(stage.side, stage.namespace)
    taken = await reached(f"the Deployment {name} shows the change made while the operator was away", shown) - start
    await stage.quiet()
    own = [each for each in stage.requests(mark) if each.changes]
    figures = {
        "restart.shown_s": taken,
        "restart.cpu_ms": stage.running.cpu_ms(),
        "restart.changed_writes": sum(1 for each in own if each.name == name),
        "restart.other_writes": sum(1 for each in own if each.name != name),
    }
    return figures, {}


async def rest(stage: Stage) -> tuple[Figures, Samples]:
    """Nothing is asked for half a minute."""
    mark, cpu = stage.audit.mark(), stage.running.cpu_ms()
    await asyncio.sleep(_REST_SECONDS)
    requests = stage.requests(mark)
    figures = {
        "rest.writes": sum(1 for each in requests if each.changes or each.tells or each.resource == "leases"),
        "rest.reads": sum(1 for each in requests if each.reads),
        "rest.cpu_ms_per_s": (stage.running.cpu_ms() - cpu) / _REST_SECONDS,
        "rest.rss_mib": stage.running.memory_mib(),
    }
    return figures, {}
