"""A cluster's name and everything that follows from it: folders, addresses, devices.

Two names never share a path; two names may, rarely, hash to the same address block, which the checks before `up` say.
"""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from acme_local.failures import LocalError
from acme_local.planes import Plane

DEFAULT_NAME = "acme"
_NAME = re.compile(r"[a-z][a-z0-9-]{0,19}")  # it stands in paths of unix sockets, which end at 108 bytes
_BLOCKS = 64  # /30 blocks in 198.51.100.0/24, a documentation range; 192.0.2.0/24 is taken in many virtual machines
_REPOSITORY = Path(__file__).resolve().parents[3]


@dataclass(frozen=True, slots=True)
class Cluster:
    """One local cluster of this checkout."""

    name: str = DEFAULT_NAME
    repository: Path = _REPOSITORY

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise LocalError(
                f"CLUSTER={self.name!r} is no cluster name; use 1 to 20 lower-case letters, digits and dashes, a letter first"
            )

    @property
    def block(self) -> int:
        """Which /30 of the address range is this cluster's; the default cluster has the first."""
        if self.name == DEFAULT_NAME:
            return 0
        return 1 + int.from_bytes(hashlib.sha256(self.name.encode()).digest()[:4]) % (_BLOCKS - 1)

    @property
    def host_address(self) -> str:
        """The machine's end of the link to the node."""
        return f"198.51.100.{4 * self.block + 2}"

    @property
    def node_address(self) -> str:
        """The node's end, where the API server listens."""
        return f"198.51.100.{4 * self.block + 1}"

    @property
    def device(self) -> str:
        """The network device on the machine's side."""
        return f"acme{self.block}"

    @property
    def folder(self) -> Path:
        """State and logs; all of it goes with `down`."""
        return self.repository / ".local" / self.name

    @property
    def logs(self) -> Path:
        """One file for each process, and the API server's audit log."""
        return self.folder / "logs"

    @property
    def records(self) -> Path:
        """What is started, for the supervisor."""
        return self.folder / "processes"

    @property
    def kubeconfig(self) -> Path:
        """Where kubectl finds the cluster."""
        if self.name == DEFAULT_NAME:
            return self.repository / ".local" / "kubeconfig"
        return self.folder / "kubeconfig"

    @property
    def bin(self) -> Path:
        """Links to the kubectl and helm that match the cluster."""
        return self.folder / "bin"

    @property
    def runtime(self) -> Path:
        """Sockets and namespaces; in memory, short, gone after a reboot."""
        return Path("/run/acme") / self.name

    @property
    def owner(self) -> Path:
        """The file that says which checkout the cluster belongs to."""
        return self.runtime / "owner"

    @property
    def network(self) -> Path:
        """The handle of the network namespace of the node."""
        return self.runtime / "ns" / "net"

    @property
    def mounts(self) -> Path:
        """The handle of the mount namespace of the node."""
        return self.runtime / "ns" / "mnt"

    @property
    def run(self) -> Path:
        """What the node sees as /run."""
        return self.runtime / "run"

    @property
    def lib(self) -> Path:
        """What the node sees as /var/lib: images, containers, volumes."""
        return self.folder / "lib"

    @property
    def pod_logs(self) -> Path:
        """What the node sees as /var/log: the output of containers, under `pods`."""
        return self.logs / "node"

    @property
    def cgroup(self) -> str:
        """The control group, below each hierarchy's root, that holds every pod."""
        return f"acme/{self.name}"

    @property
    def enter(self) -> tuple[str, ...]:
        """The command prefix that runs a program where the node is."""
        return ("nsenter", f"--net={self.network}", f"--mount={self.mounts}", "--")

    def plane(self, binaries: Path) -> Plane:
        """The cluster's control plane."""
        return Plane(self.name, self.folder, self.logs, binaries, self.node_address, prefix=self.enter)
