"""The control groups that hold the pods, in every hierarchy of the machine (version 1, 2, or both)."""

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

from acme_local.failures import LocalError

_V2_CONTROLLERS = ("cpuset", "cpu", "io", "memory", "pids", "hugetlb")


def hierarchies() -> dict[Path, str]:
    """The mounted hierarchies and the type of each, `cgroup` or `cgroup2`."""
    found = {}
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        place, _, source = line.partition(" - ")
        kind = source.split()[0]
        if kind in {"cgroup", "cgroup2"}:
            found[Path(place.split()[4])] = kind
    return found


def ensure(group: str) -> None:
    """Have the group in every hierarchy, with the controllers that the kubelet asks for."""
    for root, kind in hierarchies().items():
        try:
            _ensure_in(root, kind, group)
        except OSError as error:
            raise LocalError(f"no control group can be made in {root} ({error}); run where it is writable") from error


def processes(group: str) -> list[int]:
    """The pids of every process in the group and below it."""
    pids: set[int] = set()
    for root in hierarchies():
        for listing in (root / group).rglob("cgroup.procs"):
            with suppress(OSError):  # the group may go while we look
                pids.update(int(pid) for pid in listing.read_text().split())
    return sorted(pids)


def kill(group: str, seconds: float = 20.0) -> None:
    """End every process in the group; new ones that appear meanwhile are ended too."""
    deadline = time.monotonic() + seconds
    while (pids := processes(group)) and time.monotonic() < deadline:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.05)


def remove(group: str) -> None:
    """Remove the group everywhere, and its parent where that is empty then."""
    for root in hierarchies():
        for folder in sorted((root / group).rglob("*/"), reverse=True):
            _remove_folder(folder)
        _remove_folder(root / group)
        _remove_folder((root / group).parent)


def _ensure_in(root: Path, kind: str, group: str) -> None:
    folder = root
    for part in Path(group).parts:
        if kind == "cgroup2":
            _delegate(folder)
        folder /= part
        folder.mkdir(exist_ok=True)
        if kind == "cgroup":
            _inherit_cpus(folder)


def _remove_folder(folder: Path) -> None:
    with suppress(OSError):  # busy: another cluster's group is in it; missing: it is done
        folder.rmdir()


def _delegate(folder: Path) -> None:
    offered = (folder / "cgroup.controllers").read_text().split()
    for controller in _V2_CONTROLLERS:
        if controller in offered:
            (folder / "cgroup.subtree_control").write_text(f"+{controller}")


def _inherit_cpus(folder: Path) -> None:
    """A new cpuset group of version 1 is empty, and no process can enter an empty one."""
    for name in ("cpuset.cpus", "cpuset.mems"):
        if (folder / name).exists() and not (folder / name).read_text().strip():
            (folder / name).write_text((folder.parent / name).read_text())
