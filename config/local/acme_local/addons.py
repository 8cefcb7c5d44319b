"""What a cluster needs beside its control plane: names, metrics, volumes. Their manifests are files, applied as they are."""

from pathlib import Path

from acme_local.kubectls import Kubectl

_MANIFESTS = Path(__file__).resolve().parents[1] / "manifests"
FILES = tuple(_MANIFESTS / name for name in ("coredns.yaml", "local-path-provisioner.yaml", "metrics-server.yaml"))

# Namespace and name of each Deployment.
DEPLOYMENTS = (
    ("kube-system", "coredns"),
    ("kube-system", "metrics-server"),
    ("local-path-storage", "local-path-provisioner"),
)


def ensure(kubectl: Kubectl, seconds: float = 180) -> None:
    """Have the add-ons as their files say, and wait until each is available."""
    kubectl.apply(*FILES, what="applying the add-ons")
    kubectl.wait("condition=Ready", "nodes", "--all", seconds=seconds, what="waiting for the node")
    for namespace, name in DEPLOYMENTS:
        what = f"waiting for {name} (see `kubectl -n {namespace} describe pods`)"
        kubectl.wait("condition=Available", "-n", namespace, f"deployment/{name}", seconds=seconds, what=what)
    what = "waiting for the metrics API (see `kubectl -n kube-system logs deploy/metrics-server`)"
    kubectl.wait("condition=Available", "apiservice/v1beta1.metrics.k8s.io", seconds=seconds, what=what)
