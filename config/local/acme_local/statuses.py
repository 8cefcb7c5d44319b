"""What is true of a cluster now, process by process and part by part. Reads, and changes nothing."""

from collections.abc import Iterator
from dataclasses import dataclass

from acme_local import addons, authorities, kinds, starts
from acme_local.clusters import Cluster
from acme_local.failures import LocalError
from acme_local.kubectls import Kubectl
from acme_local.nodes import Node
from acme_local.processes import State, Supervisor

_OPERATOR = ("acme-system", "acme-operator")


@dataclass(frozen=True, slots=True)
class Line:
    """One part: its name, whether it is well, and what is known."""

    part: str
    well: bool
    detail: str

    def __str__(self) -> str:
        return f"{'ok  ' if self.well else 'BAD '} {self.part:<28} {self.detail}"


def status(cluster: Cluster) -> list[Line]:
    """Every part of the cluster; empty where there is no cluster."""
    if not (cluster.records.exists() or kinds.made(cluster)):
        return []
    lines = [] if kinds.made(cluster) else list(_processes(cluster))
    kubectl = Kubectl(cluster.bin / "kubectl", cluster.kubeconfig)
    if not kubectl.succeeds("get", "--raw", "/readyz"):
        return [*lines, Line("api", False, "does not answer; `make up` starts what is dead")]
    return [*lines, Line("api", True, f"answers; KUBECONFIG={cluster.kubeconfig}"), *_objects(cluster, kubectl)]


def _processes(cluster: Cluster) -> Iterator[Line]:
    supervisor = Supervisor(cluster.records, cluster.logs)
    # The binaries do not matter for looking, and nothing is compiled for it.
    node = Node(cluster, cluster.plane(cluster.bin), cluster.bin)
    ca = authorities.pair(node.plane.pki, "ca")
    probes = {each.daemon: each for each in starts.probes(node, ca, authorities.pair(node.plane.pki, "admin"))}
    for name in starts.ORDER:
        state = supervisor.state(name)
        if state is not State.RUNNING:
            yield Line(name, False, f"{state}; read {supervisor.log(name)}; `make up` starts it")
        elif name in probes and not probes[name].passes():
            yield Line(name, False, f"pid {supervisor.pid(name)} runs but is not healthy; read {supervisor.log(name)}")
        else:
            yield Line(name, True, f"pid {supervisor.pid(name)}")


def _objects(cluster: Cluster, kubectl: Kubectl) -> Iterator[Line]:
    for node in kubectl.get("nodes")["items"]:
        ready = next((each for each in node["status"]["conditions"] if each["type"] == "Ready"), None)
        well = bool(ready and ready["status"] == "True")
        yield Line(f"node {node['metadata']['name']}", well, ready["message"] if ready else "has not reported yet")
    for namespace, name in () if kinds.made(cluster) else addons.DEPLOYMENTS:
        yield deployment(kubectl, namespace, name)
    yield deployment(kubectl, *_OPERATOR)


def deployment(kubectl: Kubectl, namespace: str, name: str) -> Line:
    """How many replicas of a Deployment are available."""
    part = f"{namespace}/{name}"
    try:
        found = kubectl.get("deployment", "-n", namespace, name)
    except LocalError:
        return Line(part, False, "is not installed; `make up` installs it")
    wanted, available = found["spec"]["replicas"], found["status"].get("availableReplicas", 0)
    detail = f"{available} of {wanted} replicas available"
    if available < wanted:
        detail += f"; see `kubectl -n {namespace} describe pods`"
    return Line(part, available >= wanted > 0, detail)
