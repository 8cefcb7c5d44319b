"""The README's five minutes, line by line, as they stand there: whoever changes one without the other is told."""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from acme_local.platforms import SAMPLES
from tests.plugins.cluster import LocalCluster, why_no_cluster
from tests.plugins.kubectl import Kubectl

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.skipif(bool(why_no_cluster()), reason=why_no_cluster() or "it can"),
]

ROOT = Path(__file__).parents[2]
# What the reader's own cluster is for; here it is the tests' cluster, which the fixture makes and takes away.
LEFT_OUT = ('eval "$(make -s env)"', "make down")
EXPECTED = (
    ("kubectl explain asvc.spec.dependencies", "The directory under $SERVICE_BINDING_ROOT"),
    ("describe asvc product", "pods serve this generation"),
    ("get deployment product", "product"),
    ("jsonpath='{.status.consumers}'", "catalogue.db.binding"),
    ("ls /bindings/db", "password"),
    ("get asvc report -o wide", "no-such-db"),
    ("patch asvc report", "spec.ports[0].port"),
)


def commands() -> list[str]:
    """The commands of the section, a here-document with the command that reads it."""
    section = re.search(r"^## Five minutes\n(.*?)^## ", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    assert section is not None
    blocks = re.findall(r"^```console\n(.*?)^```", section.group(1), re.MULTILINE | re.DOTALL)
    lines = re.findall(r"^.*<<'YAML'\n(?:.*\n)*?YAML\n|^.+\n", "".join(blocks), re.MULTILINE)
    return [line for line in lines if not line.startswith(LEFT_OUT)]


@pytest.fixture(scope="module")
def shop(cluster: LocalCluster) -> Iterator[Kubectl]:
    """The sample as `make up` leaves it."""
    kubectl = Kubectl(cluster.kubectl.program, cluster.kubeconfig, "shop")
    kubectl.must("apply", "-f", str(SAMPLES))
    kubectl.must("wait", "--for=condition=Ready", "ads,asvc", "--all", "--timeout=240s")
    yield kubectl
    kubectl.must("delete", "namespace", "shop", "--timeout=180s")


def test_the_five_minutes_of_the_readme_work_line_by_line(shop: Kubectl, cluster: LocalCluster) -> None:
    place = {"KUBECONFIG": str(cluster.kubeconfig), "PATH": f"{cluster.cluster.bin}:{os.environ['PATH']}"}
    printed = {}

    for command in commands():
        done = subprocess.run(
            ["bash", "-euc", command],
            env={**os.environ, **place},
            capture_output=True,
            text=True,
            check=False,
            timeout=200,
        )
        assert done.returncode == 0, f"{command}{done.stdout}{done.stderr}"
        printed[command] = done.stdout + done.stderr

    missing = [
        (part, words)
        for part, words in EXPECTED
        if not any(part in command and words in output for command, output in printed.items())
    ]
    assert missing == []
    assert shop.names("asvc") == {"product"}
