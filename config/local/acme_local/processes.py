"""Long-lived processes: started once, remembered in a file each, ended in order.

A process is known by its pid **and** its start time, so a recycled pid is never mistaken for it. Nothing here
knows what a process is for.
"""

import hashlib
import json
import os
import select
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

_PROC = Path("/proc")


class State(StrEnum):
    """What is true of a daemon now."""

    RUNNING = "running"
    DEAD = "dead"  # started once, gone since
    ABSENT = "absent"  # never started, or stopped in good order


class Change(StrEnum):
    """What `Supervisor.ensure` had to do."""

    KEPT = "kept"
    STARTED = "started"
    RESTARTED = "restarted"  # it had died
    REPLACED = "replaced"  # its command had changed


@dataclass(frozen=True, slots=True)
class Daemon:
    """A command to keep running; `settings` are the texts whose change asks for a restart."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    settings: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """A fingerprint of everything that decides how the process behaves."""
        parts = [*self.command, *(f"{k}={v}" for k, v in sorted(self.environment.items())), *self.settings]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Record:
    """The identity of a started process, as kept on disk."""

    pid: int
    started: int  # clock ticks since boot, field 22 of /proc/PID/stat
    boot: str
    digest: str


def start_time(pid: int) -> int | None:
    """Clock ticks since boot at which `pid` started; None when it is gone or a zombie."""
    try:
        stat = (_PROC / str(pid) / "stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = stat.rpartition(")")[2].split()  # the name may hold blanks and brackets, so count from its end
    return None if fields[0] in "ZX" else int(fields[19])


def boot_id() -> str:
    """The kernel's name for this boot."""
    return (_PROC / "sys/kernel/random/boot_id").read_text().strip()


class Supervisor:
    """Starts, finds and ends the daemons of one folder."""

    def __init__(self, records: Path, logs: Path) -> None:
        self._records = records
        self._logs = logs

    def ensure(self, daemon: Daemon) -> Change:
        """Have `daemon` running with exactly this command, restarting it only where it is dead or differs."""
        record = self._record(daemon.name)
        if record is None:
            self._spawn(daemon)
            return Change.STARTED
        if not _alive(record):
            self._spawn(daemon)
            return Change.RESTARTED
        if record.digest == daemon.digest:
            return Change.KEPT
        self.stop(daemon.name)
        self._spawn(daemon)
        return Change.REPLACED

    def state(self, name: str) -> State:
        """Whether the process recorded under `name` runs now."""
        record = self._record(name)
        if record is None:
            return State.ABSENT
        return State.RUNNING if _alive(record) else State.DEAD

    def pid(self, name: str) -> int | None:
        """The pid of a running daemon, else None."""
        record = self._record(name)
        return record.pid if record and _alive(record) else None

    def stop(self, name: str, grace: float = 10.0) -> None:
        """End a daemon: ask, wait `grace` seconds, kill; forget it. Nothing happens where it is not running."""
        record = self._record(name)
        if record and _alive(record):
            end(record.pid, record.started, grace)
        (self._records / f"{name}.json").unlink(missing_ok=True)

    def log(self, name: str) -> Path:
        """The file that takes the daemon's output."""
        return self._logs / f"{name}.log"

    def names(self) -> list[str]:
        """Every daemon that was started and not stopped."""
        return sorted(path.stem for path in self._records.glob("*.json"))

    def _record(self, name: str) -> Record | None:
        try:
            return Record(**json.loads((self._records / f"{name}.json").read_text()))
        except (FileNotFoundError, ValueError, TypeError):
            return None

    def _spawn(self, daemon: Daemon) -> None:
        self._records.mkdir(parents=True, exist_ok=True)
        self._logs.mkdir(parents=True, exist_ok=True)
        with self.log(daemon.name).open("ab") as log:
            process = subprocess.Popen(
                list(daemon.command),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={"PATH": os.environ.get("PATH", os.defpath), **daemon.environment},
                start_new_session=True,  # a Ctrl-C at the terminal is for the tool, not for the cluster
            )
        record = Record(process.pid, start_time(process.pid) or 0, boot_id(), daemon.digest)
        process.returncode = 0  # nobody waits on this handle: without it Python warns when the object is dropped
        temporary = self._records / f".{daemon.name}.tmp"
        temporary.write_text(json.dumps({name: getattr(record, name) for name in Record.__slots__}))
        temporary.replace(self._records / f"{daemon.name}.json")


def end(pid: int, started: int, grace: float) -> None:
    """Ask the process to end, kill it after `grace` seconds, and return when it is gone."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        if start_time(pid) != started:
            return  # the pid belongs to somebody else by now
        for number, patience in ((signal.SIGTERM, grace), (signal.SIGKILL, 10.0)):
            signal.pidfd_send_signal(handle, number)
            if _gone(handle, patience):
                return
    except ProcessLookupError:
        return
    finally:
        os.close(handle)
        _reap(pid)


def _gone(handle: int, patience: float) -> bool:
    poller = select.poll()
    poller.register(handle, select.POLLIN)
    return bool(poller.poll(patience * 1000))


def _reap(pid: int) -> None:
    """Collect the exit status where the process is a child of ours, so that no zombie stays."""
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return


def _alive(record: Record) -> bool:
    return record.boot == boot_id() and start_time(record.pid) == record.started
