"""Bringing the node up, and bringing it back: every process is looked at, only what is dead or changed is started."""

from collections.abc import Callable
from dataclasses import dataclass

from acme_local import cgroups, controls, credentials, kubeconfigs, namespaces, nodes
from acme_local.authorities import Pair
from acme_local.credentials import Credentials
from acme_local.nodes import Node
from acme_local.processes import Change, Daemon, Supervisor
from acme_local.readiness import Probe, wait_ready

_PATIENCE = 120.0

# In the order in which they are started; they end in the opposite one.
ORDER = (
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "containerd",
    "kubelet",
    "kube-proxy",
)


@dataclass(frozen=True, slots=True)
class Started:
    """What had to be done for each process, by its name."""

    changes: dict[str, Change]

    @property
    def changed(self) -> list[str]:
        """The processes that were not simply kept."""
        return [name for name, change in self.changes.items() if change is not Change.KEPT]


def supervisor(node: Node) -> Supervisor:
    """The supervisor of the node's processes."""
    return Supervisor(node.cluster.records, node.cluster.logs)


def ensure(node: Node) -> Started:
    """Have namespaces, certificates, settings and all seven processes, each ready before the next needs it."""
    namespaces.ensure(node.cluster)
    cgroups.ensure(node.cluster.cgroup)
    made = credentials.ensure(node.plane)
    nodes.write_settings(node, made)
    watcher = supervisor(node)
    changes: dict[str, Change] = {}
    for make in _daemons(node, made):
        daemon = make()
        changes[daemon.name] = watcher.ensure(daemon)
        for probe in probes(node, made.ca, made.admin):
            if probe.daemon == daemon.name:
                wait_ready(watcher, probe, _PATIENCE)
    kubeconfigs.write(node.cluster.kubeconfig, node.cluster.name, node.plane.server, made.ca.certificate, made.admin)
    return Started(changes)


def probes(node: Node, ca: Pair, client: Pair) -> list[Probe]:
    """How each process is asked whether it is well; etcd is asked through the API server."""
    address = node.cluster.node_address
    ports = node.plane.ports
    return [
        Probe("kube-apiserver", f"{node.plane.server}/readyz", ca.certificate, client),
        Probe("kube-controller-manager", f"https://{address}:{ports.controllers}/healthz", ca.certificate),
        Probe("kube-scheduler", f"https://{address}:{ports.scheduler}/healthz", ca.certificate),
        Probe("containerd", f"unix:{node.cluster.run}/containerd/containerd.sock", ca.certificate),
        Probe("kubelet", f"http://{address}:10248/healthz", ca.certificate),
        Probe("kube-proxy", f"http://{address}:10256/livez", ca.certificate),
    ]


def _daemons(node: Node, made: Credentials) -> list[Callable[[], Daemon]]:
    return [
        lambda: controls.etcd(node.plane, made),
        lambda: controls.api_server(node.plane, made),
        lambda: controls.controller_manager(node.plane, made),
        lambda: controls.scheduler(node.plane, made),
        lambda: nodes.containerd(node),
        lambda: nodes.kubelet(node, made),
        lambda: nodes.proxy(node, made),
    ]
