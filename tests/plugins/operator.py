"""The operator in this process, against the real API server: each test has a namespace of its own and an operator for it."""

import asyncio
import json
import subprocess
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import yaml

from acme_local.controlplanes import ControlPlane
from acme_operator.controllers.assembly import assemble
from acme_operator.controllers.kinds import OWNERS
from acme_operator.engine.connection import from_kubeconfig
from acme_operator.engine.kube import Kube
from acme_operator.engine.metrics import Metrics
from acme_operator.engine.runner import Engine
from acme_operator.settings import Platform, Settings

CRDS = Path(__file__).parents[2] / "crds"
IDENTITY = "acme-operator-under-test"
_PAUSE = 0.05


async def eventually[T](question: Callable[[], Awaitable[T]], seconds: float = 20) -> T:
    """Ask until the answer is true, and return it; the last answer is in the error when the time is up."""
    deadline = asyncio.get_running_loop().time() + seconds
    while True:
        answer = await question()
        if answer:
            return answer
        if asyncio.get_running_loop().time() > deadline:
            raise AssertionError(f"still {answer!r} after {seconds} s")
        await asyncio.sleep(_PAUSE)


class Kubectl:
    """kubectl as an administrator, in one namespace."""

    def __init__(self, plane: ControlPlane, namespace: str) -> None:
        self._base = [str(plane.kubectl), f"--kubeconfig={plane.kubeconfig}", f"--namespace={namespace}"]
        self.namespace = namespace

    def run(self, *words: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        """The finished command, whatever its exit code."""
        return subprocess.run([*self._base, *words], input=stdin, capture_output=True, text=True, check=False)

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


@dataclass(frozen=True, slots=True)
class Operators:
    """Starts the operator in a namespace, as often as a test likes."""

    plane: ControlPlane
    namespace: str

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Metrics]:
        """An operator while the block runs, known by its metrics; it has its lists when the block begins."""
        settings = Settings(
            platform=Platform(images={"postgres": {"17": "postgres:17"}}),
            namespace="acme-system",
            watch_namespace=self.namespace,
            http_port=0,
            log_level="INFO",
        )
        identity = self.plane.kubeconfig_for(IDENTITY, "system:masters")
        metrics = Metrics()
        async with Kube(from_kubeconfig(identity), OWNERS) as kube:
            engine = assemble(settings, kube, metrics)
            async with asyncio.TaskGroup() as group:
                group.create_task(engine.run())
                await eventually(_synced(engine))
                yield metrics
                engine.stop()

    def writes(self) -> int:
        """How many requests that change something the operator has made in the namespace, by the audit log."""
        return sum(1 for entry in self._requests() if entry["verb"] in {"create", "update", "patch", "delete"})

    def _requests(self) -> Iterator[dict[str, Any]]:
        for line in self.plane.audit_log.read_text().splitlines():
            entry = json.loads(line)
            about = entry.get("objectRef", {})
            if entry["user"]["username"] == IDENTITY and about.get("namespace") == self.namespace:
                if about.get("resource") != "events":
                    yield entry


def _synced(engine: Engine) -> Callable[[], Awaitable[bool]]:
    async def question() -> bool:
        return engine.synced()

    return question


async def settled(operators: Operators) -> None:
    """Until the operator has written nothing for twenty looks at the audit log."""
    seen: list[int] = []

    async def quiet() -> bool:
        seen.append(operators.writes())
        return len(seen) > 20 and len(set(seen[-20:])) == 1

    await eventually(quiet, 60)


async def passed(metrics: Metrics, kind: str) -> None:
    """Until the operator has finished at least one pass over the kind."""

    async def once() -> bool:
        labels = {"kind": kind, "outcome": "done"}
        return (metrics.registry.get_sample_value("acme_reconciles_total", labels) or 0) >= 1

    await eventually(once)


@pytest.fixture(scope="session")
def platform(control_plane: ControlPlane) -> ControlPlane:
    """The control plane with the three kinds installed."""
    kubectl = Kubectl(control_plane, "default")
    kubectl.must("apply", "--server-side", "-f", str(CRDS))
    kubectl.must("wait", "--for=condition=Established", "crd", "--all", "--timeout=30s")
    return control_plane


@pytest.fixture
def kubectl(platform: ControlPlane) -> Iterator[Kubectl]:
    """kubectl in a namespace that is this test's alone."""
    namespace = f"test-{uuid.uuid4().hex[:8]}"
    kubectl = Kubectl(platform, namespace)
    kubectl.must("create", "namespace", namespace)
    yield kubectl
    kubectl.must("delete", "namespace", namespace, "--wait=false")


@pytest.fixture
def operators(platform: ControlPlane, kubectl: Kubectl) -> Operators:
    """Operators for the test's namespace."""
    return Operators(platform, kubectl.namespace)


@pytest_asyncio.fixture
async def operator(operators: Operators) -> AsyncIterator[Metrics]:
    """One operator, running for the length of the test."""
    async with operators.running() as metrics:
        yield metrics
