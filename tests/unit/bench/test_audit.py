"""Requests counted from the audit log."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bench.audit import AuditLog, Request, count_writes, parse


def line(verb: str, resource: str, *, user: str = "me", stage: str = "ResponseComplete") -> str:
    about = {"resource": resource, "name": "a"}
    return json.dumps({"verb": verb, "stage": stage, "user": {"username": user}, "objectRef": about}) + "\n"


@pytest.mark.parametrize(
    ("verb", "resource", "expected"),
    [
        ("patch", "services", (True, False, False)),
        ("delete", "services", (True, False, False)),
        ("create", "events", (False, True, False)),
        ("update", "leases", (False, False, False)),
        ("list", "services", (False, False, True)),
        ("watch", "services", (False, False, False)),
    ],
)
def test_a_request_changes_tells_or_reads(verb: str, resource: str, expected: tuple[bool, bool, bool]) -> None:
    request = Request("me", verb, resource, "a")

    assert (request.changes, request.tells, request.reads) == expected


def test_the_end_of_a_watch_is_no_second_request() -> None:
    assert parse(line("watch", "services", stage="ResponseStarted")) is not None
    assert parse(line("watch", "services")) is None


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "audit.log"
    path.touch()
    return path


@pytest.fixture
def log(path: Path) -> Iterator[AuditLog]:
    with AuditLog(path) as log:
        yield log


def append(path: Path, text: str) -> None:
    with path.open("a") as file:
        file.write(text)


def test_requests_are_counted_from_a_mark_and_by_user(path: Path, log: AuditLog) -> None:
    append(path, line("patch", "services"))
    mark = log.mark()
    append(path, line("patch", "services") + line("patch", "services", user="you"))

    assert count_writes(log.since(mark)) == 2
    assert count_writes(log.since(mark, "me")) == 1


def test_a_line_that_is_half_written_is_read_when_it_is_whole(path: Path, log: AuditLog) -> None:
    whole = line("patch", "services")

    append(path, whole[:20])
    assert log.since(0) == []
    append(path, whole[20:])
    assert count_writes(log.since(0)) == 1


def test_the_rest_of_a_rotated_log_is_not_lost(path: Path, log: AuditLog) -> None:
    append(path, line("patch", "services"))
    log.mark()
    append(path, line("patch", "services"))

    path.rename(path.with_name("audit-1.log"))
    append(path, line("patch", "services"))

    assert count_writes(log.since(0)) == 3
