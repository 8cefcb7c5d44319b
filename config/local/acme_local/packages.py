"""What the local cluster takes from the distribution, and installing what is not there. Debian and Ubuntu only."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from acme_local.commands import run, succeeds
from acme_local.failures import LocalError

_SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# A program (or file) whose absence asks for a package.
NODE = {
    "runc": "runc",  # starts containers
    "/usr/lib/cni/bridge": "containernetworking-plugins",  # the pod network
    "conntrack": "conntrack",  # kube-proxy forgets connections to pods that are gone
    "nft": "nftables",  # service addresses
    "iptables": "iptables",  # host ports of pods
    "ip": "iproute2",
    "nsenter": "util-linux",
    "mount": "mount",
    "sysctl": "procps",
    "buildah": "buildah",  # images without a Docker engine
    "debootstrap": "debootstrap",  # their base without a registry
    "/usr/share/keyrings/debian-archive-keyring.gpg": "debian-archive-keyring",  # to trust that base
    "/etc/ssl/certs/ca-certificates.crt": "ca-certificates",
}
_CREATE_CLUSTER = Path("/etc/postgresql-common/createcluster.conf")


def missing(wanted: dict[str, str]) -> list[str]:
    """The packages that the machine lacks."""
    return sorted({package for program, package in wanted.items() if not _present(program)})


def install(packages: Sequence[str]) -> None:
    """Install packages with apt-get; nothing happens where there are none to install."""
    if not packages:
        return
    names = " ".join(packages)
    if shutil.which("apt-get") is None:
        raise LocalError(f"this machine has no apt-get; install these with its own tool and try again: {names}")
    if os.geteuid():
        raise LocalError(f"installing packages needs root; run: sudo apt-get install -y {names}")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    # A broken source of somebody else's must not stop what the others have.
    succeeds(["apt-get", "update", "-qq"])
    command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages]
    run(command, what=f"installing {names}", environment=environment)


def install_postgres() -> bool:
    """Have PostgreSQL's programs for the tests, without a server that starts by itself; whether it was installed."""
    if shutil.which("initdb") or list(Path("/usr/lib/postgresql").glob("*/bin/initdb")):
        return False
    install(["postgresql-common"])
    settings = _CREATE_CLUSTER.read_text() if _CREATE_CLUSTER.exists() else ""
    if "create_main_cluster = false" not in settings:
        _CREATE_CLUSTER.write_text(f"{settings}\ncreate_main_cluster = false\n")
    install(["postgresql"])
    return True


def _present(program: str) -> bool:
    if program.startswith("/"):
        return Path(program).exists()
    # A user's PATH often lacks the folders of the administrator's programs.
    return shutil.which(program, path=f"{os.environ.get('PATH', '')}:{_SYSTEM_PATH}") is not None
