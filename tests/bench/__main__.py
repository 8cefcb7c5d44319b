"""`python -m tests.bench`: measure the operator against the bare floor on a control plane of its own.

Prints a Markdown table and keeps the raw figures in dist/bench. Asserts nothing: a machine's speed is no test.
"""

import argparse
import asyncio
import dataclasses
import json
import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from acme_local.controlplanes import ControlPlane
from acme_local.failures import LocalError
from tests.bench.calls import BenchError
from tests.bench.drift import CASES
from tests.bench.figures import Round
from tests.bench.rounds import Options, measure
from tests.bench.tables import table

_ROOT = Path(__file__).parents[2]
_RESULTS = _ROOT / "dist" / "bench"


def main() -> int:
    """The exit code: 1 where the run could not be finished, with the reason."""
    options = _options()
    try:
        rounds = _measure(options)
    except (BenchError, LocalError, ExceptionGroup) as error:
        return _said(error)
    kept = _keep(options, rounds)
    sys.stdout.write(table(rounds))
    sys.stderr.write(f"raw figures: {kept}\n")
    return 0


def _options() -> Options:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--rounds", type=_at_least(1), default=5, help="rounds of each side (default: %(default)s)")
    parser.add_argument(
        "--services", type=_at_least(len(CASES)), default=50, help="AcmeServices of a round (default: %(default)s)"
    )
    parser.add_argument(
        "--changes", type=_at_least(1), default=15, help="single changes of a round (default: %(default)s)"
    )
    return Options(**vars(parser.parse_args()))


def _at_least(least: int) -> Any:
    def number(text: str) -> int:
        if not text.isdigit() or int(text) < least:
            raise argparse.ArgumentTypeError(f"{text!r}: give a whole number of at least {least}")
        return int(text)

    return number


def _measure(options: Options) -> Sequence[Round]:
    with ControlPlane("bench") as plane:
        _install(plane)
        return asyncio.run(measure(plane, options))


def _install(plane: ControlPlane) -> None:
    kubectl = [str(plane.kubectl), f"--kubeconfig={plane.kubeconfig}"]
    for words in (
        ("apply", "--server-side", "-f", str(_ROOT / "crds")),
        ("wait", "--for=condition=Established", "crd", "--all", "--timeout=30s"),
        # A new kind is answered with 429 for about a second, which kubectl waits out and a bare client does not.
        ("get", "acmeservices,acmedatastores,acmetopics", "--all-namespaces"),
    ):
        done = subprocess.run([*kubectl, *words], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise BenchError(f"kubectl {' '.join(words)}: {done.stderr.strip()}")


def _keep(options: Options, rounds: Sequence[Round]) -> Path:
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H-%M-%SZ")
    machine = {
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "etcd": "--unsafe-no-fsync",
    }
    raw = {
        "time": now,
        "machine": machine,
        "options": dataclasses.asdict(options),
        "rounds": [dataclasses.asdict(each) for each in rounds],
    }
    _RESULTS.mkdir(parents=True, exist_ok=True)
    path = _RESULTS / f"{now}.json"
    path.write_text(json.dumps(raw, indent=1) + "\n")
    return path


def _said(error: Exception) -> int:
    """Exit code 1 and a sentence for each known error; what nobody foresaw is raised again with its trace."""
    known = (BenchError, LocalError)
    group = error if isinstance(error, ExceptionGroup) else ExceptionGroup("", [error])
    if group.split(known)[1] is not None:
        raise error
    sys.stderr.write("".join(f"bench: {leaf}\n" for leaf in _leaves(group)))
    return 1


def _leaves(group: ExceptionGroup[Exception]) -> list[Exception]:
    return [
        leaf
        for error in group.exceptions
        for leaf in (_leaves(error) if isinstance(error, ExceptionGroup) else [error])
    ]


if __name__ == "__main__":
    sys.exit(main())
