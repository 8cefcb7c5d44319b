"""The way over Docker: which way is taken, and what differs in the add-on."""

from argparse import Namespace
from pathlib import Path

import pytest
import yaml

from acme_local import __main__ as tool
from acme_local import kinds
from acme_local.clusters import Cluster
from acme_local.steps import Progress


def test_metrics_come_from_the_public_image_and_trust_kinds_kubelets() -> None:
    documents = list(yaml.safe_load_all(kinds.metrics_server()))

    pod = next(each for each in documents if each["kind"] == "Deployment")["spec"]["template"]["spec"]
    assert pod["containers"][0]["image"].startswith("registry.k8s.io/metrics-server/")
    assert "--kubelet-insecure-tls" in pod["containers"][0]["args"]
    assert not any("certificate-authority" in argument for argument in pod["containers"][0]["args"])


@pytest.mark.parametrize(("docker", "engine", "expected"), [
    (True, "auto", "kind"),
    (False, "auto", "node"),
    (True, "node", "node"),
    (False, "kind", "kind"),
])  # fmt: skip
def test_docker_is_used_where_it_answers_unless_told_otherwise(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, docker: bool, engine: str, expected: str
) -> None:
    monkeypatch.setattr(kinds, "answers", lambda: docker)

    assert tool.engine_for(Cluster(repository=tmp_path), engine) == expected


def test_a_cluster_stays_what_it_was_made_as(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(kinds, "answers", lambda: True)
    cluster = Cluster(repository=tmp_path)
    cluster.records.mkdir(parents=True)

    assert tool.engine_for(cluster, "auto") == "node"


def test_the_shell_settings_name_kubeconfig_and_path(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tool.env(Cluster(repository=tmp_path), Namespace())

    lines = capsys.readouterr().out.splitlines()
    assert lines == [
        f'export KUBECONFIG="{tmp_path}/.local/kubeconfig"',
        f'export PATH="{tmp_path}/.local/acme/bin:$PATH"',
    ]


@pytest.fixture
def called(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Programs that only write down how they were called, in place of Docker's."""
    calls = tmp_path / "calls"
    calls.touch()
    folder = tmp_path / "programs"
    folder.mkdir()
    for program in ("docker", "kind", "kubectl", "helm"):
        (folder / program).write_text(
            f'#!/bin/sh\nPATH=/bin:/usr/bin\necho "{program} $*" >> {calls}\ncat > /dev/null\n'
        )
        (folder / program).chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    return calls


def test_a_cluster_in_docker_is_made_filled_with_images_and_taken_away(tmp_path: Path, called: Path) -> None:
    cluster = Cluster("try", tmp_path)

    kubectl = kinds.up(cluster, Progress())
    made = called.read_text().splitlines()
    kinds.down(cluster)
    gone = called.read_text().splitlines()[len(made) :]

    assert made[1].startswith(f"kind create cluster --name acme-try --kubeconfig {cluster.kubeconfig}")
    assert [line.split("--tag ")[1].split()[0] for line in made if line.startswith("docker build")] == [
        line.rsplit(" ", 1)[1] for line in made if line.startswith("kind load docker-image --name acme-try")
    ]
    assert (
        f"docker build --quiet --tag localhost/acme/operator:dev --file {tmp_path}/Dockerfile --target operator {tmp_path}"
        in made
    )
    assert made[-1] == f"kubectl --kubeconfig={cluster.kubeconfig} apply --server-side -f -"
    assert kubectl.kubeconfig == cluster.kubeconfig
    assert gone == [f"kind delete cluster --name acme-try --kubeconfig {cluster.kubeconfig}"]
    assert not cluster.folder.exists()
