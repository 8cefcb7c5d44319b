"""kubectl as a person uses it, in one namespace of one cluster; the API server's own sentences come back."""

import json
import subprocess
from pathlib import Path
from typing import Any

import yaml


class Kubectl:
    """kubectl as an administrator, in one namespace."""

    def __init__(self, program: Path, kubeconfig: Path, namespace: str) -> None:
        self._program = program
        self._kubeconfig = kubeconfig
        self.namespace = namespace

    def within(self, namespace: str) -> "Kubectl":
        """The same in another namespace."""
        return Kubectl(self._program, self._kubeconfig, namespace)

    def run(self, *words: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        """The finished command, whatever its exit code."""
        base = [str(self._program), f"--kubeconfig={self._kubeconfig}", f"--namespace={self.namespace}"]
        return subprocess.run([*base, *words], input=stdin, capture_output=True, text=True, check=False)

    def must(self, *words: str, stdin: str | None = None) -> str:
        """What it printed; an error of kubectl's is the test's."""
        done = self.run(*words, stdin=stdin)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def apply(self, *manifests: dict[str, Any]) -> str:
        """Apply as a user would, with strict validation."""
        return self.must("apply", "-f", "-", stdin=yaml.safe_dump_all(manifests))

    def refusal(self, manifest: dict[str, Any]) -> str:
        """What the API server says to an object that it must refuse."""
        done = self.run("apply", "-f", "-", stdin=yaml.safe_dump(manifest))
        assert done.returncode != 0, f"accepted: {done.stdout}"
        return done.stderr

    def find(self, kind: str, name: str) -> dict[str, Any] | None:
        """The object, or None."""
        done = self.run("get", kind, name, "--output=json", "--ignore-not-found")
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] | None = json.loads(done.stdout) if done.stdout.strip() else None
        return found

    def get(self, kind: str, name: str) -> dict[str, Any]:
        """The object, which must be there."""
        found = self.find(kind, name)
        assert found is not None, f"no {kind} {name}"
        return found

    def names(self, kind: str) -> set[str]:
        """The names of all objects of a kind."""
        items = json.loads(self.must("get", kind, "--output=json"))["items"]
        return {item["metadata"]["name"] for item in items}


def condition(live: dict[str, Any], kind: str) -> dict[str, Any]:
    """One condition of a live object; empty where it has none."""
    conditions = live.get("status", {}).get("conditions", [])
    found: dict[str, Any] = next((one for one in conditions if one["type"] == kind), {})
    return found
