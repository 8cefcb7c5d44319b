"""Kubeconfig files: who talks to which API server with which certificate."""

import base64
from pathlib import Path

import yaml

from acme_local.authorities import Pair
from acme_local.files import keep


def write(path: Path, cluster: str, server: str, ca: Path, client: Pair) -> Path:
    """Have a self-contained kubeconfig (certificates inside), readable by its owner only."""
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": cluster, "cluster": {"server": server, "certificate-authority-data": _inline(ca)}}],
        "users": [
            {
                "name": cluster,
                "user": {
                    "client-certificate-data": _inline(client.certificate),
                    "client-key-data": _inline(client.key),
                },
            }
        ],
        "contexts": [{"name": cluster, "context": {"cluster": cluster, "user": cluster}}],
        "current-context": cluster,
    }
    return keep(path, yaml.safe_dump(content, sort_keys=False), mode=0o600)


def _inline(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()
