"""Kubeconfig files: who talks to which API server with which certificate."""

import base64
from pathlib import Path

import yaml

from acme_local.authorities import Pair


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
    text = yaml.safe_dump(content, sort_keys=False)
    if not path.exists() or path.read_text() != text:
        _replace(path, text)
    return path


def _replace(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.touch(mode=0o600)
    temporary.write_text(text)
    temporary.replace(path)  # whoever reads the old file keeps a whole one


def _inline(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()
