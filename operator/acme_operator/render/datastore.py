"""The list that makes a Builtin PostgreSQL."""

import hashlib

from acme_operator.api.datastore import AcmeDatastoreSpec, DeletionPolicy
from acme_operator.api.facts import BuiltinFacts
from acme_operator.api.manifests import Manifest
from acme_operator.api.meta import GROUP, OwnerMeta
from acme_operator.render import bindings, names
from acme_operator.render.network import datastore_policy, datastore_services
from acme_operator.render.pods import RESTRICTED, pod_security
from acme_operator.render.postgres_config import postgresql_conf
from acme_operator.render.postgres_start import START_SCRIPT

POSTGRES_UID = 999
"""The uid of `postgres` in the official image, and in ours: initdb wants a user with a name."""

DATA = "/var/lib/postgresql/data"
CONFIG = "/etc/acme/config"
GRACE_SECONDS = 60
"""For a fast shutdown with its checkpoint."""


def datastore_manifests(owner: OwnerMeta, spec: AcmeDatastoreSpec, facts: BuiltinFacts) -> list[Manifest]:
    """Everything a Builtin PostgreSQL becomes besides its Secrets, in the order it is applied."""
    settings = config(owner, spec)
    return [
        service_account(owner),
        settings,
        *datastore_services(owner),
        datastore_policy(owner, facts),
        stateful_set(owner, spec, facts, fingerprint(settings)),
    ]


def admin_secret(owner: OwnerMeta, policy: DeletionPolicy, password: str) -> Manifest:
    """The superuser's login; it outlives the object under Retain, as the data that it opens does."""
    head = names.child("v1", "Secret", names.admin_secret(owner.name), owner, names.datastore_labels(owner.name))
    data = {"username": bindings.encoded("postgres"), "password": bindings.encoded(password)}
    return _kept(head, policy) | {"type": "Opaque", "data": data}


def tls_secret(owner: OwnerMeta, policy: DeletionPolicy, ca: str, certificate: str, key: str) -> Manifest:
    """The server's certificate and the CA that consumers verify it by."""
    head = names.child("v1", "Secret", names.tls_secret(owner.name), owner, names.datastore_labels(owner.name))
    files = {"ca.crt": ca, "tls.crt": certificate, "tls.key": key}
    data = {name: bindings.encoded(value) for name, value in files.items()}
    return _kept(head, policy) | {"type": "kubernetes.io/tls", "data": data}


def _kept(manifest: Manifest, policy: DeletionPolicy) -> Manifest:
    return names.retained(manifest) if policy is DeletionPolicy.RETAIN else manifest


def server_names(owner: OwnerMeta) -> list[str]:
    """Every name that a client may verify the server by."""
    service, namespace = names.read_write(owner.name), owner.namespace
    return [service, f"{service}.{namespace}", f"{service}.{namespace}.svc", names.host(service, namespace)]


def service_account(owner: OwnerMeta) -> Manifest:
    """The identity of the pods; no token is mounted."""
    labels = names.datastore_labels(owner.name)
    head = names.child("v1", "ServiceAccount", names.workload(owner.name), owner, labels)
    return head | {"automountServiceAccountToken": False}


def config(owner: OwnerMeta, spec: AcmeDatastoreSpec) -> Manifest:
    """The server's settings and the script that starts it."""
    labels = names.datastore_labels(owner.name)
    head = names.child("v1", "ConfigMap", names.workload(owner.name), owner, labels)
    return head | {"data": {"postgresql.conf": postgresql_conf(spec.size.memory), "start.sh": START_SCRIPT}}


def fingerprint(settings: Manifest) -> str:
    """Changes when the settings do, so that the pod starts again with them."""
    text = "\0".join(f"{key}\0{value}" for key, value in sorted(settings["data"].items()))
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def stateful_set(owner: OwnerMeta, spec: AcmeDatastoreSpec, facts: BuiltinFacts, settings: str) -> Manifest:
    """The one instance, its volume kept or deleted with the object as the policy says."""
    labels = names.datastore_labels(owner.name)
    deleted = "Retain" if spec.deletion_policy is DeletionPolicy.RETAIN else "Delete"
    template = {
        "metadata": {"labels": labels, "annotations": {f"{GROUP}/config": settings}},
        "spec": _pod(owner.name, spec, facts),
    }
    return names.child("apps/v1", "StatefulSet", names.workload(owner.name), owner, labels) | {
        "spec": {
            "replicas": 1,
            "serviceName": names.pods(owner.name),
            "selector": {"matchLabels": {names.DATASTORE: owner.name}},
            "persistentVolumeClaimRetentionPolicy": {"whenDeleted": deleted, "whenScaled": "Retain"},
            "template": template,
            "volumeClaimTemplates": [_volume_claim(owner.name, spec)],
        }
    }


def _volume_claim(name: str, spec: AcmeDatastoreSpec) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data", "labels": names.datastore_labels(name)},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": spec.size.storage}}},
    }


def _pod(name: str, spec: AcmeDatastoreSpec, facts: BuiltinFacts) -> Manifest:
    secret = {"defaultMode": 0o440}
    return {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "serviceAccountName": names.workload(name),
        "securityContext": pod_security(POSTGRES_UID),
        "terminationGracePeriodSeconds": GRACE_SECONDS,
        "containers": [_container(spec, facts.image)],
        "volumes": [
            {"name": "run", "emptyDir": {}},
            {"name": "tmp", "emptyDir": {}},
            # 64 MB, the default, is small for a parallel query.
            {"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": "128Mi"}},
            {"name": "config", "configMap": {"name": names.workload(name), "defaultMode": 0o444}},
            {"name": "admin", "secret": {"secretName": names.admin_secret(name), **secret}},
            {"name": "tls", "secret": {"secretName": names.tls_secret(name), **secret}},
        ],
    }


def _container(spec: AcmeDatastoreSpec, image: str) -> Manifest:
    ask = {"exec": {"command": ["pg_isready", "-h", "/run/postgresql", "-U", "postgres", "-d", "postgres"]}}
    return {
        "name": "postgres",
        "image": image,
        "command": ["/bin/sh", f"{CONFIG}/start.sh"],
        "env": [{"name": "PGDATA", "value": f"{DATA}/pgdata"}],
        "ports": [{"name": "postgres", "containerPort": names.POSTGRES_PORT, "protocol": "TCP"}],
        "securityContext": RESTRICTED,
        "resources": {
            "requests": {"cpu": spec.size.cpu, "memory": spec.size.memory},
            "limits": {"memory": spec.size.memory},
        },
        # A probe that runs a program costs CPU and flaps on a busy node: rare, with time to answer.
        "startupProbe": ask | {"periodSeconds": 3, "timeoutSeconds": 5, "failureThreshold": 200},
        "readinessProbe": ask | {"periodSeconds": 10, "timeoutSeconds": 5, "failureThreshold": 3},
        "livenessProbe": {"tcpSocket": {"port": names.POSTGRES_PORT}}
        | {"periodSeconds": 10, "timeoutSeconds": 5, "failureThreshold": 6},
        "volumeMounts": [
            {"name": "data", "mountPath": DATA},
            {"name": "run", "mountPath": "/run/postgresql"},
            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108  # the container's own, an emptyDir
            {"name": "shm", "mountPath": "/dev/shm"},  # noqa: S108  # the container's own, an emptyDir
            {"name": "config", "mountPath": CONFIG, "readOnly": True},
            {"name": "admin", "mountPath": "/etc/acme/admin", "readOnly": True},
            {"name": "tls", "mountPath": "/etc/acme/tls", "readOnly": True},
        ],
    }
