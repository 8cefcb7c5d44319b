"""Waiting for a process to answer, with a bound, and with its log in hand when it does not."""

import http.client
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from acme_local.authorities import Pair
from acme_local.failures import LocalError
from acme_local.processes import State, Supervisor

_PAUSE = 0.1


@dataclass(frozen=True, slots=True)
class Probe:
    """A URL that answers 200 once the daemon `daemon` is ready; of `unix:/path`, that somebody listens there."""

    daemon: str
    url: str
    ca: Path
    client: Pair | None = None

    def passes(self) -> bool:
        """Whether the daemon answers now."""
        target = urlsplit(self.url)
        if target.scheme == "unix":
            return _listens(target.path)
        connection = http.client.HTTPConnection(target.netloc, timeout=2)
        if target.scheme == "https":
            context = ssl.create_default_context(cafile=str(self.ca))
            if self.client:
                context.load_cert_chain(self.client.certificate, self.client.key)
            connection = http.client.HTTPSConnection(target.netloc, timeout=2, context=context)
        try:
            connection.request("GET", target.path)
            return connection.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


def _listens(path: str) -> bool:
    with socket.socket(socket.AF_UNIX) as connection:
        return connection.connect_ex(path) == 0


def wait_until(question: Callable[[], bool], seconds: float) -> bool:
    """Ask until the answer is yes or the time is up; the last answer is returned."""
    deadline = time.monotonic() + seconds
    while not question():
        if time.monotonic() > deadline:
            return False
        time.sleep(_PAUSE)
    return True


def wait_ready(supervisor: Supervisor, probe: Probe, seconds: float) -> None:
    """Return once the probe passes; raise with the end of the log when the daemon dies or stays silent."""

    def decided() -> bool:
        return probe.passes() or supervisor.state(probe.daemon) is not State.RUNNING

    answered = wait_until(decided, seconds)
    if answered and supervisor.state(probe.daemon) is State.RUNNING:
        return
    log = supervisor.log(probe.daemon)
    last = "\n".join(log.read_text(errors="replace").splitlines()[-5:]) if log.exists() else ""
    fate = "gave no answer" if answered is False else "ended"
    raise LocalError(f"{probe.daemon} {fate} within {seconds:.0f} s; read {log}, which ends with:\n{last}")
