"""Supervision: what runs is kept, what died or changed is started, and a recycled pid is never taken for ours."""

import json
import os
import signal
from pathlib import Path

import pytest

from acme_local.processes import Change, Daemon, State, Supervisor, end, start_time
from acme_local.readiness import wait_until

SLEEPER = Daemon("sleeper", ["sleep", "600"])


@pytest.fixture
def supervisor(tmp_path: Path):  # type: ignore[no-untyped-def]  # a generator fixture of one line
    made = Supervisor(tmp_path / "records", tmp_path / "logs")
    yield made
    for name in made.names():
        made.stop(name, grace=1)


def test_a_running_process_is_kept(supervisor: Supervisor) -> None:
    assert supervisor.ensure(SLEEPER) is Change.STARTED
    pid = supervisor.pid("sleeper")

    assert supervisor.ensure(SLEEPER) is Change.KEPT
    assert supervisor.pid("sleeper") == pid


def test_a_killed_process_is_dead_until_it_is_started_again(supervisor: Supervisor) -> None:
    supervisor.ensure(SLEEPER)
    pid = supervisor.pid("sleeper")
    assert pid is not None

    os.kill(pid, signal.SIGKILL)

    assert wait_until(lambda: supervisor.state("sleeper") is State.DEAD, 5)
    assert supervisor.ensure(SLEEPER) is Change.RESTARTED
    assert supervisor.state("sleeper") is State.RUNNING


@pytest.mark.parametrize(
    "changed",
    [
        Daemon("sleeper", ["sleep", "601"]),
        Daemon("sleeper", ["sleep", "600"], {"LEVEL": "2"}),
        Daemon("sleeper", ["sleep", "600"], settings=("a file's new text",)),
    ],
)
def test_a_changed_command_environment_or_setting_replaces_the_process(supervisor: Supervisor, changed: Daemon) -> None:
    supervisor.ensure(SLEEPER)
    before = supervisor.pid("sleeper")

    assert supervisor.ensure(changed) is Change.REPLACED
    assert supervisor.pid("sleeper") != before


def test_a_recycled_pid_is_neither_taken_for_ours_nor_ended(supervisor: Supervisor, tmp_path: Path) -> None:
    supervisor.ensure(SLEEPER)
    record = tmp_path / "records" / "sleeper.json"
    kept = json.loads(record.read_text())
    record.write_text(json.dumps({**kept, "started": kept["started"] - 1}))

    assert supervisor.state("sleeper") is State.DEAD
    supervisor.stop("sleeper")

    assert start_time(kept["pid"]) == kept["started"]
    end(kept["pid"], kept["started"], grace=1)


def test_a_record_of_another_boot_is_dead(supervisor: Supervisor, tmp_path: Path) -> None:
    supervisor.ensure(SLEEPER)
    record = tmp_path / "records" / "sleeper.json"
    kept = json.loads(record.read_text())
    record.write_text(json.dumps({**kept, "boot": "an earlier one"}))

    assert supervisor.state("sleeper") is State.DEAD

    end(kept["pid"], kept["started"], grace=1)


def test_a_process_that_ignores_the_request_to_end_is_killed(supervisor: Supervisor) -> None:
    stubborn = Daemon("stubborn", ["sh", "-c", "trap '' TERM; echo deaf; while :; do sleep 600; done"])
    supervisor.ensure(stubborn)
    assert wait_until(lambda: "deaf" in supervisor.log("stubborn").read_text(), 5)
    pid = supervisor.pid("stubborn")
    assert pid is not None

    supervisor.stop("stubborn", grace=0.2)

    assert start_time(pid) is None
    assert supervisor.state("stubborn") is State.ABSENT


def test_output_goes_to_the_daemons_own_log(supervisor: Supervisor) -> None:
    supervisor.ensure(Daemon("speaker", ["sh", "-c", "echo out; echo err >&2; exec sleep 600"]))

    assert wait_until(lambda: supervisor.log("speaker").read_text().split() == ["out", "err"], 5)


def test_a_damaged_record_counts_as_never_started(supervisor: Supervisor, tmp_path: Path) -> None:
    (tmp_path / "records").mkdir()
    (tmp_path / "records" / "sleeper.json").write_text("{")

    assert supervisor.state("sleeper") is State.ABSENT
