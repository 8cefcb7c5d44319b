"""The two kernel namespaces that the node lives in, so that nothing of it shows on the machine.

Network: pod and service addresses are private ranges that must never leave the machine; the namespace has one link, to
the machine, and no way out. Mounts: the node sees folders of ours as /run, /var/lib and /var/log, so programs keep their usual
paths, and every mount they make ends with the namespace.
"""

import os
import shlex
import shutil
from collections.abc import Sequence
from pathlib import Path

from acme_local.clusters import Cluster
from acme_local.commands import run
from acme_local.planes import SERVICE_RANGE

_NODE_SIDE = "node0"
_LINKING = "linking the node to this machine"


def ensure(cluster: Cluster) -> None:
    """Have both namespaces, linked to the machine and ready for processes."""
    _ensure_handles(cluster)
    if not _linked(cluster):
        _link(cluster)
    run(["ip", "address", "replace", f"{cluster.host_address}/30", "dev", cluster.device], what=_LINKING)
    run(["ip", "link", "set", cluster.device, "up"], what=_LINKING)


def remove(cluster: Cluster) -> None:
    """Drop the namespaces; the kernel takes their mounts and devices along once no process is left in them."""
    _unlink(cluster)
    folder = cluster.network.parent
    for handle in (cluster.network, cluster.mounts, folder):
        while handle.exists() and is_mounted(handle):
            run(["umount", "--no-mtab", "--lazy", handle], what=f"unmounting {handle}")
    shutil.rmtree(cluster.runtime, ignore_errors=True)
    if cluster.runtime.parent.exists() and not any(cluster.runtime.parent.iterdir()):
        cluster.runtime.parent.rmdir()


def is_mounted(path: Path) -> bool:
    """Whether something is mounted at exactly this path."""
    return str(path) in {line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()}


def members(handle: Path, kind: str) -> list[int]:
    """The pids of the processes whose namespace of `kind` ("net" or "mnt") is the one of `handle`."""
    if not handle.exists():
        return []
    wanted = handle.stat()
    entries = (entry for entry in Path("/proc").iterdir() if entry.name.isdigit())
    return [int(entry.name) for entry in entries if _is_in(entry / "ns" / kind, wanted)]


def _is_in(namespace: Path, wanted: os.stat_result) -> bool:
    try:
        return os.path.samestat(namespace.stat(), wanted)
    except OSError:  # the process ended while we looked
        return False


def _ensure_handles(cluster: Cluster) -> None:
    folder = cluster.network.parent
    for path in (folder, cluster.run, cluster.lib, cluster.pod_logs):
        path.mkdir(parents=True, exist_ok=True)
    if not is_mounted(folder):
        # A namespace can be kept only on a mount that propagates nowhere.
        run(["mount", "--no-mtab", "--bind", folder, folder], what="making the namespaces' folder")
        run(["mount", "--no-mtab", "--make-private", folder], what="making the namespaces' folder")
    for handle, kind in ((cluster.network, "net"), (cluster.mounts, "mount")):
        if not is_mounted(handle):
            handle.touch()
            _create(cluster, handle, kind)


def _create(cluster: Cluster, handle: Path, kind: str) -> None:
    if kind == "net":
        run(["unshare", f"--net={handle}", "true"], what="making the node's network namespace")
        return
    # Volumes shared between pods need propagation inside the namespace, and none out of it.
    script = (
        "mount --make-rprivate /\n"
        # A copy of another cluster's handles would keep its namespaces alive after its end.
        "for each in /run/acme/*/ns; do umount --recursive --lazy $each || true; done\n"
        f"mount --bind {shlex.quote(str(cluster.lib))} /var/lib\n"
        f"mount --bind {shlex.quote(str(cluster.pod_logs))} /var/log\n"
        f"mount --rbind {cluster.run} /run\n"
        "mount --make-rshared /\n"
    )
    command = ["unshare", f"--mount={handle}", "--propagation", "private", "sh", "-ec", script]
    run(command, what="making the node's mount namespace")


def _linked(cluster: Cluster) -> bool:
    """Whether the wiring went through to its last line, and nobody has cut it since."""
    device = Path("/sys/class/net") / cluster.device
    return device.exists() and bool(_inside(cluster, ["ip", "route", "show", SERVICE_RANGE]).strip())


def _link(cluster: Cluster) -> None:
    _unlink(cluster)
    for command in _wiring(cluster):
        _inside(cluster, command)


def _unlink(cluster: Cluster) -> None:
    if (Path("/sys/class/net") / cluster.device).exists():
        run(["ip", "link", "delete", cluster.device], what=f"removing the device {cluster.device}")


def _wiring(cluster: Cluster) -> Sequence[Sequence[str]]:
    return (
        [
            "sysctl",
            "-qw",
            "net.ipv4.ip_forward=1",
            "net.ipv4.conf.all.rp_filter=0",
            "net.ipv4.conf.default.rp_filter=0",
        ],
        ["ip", "link", "set", "lo", "up"],
        ["ip", "link", "add", cluster.device, "type", "veth", "peer", "name", _NODE_SIDE],
        ["ip", "link", "set", cluster.device, "netns", str(os.getpid())],
        ["ip", "address", "replace", f"{cluster.node_address}/30", "dev", _NODE_SIDE],
        ["ip", "link", "set", _NODE_SIDE, "up"],
        # Whatever is addressed to a pod that is no more ends here.
        ["ip", "route", "replace", "blackhole", "0.0.0.0/1", "metric", "999"],
        # A service address needs some route before kube-proxy's rules see the packet.
        ["ip", "route", "replace", SERVICE_RANGE, "dev", _NODE_SIDE],
    )


def _inside(cluster: Cluster, command: Sequence[str]) -> str:
    return run(["nsenter", f"--net={cluster.network}", "--", *command], what=_LINKING)
