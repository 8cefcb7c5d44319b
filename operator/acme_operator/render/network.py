"""Services and NetworkPolicies: who is reached where, and who may call whom."""

from collections.abc import Iterable, Sequence

from acme_operator.api.facts import BuiltinFacts, ServiceFacts
from acme_operator.api.manifests import Manifest
from acme_operator.api.marks import FIELD_MANAGER
from acme_operator.api.meta import OwnerMeta
from acme_operator.api.service import AcmeServiceSpec, Port, Protocol
from acme_operator.render import names


def service(owner: OwnerMeta, spec: AcmeServiceSpec) -> Manifest:
    """The Service in front of the pods."""
    head = names.child("v1", "Service", owner.name, owner, names.service_labels(owner.name))
    return head | {
        "spec": {
            "type": "ClusterIP",
            "selector": {names.SERVICE: owner.name},
            "ports": [service_port(port.name, port.port, _app_protocol(port)) for port in spec.ports],
        }
    }


def service_port(name: str, port: int, app_protocol: str = "") -> Manifest:
    """One port of a Service, in the form in which the API server stores it."""
    base = {"name": name, "port": port, "targetPort": port, "protocol": "TCP"}
    return base | ({"appProtocol": app_protocol} if app_protocol else {})


def _app_protocol(port: Port) -> str:
    return {Protocol.GRPC: "kubernetes.io/h2c", Protocol.HTTP: "http", Protocol.METRICS: "http"}.get(port.protocol, "")


def service_policy(owner: OwnerMeta, spec: AcmeServiceSpec, facts: ServiceFacts) -> Manifest:
    """Admits the declared callers and the scrapers, and nobody else.

    It says nothing of what the pods may call: the API can't name a party outside the cluster yet, and a policy that
    nobody can open would cut every service off from them.
    """
    head = names.child("networking.k8s.io/v1", "NetworkPolicy", owner.name, owner, names.service_labels(owner.name))
    admitted = _ingress(spec.ports, facts.callers)
    return head | {
        "spec": {
            "podSelector": {"matchLabels": {names.SERVICE: owner.name}},
            "policyTypes": ["Ingress"],
            **({"ingress": admitted} if admitted else {}),
        }
    }


def _ingress(ports: Sequence[Port], callers: Iterable[str]) -> list[Manifest]:
    called = _tcp(port.port for port in ports if port.protocol is not Protocol.METRICS)
    scraped = _tcp(port.port for port in ports if port.protocol is Protocol.METRICS)
    peers = [_service_peer(name) for name in sorted(callers)]
    admitted = [{"from": peers, "ports": called}] if peers and called else []
    # Scrapers live in other namespaces and carry labels that we do not know.
    return admitted + ([{"from": [{"namespaceSelector": {}}], "ports": scraped}] if scraped else [])


def _service_peer(name: str) -> Manifest:
    return {"podSelector": {"matchLabels": {names.SERVICE: name}}}


def _tcp(ports: Iterable[int]) -> list[Manifest]:
    return [{"port": port, "protocol": "TCP"} for port in ports]


def datastore_services(owner: OwnerMeta) -> list[Manifest]:
    """The Service for reads and writes, and the headless one that the StatefulSet needs."""
    ports = [service_port("postgres", names.POSTGRES_PORT)]
    selector = {names.DATASTORE: owner.name}
    labels = names.datastore_labels(owner.name)
    return [
        names.child("v1", "Service", names.read_write(owner.name), owner, labels)
        | {"spec": {"type": "ClusterIP", "selector": selector, "ports": ports}},
        names.child("v1", "Service", names.pods(owner.name), owner, labels)
        | {"spec": {"type": "ClusterIP", "clusterIP": "None", "selector": selector, "ports": ports}},
    ]


def datastore_policy(owner: OwnerMeta, facts: BuiltinFacts) -> Manifest:
    """Admits the operator and the services that declare the datastore; lets nothing out."""
    operator = {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": facts.operator_namespace}},
        "podSelector": {"matchLabels": {"app.kubernetes.io/name": FIELD_MANAGER}},
    }
    head = names.child(
        "networking.k8s.io/v1", "NetworkPolicy", names.workload(owner.name), owner, names.datastore_labels(owner.name)
    )
    return head | {
        "spec": {
            "podSelector": {"matchLabels": {names.DATASTORE: owner.name}},
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [
                {
                    "from": [operator, *(_service_peer(name) for name in sorted(set(facts.consumers)))],
                    "ports": _tcp([names.POSTGRES_PORT]),
                }
            ],
        }
    }
