"""The table that a run prints."""

from tests.bench.figures import Round
from tests.bench.tables import table


def test_a_row_shows_both_sides_their_ratio_and_the_aim() -> None:
    rounds = [
        Round("operator", 1, 0.5, {"create.seconds": 3.0}),
        Round("floor", 1, 0.5, {"create.seconds": 2.0}),
        Round("floor", 2, 0.5, {"create.seconds": 4.0}),
        Round("operator", 2, 2.0, {"create.seconds": 4.0}),
    ]

    lines = table(rounds).splitlines()

    assert lines[3:] == ["", "Load average as the rounds began: 0.5 (0.5 to 2.0)."]
    assert lines[2] == (
        "| create: all children exist, s | 3.50 (3.00 to 4.00) | 3.00 (2.00 to 4.00) "
        "| 1.25 (1.00 to 1.50) | ≤ 1.1 x floor |"
    )


def test_a_figure_of_the_operator_alone_has_no_floor_and_no_ratio() -> None:
    line = table([Round("operator", 1, 0.5, {"restart.other_writes": 0.0})]).splitlines()[2]

    assert line == "| restart: other writes | 0.0 |  |  | 0 |"
