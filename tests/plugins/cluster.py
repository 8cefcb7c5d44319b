"""The fixture of a whole local cluster with the operator, apart from the user's own; it is gone when the run ends."""

import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from acme_local.clusters import Cluster
from acme_local.kubectls import Kubectl

_REPOSITORY = Path(__file__).resolve().parents[2]
_TOOL = [sys.executable, "-m", "acme_local"]


@dataclass(frozen=True, slots=True)
class LocalCluster:
    """A cluster by name, driven as a person drives it: through the command line."""

    name: str

    @property
    def cluster(self) -> Cluster:
        """Its folders and addresses."""
        return Cluster(self.name)

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig."""
        return self.cluster.kubeconfig

    @property
    def kubectl(self) -> Kubectl:
        """`kubectl("get", "pods")` returns the output, `kubectl.get("pods")` the parsed JSON."""
        return Kubectl(self.cluster.bin / "kubectl", self.kubeconfig)

    def run(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """One command of the tool; its own words are in the failure."""
        environment = {**os.environ, "PYTHONPATH": str(_REPOSITORY / "config" / "local"), "ENGINE": "node"}
        command = [*_TOOL, "--cluster", self.name, *arguments]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=3000)
        if check and done.returncode:
            pytest.fail(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done


def why_no_cluster() -> str:
    """Why no cluster can run here; empty when it can."""
    if platform.system() != "Linux":
        return f"a local cluster needs Linux, this is {platform.system()}"
    if os.geteuid():
        return "a local cluster needs root"
    return ""


@pytest.fixture(scope="session")
def cluster() -> Iterator[LocalCluster]:
    """A cluster of the tests' own with the operator installed and no sample applied."""
    if reason := why_no_cluster():
        pytest.skip(reason)
    local = LocalCluster("e2e")
    local.run("down")  # what an earlier, killed run may have left
    try:
        local.run("up", "--upto", "operator")
        yield local
    finally:
        local.run("down")
