"""The built-in kinds that the engine applies or watches, and how to find the kind of a manifest.

The platform's own kinds are not here: who runs the engine passes them in.
"""

from collections.abc import Iterable, Mapping

from acme_operator.api.manifests import Manifest
from acme_operator.engine.cluster import Kind, Ref

CONFIG_MAP = Kind("", "v1", "ConfigMap", "configmaps")
NAMESPACE = Kind("", "v1", "Namespace", "namespaces")
POD = Kind("", "v1", "Pod", "pods")
PVC = Kind("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims")
SECRET = Kind("", "v1", "Secret", "secrets")
SERVICE = Kind("", "v1", "Service", "services")
SERVICE_ACCOUNT = Kind("", "v1", "ServiceAccount", "serviceaccounts")
DEPLOYMENT = Kind("apps", "v1", "Deployment", "deployments")
STATEFULSET = Kind("apps", "v1", "StatefulSet", "statefulsets")
CRON_JOB = Kind("batch", "v1", "CronJob", "cronjobs")
JOB = Kind("batch", "v1", "Job", "jobs")
HPA = Kind("autoscaling", "v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers")
NETWORK_POLICY = Kind("networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies")
PDB = Kind("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets")
EVENT = Kind("events.k8s.io", "v1", "Event", "events")

BUILTIN: tuple[Kind, ...] = (
    CONFIG_MAP,
    NAMESPACE,
    POD,
    PVC,
    SECRET,
    SERVICE,
    SERVICE_ACCOUNT,
    DEPLOYMENT,
    STATEFULSET,
    CRON_JOB,
    JOB,
    HPA,
    NETWORK_POLICY,
    PDB,
    EVENT,
)

KindIndex = Mapping[tuple[str, str], Kind]


def index(more: Iterable[Kind] = ()) -> KindIndex:
    """The built-in kinds and `more`, by (apiVersion, kind)."""
    return {(kind.api_version, kind.kind): kind for kind in (*BUILTIN, *more)}


_BUILTIN_INDEX = index()


def kind_of(manifest: Manifest, known: KindIndex = _BUILTIN_INDEX) -> Kind:
    """The kind of a manifest; ValueError names an unknown one."""
    key = (manifest.get("apiVersion", ""), manifest.get("kind", ""))
    if key not in known:
        raise ValueError(f"unknown kind {key[1]!r} of {key[0]!r}: add it to the engine's kinds")
    return known[key]


def ref_of(manifest: Manifest, kind: Kind | None = None) -> Ref:
    """Which object a manifest is about."""
    metadata = manifest["metadata"]
    return Ref(kind or kind_of(manifest), metadata.get("namespace", ""), metadata["name"])
