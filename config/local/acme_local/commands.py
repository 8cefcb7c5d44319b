"""Running a program to its end, with its own words in the error when it fails."""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from acme_local.failures import LocalError

_LINES_SHOWN = 12


def run(
    command: Sequence[str | Path],
    *,
    what: str,
    stdin: str | None = None,
    environment: Mapping[str, str] | None = None,
    seconds: float = 900,
) -> str:
    """The program's standard output; `what` says in the error what was being done."""
    arguments = [str(part) for part in command]
    try:
        result = subprocess.run(
            arguments,
            input=stdin or "",  # never the terminal's: a program that asks would hang
            capture_output=True,
            text=True,
            env=environment,
            timeout=seconds,
            check=False,
        )
    except FileNotFoundError as error:
        raise LocalError(f"{what} needs {arguments[0]}, which is not on this machine; install it") from error
    except subprocess.TimeoutExpired as error:
        raise LocalError(f"{what} took more than {seconds:.0f} s; try again on a calmer machine") from error
    if result.returncode:
        raise LocalError(f"{what} failed; {arguments[0]} says:\n{_end_of(result.stderr or result.stdout)}")
    return result.stdout


def succeeds(command: Sequence[str | Path]) -> bool:
    """Whether the program is there and ends well; its output is thrown away."""
    try:
        result = subprocess.run([str(part) for part in command], capture_output=True, check=False)
    except OSError:
        return False
    return result.returncode == 0


def _end_of(text: str) -> str:
    return "\n".join(text.strip().splitlines()[-_LINES_SHOWN:])
