"""Go programs, compiled from the module proxy once and cached by content.

A program's folder is named after a hash of everything that decides its bytes, so a changed pin is a new folder and
an unchanged one costs nothing.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from acme_local.failures import LocalError
from acme_local.toolchains import cache_folder, go

DIGEST_LENGTH = 12
_SOURCES = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class Program:
    """What to compile: a module of this repository (`source`) or `packages` at their versions; `binaries` come out."""

    name: str
    binaries: Sequence[str]
    source: str = ""
    packages: Sequence[str] = ()
    ldflags: str = "-s -w"  # without symbols: a third smaller
    links: Sequence[str] = ()


def folder(program: Program) -> Path:
    """Where the program's binaries are, or will be once built."""
    return cache_folder() / f"{program.name}-{digest(program)}"


def digest(program: Program) -> str:
    """A hash of the pins, flags and sources that decide the program's bytes."""
    parts = [*program.packages, *program.binaries, *program.links, program.ldflags]
    content = hashlib.sha256("\0".join(parts).encode())
    for path in _source_files(program):
        content.update(path.name.encode() + b"\0" + path.read_bytes())
    return content.hexdigest()[:DIGEST_LENGTH]


def build(program: Program) -> Path:
    """The folder with the program's binaries, compiled when the cache lacks them."""
    target = folder(program)
    if target.exists():
        return target
    with _lock(target):
        if not target.exists():  # another process may have built it while this one waited
            _compile(program, target)
    return target


def _source_files(program: Program) -> list[Path]:
    if not program.source:
        return []
    module = _SOURCES / program.source
    return sorted(path for path in module.iterdir() if path.suffix in {".go", ".mod", ".sum"})


@contextmanager
def _lock(target: Path) -> Iterator[None]:
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.with_suffix(".lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _compile(program: Program, target: Path) -> None:
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{program.name}-") as name:
        out = Path(name) / "bin"
        out.mkdir()
        _run_go(program, out)
        missing = [binary for binary in program.binaries if not (out / binary).exists()]
        if missing:
            raise LocalError(f"building {program.name} left no {', '.join(missing)}; see the compiler's output above")
        for link in program.links:
            (out / link).symlink_to(program.binaries[0])
        shutil.move(out, target)


def _run_go(program: Program, out: Path) -> None:
    where = _SOURCES / program.source if program.source else out
    command = [str(go()), *(_build_command(program, out) if program.source else _install_command(program))]
    environment = {
        **os.environ,
        "CGO_ENABLED": "0",  # static: the binaries run on the host and in images without a libc
        "GOBIN": str(out),
        "GOFLAGS": "-trimpath -buildvcs=false",
        "GOTOOLCHAIN": "local",  # never a download behind our back
    }
    result = subprocess.run(command, cwd=where, env=environment, capture_output=True, text=True, check=False)
    if result.returncode:
        last = "\n".join(result.stderr.strip().splitlines()[-15:])
        raise LocalError(f"compiling {program.name} failed; read what Go says and try again:\n{last}")


def _build_command(program: Program, out: Path) -> list[str]:
    return ["build", "-ldflags", program.ldflags, "-o", str(out / program.binaries[0]), "."]


def _install_command(program: Program) -> list[str]:
    return ["install", "-ldflags", program.ldflags, *program.packages]
