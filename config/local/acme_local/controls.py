"""The control plane as commands: etcd, API server, controller-manager and scheduler, with the reason for each flag.

Places and certificates in, daemons out; only the audit policy is written.
"""

import json
from pathlib import Path

import yaml

from acme_local import credentials
from acme_local.credentials import Credentials
from acme_local.files import keep
from acme_local.planes import SERVICE_RANGE, Plane
from acme_local.processes import Daemon


def etcd(plane: Plane, made: Credentials) -> Daemon:
    """The store. It never waits for the disk: a cluster that is thrown away has no use for durability."""
    client = f"https://{_etcd_host(plane)}:{plane.ports.etcd}"
    peer = f"https://{_etcd_host(plane)}:{plane.ports.peer}"
    flags = {
        "name": plane.name,
        "data-dir": plane.folder / "etcd",
        "unsafe-no-fsync": "true",
        "listen-client-urls": client,
        "advertise-client-urls": client,
        "listen-peer-urls": peer,
        "initial-advertise-peer-urls": peer,
        "initial-cluster": f"{plane.name}={peer}",
        "cert-file": made.server.certificate,
        "key-file": made.server.key,
        "trusted-ca-file": made.ca.certificate,
        "client-cert-auth": "true",
        "peer-cert-file": made.server.certificate,
        "peer-key-file": made.server.key,
        "peer-trusted-ca-file": made.ca.certificate,
        "peer-client-cert-auth": "true",
        "log-level": "warn",
        "auto-compaction-mode": "periodic",
        "auto-compaction-retention": "30m",  # a cluster left running for weeks must not fill the disk
    }
    return _daemon(plane, "etcd", flags)


def api_server(plane: Plane, made: Credentials) -> Daemon:
    """The API server, with RBAC, node restriction, aggregation and an audit log, as in production."""
    policy = keep(plane.folder / "audit-policy.yaml", yaml.safe_dump(_AUDIT_POLICY))
    flags = {
        "advertise-address": plane.address,
        "bind-address": plane.address,
        "secure-port": plane.ports.api,
        "etcd-servers": f"https://{_etcd_host(plane)}:{plane.ports.etcd}",
        "etcd-cafile": made.ca.certificate,
        "etcd-certfile": made.server.certificate,
        "etcd-keyfile": made.server.key,
        "tls-cert-file": made.server.certificate,
        "tls-private-key-file": made.server.key,
        "client-ca-file": made.ca.certificate,
        "authorization-mode": "Node,RBAC",
        "enable-admission-plugins": "NodeRestriction",
        "service-cluster-ip-range": SERVICE_RANGE,
        "service-account-issuer": "https://kubernetes.default.svc.cluster.local",
        "service-account-key-file": made.tokens.certificate,
        "service-account-signing-key-file": made.tokens.key,
        "kubelet-certificate-authority": made.ca.certificate,
        "kubelet-client-certificate": made.kubelet_client.certificate,
        "kubelet-client-key": made.kubelet_client.key,
        "kubelet-preferred-address-types": "InternalIP",  # the node's name resolves nowhere
        "audit-policy-file": policy,
        "audit-log-path": plane.audit_log,
        "audit-log-maxsize": "200",
        "audit-log-maxbackup": "2",
        "profiling": "false",
    } | _aggregation(made)
    if plane.loopback:
        # A loopback address is refused in Endpoints, and nothing in such a plane looks the API server up there.
        flags["endpoint-reconciler-type"] = "none"
    return _daemon(plane, "kube-apiserver", flags, json.dumps(_AUDIT_POLICY))


def _aggregation(made: Credentials) -> dict[str, str | Path]:
    """How the API server proves itself to the APIs that others serve, metrics for one."""
    return {
        "requestheader-client-ca-file": made.front_ca.certificate,
        "requestheader-allowed-names": "front-proxy-client",
        "requestheader-username-headers": "X-Remote-User",
        "requestheader-group-headers": "X-Remote-Group",
        "requestheader-extra-headers-prefix": "X-Remote-Extra-",
        "proxy-client-cert-file": made.front.certificate,
        "proxy-client-key-file": made.front.key,
    }


def controller_manager(plane: Plane, made: Credentials) -> Daemon:
    """The controllers. Start them after the API server is ready: they exit when a ConfigMap of its is missing."""
    own = credentials.kubeconfig(plane, made, "system:kube-controller-manager")
    flags = {
        "kubeconfig": own,
        "authentication-kubeconfig": own,
        "authorization-kubeconfig": own,
        "bind-address": plane.address,
        "secure-port": plane.ports.controllers,
        "tls-cert-file": made.server.certificate,
        "tls-private-key-file": made.server.key,
        "client-ca-file": made.ca.certificate,
        "requestheader-client-ca-file": made.front_ca.certificate,
        "root-ca-file": made.ca.certificate,
        "service-account-private-key-file": made.tokens.key,
        "use-service-account-credentials": "true",
        "cluster-signing-cert-file": made.ca.certificate,
        "cluster-signing-key-file": made.ca.key,
        "flex-volume-plugin-dir": plane.folder / "volume-plugins",  # the default is a folder of the machine
        "leader-elect": "false",  # there is one
        "horizontal-pod-autoscaler-sync-period": "5s",  # so that a person sees an autoscaler act
        "horizontal-pod-autoscaler-downscale-stabilization": "30s",
        "profiling": "false",
    }
    return _daemon(plane, "kube-controller-manager", flags)


def scheduler(plane: Plane, made: Credentials) -> Daemon:
    """The scheduler, with its defaults."""
    own = credentials.kubeconfig(plane, made, "system:kube-scheduler")
    flags = {
        "kubeconfig": own,
        "authentication-kubeconfig": own,
        "authorization-kubeconfig": own,
        "bind-address": plane.address,
        "secure-port": plane.ports.scheduler,
        "tls-cert-file": made.server.certificate,
        "tls-private-key-file": made.server.key,
        "client-ca-file": made.ca.certificate,
        "requestheader-client-ca-file": made.front_ca.certificate,
        "leader-elect": "false",
        "profiling": "false",
    }
    return _daemon(plane, "kube-scheduler", flags)


_AUDIT_POLICY = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],  # one line a request
    "rules": [{"level": "Metadata"}],
}


def _etcd_host(plane: Plane) -> str:
    # Only the API server talks to etcd, so it listens on loopback whatever the plane's own address is.
    return plane.address if plane.loopback else "127.0.0.1"


def _daemon(plane: Plane, program: str, flags: dict[str, object], *settings: str) -> Daemon:
    arguments = [f"--{name}={value}" for name, value in flags.items()]
    return Daemon(program, [*plane.prefix, str(plane.binaries / program), *arguments], settings=settings)
