"""The control plane alone: it comes up, keeps to itself, and leaves nothing."""

import json
import subprocess
from pathlib import Path

import pytest

from acme_local.controlplanes import ControlPlane
from acme_local.readiness import wait_until
from tests.plugins.controlplane import why_no_control_plane

pytestmark = [
    pytest.mark.controlplane,
    pytest.mark.skipif(bool(why_no_control_plane()), reason=why_no_control_plane() or "it can"),
]


def kubectl(plane: ControlPlane, kubeconfig: Path, *arguments: str) -> str:
    command = [str(plane.kubectl), "--kubeconfig", str(kubeconfig), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout


def test_the_api_server_serves_the_pinned_version(control_plane: ControlPlane) -> None:
    version = json.loads(kubectl(control_plane, control_plane.kubeconfig, "version", "-o", "json"))

    assert version["serverVersion"]["gitVersion"] == version["clientVersion"]["gitVersion"] == "v1.36.3"


def test_controllers_act_on_what_is_written(control_plane: ControlPlane) -> None:
    kubectl(control_plane, control_plane.kubeconfig, "create", "namespace", "controllers-act")
    kubectl(
        control_plane, control_plane.kubeconfig, "-n", "controllers-act", "create", "deployment", "web", "--image=none"
    )

    def has_a_pod() -> bool:
        return "pod/web" in kubectl(
            control_plane, control_plane.kubeconfig, "-n", "controllers-act", "get", "pods", "-o", "name"
        )

    assert wait_until(has_a_pod, 30)


def test_requests_are_counted_by_identity(control_plane: ControlPlane) -> None:
    somebody = control_plane.kubeconfig_for("somebody", "system:masters")

    kubectl(control_plane, somebody, "create", "namespace", "made-by-somebody")

    lines = [json.loads(line) for line in control_plane.audit_log.read_text().splitlines()]
    writes = [line for line in lines if line["user"]["username"] == "somebody" and line["verb"] == "create"]
    assert [line["objectRef"]["name"] for line in writes] == ["made-by-somebody"]


def test_an_identity_without_groups_has_no_rights(control_plane: ControlPlane) -> None:
    nobody = control_plane.kubeconfig_for("nobody")

    with pytest.raises(subprocess.CalledProcessError) as refused:
        kubectl(control_plane, nobody, "get", "secrets", "-A")

    assert "forbidden" in refused.value.stderr


def test_a_second_plane_is_a_world_of_its_own(control_plane: ControlPlane) -> None:
    with ControlPlane("second") as second:
        kubectl(second, second.kubeconfig, "create", "namespace", "only-in-the-second")

        assert "only-in-the-second" not in kubectl(control_plane, control_plane.kubeconfig, "get", "namespaces")
        assert "only-in-the-second" in kubectl(second, second.kubeconfig, "get", "namespaces")


def test_stop_leaves_no_process_and_no_file() -> None:
    plane = ControlPlane("gone").start()
    pids = plane.pids()

    plane.stop()

    assert set(pids) == {"etcd", "kube-apiserver", "kube-controller-manager"}
    assert not any(pid and Path(f"/proc/{pid}").exists() for pid in pids.values())
    assert not plane.folder.exists()
