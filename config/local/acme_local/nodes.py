"""The node as commands and files: containerd, kubelet, kube-proxy and the pod network.

Pure but for `write_settings`. Paths are those that the node sees in its own mount namespace.
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path

import yaml

from acme_local import authorities, credentials
from acme_local.authorities import Identity, Pair
from acme_local.clusters import Cluster
from acme_local.credentials import Credentials
from acme_local.files import keep
from acme_local.planes import POD_RANGE, Plane
from acme_local.processes import Daemon

DNS_ADDRESS = "10.96.0.10"
PAUSE_IMAGE = "localhost/acme/pause:dev"
SOCKET = "/run/containerd/containerd.sock"
_CNI_PLUGINS = "/usr/lib/cni"  # Debian's containernetworking-plugins
_CAP_SYS_RESOURCE = 24


@dataclass(frozen=True, slots=True)
class Node:
    """The one node of a cluster: where its programs are and who it is to the API server."""

    cluster: Cluster
    plane: Plane
    containerd: Path

    @property
    def settings(self) -> Path:
        """The folder of configuration files."""
        return self.cluster.folder / "node"

    @property
    def network_settings(self) -> Path:
        """The folder that containerd reads pod networks from."""
        return self.settings / "cni"


def certificates(node: Node, made: Credentials) -> Pair:
    """The kubelet's certificate, as a server for logs and exec and as the client system:node:NAME."""
    name = node.cluster.name
    identity = Identity(f"system:node:{name}", ["system:nodes"], [node.cluster.node_address, name])
    return authorities.issue(made.ca, node.plane.pki, f"system-node-{name}", identity)


def write_settings(node: Node, made: Credentials) -> None:
    """Write every file that the three daemons read."""
    keep(node.settings / "containerd.toml", containerd_settings(node))
    keep(node.settings / "kubelet.yaml", yaml.safe_dump(kubelet_settings(node, made)))
    keep(node.settings / "kube-proxy.yaml", yaml.safe_dump(proxy_settings(node, made)))
    keep(node.network_settings / "10-acme.conflist", json.dumps(pod_network(), indent=2))


def containerd(node: Node) -> Daemon:
    """The container runtime. Its containers outlive it, so a restart heals it without touching a pod."""
    program = node.containerd / "containerd"
    command = [*node.cluster.enter, str(program), "--config", str(node.settings / "containerd.toml")]
    # It finds its shim by PATH.
    path = f"{node.containerd}:{os.environ.get('PATH', os.defpath)}"
    return Daemon("containerd", command, {"PATH": path}, (containerd_settings(node),))


def kubelet(node: Node, made: Credentials) -> Daemon:
    """The kubelet."""
    own = _node_kubeconfig(node, made)
    command = [
        *node.cluster.enter,
        str(node.plane.binaries / "kubelet"),
        f"--config={node.settings / 'kubelet.yaml'}",
        f"--kubeconfig={own}",
        f"--hostname-override={node.cluster.name}",
        f"--node-ip={node.cluster.node_address}",
    ]
    return Daemon("kubelet", command, settings=(json.dumps(kubelet_settings(node, made)),))


def proxy(node: Node, made: Credentials) -> Daemon:
    """kube-proxy, which makes service addresses answer."""
    settings = proxy_settings(node, made)
    command = [
        *node.cluster.enter,
        str(node.plane.binaries / "kube-proxy"),
        f"--config={node.settings / 'kube-proxy.yaml'}",
    ]
    return Daemon("kube-proxy", command, settings=(json.dumps(settings),))


def containerd_settings(node: Node) -> str:
    """containerd's configuration."""
    return f"""version = 3
root = "/var/lib/containerd"
state = "/run/containerd"
disabled_plugins = [
  "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.erofs", "io.containerd.snapshotter.v1.blockfile", "io.containerd.nri.v1.nri",
]
[grpc]
  address = "{SOCKET}"
[plugins.'io.containerd.internal.v1.opt']
  path = "/var/lib/containerd/opt"
[plugins.'io.containerd.cri.v1.images'.pinned_images]
  sandbox = "{PAUSE_IMAGE}"
[plugins.'io.containerd.cri.v1.runtime']
  # Without CAP_SYS_RESOURCE the kernel refuses the negative score that a pod's first process asks for.
  restrict_oom_score_adj = {str(not _has_capability(_CAP_SYS_RESOURCE)).lower()}
  [plugins.'io.containerd.cri.v1.runtime'.cni]
    bin_dirs = ["{_CNI_PLUGINS}"]
    conf_dir = "{node.network_settings}"
  [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
"""


def kubelet_settings(node: Node, made: Credentials) -> dict[str, object]:
    """The KubeletConfiguration."""
    serving = certificates(node, made)
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": node.cluster.node_address,
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(made.ca.certificate)},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": str(serving.certificate),
        "tlsPrivateKeyFile": str(serving.key),
        "containerRuntimeEndpoint": f"unix://{SOCKET}",
        "clusterDNS": [DNS_ADDRESS],
        "clusterDomain": "cluster.local",
        "resolvConf": "",  # the machine's resolver is out of the node's reach
        "cgroupDriver": "cgroupfs",  # no systemd is asked for
        "cgroupRoot": f"/{node.cluster.cgroup}",
        "failCgroupV1": False,  # the default refuses machines with version 1
        "failSwapOn": False,
        "localStorageCapacityIsolation": False,  # the disk of a virtual machine may be unknown to the kubelet
        "volumePluginDir": "/var/lib/kubelet/volume-plugins",  # the default is a folder of the machine
        "healthzBindAddress": node.cluster.node_address,
        "maxPods": 250,
        "serializeImagePulls": False,
        # Images come from this machine only: collecting one would lose it for good.
        "imageGCHighThresholdPercent": 100,
        "evictionHard": {"memory.available": "100Mi"},
        "shutdownGracePeriod": "0s",
    }


def proxy_settings(node: Node, made: Credentials) -> dict[str, object]:
    """The KubeProxyConfiguration."""
    own = credentials.kubeconfig(node.plane, made, "system:kube-proxy")
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "nftables",
        "clusterCIDR": POD_RANGE,
        "hostnameOverride": node.cluster.name,
        "healthzBindAddress": f"{node.cluster.node_address}:10256",
        "metricsBindAddress": "127.0.0.1:10249",
        "clientConnection": {"kubeconfig": str(own)},
        "conntrack": {"maxPerCore": 0},  # the machine's limits are not ours to change
    }


def pod_network() -> dict[str, object]:
    """The pod network: one bridge, addresses by the node itself. It enforces no NetworkPolicy."""
    bridge = {
        "type": "bridge",
        "bridge": "cni0",
        "isGateway": True,
        "hairpinMode": True,  # a pod may call itself through its Service
        "ipam": {
            "type": "host-local",
            "ranges": [[{"subnet": POD_RANGE}]],
            "routes": [{"dst": "0.0.0.0/0"}],
        },
    }
    ports = {"type": "portmap", "capabilities": {"portMappings": True}}
    return {"cniVersion": "1.0.0", "name": "acme", "plugins": [bridge, ports]}


def _node_kubeconfig(node: Node, made: Credentials) -> Path:
    name = f"system:node:{node.cluster.name}"
    return credentials.kubeconfig(node.plane, made, name, ["system:nodes"])


def _has_capability(number: int) -> bool:
    status = Path("/proc/self/status").read_text()
    effective = next(line.split()[1] for line in status.splitlines() if line.startswith("CapEff:"))
    return bool(int(effective, 16) >> number & 1)
