"""The certificates of one control plane: made once, kept while they are right, one holder each."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from acme_local import authorities, kubeconfigs
from acme_local.authorities import Identity, Pair
from acme_local.planes import API_SERVICE, Plane


@dataclass(frozen=True, slots=True)
class Credentials:
    """The certificates of a control plane, by their holder."""

    ca: Pair
    front_ca: Pair
    server: Pair
    front: Pair
    kubelet_client: Pair
    tokens: Pair
    admin: Pair


def ensure(plane: Plane) -> Credentials:
    """Make, or keep, every certificate that the control plane needs."""
    ca = authorities.authority(plane.pki, "ca")
    front_ca = authorities.authority(plane.pki, "front-proxy-ca")
    hosts = [plane.address, "127.0.0.1", API_SERVICE, "localhost", "kubernetes", "kubernetes.default"]
    hosts += ["kubernetes.default.svc", "kubernetes.default.svc.cluster.local"]

    def issued(name: str, identity: Identity) -> Pair:
        return authorities.issue(ca, plane.pki, name, identity)

    return Credentials(
        ca=ca,
        front_ca=front_ca,
        server=issued("server", Identity("kube-apiserver", hosts=hosts)),
        front=authorities.issue(front_ca, plane.pki, "front-proxy", Identity("front-proxy-client")),
        kubelet_client=issued("kubelet-client", Identity("kube-apiserver-kubelet-client", ["system:masters"])),
        tokens=authorities.signing_key(plane.pki, "service-accounts"),
        admin=issued("admin", Identity("acme-admin", ["system:masters"])),
    )


def kubeconfig(plane: Plane, made: Credentials, user: str, groups: Sequence[str] = ()) -> Path:
    """The kubeconfig of a user of this control plane, certificate and file kept while they are right."""
    file_name = user.replace(":", "-")
    client = authorities.issue(made.ca, plane.pki, file_name, Identity(user, groups))
    path = plane.folder / f"{file_name}.kubeconfig"
    return kubeconfigs.write(path, plane.name, plane.server, made.ca.certificate, client)
