"""Building images without a Docker engine and without a registry: debootstrap and buildah.

Both run in a mount namespace of their own, so no mount of theirs stays, and buildah's store lives in the cache.
"""

import shutil
import tempfile
from pathlib import Path

from acme_local.commands import run
from acme_local.layouts import Layout
from acme_local.toolchains import cache_folder

BASE = "localhost/acme/debian:trixie"
_MIRROR = "http://deb.debian.org/debian"
# Python comes with the base: both images run on it, and it is stored once.
_DEBOOTSTRAP = ("debootstrap", "--variant=minbase", "--include=python3,ca-certificates", "trixie")


def base_recipe() -> str:
    """What the base is made from."""
    return " ".join([*_DEBOOTSTRAP, _MIRROR])


def make_base(layout: Layout) -> None:
    """Install a minimal Debian into a folder and make an image of it."""
    cache_folder().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache_folder(), prefix=".debian-") as name:
        root = Path(name) / "root"
        run([*_apart(), *_DEBOOTSTRAP, str(root), _MIRROR], what="installing the base of all images with debootstrap")
        for needless in ("var/cache/apt/archives", "var/lib/apt/lists", "usr/share/doc", "usr/share/man"):
            shutil.rmtree(root / needless)
        for needed in ("var/cache/apt/archives/partial", "var/lib/apt/lists/partial"):
            (root / needed).mkdir(parents=True)
        container = run([*_buildah(), "from", "scratch"], what="starting the base image").strip()
        try:
            run([*_buildah(), "add", "--quiet", container, str(root), "/"], what="filling the base image")
            run([*_buildah(), "config", "--cmd", "/bin/sh", container], what="describing the base image")
            run([*_buildah(), "commit", "--quiet", container, BASE], what="making the base image")
        finally:
            run([*_buildah(), "rm", container], what="tidying up after the base image")
    export(BASE, layout)


def build(image: str, context: Path, dockerfile: Path, stage: str) -> None:
    """Build a Dockerfile on the base; what has not changed comes from buildah's own layers."""
    command = [*_buildah(), "bud", "--isolation=chroot", "--network=host", "--layers", "--quiet", "--pull-never"]
    command += ["--build-arg", f"BASE_IMAGE={BASE}", "--tag", image, "--file", str(dockerfile)]
    command += [f"--target={stage}"] if stage else []
    run([*command, *_trust(), str(context)], what=f"building {image}")


def export(image: str, layout: Layout) -> None:
    """Put the image into the layout, its layers as they are."""
    layout.folder.mkdir(parents=True, exist_ok=True)
    target = f"oci:{layout.folder}:{image}"
    run([*_buildah(), "push", "--quiet", "--disable-compression", image, target], what=f"storing {image}")


def used() -> bool:
    """Whether buildah has ever built something for us."""
    return _store().exists()


def forget_dangling() -> None:
    """Drop the layers of builds whose image has been built again since."""
    run([*_buildah(), "rmi", "--prune", "--force"], what="dropping old layers")


def _buildah() -> list[str]:
    return [*_apart(), "buildah", "--root", str(_store()), "--runroot", str(_store().with_name("buildah-run"))]


def _apart() -> list[str]:
    return ["unshare", "--mount", "--"]


def _store() -> Path:
    return cache_folder() / "buildah"


def _trust() -> list[str]:
    """Let the build trust what this machine trusts, as registries may stand behind an own authority."""
    # An overlay and not a read-only mount: packages write their certificates there while they install.
    mounts = ["--volume", "/etc/ssl/certs:/etc/ssl/certs:O"]
    if Path("/etc/pip.conf").exists():
        mounts += ["--volume", "/etc/pip.conf:/etc/pip.conf:ro"]
    return mounts
