"""Every object name, label and annotation, once."""

import hashlib
from collections.abc import Mapping

from acme_operator.api.manifests import Manifest
from acme_operator.api.marks import FIELD_MANAGER, MANAGED_BY, OWNER_UID, RETAIN
from acme_operator.api.meta import API_VERSION, GROUP, OwnerMeta

SERVICE = f"{GROUP}/service"
DATASTORE = f"{GROUP}/datastore"
DEPENDENCY = f"{GROUP}/dependency"
FORCE_DELETE = f"{GROUP}/force-delete"
FINALIZER = f"{GROUP}/cleanup"

BINDING_ROOT = "/bindings"
POSTGRES_PORT = 5432


def binding_secret(service: str, dependency: str) -> str:
    """The Secret that binds a dependency; the dots keep `a-b` + `c` apart from `a` + `b-c`."""
    return f"{service}.{dependency}.binding"


def workload(datastore: str) -> str:
    """The StatefulSet of a Builtin PostgreSQL, and everything that only its pods use."""
    return f"{datastore}-postgres"


def read_write(datastore: str) -> str:
    """The Service that takes reads and writes."""
    return f"{datastore}-rw"


def pods(datastore: str) -> str:
    """The headless Service that names the pods."""
    return f"{datastore}-pods"


def admin_secret(datastore: str) -> str:
    """The Secret of the superuser's password."""
    return f"{datastore}-admin"


def tls_secret(datastore: str) -> str:
    """The Secret of the server's certificate, and of the CA that consumers verify it by."""
    return f"{datastore}-tls"


def host(service: str, namespace: str) -> str:
    """The full host name of a Service; a short one would not resolve from another namespace."""
    return f"{service}.{namespace}.svc.cluster.local"


def own_database(service: str) -> str:
    """The database that a service gets when it names none."""
    return service.replace("-", "_")


def shortened(name: str, limit: int) -> str:
    """The name, or where it is longer than `limit` bytes its beginning and a hash of the whole."""
    if len(name) <= limit:
        return name
    digest = hashlib.blake2b(name.encode(), digest_size=5).hexdigest()
    return f"{name[: limit - len(digest) - 1]}-{digest}"


def service_labels(name: str) -> dict[str, str]:
    """Labels of an AcmeService's children."""
    return _labels(name, "workload") | {SERVICE: name}


def datastore_labels(name: str, component: str = "database") -> dict[str, str]:
    """Labels of an AcmeDatastore's children."""
    return _labels(name, component) | {DATASTORE: name}


def _labels(name: str, component: str) -> dict[str, str]:
    # Not app.kubernetes.io/instance: Argo CD tracks by it, and would adopt the child and prune it.
    return {
        "app.kubernetes.io/name": name,
        "app.kubernetes.io/component": component,
        "app.kubernetes.io/part-of": "acme-platform",
        MANAGED_BY: FIELD_MANAGER,
    }


def child(api_version: str, kind: str, name: str, owner: OwnerMeta, labels: Mapping[str, str]) -> Manifest:
    """The head of a child that dies with its owner: same namespace, owner reference, owner label."""
    return {
        "apiVersion": api_version,
        "kind": kind,
        "metadata": {
            "name": name,
            "namespace": owner.namespace,
            "labels": {**labels, OWNER_UID: owner.uid},
            "ownerReferences": [_reference(owner)],
        },
    }


def _reference(owner: OwnerMeta) -> Manifest:
    return {
        "apiVersion": API_VERSION,
        "kind": owner.kind,
        "name": owner.name,
        "uid": owner.uid,
        "controller": True,
        "blockOwnerDeletion": True,
    }


def retained(manifest: Manifest) -> Manifest:
    """The same child, left in place when its owner goes."""
    metadata = {key: value for key, value in manifest["metadata"].items() if key != "ownerReferences"}
    return manifest | {"metadata": metadata | {"annotations": {RETAIN: "true"}}}
