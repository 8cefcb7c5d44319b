"""Conditions read right by those who wait for them."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from acme_operator.api.manifests import Manifest
from acme_operator.engine.conditions import Conditions
from acme_operator.testing import NOW

LATER = NOW + timedelta(minutes=5)


def by_type(conditions: list[Manifest]) -> dict[str, str]:
    return {condition["type"]: condition["status"] for condition in conditions}


@pytest.mark.parametrize(
    ("say", "expected"),
    [
        (Conditions.ready, {"Ready": "True"}),
        (Conditions.converging, {"Ready": "Unknown", "Reconciling": "True"}),
        (Conditions.blocked, {"Ready": "False", "Reconciling": "True"}),
        (Conditions.stalled, {"Ready": "False", "Stalled": "True"}),
    ],
)
def test_each_verdict_says_ready_and_at_most_one_companion(
    say: Callable[[Conditions, str, str], None], expected: dict[str, str]
) -> None:
    conditions = Conditions((), 3, NOW)

    say(conditions, "Reason", "a sentence")

    assert by_type(conditions.finish()) == expected


def test_the_last_verdict_counts() -> None:
    conditions = Conditions((), 3, NOW)
    conditions.stalled("Broken", "it broke")
    conditions.converging("Working", "it works on it")

    assert by_type(conditions.finish()) == {"Ready": "Unknown", "Reconciling": "True"}


def test_a_companion_of_the_previous_pass_is_gone_when_it_is_over() -> None:
    before = Conditions((), 3, NOW)
    before.stalled("Broken", "it broke")
    after = Conditions(before.finish(), 4, LATER)
    after.ready("Live", "it serves")

    assert by_type(after.finish()) == {"Ready": "True"}


def test_the_transition_time_moves_only_with_the_status() -> None:
    before = Conditions((), 3, NOW)
    before.converging("Creating", "one")
    same = Conditions(before.finish(), 4, LATER)
    same.converging("Starting", "two")
    other = Conditions(same.finish(), 4, LATER)
    other.ready("Live", "three")

    ready_same, ready_other = same.finish()[0], other.finish()[0]
    assert ready_same["lastTransitionTime"] == "2030-01-01T12:00:00Z"
    assert (ready_same["reason"], ready_same["observedGeneration"]) == ("Starting", 4)
    assert ready_other["lastTransitionTime"] == "2030-01-01T12:05:00Z"


def test_the_same_pass_twice_says_the_same() -> None:
    first = Conditions((), 3, NOW)
    first.set("Available", "True", "Serving", "it serves")
    first.ready("Live", "it serves")
    second = Conditions(first.finish(), 3, LATER)
    second.ready("Live", "it serves")
    second.set("Available", "True", "Serving", "it serves")

    assert first.finish() == second.finish()


def test_the_order_is_stable_with_ready_first() -> None:
    conditions = Conditions((), 3, NOW)
    for kind in ("UsersReady", "Available", "BackupSucceeded"):
        conditions.set(kind, "True", "Fine", "fine")
    conditions.converging("Working", "works")

    assert [found["type"] for found in conditions.finish()] == [
        "Ready",
        "Available",
        "Reconciling",
        "BackupSucceeded",
        "UsersReady",
    ]


def test_a_condition_can_be_kept_from_the_previous_pass() -> None:
    before = Conditions((), 3, NOW)
    before.set("BackupSucceeded", "True", "Done", "done")
    before.ready("Live", "serves")
    after = Conditions(before.finish(), 4, LATER)
    after.keep("BackupSucceeded")
    after.keep("Unheard")
    after.ready("Live", "serves")

    assert by_type(after.finish()) == {"Ready": "True", "BackupSucceeded": "True"}


def test_a_pass_without_a_verdict_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="without Ready"):
        Conditions((), 3, NOW).finish()
