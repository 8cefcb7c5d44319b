"""`up` of the built-in node: checks, packages, builds, processes, images, add-ons. Doing it twice changes nothing."""

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager

from acme_local import addons, buildah, images, imports, packages, preflights, programs, starts
from acme_local.clusters import Cluster
from acme_local.kubectls import Kubectl
from acme_local.nodes import Node
from acme_local.steps import Progress
from acme_local.toolchains import cache_folder
from acme_local.works import Works

IMAGES = (buildah.BASE, *(image.name for image in (*images.BINARIES, *images.DOCKERFILES)))


def up(cluster: Cluster, progress: Progress) -> Kubectl:
    """Have the cluster with its add-ons; kubectl for it is returned."""
    preflights.require(preflights.MACHINE, cluster)
    if absent := packages.missing(packages.NODE):
        with progress.step(f"install {' '.join(absent)}"):
            packages.install(absent)
    preflights.require(preflights.KERNEL, cluster)
    _claim(cluster)
    with Works(progress) as works:
        node = node_of(cluster, works)
        with progress.step("start the node"):
            changed = starts.ensure(node).changed
            progress.say(f"started {', '.join(changed)}" if changed else "every process was running")
        kubectl = _tools(cluster, works)
        works.finish_images()
    _load_images(node, kubectl, progress)
    with progress.step("add-ons: names, metrics, volumes"):
        addons.ensure(kubectl)
    return kubectl


def node_of(cluster: Cluster, works: Works) -> Node:
    """The node with the binaries it runs on, waiting for their compilation."""
    binaries = works.program(programs.NODE)
    return Node(cluster, cluster.plane(binaries), works.program(programs.CONTAINERD))


@contextmanager
def exclusive(cluster: Cluster) -> Iterator[None]:
    """Keep a second `up` or `down` of the same cluster waiting until this one is through."""
    key = hashlib.sha256(f"{cluster.repository}\0{cluster.name}".encode()).hexdigest()[:12]
    folder = cache_folder() / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{key}.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _claim(cluster: Cluster) -> None:
    cluster.runtime.mkdir(parents=True, exist_ok=True)
    cluster.owner.write_text(str(cluster.repository))


def _tools(cluster: Cluster, works: Works) -> Kubectl:
    """Link kubectl and helm where `make env` puts them on PATH."""
    found = {
        "kubectl": works.program(programs.NODE) / "kubectl",
        "ctr": works.program(programs.CONTAINERD) / "ctr",
        "helm": works.program(programs.HELM) / "helm",
    }
    cluster.bin.mkdir(parents=True, exist_ok=True)
    for name, target in found.items():
        link = cluster.bin / name
        if not link.is_symlink() or link.readlink() != target:
            link.unlink(missing_ok=True)
            link.symlink_to(target)
    _give_to_caller(cluster)
    return Kubectl(cluster.bin / "kubectl", cluster.kubeconfig)


def _give_to_caller(cluster: Cluster) -> None:
    """Let the person behind `sudo` read the kubeconfig."""
    if "SUDO_UID" in os.environ:
        os.chown(cluster.kubeconfig, int(os.environ["SUDO_UID"]), int(os.environ["SUDO_GID"]))


def _load_images(node: Node, kubectl: Kubectl, progress: Progress) -> None:
    ctr = node.containerd / "ctr"
    before = imports.present_images(node.cluster, ctr)
    wanted = imports.missing(node.cluster, ctr, images.layout(), IMAGES)
    if not wanted:
        return
    with progress.step(f"load {len(wanted)} images into the node"), images.exclusive():
        imports.load(node.cluster, ctr, images.layout(), wanted)
    _restart_users(kubectl, [image for image in wanted if image in before], progress)


def _restart_users(kubectl: Kubectl, changed: list[str], progress: Progress) -> None:
    """Delete the pods of images that changed under their name; their controllers bring them back on the new one."""
    if not changed:
        return
    for namespace, name in imports.users(kubectl.get("pods", "--all-namespaces")["items"], changed):
        progress.say(f"restart {namespace}/{name}: its image has changed")
        kubectl("delete", "pod", "-n", namespace, name, "--wait=false", "--ignore-not-found")
