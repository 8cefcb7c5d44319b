"""What is compiled for the local cluster, each with its pin. Nothing here that `make up` does not run."""

from acme_local.builds import Program

KUBERNETES = (1, 36, 3)  # of node/go.mod; the binaries report it
_VERSION = "k8s.io/component-base/version"

# Kubernetes and etcd in one binary (node/main.go): one link step for seven programs.
NODE = Program(
    "acme-node",
    ["acme-node"],
    source="node",
    ldflags=(
        f"-s -w -X {_VERSION}.gitVersion=v{'.'.join(map(str, KUBERNETES))} -X {_VERSION}.gitTreeState=clean "
        f"-X {_VERSION}.gitMajor={KUBERNETES[0]} -X {_VERSION}.gitMinor={KUBERNETES[1]}"
    ),
    links=["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy", "kubectl"],
)

_CONTAINERD = "github.com/containerd/containerd/v2/cmd"
_CONTAINERD_VERSION = "v2.2.1"

# Distributions' containerd is older than what this kubelet speaks.
CONTAINERD = Program(
    "containerd",
    ["containerd", "containerd-shim-runc-v2", "ctr"],
    packages=[
        f"{_CONTAINERD}/{name}@{_CONTAINERD_VERSION}" for name in ("containerd", "containerd-shim-runc-v2", "ctr")
    ],
)
PAUSE = Program("pause", ["pause"], source="pause")
COREDNS = Program("coredns", ["coredns"], source="coredns")
HELM = Program("helm", ["helm"], packages=["helm.sh/helm/v4/cmd/helm@v4.0.1"])
LOCAL_PATH = Program(
    "local-path-provisioner",
    ["local-path-provisioner"],
    packages=["github.com/rancher/local-path-provisioner@v0.0.30"],
)
METRICS_SERVER = Program(
    "metrics-server",
    ["metrics-server"],
    packages=["sigs.k8s.io/metrics-server/cmd/metrics-server@v0.9.0"],
)

# In the order of need: the node can start while the add-ons still compile.
ALL = (NODE, CONTAINERD, PAUSE, COREDNS, LOCAL_PATH, METRICS_SERVER, HELM)
