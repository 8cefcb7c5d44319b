"""Statistics over rounds: percentiles that were measured, ratios between neighbours."""

import pytest

from tests.bench.figures import Round, Spread, over_rounds, percentile, ratios
from tests.bench.processes import SideName


def one(side: SideName, number: int, **figures: float) -> Round:
    return Round(side, number, 0.0, figures)


@pytest.mark.parametrize(("share", "expected"), [(0.5, 20), (0.95, 40), (0.25, 10), (0.01, 10)])
def test_a_percentile_is_one_of_the_values(share: float, expected: float) -> None:
    assert percentile([30, 10, 40, 20], share) == expected


def test_a_percentile_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="no values"):
        percentile([], 0.5)


def test_a_figure_over_rounds_is_its_median_with_the_extremes() -> None:
    rounds = [one("operator", number, x=value) for number, value in enumerate((5.0, 1.0, 3.0))]

    assert over_rounds(rounds, "operator", "x") == Spread(3, 1, 5)
    assert over_rounds(rounds, "floor", "x") is None


def test_a_ratio_compares_each_round_with_its_own_neighbour() -> None:
    rounds = [one("operator", 1, x=2.0), one("floor", 1, x=1.0), one("floor", 2, x=10.0), one("operator", 2, x=40.0)]

    assert ratios(rounds, "x") == Spread(3, 2, 4)


def test_a_round_without_its_neighbour_or_with_a_floor_of_zero_gives_no_ratio() -> None:
    rounds = [one("operator", 1, x=2.0), one("operator", 2, x=2.0), one("floor", 2, x=0.0)]

    assert ratios(rounds, "x") is None
