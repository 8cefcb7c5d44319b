"""A control plane alone: etcd, API server and controllers on loopback, without root, as many at once as wanted.

It has no scheduler and no node: Deployments get their pods, and the pods stay Pending. It is for tests and
benchmarks of what only needs the API.
"""

import shutil
import socket
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from acme_local import builds, controls, credentials, programs
from acme_local.credentials import Credentials
from acme_local.failures import LocalError
from acme_local.planes import Plane, Ports
from acme_local.processes import Supervisor
from acme_local.readiness import Probe, wait_ready

_LOOPBACK = "127.0.0.1"
_ATTEMPTS = 3


class ControlPlane:
    """One control plane in a temporary folder; use it as a context, or call `start` and `stop`."""

    def __init__(self, name: str = "plane") -> None:
        self.folder = Path(tempfile.mkdtemp(prefix=f"acme-{name}-"))
        self._name = name
        self._plane = self._new_plane(Path())
        self._supervisor = Supervisor(self.folder / "run", self.folder / "logs")
        self._made: Credentials | None = None

    def start(self) -> Self:
        """Start the three processes and return once the API server and the controllers are ready (about 8 s)."""
        try:
            binaries = builds.build(programs.NODE)
            for attempt in range(_ATTEMPTS):
                self._plane = self._new_plane(binaries)
                if self._came_up(last=attempt + 1 == _ATTEMPTS):
                    break
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """End every process and remove every file; safe to call twice."""
        for name in ("kube-controller-manager", "kube-apiserver", "etcd"):
            self._supervisor.stop(name, grace=3)
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def server(self) -> str:
        """The API server's URL, `https://127.0.0.1:PORT`."""
        return self._plane.server

    @property
    def ca(self) -> Path:
        """The PEM file of the authority that signed the API server's certificate."""
        return self._credentials.ca.certificate

    @property
    def kubeconfig(self) -> Path:
        """A kubeconfig with every right (group system:masters, user acme-admin)."""
        return self.kubeconfig_for("acme-admin", "system:masters")

    @property
    def kubectl(self) -> Path:
        """The kubectl of the same version."""
        return self._plane.binaries / "kubectl"

    @property
    def audit_log(self) -> Path:
        """One JSON line (audit.k8s.io/v1 Event, level Metadata) for each request answered."""
        return self._plane.audit_log

    def kubeconfig_for(self, user: str, *groups: str) -> Path:
        """A kubeconfig for another identity, so that its requests can be told apart in the audit log."""
        return credentials.kubeconfig(self._plane, self._credentials, user, groups)

    def pids(self) -> dict[str, int | None]:
        """The pid of each process by its name; None where it is not running."""
        return {name: self._supervisor.pid(name) for name in self._supervisor.names()}

    @property
    def _credentials(self) -> Credentials:
        if self._made is None:
            raise LocalError("the control plane is not started; call start() first")
        return self._made

    def _new_plane(self, binaries: Path) -> Plane:
        ports = Ports(*_free_ports(5)) if binaries.name else Ports()
        prefix = _ends_with_us()
        return Plane(self._name, self.folder, self.folder / "logs", binaries, _LOOPBACK, ports, prefix)

    def _came_up(self, *, last: bool) -> bool:
        """Start everything; False where it failed and may be tried again (another process took a port between)."""
        self._made = credentials.ensure(self._plane)
        try:
            self._start_api_server()
            self._start_controllers()
        except LocalError:
            if last:
                raise
            for name in self._supervisor.names():
                self._supervisor.stop(name, grace=1)
            shutil.rmtree(self.folder / "etcd", ignore_errors=True)
            return False
        return True

    def _start_api_server(self) -> None:
        self._supervisor.ensure(controls.etcd(self._plane, self._credentials))
        self._supervisor.ensure(controls.api_server(self._plane, self._credentials))
        probe = Probe("kube-apiserver", f"{self.server}/readyz", self.ca, self._credentials.admin)
        wait_ready(self._supervisor, probe, 60)

    def _start_controllers(self) -> None:
        self._supervisor.ensure(controls.controller_manager(self._plane, self._credentials))
        url = f"https://{_LOOPBACK}:{self._plane.ports.controllers}/healthz"
        wait_ready(self._supervisor, Probe("kube-controller-manager", url, self.ca), 60)


def _free_ports(count: int) -> list[int]:
    """Ports free at this moment, all different."""
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind((_LOOPBACK, 0))
        return [each.getsockname()[1] for each in sockets]


def _ends_with_us() -> Sequence[str]:
    """A prefix that ends the process when we die, so that a killed test run leaves no etcd behind."""
    return ["setpriv", "--pdeathsig", "TERM", "--"] if shutil.which("setpriv") else []
