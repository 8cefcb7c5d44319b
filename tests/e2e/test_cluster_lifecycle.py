"""The local cluster itself: it comes up, tells the truth, heals, repeats itself without change, and leaves nothing."""

import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from acme_local import cgroups, namespaces, starts
from acme_local.processes import Supervisor, start_time
from tests.plugins.cluster import LocalCluster, why_no_cluster

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.skipif(bool(why_no_cluster()), reason=why_no_cluster() or "it can"),
]

_WATCHED = ("/run", "/run/netns", "/var/lib", "/var/log", "/opt", "/etc/cni/net.d", "/usr/libexec")
_POD = """
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: disk}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Mi}}}
---
apiVersion: v1
kind: Pod
metadata: {name: guest}
spec:
  restartPolicy: Never
  securityContext: {runAsUser: 10001, fsGroup: 10001}
  containers:
    - name: guest
      image: localhost/acme/debian:trixie
      imagePullPolicy: Never
      command: [python3, -c]
      args:
        - |
          import pathlib, socket
          pathlib.Path("/disk/file").write_text("kept")
          print(socket.gethostbyname("kubernetes.default.svc.cluster.local"))
      volumeMounts: [{name: disk, mountPath: /disk}]
  volumes: [{name: disk, persistentVolumeClaim: {claimName: disk}}]
"""


@dataclass(frozen=True)
class Machine:
    """What a cluster could leave on a machine."""

    mounts: frozenset[str]
    devices: frozenset[str]
    groups: frozenset[str]
    files: frozenset[str]

    @classmethod
    def now(cls) -> "Machine":
        mounts = Path("/proc/self/mountinfo").read_text().splitlines()
        return cls(
            mounts=frozenset(line.split()[4] for line in mounts),
            devices=frozenset(path.name for path in Path("/sys/class/net").iterdir()),
            groups=frozenset(str(path) for root in cgroups.hierarchies() for path in root.glob("acme*")),
            files=frozenset(str(path) for folder in _WATCHED for path in Path(folder).glob("*")),
        )


@dataclass(frozen=True)
class Life:
    """One cluster's whole life: the machine before it, and the cluster."""

    before: Machine
    local: LocalCluster

    def pid(self, name: str) -> int | None:
        return Supervisor(self.local.cluster.records, self.local.cluster.logs).pid(name)

    def pids(self) -> dict[str, int | None]:
        return {name: self.pid(name) for name in starts.ORDER}


@pytest.fixture(scope="module")
def life() -> Iterator[Life]:
    local = LocalCluster("cycle")
    local.run("down")
    before = Machine.now()
    try:
        local.run("up", "--upto", "cluster")
        yield Life(before, local)
    finally:
        local.run("down")


def test_a_pod_has_names_and_volumes_and_its_output_is_read(life: Life) -> None:
    life.local.kubectl("apply", "-f", "-", stdin=_POD)

    life.local.kubectl("wait", "--for=jsonpath={.status.phase}=Succeeded", "pod/guest", "--timeout=120s", seconds=150)

    assert life.local.kubectl("logs", "guest").strip() == "10.96.0.1"


def test_the_node_has_no_way_out(life: Life) -> None:
    route = life.local.run("exec", "ip", "route", "get", "8.8.8.8", check=False)

    assert route.returncode != 0


def test_a_second_up_changes_nothing(life: Life) -> None:
    pids = life.pids()
    before = _versions(life.local)

    life.local.run("up", "--upto", "cluster")

    assert life.pids() == pids
    assert _versions(life.local) == before


@pytest.mark.parametrize("name", ["kube-scheduler", "containerd", "etcd"])
def test_a_killed_process_is_reported_and_brought_back(life: Life, name: str) -> None:
    healthy = life.pids()
    pid = healthy[name]
    assert pid is not None

    os.kill(pid, signal.SIGKILL)

    told = life.local.run("status", check=False)
    assert told.returncode == 1
    assert any(line.startswith("BAD") and f" {name} " in line for line in told.stdout.splitlines())
    life.local.run("up", "--upto", "cluster")
    healed = life.pids()
    assert None not in healed.values()
    assert healed[name] != pid
    assert life.local.kubectl("get", "nodes", "-o", "name").strip() == "node/cycle"


def test_a_node_killed_whole_comes_back_and_its_containers_never_stopped(life: Life) -> None:
    containers = _containers(life.local)
    for pid in life.pids().values():
        assert pid is not None
        os.kill(pid, signal.SIGKILL)

    life.local.run("up", "--upto", "cluster")

    assert None not in life.pids().values()
    assert _containers(life.local) == containers


def test_down_leaves_nothing(life: Life) -> None:
    place = life.local.cluster
    alive = {
        *namespaces.members(place.network, "net"),
        *namespaces.members(place.mounts, "mnt"),
        *cgroups.processes(place.cgroup),
    }
    known = {pid: start_time(pid) for pid in alive}
    assert len(known) > len(starts.ORDER)

    life.local.run("down")

    assert [pid for pid, started in known.items() if started and start_time(pid) == started] == []
    assert Machine.now() == life.before
    assert not place.folder.exists()
    assert not place.kubeconfig.exists()


def test_down_of_nothing_is_no_error() -> None:
    done = LocalCluster("never-made").run("down")

    assert "there is no cluster never-made" in done.stdout


def _containers(local: LocalCluster) -> set[str]:
    """The running containers; a restarted one has another id."""
    pods = local.kubectl.get("pods", "--all-namespaces", "--field-selector=status.phase=Running")["items"]
    return {each["containerID"] for pod in pods for each in pod["status"]["containerStatuses"]}


def _versions(local: LocalCluster) -> dict[str, object]:
    """The content of whatever somebody wrote on purpose, by uid; status moves by itself and is left out."""
    kinds = "deployments,replicasets,services,configmaps,clusterroles,serviceaccounts,apiservices,pods"
    items = local.kubectl.get(kinds, "--all-namespaces")["items"]
    return {item["metadata"]["uid"]: (item["metadata"].get("generation"), item.get("spec")) for item in items}
