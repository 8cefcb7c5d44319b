"""The order of rounds: one of each side, in turns, after a small one of each that warms the API server and is thrown away."""

import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

from acme_local.controlplanes import ControlPlane
from tests.bench import phases
from tests.bench.audit import AuditLog
from tests.bench.figures import Round
from tests.bench.processes import SideName, Starter
from tests.bench.stage import Stage, staged

_WARM_UP = 15


@dataclass(frozen=True, slots=True)
class Options:
    """How much is measured: rounds of each side, services of a round, single changes of a round."""

    rounds: int
    services: int
    changes: int


async def measure(plane: ControlPlane, options: Options) -> Sequence[Round]:
    """All rounds, in the order in which they ran."""
    began = time.monotonic()
    starter = Starter(plane, plane.folder / "logs")
    done: list[Round] = []
    with AuditLog(plane.audit_log) as audit:
        for side in _sides(0):
            async with staged(starter, audit, side, f"bench-warm-{side}", _WARM_UP) as stage:
                await phases.create(stage)
        for number in range(1, options.rounds + 1):
            for side in _sides(number):
                done.append(await _round(starter, audit, side, number, options))
                _say(f"round {number} of {options.rounds}: {side} done after {time.monotonic() - began:.0f} s")
    return done


def _sides(number: int) -> Sequence[SideName]:
    # Who goes second finds a busier or a warmer machine: each does as often.
    return ("operator", "floor") if number % 2 else ("floor", "operator")


async def _round(starter: Starter, audit: AuditLog, side: SideName, number: int, options: Options) -> Round:
    load = os.getloadavg()[0]
    async with staged(starter, audit, side, f"bench-{side}-{number}", options.services) as stage:
        parts = [await phases.create(stage), await phases.changes(stage, options.changes)]
        if side == "operator":
            parts += await _operators_own(stage, last=number == options.rounds)
    figures = {key: value for part, _ in parts for key, value in part.items()}
    samples = {key: value for _, part in parts for key, value in part.items()}
    return Round(side, number, load, figures, samples)


async def _operators_own(stage: Stage, *, last: bool) -> list[tuple[phases.Figures, phases.Samples]]:
    parts = [await phases.drift(stage), await phases.restart(stage)]
    return [*parts, await phases.rest(stage)] if last else parts


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")
