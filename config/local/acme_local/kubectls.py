"""kubectl of the cluster's own version, as functions."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from acme_local.commands import run, succeeds


@dataclass(frozen=True, slots=True)
class Kubectl:
    """kubectl for one cluster."""

    program: Path
    kubeconfig: Path

    def __call__(self, *arguments: str, stdin: str | None = None, what: str = "", seconds: float = 300) -> str:
        """Run kubectl; its output is returned, its complaint raised."""
        what = what or f"kubectl {' '.join(arguments[:3])}"
        return run([*self._command, *arguments], what=what, stdin=stdin, seconds=seconds)

    def succeeds(self, *arguments: str) -> bool:
        """Whether kubectl ends well with these arguments."""
        return succeeds([*self._command, *arguments])

    def get(self, *arguments: str) -> Any:
        """The parsed JSON of `kubectl get`."""
        return json.loads(self("get", *arguments, "-o", "json"))

    def apply(self, *paths: Path, what: str) -> None:
        """Apply files server-side; objects that are already so are not written."""
        files = [argument for path in paths for argument in ("-f", str(path))]
        self("apply", "--server-side", "--force-conflicts", *files, what=what)

    def wait(self, condition: str, *objects: str, seconds: float, what: str) -> None:
        """Wait until the objects have the condition, with one deadline for all."""
        self("wait", f"--for={condition}", f"--timeout={seconds:.0f}s", *objects, what=what, seconds=seconds + 30)

    @property
    def _command(self) -> list[str | Path]:
        return [self.program, f"--kubeconfig={self.kubeconfig}"]
