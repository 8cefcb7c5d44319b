"""Taking a cluster away: its processes, containers, mounts, namespaces, devices, control groups and files."""

import os
import shutil
import signal
import time
from contextlib import suppress

from acme_local import cgroups, namespaces, starts
from acme_local.clusters import Cluster
from acme_local.failures import LocalError
from acme_local.processes import Supervisor

_PATIENCE = 20.0
_GRACE = 2.0  # nothing that is being thrown away needs to end well


def down(cluster: Cluster) -> bool:
    """Remove everything of the cluster; False where there was nothing. Safe on a half-made or half-gone one."""
    if not (cluster.runtime.exists() or cluster.folder.exists()):
        return False
    _stop_daemons(cluster)
    cgroups.kill(cluster.cgroup)
    _kill_members(cluster)
    cgroups.remove(cluster.cgroup)
    namespaces.remove(cluster)
    cluster.kubeconfig.unlink(missing_ok=True)
    if cluster.folder.exists():
        shutil.rmtree(cluster.folder)
    with suppress(OSError):  # another cluster's folder is in it
        cluster.folder.parent.rmdir()
    return True


def _stop_daemons(cluster: Cluster) -> None:
    supervisor = Supervisor(cluster.records, cluster.logs)
    # The kubelet first: it would start again whatever ends after it.
    for name in reversed(starts.ORDER):
        supervisor.stop(name, _GRACE)


def _kill_members(cluster: Cluster) -> None:
    """End what still lives in the node's namespaces: container shims, and processes somebody entered by hand."""
    deadline = time.monotonic() + _PATIENCE
    while pids := {
        *namespaces.members(cluster.mounts, "mnt"),
        *namespaces.members(cluster.network, "net"),
    }:
        if time.monotonic() > deadline:
            raise LocalError(f"processes {sorted(pids)} do not end; stop them by hand and run `make down` again")
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.05)
