"""Giving back what the caches hold and nothing needs any more: programs and image layers of earlier pins."""

import shutil
from pathlib import Path

from acme_local import buildah, builds, images, programs
from acme_local.toolchains import cache_folder


def prune() -> list[str]:
    """Remove what no current pin names; a line is returned for each thing removed."""
    with images.exclusive():
        removed = [_remove(path) for path in stale_programs()]
        if buildah.used():
            buildah.forget_dangling()
        freed = images.layout().forget_unreached()
    return [*removed, f"{freed / 2**20:.0f} MiB of image layers"]


def stale_programs() -> list[Path]:
    """The folders of programs of ours under an earlier hash."""
    current = {builds.folder(program) for program in programs.ALL}
    candidates = (path for program in programs.ALL for path in cache_folder().glob(f"{program.name}-*"))
    return sorted(
        path for path in set(candidates) - current if path.is_dir() and _is_hash(path.name.rpartition("-")[2])
    )


def _is_hash(text: str) -> bool:
    return len(text) == builds.DIGEST_LENGTH and all(letter in "0123456789abcdef" for letter in text)


def _remove(path: Path) -> str:
    shutil.rmtree(path)
    path.with_suffix(".lock").unlink(missing_ok=True)
    return str(path)
