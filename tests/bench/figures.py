"""What a round is worth, and the statistics over rounds. Pure."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

from tests.bench.processes import SideName


@dataclass(frozen=True, slots=True)
class Round:
    """The figures of one round of one side, and the single values they were made from. `load` is the machine's at its start."""

    side: SideName
    number: int
    load: float
    figures: Mapping[str, float]
    samples: Mapping[str, Sequence[float]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Spread:
    """A median, and between which values it lies."""

    middle: float
    least: float
    most: float


def percentile(values: Sequence[float], share: float) -> float:
    """The nearest-rank percentile: a value that was measured. `share` is in (0, 1]; no values is a ValueError."""
    if not values:
        raise ValueError("no values: measure something first")
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def spread(values: Sequence[float]) -> Spread | None:
    """The median with the least and the most; None where there is nothing."""
    return Spread(median(values), min(values), max(values)) if values else None


def over_rounds(rounds: Sequence[Round], side: SideName, key: str) -> Spread | None:
    """One figure of one side over all rounds that have it."""
    return spread([each.figures[key] for each in rounds if each.side == side and key in each.figures])


def ratios(rounds: Sequence[Round], key: str) -> Spread | None:
    """Operator over floor, each round with its own neighbour, so that a slow minute of the machine counts for both."""
    found: dict[int, dict[SideName, float]] = {}
    for each in rounds:
        if key in each.figures:
            found.setdefault(each.number, {})[each.side] = each.figures[key]
    pairs = [pair for pair in found.values() if len(pair) == 2 and pair["floor"] > 0]
    return spread([pair["operator"] / pair["floor"] for pair in pairs])
