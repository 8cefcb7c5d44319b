"""Where one control plane lives: folders, addresses, ports. The same for the node and for the loopback plane of tests."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

SERVICE_RANGE = "10.96.0.0/16"
POD_RANGE = "10.244.0.0/24"
API_SERVICE = "10.96.0.1"  # the first address of the service range, by Kubernetes' rule


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the parts of one control plane listen."""

    api: int = 6443
    etcd: int = 2379
    peer: int = 2380
    controllers: int = 10257
    scheduler: int = 10259


@dataclass(frozen=True, slots=True)
class Plane:
    """One control plane: its folders, its address, its binaries, and what is put before each command."""

    name: str
    folder: Path
    logs: Path
    binaries: Path
    address: str
    ports: Ports = field(default_factory=Ports)
    prefix: Sequence[str] = ()

    @property
    def server(self) -> str:
        """The URL of the API server."""
        return f"https://{self.address}:{self.ports.api}"

    @property
    def pki(self) -> Path:
        """The folder of keys and certificates."""
        return self.folder / "pki"

    @property
    def audit_log(self) -> Path:
        """One JSON line for each request that the API server answered."""
        return self.logs / "audit.log"

    @property
    def loopback(self) -> bool:
        """Whether only this machine's own processes can reach the plane."""
        return self.address.startswith("127.")
