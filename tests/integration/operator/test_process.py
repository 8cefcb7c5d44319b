"""The operator as the process that its pod runs: it comes up, answers probes, works, and goes when it is told."""

import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from acme_local.controlplanes import ControlPlane
from acme_local.readiness import wait_until
from tests.plugins.kubectl import Kubectl, condition

pytestmark = pytest.mark.controlplane

ROOT = Path(__file__).resolve().parents[3]
TOPIC = {
    "apiVersion": "platform.acme.dev/v1alpha1",
    "kind": "AcmeTopic",
    "metadata": {"name": "orders"},
    "spec": {"kafka": {"name": "events"}},
}


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def answer(port: int, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, ""
    except OSError:
        return 0, ""


def environment(plane: ControlPlane, **more: str) -> dict[str, str]:
    return {
        **os.environ,
        "PYTHONPATH": str(ROOT / "operator"),
        "KUBECONFIG": str(plane.kubeconfig),
        "ACME_PLATFORM_CONFIG": str(ROOT / "config" / "platform.yaml"),
        **more,
    }


@contextmanager
def process(plane: ControlPlane, namespace: str, port: int) -> Iterator[subprocess.Popen[str]]:
    settings = environment(plane, ACME_WATCH_NAMESPACE=namespace, ACME_HTTP_PORT=str(port))
    command = [sys.executable, "-m", "acme_operator"]
    with subprocess.Popen(command, env=settings, stderr=subprocess.PIPE, text=True) as started:
        try:
            yield started
        finally:
            started.kill()


def test_the_process_works_answers_probes_and_goes_when_told(platform: ControlPlane, kubectl: Kubectl) -> None:
    port = free_port()
    with process(platform, kubectl.namespace, port) as operator:
        assert wait_until(lambda: answer(port, "/readyz")[0] == 200, 30)
        kubectl.apply(TOPIC)
        assert wait_until(lambda: condition(kubectl.get("atop", "orders"), "Ready") != {}, 20)
        assert answer(port, "/livez") == (200, "ok")
        assert 'acme_reconciles_total{kind="AcmeTopic",outcome="done"}' in answer(port, "/metrics")[1]

        operator.send_signal(signal.SIGTERM)

        _, errors = operator.communicate(timeout=15)
    assert operator.returncode == 0, errors
    assert "Traceback" not in errors


def test_a_wrong_setting_ends_it_with_one_sentence(platform: ControlPlane) -> None:
    settings = environment(platform, ACME_PLATFORM_CONFIG="/nowhere.yaml")

    done = subprocess.run(
        [sys.executable, "-m", "acme_operator"], env=settings, capture_output=True, text=True, check=False, timeout=30
    )

    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "set ACME_PLATFORM_CONFIG" in done.stderr
