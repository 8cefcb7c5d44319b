"""The pod of an AcmeService: container, probes, environment, bindings, security context."""

from collections.abc import Iterable, Sequence

from acme_operator.api.facts import ServiceFacts
from acme_operator.api.manifests import Manifest
from acme_operator.api.service import AcmeServiceSpec, Port, Protocol, ResourceList
from acme_operator.render import names

DRAIN_SECONDS = 5
"""Between a pod's removal from the endpoints and SIGTERM, so that no client still sends to a closed port."""

GRACE_SECONDS = 35

RESTRICTED: Manifest = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "readOnlyRootFilesystem": True,
}


def pod_security(uid: int) -> Manifest:
    """The pod-wide half of the restricted profile; `uid` is also the group that owns the volumes."""
    return {
        "fsGroup": uid,
        "runAsGroup": uid,
        "runAsNonRoot": True,
        "runAsUser": uid,
        "seccompProfile": {"type": "RuntimeDefault"},
    }


SERVICE_UID = 10001


def pod_spec(name: str, spec: AcmeServiceSpec, facts: ServiceFacts) -> Manifest:
    """The pod that runs the service, every dependency mounted under $SERVICE_BINDING_ROOT."""
    bound = _binding_secrets(name, facts)
    return {
        "automountServiceAccountToken": False,
        # A Service called `redis` would otherwise put REDIS_PORT=tcp://… into every pod's environment.
        "enableServiceLinks": False,
        "serviceAccountName": name,
        "securityContext": pod_security(SERVICE_UID),
        "terminationGracePeriodSeconds": GRACE_SECONDS,
        "containers": [_container(name, spec, bound)],
        "volumes": [
            {"name": "tmp", "emptyDir": {}},
            *(
                {"name": f"binding-{dependency}", "secret": {"secretName": secret, "defaultMode": 0o440}}
                for dependency, secret in bound
            ),
        ],
        "topologySpreadConstraints": [_spread(name)],
    }


def _binding_secrets(name: str, facts: ServiceFacts) -> Sequence[tuple[str, str]]:
    called = ((target.dependency, names.binding_secret(name, target.dependency)) for target in facts.services)
    stored = ((target.dependency, target.secret) for target in facts.datastores)
    return sorted([*called, *stored])


def _container(name: str, spec: AcmeServiceSpec, bound: Sequence[tuple[str, str]]) -> Manifest:
    container: Manifest = {
        "name": name,
        "image": spec.image,
        "securityContext": RESTRICTED,
        "env": _env(spec),
        "resources": {"requests": _amounts(spec.resources.requests), "limits": _amounts(spec.resources.limits)},
        "lifecycle": {"preStop": {"sleep": {"seconds": DRAIN_SECONDS}}},
        "volumeMounts": [
            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108  # the container's own, an emptyDir
            *(
                {"name": f"binding-{dependency}", "mountPath": f"{names.BINDING_ROOT}/{dependency}", "readOnly": True}
                for dependency, _ in bound
            ),
        ],
    }
    return (
        container
        | ({"command": list(spec.command)} if spec.command else {})
        | ({"args": list(spec.args)} if spec.args else {})
        | ({"ports": [container_port(port) for port in spec.ports]} if spec.ports else {})
        | _probes(spec.ports)
    )


def container_port(port: Port) -> Manifest:
    """The port as the container declares it."""
    return {"name": port.name, "containerPort": port.port, "protocol": "TCP"}


def _env(spec: AcmeServiceSpec) -> list[Manifest]:
    given = [{"name": variable.name, "value": variable.value} for variable in spec.env]
    if any(variable.name == "SERVICE_BINDING_ROOT" for variable in spec.env):
        return given
    return [{"name": "SERVICE_BINDING_ROOT", "value": names.BINDING_ROOT}, *given]


def _amounts(amounts: ResourceList) -> Manifest:
    return amounts.model_dump(exclude_none=True)


def is_probed(ports: Sequence[Port]) -> bool:
    """Whether anything asks the container if it is ready; else it is ready from its first instant, also before a crash."""
    return _serving(ports) is not None


def _serving(ports: Sequence[Port]) -> Port | None:
    return _first(ports, Protocol.GRPC) or _first(ports, Protocol.HTTP) or _first(ports, Protocol.TCP)


def _probes(ports: Sequence[Port]) -> Manifest:
    """Readiness in the port's own words; liveness only asks whether the process still accepts.

    A liveness probe that asked for readiness would restart every pod while its database is away.
    """
    serving = _serving(ports)
    if serving is None:
        return {}
    rhythm = {"periodSeconds": 5, "timeoutSeconds": 3, "failureThreshold": 3}
    return {
        "readinessProbe": _question(serving) | rhythm,
        "livenessProbe": {"tcpSocket": {"port": serving.port}}
        | {"initialDelaySeconds": 15, "periodSeconds": 10, "timeoutSeconds": 5, "failureThreshold": 6},
    }


def _first(ports: Iterable[Port], protocol: Protocol) -> Port | None:
    return next((port for port in ports if port.protocol is protocol), None)


def _question(port: Port) -> Manifest:
    if port.protocol is Protocol.GRPC:
        return {"grpc": {"port": port.port, "service": ""}}
    if port.protocol is Protocol.HTTP:
        return {"httpGet": {"path": "/readyz", "port": port.port, "scheme": "HTTP"}}
    return {"tcpSocket": {"port": port.port}}


def _spread(name: str) -> Manifest:
    return {
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": {names.SERVICE: name}},
    }
