"""The operator in this process, against the real API server: each test has a namespace of its own and an operator for it."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from acme_local.controlplanes import ControlPlane
from acme_operator.controllers.assembly import assemble
from acme_operator.controllers.kinds import OWNERS
from acme_operator.engine.connection import from_kubeconfig
from acme_operator.engine.kube import Kube
from acme_operator.engine.metrics import Metrics
from acme_operator.engine.runner import Engine
from acme_operator.settings import Platform, Settings
from tests.plugins.audits import Audit
from tests.plugins.kubectl import Kubectl
from tests.plugins.waiting import eventually

CRDS = Path(__file__).parents[2] / "crds"
IDENTITY = "acme-operator-under-test"


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

    def writes(self) -> list[str]:
        """Every request by which the operator changed something in the namespace, events apart, by the audit log."""
        made = Audit(self.plane.audit_log, IDENTITY, self.namespace).writes()
        return [request for request in made if not request.startswith("create events/")]


def _synced(engine: Engine) -> Callable[[], Awaitable[bool]]:
    async def question() -> bool:
        return engine.synced()

    return question


async def settled(operators: Operators) -> None:
    """Until the operator has written nothing for twenty looks at the audit log."""
    seen: list[int] = []

    async def quiet() -> bool:
        seen.append(len(operators.writes()))
        return len(seen) > 20 and len(set(seen[-20:])) == 1

    await eventually(quiet, seconds=60)


async def passed(metrics: Metrics, kind: str) -> None:
    """Until the operator has finished at least one pass over the kind."""

    async def once() -> bool:
        labels = {"kind": kind, "outcome": "done"}
        return (metrics.registry.get_sample_value("acme_reconciles_total", labels) or 0) >= 1

    await eventually(once)


@pytest.fixture(scope="session")
def platform(control_plane: ControlPlane) -> ControlPlane:
    """The control plane with the three kinds installed."""
    kubectl = Kubectl(control_plane.kubectl, control_plane.kubeconfig, "default")
    kubectl.must("apply", "--server-side", "-f", str(CRDS))
    kubectl.must("wait", "--for=condition=Established", "crd", "--all", "--timeout=30s")
    return control_plane


@pytest.fixture
def kubectl(platform: ControlPlane) -> Iterator[Kubectl]:
    """kubectl in a namespace that is this test's alone."""
    namespace = f"test-{uuid.uuid4().hex[:8]}"
    kubectl = Kubectl(platform.kubectl, platform.kubeconfig, namespace)
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
