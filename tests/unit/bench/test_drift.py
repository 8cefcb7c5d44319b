"""When drift counts as undone."""

from typing import Any

import pytest

from tests.bench.drift import CASES, Case, Undone


def service(uid: str = "1", *ports: tuple[str, int]) -> dict[str, Any]:
    return {
        "metadata": {"uid": uid},
        "automountServiceAccountToken": False,
        "spec": {"ports": [{"name": name, "port": port} for name, port in ports or [("grpc", 9090)]]},
    }


def case(figure: str) -> Case:
    found = [each for each in CASES if each.figure == figure and each.kind.kind == "Service"]
    return found[0]


def test_an_edit_is_undone_once_it_was_seen_and_is_gone() -> None:
    now = [service()]
    undone = Undone(case("drift.foreign_s"), lambda: now[0], now[0])

    assert not undone()  # The edit has not reached the watch yet.
    now[0] = service("1", ("grpc", 9090), ("foreign", 9999))
    assert not undone()
    now[0] = service()
    assert undone()


def test_a_deletion_is_undone_when_another_object_has_the_name() -> None:
    now: list[dict[str, Any] | None] = [service("1")]
    undone = Undone(case("drift.deleted_s"), lambda: now[0], service("1"))

    assert not undone()
    now[0] = None
    assert not undone()
    now[0] = service("2")
    assert undone()


@pytest.mark.parametrize("figure", ["drift.deleted_s", "drift.edited_s"])
def test_every_kind_of_child_is_deleted_and_edited_once(figure: str) -> None:
    kinds = [each.kind.kind for each in CASES if each.figure == figure]

    assert len(kinds) == len(set(kinds)) == 5
