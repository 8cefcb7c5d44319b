"""What both sides are asked to do: N AcmeServices, the children of each, and a change that restarts no pod. Pure."""

import orjson

from acme_operator.api.facts import ServiceFacts
from acme_operator.api.manifests import Manifest
from acme_operator.api.marks import APPLIED_HASH
from acme_operator.api.meta import API_VERSION, OwnerMeta
from acme_operator.api.service import AcmeServiceSpec
from acme_operator.controllers.kinds import ACME_SERVICE
from acme_operator.engine.cluster import Kind
from acme_operator.engine.kinds import DEPLOYMENT, NETWORK_POLICY, PDB, SERVICE, SERVICE_ACCOUNT, ref_of
from acme_operator.render.service import revision, standing

OWNER = ACME_SERVICE
CHILDREN: tuple[Kind, ...] = (SERVICE_ACCOUNT, SERVICE, PDB, NETWORK_POLICY, DEPLOYMENT)

_NAME, _NAMESPACE, _UID, _DEADLINE = "name-goes-here", "namespace-goes-here", "uid-goes-here", 9876543
_PORTS = [{"name": "grpc", "port": 9090, "protocol": "GRPC"}, {"name": "metrics", "port": 9464, "protocol": "Metrics"}]
_SPEC: Manifest = {
    "image": "acme/services:1.0",
    "args": ["product"],
    "env": [{"name": "LOG_LEVEL", "value": "INFO"}],
    "ports": _PORTS,
    "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "256Mi"}},
}


def service_name(number: int) -> str:
    """The name of the n-th service."""
    return f"service-{number:04d}"


def acme_service(name: str) -> Manifest:
    """The object that a service team would write."""
    return {"apiVersion": API_VERSION, "kind": OWNER.kind, "metadata": {"name": name}, "spec": _SPEC}


def change(seconds: int) -> Manifest:
    """A merge patch that alters one field of one child: the Deployment's progressDeadlineSeconds."""
    return {"spec": {"rollout": {"progressDeadline": f"{seconds}s"}}}


class Template:
    """The children as the operator renders them, rendered once: the floor only fills in names."""

    def __init__(self) -> None:
        owner = OwnerMeta(kind=OWNER.kind, name=_NAME, namespace=_NAMESPACE, uid=_UID)
        spec = AcmeServiceSpec.model_validate({**_SPEC, **change(_DEADLINE)["spec"]})
        rendered = [*standing(owner, spec), *revision(owner, spec, ServiceFacts())]
        self._texts = [(ref_of(each).kind, orjson.dumps(_stamped(each)).decode()) for each in rendered]

    def children(self, owner: Manifest) -> list[tuple[Kind, bytes]]:
        """Kind and JSON of every child of a live AcmeService."""
        metadata = owner["metadata"]
        deadline = owner["spec"]["rollout"]["progressDeadline"]
        seconds = int(deadline[:-1]) * (60 if deadline.endswith("m") else 1)
        return [
            (
                kind,
                text.replace(_NAMESPACE, metadata["namespace"])
                .replace(_NAME, metadata["name"])
                .replace(_UID, metadata["uid"])
                .replace(str(_DEADLINE), str(seconds))
                .encode(),
            )
            for kind, text in self._texts
        ]


def _stamped(manifest: Manifest) -> Manifest:
    # The operator's children carry a digest in an annotation: the same number of bytes, so that both send the same.
    metadata = {**manifest["metadata"], "annotations": {APPLIED_HASH: "0" * 32}}
    return {**manifest, "metadata": metadata}
