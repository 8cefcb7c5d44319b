"""How to reach and trust an API server: from a kubeconfig file or from what a pod is given. Sends nothing itself."""

import base64
import binascii
import ssl
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

POD_CREDENTIALS = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_TOKEN_LIFE = 60.0


class ConnectionConfigError(Exception):
    """The connection cannot be made from what was given; the message names the file, the field and the next step."""


class Token:
    """A bearer token in a file, which the kubelet replaces about every hour: read again each minute."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._clock = clock
        self._read_at = -_TOKEN_LIFE
        self._value = ""

    def read(self) -> str:
        """The token, at most a minute old."""
        if self._clock() - self._read_at >= _TOKEN_LIFE:
            self._value = self._path.read_text().strip()
            self._read_at = self._clock()
        return self._value

    def renew(self) -> None:
        """Read the file again at the next use: the API server no longer accepts the token."""
        self._read_at = -_TOKEN_LIFE


@dataclass(frozen=True, slots=True)
class Connection:
    """An API server's address and how both sides prove who they are.

    `ca` is PEM text; without it the system's authorities are trusted. `cert` and `key` are a client certificate's PEM.
    """

    server: str
    ca: str | None = None
    token: Token | str | None = field(default=None, repr=False)
    cert: str | None = None
    key: str | None = field(default=None, repr=False)

    def ssl_context(self) -> ssl.SSLContext | None:
        """A strictly verifying context, or None for plain HTTP (a proxy on loopback)."""
        if not self.server.startswith("https:"):
            return None
        context = ssl.create_default_context(cadata=self.ca)
        if self.cert and self.key:
            _load_client_certificate(context, self.cert, self.key)
        return context

    def authorization(self) -> str | None:
        """The value of the Authorization header, or None."""
        token = self.token.read() if isinstance(self.token, Token) else self.token
        return f"Bearer {token}" if token else None


def in_cluster(host: str, port: str, credentials: Path = POD_CREDENTIALS) -> Connection:
    """The connection that a pod has: address from its environment, token and CA from the mounted directory."""
    server = f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"
    ca = credentials / "ca.crt"
    if not ca.is_file():
        raise ConnectionConfigError(f"{ca} is missing: run in a pod with a service account token, or set KUBECONFIG")
    return Connection(server, ca=ca.read_text(), token=Token(credentials / "token"))


def from_kubeconfig(path: Path, context: str | None = None) -> Connection:
    """The connection of the current (or the named) context of a kubeconfig file."""
    config = _load(path)
    chosen = _named(path, config, "contexts", context or str(config.get("current-context", "")))["context"]
    cluster = _named(path, config, "clusters", str(chosen.get("cluster", "")))["cluster"]
    user = _named(path, config, "users", str(chosen.get("user", "")))["user"]
    _refuse_unsupported(path, cluster, user)
    token_file = user.get("tokenFile")
    return Connection(
        server=str(cluster["server"]).rstrip("/"),
        ca=_pem(path, cluster, "certificate-authority"),
        token=Token(path.parent / token_file) if token_file else user.get("token"),
        cert=_pem(path, user, "client-certificate"),
        key=_pem(path, user, "client-key"),
    )


def _load(path: Path) -> dict[str, Any]:
    try:
        config = yaml.safe_load(path.read_text())
    except OSError as error:
        raise ConnectionConfigError(f"kubeconfig {path} cannot be read ({error.strerror}): set KUBECONFIG") from error
    except yaml.YAMLError as error:
        raise ConnectionConfigError(f"kubeconfig {path} is not YAML: write it anew") from error
    if not isinstance(config, dict):
        raise ConnectionConfigError(f"kubeconfig {path} is empty: write it anew")
    return config


def _named(path: Path, config: dict[str, Any], section: str, name: str) -> dict[str, Any]:
    for entry in config.get(section) or ():
        if entry.get("name") == name:
            found: dict[str, Any] = entry
            return found
    raise ConnectionConfigError(f"kubeconfig {path}: {section} has no {name!r}: choose one that it has")


def _refuse_unsupported(path: Path, cluster: dict[str, Any], user: dict[str, Any]) -> None:
    if cluster.get("insecure-skip-tls-verify"):
        raise ConnectionConfigError(
            f"kubeconfig {path}: insecure-skip-tls-verify is not supported: give certificate-authority-data instead"
        )
    for unsupported in ("exec", "auth-provider"):
        if unsupported in user:
            raise ConnectionConfigError(
                f"kubeconfig {path}: users.{unsupported} is not supported: use a token or a client certificate"
            )


def _pem(path: Path, section: dict[str, Any], name: str) -> str | None:
    if inline := section.get(f"{name}-data"):
        try:
            return base64.b64decode(inline, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError) as error:
            raise ConnectionConfigError(
                f"kubeconfig {path}: {name}-data is not base64 of PEM: write it anew"
            ) from error
    if file := section.get(name):
        return Path(path.parent, str(file)).read_text()
    return None


def _load_client_certificate(context: ssl.SSLContext, cert: str, key: str) -> None:
    # OpenSSL takes a client certificate from files only; these are private to us and gone before we return.
    with tempfile.TemporaryDirectory() as folder:
        cert_file, key_file = Path(folder, "tls.crt"), Path(folder, "tls.key")
        cert_file.write_text(cert)
        key_file.touch(mode=0o600)
        key_file.write_text(key)
        context.load_cert_chain(cert_file, key_file)
