"""May the built-in node run here at all? One question each; an answer is one sentence that says what to do.

Reads the machine and changes nothing.
"""

import os
import platform
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from acme_local.cgroups import hierarchies
from acme_local.clusters import Cluster
from acme_local.commands import run, succeeds
from acme_local.failures import LocalError
from acme_local.toolchains import cache_folder

type Check = Callable[[Cluster], str | None]

_DISK = 15 * 2**30
_MEMORY = 4 * 10**9
_CONTROLLERS = {"cpu", "cpuacct", "cpuset", "memory", "pids", "devices"}
_HIDDEN = (Path("/var/lib"), Path("/var/log"), Path("/run"))
_APART = ("unshare", "--net", "--mount", "--")


def runs_linux(_: Cluster) -> str | None:
    """A container needs a Linux kernel."""
    if platform.system() == "Linux":
        return None
    return f"the built-in node needs Linux and this is {platform.system()}; start Docker, and `make up` uses kind"


def is_root(_: Cluster) -> str | None:
    """Namespaces, mounts and cgroups are root's."""
    if os.geteuid() == 0:
        return None
    return "the built-in node needs root; run `sudo make up`, or start Docker, and `make up` uses kind"


def has_cgroups(_: Cluster) -> str | None:
    """Pods are held in control groups of either version."""
    mounted = hierarchies()
    if not mounted:
        return "no control groups are mounted; mount them at /sys/fs/cgroup (`mount -t cgroup2 none /sys/fs/cgroup`)"
    if "cgroup" not in mounted.values():
        return None
    absent = _CONTROLLERS - {
        name for root, kind in mounted.items() if kind == "cgroup" for name in root.name.split(",")
    }
    if absent:
        return f"the control group controllers {', '.join(sorted(absent))} are not mounted; mount them below /sys/fs/cgroup"
    return None


def has_overlay(_: Cluster) -> str | None:
    """Images are stacked by overlayfs."""
    if "\toverlay\n" in Path("/proc/filesystems").read_text() or succeeds(["modprobe", "overlay"]):
        return None
    return "the kernel has no overlay file system; run a kernel with CONFIG_OVERLAY_FS"


def has_network_namespaces(_: Cluster) -> str | None:
    """The node, and each pod, has a network of its own."""
    if succeeds([*_APART, "ip", "link", "add", "name", "one", "type", "veth", "peer", "name", "two"]):
        return None
    return "network namespaces or veth devices can't be made here; run where CAP_SYS_ADMIN and CAP_NET_ADMIN are given"


def has_bridges(_: Cluster) -> str | None:
    """Pods hang on a bridge."""
    if succeeds([*_APART, "ip", "link", "add", "name", "one", "type", "bridge"]):
        return None
    return "bridge devices can't be made here; load the kernel module `bridge`"


def has_nf_tables(_: Cluster) -> str | None:
    """kube-proxy programs nftables."""
    if succeeds([*_APART, "nft", "add", "table", "ip", "acme-check"]):
        return None
    return "nftables can't be used here; load the kernel module `nf_tables`"


def has_disk(cluster: Cluster) -> str | None:
    """Images, caches and volumes."""
    if cluster.records.exists():
        return None  # it has what it needs already
    for folder in (cluster.repository, _existing(cache_folder())):
        free = shutil.disk_usage(folder).free
        if free < _DISK:
            return (
                f"{folder} has {free / 2**30:.0f} GB free and 15 are needed; free some, or set XDG_CACHE_HOME elsewhere"
            )
    return None


def has_memory(_: Cluster) -> str | None:
    """Node and platform take up to 3 GiB."""
    line = Path("/proc/meminfo").read_text().splitlines()[0]
    total = int(line.split()[1]) * 1024
    if total >= _MEMORY:
        return None
    return f"this machine has {total / 10**9:.1f} GB of memory and 4 are needed; use a larger one"


def is_seen_by_the_node(cluster: Cluster) -> str | None:
    """The node has its own /var/lib, /var/log and /run."""
    for folder in (cluster.repository, cache_folder()):
        if any(folder.is_relative_to(hidden) for hidden in _HIDDEN):
            return (
                f"{folder} is hidden from the node, which has its own {', '.join(map(str, _HIDDEN))}; move it elsewhere"
            )
    return None


def is_ours(cluster: Cluster) -> str | None:
    """Another checkout may run a cluster of the same name."""
    if not cluster.owner.exists() or cluster.owner.read_text() == str(cluster.repository):
        return None
    owner = cluster.owner.read_text()
    return f"a cluster called {cluster.name} of {owner} is here; run `make down` there, or `make up CLUSTER=another`"


def has_addresses(cluster: Cluster) -> str | None:
    """The link to the node may be in use by something else."""
    if cluster.owner.exists():
        return None
    device = Path("/sys/class/net") / cluster.device
    listing = ["ip", "-4", "-oneline", "address", "show", "to", f"{cluster.host_address}/30"]
    if device.exists() or run(listing, what="listing this machine's addresses").strip():
        return f"{cluster.device} or {cluster.host_address} is taken; choose another name by `make up CLUSTER=another`"
    return None


MACHINE: Sequence[Check] = (
    runs_linux,  # before every question that only Linux can answer
    is_root,  # the others try things that only root may
    is_ours,
    is_seen_by_the_node,
    has_cgroups,
    has_overlay,
    has_disk,
    has_memory,
)
# These use programs that the packages bring.
KERNEL: Sequence[Check] = (has_network_namespaces, has_bridges, has_nf_tables, has_addresses)


def require(checks: Sequence[Check], cluster: Cluster) -> None:
    """Raise the first check's sentence that says no."""
    for check in checks:
        if sentence := check(cluster):
            raise LocalError(sentence)


def _existing(folder: Path) -> Path:
    return next(each for each in (folder, *folder.parents) if each.exists())
