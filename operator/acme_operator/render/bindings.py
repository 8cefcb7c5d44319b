"""Binding Secrets in the Service Binding form (servicebinding.io): the files a workload finds under its dependency's name."""

import base64
from collections.abc import Mapping
from urllib.parse import quote, urlencode

from acme_operator.api.facts import DatabaseBinding, ServiceTarget
from acme_operator.api.manifests import Manifest
from acme_operator.api.meta import OwnerMeta
from acme_operator.render import names


def service_content(target: ServiceTarget) -> Manifest:
    """Type and data of the Secret that binds another service."""
    return _secret(
        "service",
        {"host": target.host, "port": str(target.port), "uri": f"grpc://{target.host}:{target.port}"},
    )


def database_secret(owner: OwnerMeta, binding: DatabaseBinding) -> Manifest:
    """The Secret that binds a database to one dependency of one service; owned by the datastore."""
    claim = binding.claim
    labels = names.datastore_labels(owner.name, "binding") | {
        names.SERVICE: claim.service,
        names.DEPENDENCY: claim.dependency,
    }
    head = names.child("v1", "Secret", names.binding_secret(claim.service, claim.dependency), owner, labels)
    return head | _secret("postgresql", _database_files(binding))


def _database_files(binding: DatabaseBinding) -> dict[str, str]:
    claim = binding.claim
    # The path where the CA is mounted is ours to know: it is in this same Secret.
    root = f"{names.BINDING_ROOT}/{claim.dependency}/certificates" if binding.certificates else ""
    tls = {"sslmode": binding.sslmode} | ({"sslrootcert": root} if root else {})
    address = f"{binding.host}:{binding.port}/{quote(claim.database)}"
    login = f"{quote(binding.username, safe='')}:{quote(binding.password, safe='')}"
    files = {
        "host": binding.host,
        "port": str(binding.port),
        "database": claim.database,
        "username": binding.username,
        "password": binding.password,
        "uri": f"postgresql://{login}@{address}?{urlencode(tls)}",
        "jdbc-url": f"jdbc:postgresql://{address}?{urlencode(tls)}",
        "r2dbc-url": f"r2dbc:postgresql://{address}?{urlencode({'sslMode': binding.sslmode} | _r2dbc(root))}",
        **tls,
    }
    return files | ({"certificates": binding.certificates} if binding.certificates else {})


def _r2dbc(root: str) -> dict[str, str]:
    return {"sslRootCert": root} if root else {}


def _secret(kind: str, files: Mapping[str, str]) -> Manifest:
    """The form of the specification: its type twice, so that a reader of files alone knows it too."""
    data = {"type": kind, "provider": "acme", **files}
    return {"type": f"servicebinding.io/{kind}", "data": {key: encoded(value) for key, value in data.items()}}


def encoded(value: str) -> str:
    """A Secret's value as the API server stores it."""
    return base64.b64encode(value.encode()).decode()


def decoded(secret: Manifest) -> dict[str, str]:
    """The values of a live Secret."""
    return {key: base64.b64decode(value).decode() for key, value in secret.get("data", {}).items()}
