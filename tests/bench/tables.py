"""The result as a Markdown table: one row a figure, the operator beside the floor and beside what is to be reached. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.bench.figures import Round, Spread, over_rounds, ratios, spread
from tests.bench.processes import SideName


@dataclass(frozen=True, slots=True)
class Row:
    """`compared` shows the ratio to the floor; `reach` is the aim, in words."""

    title: str
    key: str
    digits: int = 1
    compared: bool = True
    reach: str = ""


ROWS: Sequence[Row] = (
    Row("create: all children exist, s", "create.seconds", 2, reach="≤ 1.1 x floor"),
    Row("create: writes per service", "create.writes", 2, compared=False, reach="5 children + ≤ 2"),
    Row("create: Events per service", "create.events", 2, compared=False),
    Row("create: reads per service", "create.reads", 2, compared=False, reach="0"),
    Row("create: CPU per service, ms", "create.cpu_ms", 1, reach="≤ 1.5 x floor"),
    Row("create: API server's CPU per service, ms", "create.server_cpu_ms", 1),
    Row("create: peak memory, MiB", "create.peak_mib", 0),
    Row("one change, idle: child shows it, p50, ms", "change.p50_ms", 1, reach="≤ 1.5 x floor"),
    Row("one change, idle: child shows it, p95, ms", "change.p95_ms", 1, reach="≤ 1.5 x floor"),
    Row("one change: writes", "change.writes", 2, compared=False, reach="2 to 3"),
    Row("one change: CPU, ms", "change.cpu_ms", 1),
    Row("drift: a child deleted, slowest of 5 kinds, s", "drift.deleted_s", 2, reach="≤ 0.25 s"),
    Row("drift: a field edited, slowest of 5 kinds, s", "drift.edited_s", 2, reach="≤ 0.25 s"),
    Row("drift: a foreign entry in a keyed list, slower of 2, s", "drift.foreign_s", 2, reach="≤ 0.25 s"),
    Row("restart: change made meanwhile shown, s from the start of the process", "restart.shown_s", 2, reach="≤ 1.2 s"),
    Row("restart: writes for that change", "restart.changed_writes", 1, reach="2 to 3"),
    Row("restart: other writes", "restart.other_writes", 1, reach="0"),
    Row("restart: CPU until quiet, ms", "restart.cpu_ms", 0),
    Row("at rest: writes in 30 s", "rest.writes", 0, reach="0"),
    Row("at rest: reads in 30 s", "rest.reads", 0, reach="0"),
    Row("at rest: CPU, ms per s", "rest.cpu_ms_per_s", 1),
    Row("at rest: memory, MiB", "rest.rss_mib", 0),
)


def table(rounds: Sequence[Round]) -> str:
    """The table, rows without a figure left out, and how busy the machine was when each round began."""
    head = ["| what | operator | floor | operator : floor | to reach |", "|---|---|---|---|---|"]
    load = _cell(spread([each.load for each in rounds]), 1)
    return "\n".join([*head, *_lines(rounds), "", f"Load average as the rounds began: {load}."]) + "\n"


def _lines(rounds: Sequence[Round]) -> Iterator[str]:
    for row in ROWS:
        operator = over_rounds(rounds, "operator", row.key)
        if operator is not None:
            cells = [row.title, _cell(operator, row.digits), _beside(rounds, "floor", row), _ratio(rounds, row)]
            yield "| " + " | ".join([*cells, row.reach]) + " |"


def _beside(rounds: Sequence[Round], side: SideName, row: Row) -> str:
    return _cell(over_rounds(rounds, side, row.key), row.digits)


def _ratio(rounds: Sequence[Round], row: Row) -> str:
    return _cell(ratios(rounds, row.key), 2) if row.compared else ""


def _cell(found: Spread | None, digits: int) -> str:
    if found is None:
        return ""
    least, middle, most = (f"{value:.{digits}f}" for value in (found.least, found.middle, found.most))
    return middle if least == most else f"{middle} ({least} to {most})"
