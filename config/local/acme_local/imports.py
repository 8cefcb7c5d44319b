"""Getting images from the layout into the node's containerd: only those that differ, and all in one stream."""

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from acme_local.clusters import Cluster
from acme_local.commands import run
from acme_local.failures import LocalError
from acme_local.layouts import Layout


def missing(cluster: Cluster, ctr: Path, layout: Layout, images: Sequence[str]) -> list[str]:
    """The images that the node lacks or has in another version."""
    present = present_images(cluster, ctr)
    return [image for image in images if present.get(image) != layout.digest(image)]


def present_images(cluster: Cluster, ctr: Path) -> dict[str, str]:
    """The digests of the node's images by name."""
    listing = run([*_ctr(cluster, ctr), "images", "list"], what="listing the node's images")
    rows = (line.split() for line in listing.splitlines()[1:])
    return {name: digest for name, _type, digest, *_ in rows}


def load(cluster: Cluster, ctr: Path, layout: Layout, images: Sequence[str]) -> None:
    """Stream the images into containerd."""
    command = [*_ctr(cluster, ctr), "images", "import", "-"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        if process.stdin is None or process.stdout is None:
            raise LocalError("no pipe to ctr; try again")
        try:
            layout.write_archive(list(images), process.stdin)
        except BrokenPipeError:
            pass  # ctr says why, below
        finally:
            process.stdin.close()
        output = process.stdout.read().decode(errors="replace")
    if process.returncode:
        raise LocalError(f"loading images into the node failed; containerd says:\n{output.strip()[-1000:]}")


def users(pods: Sequence[dict[str, Any]], images: Sequence[str]) -> list[tuple[str, str]]:
    """Namespace and name of each pod that runs one of the images, an init container included."""
    return [
        (pod["metadata"]["namespace"], pod["metadata"]["name"])
        for pod in pods
        if {each["image"] for each in [*pod["spec"]["containers"], *pod["spec"].get("initContainers", [])]}
        & set(images)
    ]


def _ctr(cluster: Cluster, ctr: Path) -> list[str]:
    return [str(ctr), "--address", str(cluster.run / "containerd/containerd.sock"), "--namespace", "k8s.io"]
