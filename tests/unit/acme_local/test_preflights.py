"""The checks before `up`: each answer is one sentence that ends in something to do."""

from pathlib import Path

import pytest

from acme_local import preflights
from acme_local.clusters import Cluster
from acme_local.failures import LocalError


def test_a_machine_other_than_linux_is_told_of_docker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.system", lambda: "Darwin")

    assert "start Docker" in (preflights.runs_linux(Cluster()) or "")


def test_a_user_without_root_is_told_of_sudo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)

    assert "sudo make up" in (preflights.is_root(Cluster()) or "")


def test_a_full_disk_is_told_in_numbers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(preflights, "_DISK", 2**60)

    assert "15 are needed" in (preflights.has_disk(Cluster(repository=tmp_path)) or "")


def test_a_checkout_that_the_node_would_not_see_is_refused() -> None:
    assert "hidden" in (preflights.is_seen_by_the_node(Cluster(repository=Path("/var/lib/builds/acme"))) or "")


def test_the_cluster_of_another_checkout_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    owner = tmp_path / "owner"
    owner.write_text("/another/checkout")
    monkeypatch.setattr(Cluster, "owner", owner)

    assert "/another/checkout" in (preflights.is_ours(Cluster()) or "")


def test_an_address_of_the_machine_itself_is_never_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(Cluster, "owner", tmp_path / "none")
    monkeypatch.setattr(Cluster, "host_address", "127.0.0.1")

    assert "CLUSTER=another" in (preflights.has_addresses(Cluster("another")) or "")


def test_the_first_objection_is_raised_and_later_questions_are_not_asked() -> None:
    asked = []

    def objects(_: Cluster) -> str:
        asked.append("first")
        return "no; do this"

    def never(_: Cluster) -> None:
        asked.append("second")

    with pytest.raises(LocalError, match="no; do this"):
        preflights.require([objects, never], Cluster())
    assert asked == ["first"]
