"""The platform on a cluster: the operator's chart, the sample, and a first product made and listed through it."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import yaml

from acme_local.commands import run
from acme_local.failures import LocalError
from acme_local.kubectls import Kubectl
from acme_local.steps import Progress

_REPOSITORY = Path(__file__).resolve().parents[3]
CHART = _REPOSITORY / "charts" / "acme-operator"
VALUES = _REPOSITORY / "config" / "local" / "values.yaml"
_NAMESPACE_FILE = _REPOSITORY / "config" / "default" / "namespace.yaml"
SAMPLES = _REPOSITORY / "config" / "samples"
NAMESPACE = "acme-system"
RELEASE = "acme-operator"
SAMPLE_NAMESPACE = "shop"
_READY_KINDS = ("AcmeDatastore", "AcmeService")  # topics need Kafka, which no sample has yet
# By the Service's name: so it takes the cluster's DNS and service addresses along.
_CLIENT = ("python3", "-m", "acme_services.product.client", "--address", "product:9090")


@dataclass(frozen=True, slots=True)
class Helm:
    """helm for one cluster."""

    program: Path
    kubectl: Kubectl

    def __call__(self, *arguments: str, what: str) -> str:
        """Run helm; its output is returned, its complaint raised."""
        return run([self.program, f"--kubeconfig={self.kubectl.kubeconfig}", *arguments], what=what)


def install_operator(kubectl: Kubectl, helm: Helm, progress: Progress) -> None:
    """Have the operator's chart installed as it is in this checkout; an unchanged one is left alone."""
    digest = chart_digest()
    if _installed(helm) == digest:
        wait = "waiting for the operator (see `kubectl -n acme-system describe pods`)"
        kubectl.wait("condition=Available", "-n", NAMESPACE, f"deployment/{RELEASE}", seconds=120, what=wait)
        return
    with progress.step("install the operator"):
        # Helm would make the namespace without its labels, among them what pods may do in it.
        kubectl.apply(_NAMESPACE_FILE, what="applying the operator's namespace")
        command = ["upgrade", "--install", RELEASE, str(CHART), "--namespace", NAMESPACE, "--values", str(VALUES)]
        command += ["--description", digest, "--wait", "--timeout", "180s"]
        helm(*command, what="installing the operator (see `kubectl -n acme-system describe pods`)")


def apply_sample(kubectl: Kubectl, progress: Progress) -> None:
    """Have the sample platform, and wait until every object of ours is Ready."""
    with progress.step("sample platform"):
        kubectl.apply(SAMPLES, what="applying config/samples")
        for namespace, names in sample_objects().items():
            what = f"waiting for {', '.join(names)} to be Ready (see `kubectl -n {namespace} get asvc,ads`)"
            kubectl.wait("condition=Ready", "-n", namespace, *names, seconds=240, what=what)


def sample_objects() -> dict[str, list[str]]:
    """The objects of the sample that become Ready, as `kind/name` by namespace; a person's own ones are not waited for."""
    found: dict[str, list[str]] = {}
    for path in sorted(SAMPLES.glob("*.yaml")):
        for document in yaml.safe_load_all(path.read_text()):
            if document and document["kind"] in _READY_KINDS:
                names = found.setdefault(document["metadata"]["namespace"], [])
                names.append(f"{document['kind'].lower()}/{document['metadata']['name']}")
    return found


def greet(kubectl: Kubectl, progress: Progress) -> list[str]:
    """The products of the sample, listed over gRPC in the cluster; the first is made where there is none."""
    with progress.step("a product over gRPC"):
        products = _client(kubectl, "list")
        if not products:
            _client(kubectl, "create", "--name", "Tea bowl", "--price", "4800", "--currency", "JPY")
            products = _client(kubectl, "list")
        if not products:
            raise LocalError("the product was made but is not listed; read `kubectl -n shop logs deploy/product`")
        return products


def farewell(kubectl: Kubectl, products: list[str], option: str = "") -> str:
    """What to show at the end: the objects, a product, and what to try next; `option` names a cluster to make."""
    table = kubectl("get", "asvc,ads,atop", "-A")
    return f"""
{table.strip()}

Products, by gRPC through the cluster:
{chr(10).join(f"  {line}" for line in products[:3])}

What to try next:
  eval "$(make -s env{option})"
      kubectl and KUBECONFIG of the cluster, for this shell
  kubectl -n {SAMPLE_NAMESPACE} describe asvc product
      its conditions, and what they say
  kubectl -n {SAMPLE_NAMESPACE} delete deployment product
      and the operator brings it back
  kubectl -n {SAMPLE_NAMESPACE} exec deploy/product -- {" ".join(_CLIENT)} list
      the service answers over gRPC
  make status{option}
      every process and part
  make down{option}
      and nothing is left
"""


def _client(kubectl: Kubectl, *arguments: str) -> list[str]:
    command = ("exec", "-n", SAMPLE_NAMESPACE, "deploy/product", "--", *_CLIENT, *arguments)
    output = kubectl(*command, what=f"asking product to {arguments[0]} (see `kubectl -n shop logs deploy/product`)")
    return [line for line in output.splitlines() if line.strip()]


def _installed(helm: Helm) -> str | None:
    """The digest of the release that is deployed; None where there is none or it failed."""
    try:
        release = json.loads(helm("status", RELEASE, "--namespace", NAMESPACE, "--output", "json", what="helm status"))
    except LocalError:
        return None
    info = release["info"]
    return str(info["description"]) if info["status"] == "deployed" else None


def chart_digest() -> str:
    """A hash of the chart, the values and the types."""
    content = hashlib.sha256()
    files = [
        VALUES,
        *(path for folder in (CHART, _REPOSITORY / "crds") for path in folder.rglob("*") if path.is_file()),
    ]
    for path in sorted(files):
        content.update(f"{path.relative_to(_REPOSITORY)}\0".encode() + path.read_bytes())
    return f"chart {content.hexdigest()[:16]}"
