"""The images of the local cluster: what each is made from, made again only when that has changed.

Everything ends in one OCI layout in the cache; getting it into the node is `imports`' business.
"""

import fcntl
import hashlib
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from acme_local import buildah, builds, programs
from acme_local.builds import Program
from acme_local.layouts import Layout
from acme_local.toolchains import cache_folder

_REPOSITORY = Path(__file__).resolve().parents[3]
_IGNORED = shutil.ignore_patterns("__pycache__", "*.pyc", ".*_cache")


@dataclass(frozen=True, slots=True)
class Built:
    """An image that a Dockerfile describes; `sources` are all the files that its build may see."""

    name: str
    dockerfile: str
    sources: Sequence[str]
    stage: str = ""


@dataclass(frozen=True, slots=True)
class Packed:
    """An image that is one static program."""

    name: str
    program: Program


OPERATOR = Built("localhost/acme/operator:dev", "Dockerfile", ["pyproject.toml", "uv.lock", "operator"], "operator")
SERVICES = Built(
    "localhost/acme/services:dev",
    "Dockerfile",
    ["pyproject.toml", "uv.lock", "services/acme_services", "services/gen/acme_rpc"],
    "service",
)
POSTGRES = Built(
    "localhost/acme/postgres:17", "config/local/images/postgres/Dockerfile", ["config/local/images/postgres"]
)
DOCKERFILES = (POSTGRES, SERVICES, OPERATOR)

PAUSE = Packed("localhost/acme/pause:dev", programs.PAUSE)
BINARIES = (
    PAUSE,
    Packed("localhost/acme/coredns:dev", programs.COREDNS),
    Packed("localhost/acme/local-path-provisioner:dev", programs.LOCAL_PATH),
    Packed("localhost/acme/metrics-server:dev", programs.METRICS_SERVER),
)


def layout() -> Layout:
    """The layout that holds every image."""
    return Layout(cache_folder() / "images")


@contextmanager
def exclusive() -> Iterator[None]:
    """Keep other processes of this user from changing images meanwhile."""
    cache_folder().mkdir(parents=True, exist_ok=True)
    with (cache_folder() / "images.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def pack(image: Packed) -> bool:
    """Have the image of a program; whether it had to be made."""
    recipe = builds.digest(image.program)
    if layout().recipe(image.name) == recipe:
        return False
    binary = builds.build(image.program) / image.program.binaries[0]
    with exclusive():
        layout().add_binary(image.name, binary)
        layout().note_recipe(image.name, recipe)
    return True


def base() -> bool:
    """Have the Debian that the built images stand on; whether it had to be made."""
    if layout().recipe(buildah.BASE) == buildah.base_recipe():
        return False
    with exclusive():
        buildah.make_base(layout())
        layout().note_recipe(buildah.BASE, buildah.base_recipe())
    return True


def build(image: Built, repository: Path = _REPOSITORY) -> bool:
    """Have the image of a Dockerfile, on the base; whether it had to be made."""
    wanted = recipe(image, repository)
    if layout().recipe(image.name) == wanted:
        return False
    with exclusive(), tempfile.TemporaryDirectory(prefix="acme-context-") as context:
        for source in [image.dockerfile, *image.sources]:
            _copy(repository / source, Path(context) / source)
        folder = Path(image.dockerfile).parent
        buildah.build(image.name, Path(context) / folder, Path(context) / image.dockerfile, image.stage)
        buildah.export(image.name, layout())
        layout().note_recipe(image.name, wanted)
        layout().forget_unreached()
    return True


def recipe(image: Built, repository: Path) -> str:
    """A hash of the base, the stage and every file that the build may see."""
    parts = [layout().digest(buildah.BASE) or "", image.stage]
    content = hashlib.sha256("\0".join(parts).encode())
    for path in _files(image, repository):
        content.update(f"{path.relative_to(repository)}\0{path.stat().st_mode}\0".encode() + path.read_bytes())
    return content.hexdigest()[:16]


def _files(image: Built, repository: Path) -> list[Path]:
    files = []
    for source in {image.dockerfile, *image.sources}:
        path = repository / source
        files += [path] if path.is_file() else [each for each in path.rglob("*") if each.is_file() and _matters(each)]
    return sorted(set(files))


def _matters(path: Path) -> bool:
    return path.suffix != ".pyc" and not any(part.endswith("_cache") for part in path.parts)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, ignore=_IGNORED, dirs_exist_ok=True)
    else:
        shutil.copy2(source, target)
