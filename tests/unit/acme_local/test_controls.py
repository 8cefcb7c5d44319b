"""The control plane's commands: secured as in production, and no certificate of one plane opens another."""

from pathlib import Path

import pytest
import yaml

from acme_local import controls, credentials, nodes
from acme_local.clusters import Cluster
from acme_local.nodes import Node
from acme_local.planes import Plane
from acme_local.processes import Daemon


@pytest.fixture
def node(tmp_path: Path) -> Node:
    cluster = Cluster("try", tmp_path)
    return Node(cluster, cluster.plane(tmp_path / "bin"), tmp_path / "containerd")


def flags(daemon: Daemon) -> dict[str, str]:
    return dict(
        part.removeprefix("--").split("=", 1) for part in daemon.command if part.startswith("--") and "=" in part
    )


def test_the_api_server_authorizes_and_verifies_its_kubelet(node: Node) -> None:
    made = flags(controls.api_server(node.plane, credentials.ensure(node.plane)))

    assert made["authorization-mode"] == "Node,RBAC"
    assert made["enable-admission-plugins"] == "NodeRestriction"
    assert Path(made["kubelet-certificate-authority"]).exists()
    assert "anonymous-auth" not in made


def test_etcd_takes_only_clients_with_a_certificate(node: Node) -> None:
    made = flags(controls.etcd(node.plane, credentials.ensure(node.plane)))

    assert made["client-cert-auth"] == "true"
    assert made["listen-client-urls"] == "https://127.0.0.1:2379"


def test_every_file_that_a_command_names_is_there(node: Node) -> None:
    made = credentials.ensure(node.plane)
    nodes.write_settings(node, made)
    daemons = [
        controls.etcd(node.plane, made),
        controls.api_server(node.plane, made),
        controls.controller_manager(node.plane, made),
        controls.scheduler(node.plane, made),
        nodes.containerd(node),
        nodes.kubelet(node, made),
        nodes.proxy(node, made),
    ]

    files = [
        value for daemon in daemons for value in flags(daemon).values() if value.endswith((".crt", ".key", ".yaml"))
    ]

    assert len(files) > 20
    assert [path for path in files if not Path(path).exists()] == []


def test_a_second_look_writes_no_settings_file_again(node: Node) -> None:
    made = credentials.ensure(node.plane)
    nodes.write_settings(node, made)
    before = {path: path.stat().st_mtime_ns for path in node.settings.rglob("*") if path.is_file()}

    nodes.write_settings(node, credentials.ensure(node.plane))

    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_the_kubelet_refuses_strangers_and_holds_pods_in_the_clusters_group(node: Node) -> None:
    settings = nodes.kubelet_settings(node, credentials.ensure(node.plane))

    assert settings["authentication"]["anonymous"] == {"enabled": False}  # type: ignore[index]
    assert settings["authorization"] == {"mode": "Webhook"}
    assert settings["cgroupRoot"] == "/acme/try"


def test_only_a_loopback_plane_keeps_itself_out_of_the_endpoints(tmp_path: Path, node: Node) -> None:
    loopback = Plane("tests", tmp_path / "p", tmp_path / "logs", tmp_path, "127.0.0.1")

    assert flags(controls.api_server(loopback, credentials.ensure(loopback)))["endpoint-reconciler-type"] == "none"
    assert "endpoint-reconciler-type" not in flags(controls.api_server(node.plane, credentials.ensure(node.plane)))


def test_a_kubeconfig_names_the_server_and_holds_its_certificates_inside(node: Node) -> None:
    made = credentials.ensure(node.plane)

    written = credentials.kubeconfig(node.plane, made, "joe", ["dev"])

    content = yaml.safe_load(written.read_text())
    assert content["clusters"][0]["cluster"]["server"] == node.plane.server
    assert set(content["users"][0]["user"]) == {"client-certificate-data", "client-key-data"}
    assert written.stat().st_mode & 0o777 == 0o600
