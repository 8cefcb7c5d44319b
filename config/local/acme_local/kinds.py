"""The way over a Docker engine: kind makes the cluster, Docker builds the images, no registry of ours is needed."""

import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml

from acme_local import addons, builds, images, programs
from acme_local.builds import Program
from acme_local.clusters import Cluster
from acme_local.commands import run, succeeds
from acme_local.files import keep
from acme_local.images import Built
from acme_local.kubectls import Kubectl
from acme_local.steps import Progress

_KIND = Program("kind", ["kind"], packages=["sigs.k8s.io/kind@v0.30.0"])
_METRICS_IMAGE = "registry.k8s.io/metrics-server/metrics-server:v0.8.0"


def answers() -> bool:
    """Whether a Docker engine is there and talks to us."""
    return succeeds(["docker", "info"])


def up(cluster: Cluster, progress: Progress) -> Kubectl:
    """Have the cluster in Docker with the images and metrics; kubectl for it is returned."""
    kind = str(_tool(_KIND, "kind"))
    keep(_mark(cluster), "kind\n")
    if name(cluster) not in run([kind, "get", "clusters"], what="listing kind's clusters").split():
        with progress.step("kind cluster"):
            command = [kind, "create", "cluster", "--name", name(cluster), "--kubeconfig", str(cluster.kubeconfig)]
            run([*command, "--wait", "120s"], what="creating the kind cluster (see `docker ps`)")
    kubectl = _tools(cluster)
    for image in images.DOCKERFILES:
        with progress.step(f"image {image.name}"):
            _build(image, cluster.repository)
            run([kind, "load", "docker-image", "--name", name(cluster), image.name], what=f"loading {image.name}")
    with progress.step("add-on: metrics"):
        kubectl("apply", "--server-side", "-f", "-", stdin=metrics_server(), what="applying metrics-server")
    return kubectl


def down(cluster: Cluster) -> None:
    """Remove the kind cluster and our folder of it; kind does not mind where it is gone already."""
    kind = str(_tool(_KIND, "kind"))
    command = [kind, "delete", "cluster", "--name", name(cluster), "--kubeconfig", str(cluster.kubeconfig)]
    run(command, what="deleting the kind cluster")
    cluster.kubeconfig.unlink(missing_ok=True)
    shutil.rmtree(cluster.folder)
    with suppress(OSError):  # another cluster's folder is in it
        cluster.folder.parent.rmdir()


def made(cluster: Cluster) -> bool:
    """Whether the cluster, as far as it is there, was made this way."""
    return _mark(cluster).exists()


def name(cluster: Cluster) -> str:
    """What kind calls the cluster; other kind clusters of the user are never touched."""
    return cluster.name if cluster.name.startswith("acme") else f"acme-{cluster.name}"


def metrics_server() -> str:
    """The add-on's manifest for kind: the public image, and kubelets that sign their own certificates."""
    path = next(each for each in addons.FILES if each.name == "metrics-server.yaml")
    documents: list[dict[str, Any]] = list(yaml.safe_load_all(path.read_text()))
    for document in documents:
        if document["kind"] == "Deployment":
            container = document["spec"]["template"]["spec"]["containers"][0]
            container |= {"image": _METRICS_IMAGE, "imagePullPolicy": "IfNotPresent"}
            kept = [each for each in container["args"] if not each.startswith("--kubelet-certificate-authority")]
            container["args"] = [*kept, "--kubelet-insecure-tls"]
    return yaml.safe_dump_all(documents)


def _mark(cluster: Cluster) -> Path:
    return cluster.folder / "engine"


def _build(image: Built, repository: Path) -> None:
    context = repository if image.dockerfile == "Dockerfile" else repository / Path(image.dockerfile).parent
    command = ["docker", "build", "--quiet", "--tag", image.name, "--file", str(repository / image.dockerfile)]
    command += ["--target", image.stage] if image.stage else []
    run([*command, str(context)], what=f"building {image.name} with Docker", seconds=1800)


def _tools(cluster: Cluster) -> Kubectl:
    cluster.bin.mkdir(parents=True, exist_ok=True)
    for tool, target in (("kubectl", _tool(programs.NODE, "kubectl")), ("helm", _tool(programs.HELM, "helm"))):
        link = cluster.bin / tool
        link.unlink(missing_ok=True)
        link.symlink_to(target)
    return Kubectl(cluster.bin / "kubectl", cluster.kubeconfig)


def _tool(program: Program, binary: str) -> Path:
    """The user's own program where there is one, else ours, compiled."""
    found = shutil.which(binary)
    return Path(found) if found else builds.build(program) / binary
