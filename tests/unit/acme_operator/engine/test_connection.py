"""How the API server is found and trusted."""

import base64
from pathlib import Path
from typing import Any

import pytest
import yaml

from acme_operator.engine.connection import Connection, ConnectionConfigError, Token, from_kubeconfig, in_cluster
from acme_operator.testing import FixedClock


def kubeconfig(folder: Path, cluster: dict[str, Any] | None = None, user: dict[str, Any] | None = None) -> Path:
    path = folder / "kubeconfig"
    config = {
        "current-context": "here",
        "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:6443/", **(cluster or {})}}],
        "users": [{"name": "u", "user": user or {}}],
    }
    path.write_text(yaml.safe_dump(config))
    return path


def test_a_kubeconfig_may_hold_what_it_names_or_name_files_beside_it(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("CA")
    inline = {"client-certificate-data": base64.b64encode(b"CERT").decode(), "client-key-data": "S0VZ"}

    found = from_kubeconfig(kubeconfig(tmp_path, {"certificate-authority": "ca.pem"}, inline))

    assert (found.server, found.ca, found.cert, found.key) == ("https://127.0.0.1:6443", "CA", "CERT", "KEY")
    assert "KEY" not in repr(found)


def test_a_token_is_sent_as_bearer(tmp_path: Path) -> None:
    with_token = from_kubeconfig(kubeconfig(tmp_path, user={"token": "t0ken"}))

    assert with_token.authorization() == "Bearer t0ken"
    assert "t0ken" not in repr(with_token)
    assert from_kubeconfig(kubeconfig(tmp_path)).authorization() is None


@pytest.mark.parametrize(
    ("cluster", "user", "named"),
    [
        ({"insecure-skip-tls-verify": True}, {}, "insecure-skip-tls-verify"),
        ({}, {"exec": {"command": "aws"}}, "users.exec"),
        ({"certificate-authority-data": "not base64!"}, {}, "certificate-authority-data"),
    ],
)
def test_what_is_not_supported_is_refused_by_name(tmp_path: Path, cluster: Any, user: Any, named: str) -> None:
    with pytest.raises(ConnectionConfigError, match=named):
        from_kubeconfig(kubeconfig(tmp_path, cluster, user))


def test_a_kubeconfig_that_cannot_be_used_says_why(tmp_path: Path) -> None:
    with pytest.raises(ConnectionConfigError, match="cannot be read"):
        from_kubeconfig(tmp_path / "missing")
    with pytest.raises(ConnectionConfigError, match="contexts has no 'elsewhere'"):
        from_kubeconfig(kubeconfig(tmp_path), "elsewhere")
    for text, said in (("{", "not YAML"), ("", "is empty")):
        (tmp_path / "broken").write_text(text)
        with pytest.raises(ConnectionConfigError, match=said):
            from_kubeconfig(tmp_path / "broken")


def test_a_pod_uses_what_is_mounted(tmp_path: Path) -> None:
    (tmp_path / "ca.crt").write_text("CA")
    (tmp_path / "token").write_text("one\n")

    found = in_cluster("10.96.0.1", "443", tmp_path)

    assert (found.server, found.ca, found.authorization()) == ("https://10.96.0.1:443", "CA", "Bearer one")
    assert in_cluster("fd00::1", "443", tmp_path).server == "https://[fd00::1]:443"


def test_outside_a_pod_the_next_step_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConnectionConfigError, match="KUBECONFIG"):
        in_cluster("10.96.0.1", "443", tmp_path)


def test_the_token_file_is_read_again_each_minute_and_when_refused(tmp_path: Path) -> None:
    path, clock = tmp_path / "token", FixedClock()
    path.write_text("one")
    token = Token(path, clock)
    read = [token.read()]

    path.write_text("two")
    read.append(token.read())
    clock.advance(60)
    read.append(token.read())
    path.write_text("three")
    token.renew()
    read.append(token.read())

    assert read == ["one", "one", "two", "three"]


def test_plain_http_is_for_servers_that_say_so() -> None:
    assert Connection("http://127.0.0.1:8001").ssl_context() is None
    context = Connection("https://127.0.0.1:6443").ssl_context()
    assert context is not None
    assert context.check_hostname
