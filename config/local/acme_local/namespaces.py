"""The two kernel namespaces that the node lives in, so that nothing of it shows on the machine.

Network: pod and service addresses are private ranges that must never leave the machine; the namespace has one link, to
the machine, and no way out. Mounts: the node sees folders of ours as /run, /var/lib and /var/log, so programs keep their usual
paths, and every mount they make ends with the namespace.
"""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from acme_local.clusters import Cluster
from acme_local.planes import SERVICE_RANGE

_NODE_SIDE = "node0"


def ensure(cluster: Cluster) -> None:
    """Have both namespaces, linked to the machine and ready for processes."""
    _ensure_handles(cluster)
    if not _inside(cluster, ["ip", "link", "show", _NODE_SIDE], check=False):
        _link(cluster)


def remove(cluster: Cluster) -> None:
    """Drop the namespaces; the kernel takes their mounts and devices along once no process is left in them."""
    subprocess.run(["ip", "link", "delete", cluster.device], capture_output=True, check=False)
    folder = cluster.network.parent
    for handle in (cluster.network, cluster.mounts, folder):
        while handle.exists() and is_mounted(handle):
            subprocess.run(["umount", "--lazy", str(handle)], check=True)
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
    wanted = handle.stat().st_ino
    return [
        int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit() and _is_in(entry, kind, wanted)
    ]


def _is_in(process: Path, kind: str, inode: int) -> bool:
    try:
        return (process / "ns" / kind).stat().st_ino == inode
    except OSError:  # it ended while we looked
        return False


def _ensure_handles(cluster: Cluster) -> None:
    folder = cluster.network.parent
    for path in (folder, cluster.run, cluster.lib, cluster.pod_logs):
        path.mkdir(parents=True, exist_ok=True)
    if not is_mounted(folder):
        # A namespace can be kept only on a mount that propagates nowhere.
        subprocess.run(["mount", "--bind", str(folder), str(folder)], check=True)
        subprocess.run(["mount", "--make-private", str(folder)], check=True)
    for handle, kind in ((cluster.network, "net"), (cluster.mounts, "mount")):
        if not is_mounted(handle):
            handle.touch()
            _create(cluster, handle, kind)


def _create(cluster: Cluster, handle: Path, kind: str) -> None:
    if kind == "net":
        subprocess.run(["unshare", f"--net={handle}", "true"], check=True)
        return
    # Volumes shared between pods need propagation inside the namespace, and none out of it.
    script = (
        "mount --make-rprivate / && "
        f"mount --bind {cluster.lib} /var/lib && mount --bind {cluster.pod_logs} /var/log && "
        f"mount --rbind {cluster.run} /run && mount --make-rshared /"
    )
    subprocess.run(["unshare", f"--mount={handle}", "--propagation", "private", "sh", "-ec", script], check=True)


def _link(cluster: Cluster) -> None:
    for command in _wiring(cluster):
        _inside(cluster, command)
    subprocess.run(["ip", "address", "replace", f"{cluster.host_address}/30", "dev", cluster.device], check=True)
    subprocess.run(["ip", "link", "set", cluster.device, "up"], check=True)


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


def _inside(cluster: Cluster, command: Sequence[str], *, check: bool = True) -> bool:
    full = ["nsenter", f"--net={cluster.network}", "--", *command]
    return subprocess.run(full, capture_output=not check, check=check).returncode == 0
