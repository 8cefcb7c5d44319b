"""Service bindings: what a dependency told us, read from files under $SERVICE_BINDING_ROOT each time it is asked.

A binding is never kept: its files change under a running process when credentials rotate.
"""

from dataclasses import dataclass, field
from pathlib import Path

_HIGHEST_PORT = 65535
_SSL_MODES = ("disable", "require", "verify-full")


class BindingError(Exception):
    """A binding is missing or cannot be used; the text says which file, and what to declare."""


@dataclass(frozen=True, slots=True)
class PostgresBinding:
    """How to reach a database and as whom. Equal bindings open equal connections."""

    host: str
    port: int
    database: str
    username: str
    password: str = field(repr=False)
    sslmode: str
    # The CA of the server as PEM, and the file it stands in, for the client that reads files only.
    certificates: str | None = field(repr=False)
    certificates_file: Path


def postgres_binding(root: Path, name: str) -> PostgresBinding:
    """The PostgreSQL binding `name` as its files stand now; BindingError when one is missing or makes no sense."""
    folder = root / name
    kind = _value(folder, "type")
    if kind != "postgresql":
        raise BindingError(
            f"binding {name} in {folder} is of type {kind!r}, and a postgresql one is needed: "
            f"declare the dependency {name} on a datastore with a postgres block"
        )
    sslmode = _optional(folder, "sslmode") or "verify-full"
    certificates = _optional(folder, "certificates")
    _check_ssl(folder, sslmode, certificates)
    return PostgresBinding(
        host=_value(folder, "host"),
        port=_port(folder),
        database=_value(folder, "database"),
        username=_value(folder, "username"),
        password=_value(folder, "password"),
        sslmode=sslmode,
        certificates=certificates,
        certificates_file=folder / "certificates",
    )


def _value(folder: Path, key: str) -> str:
    text = _optional(folder, key)
    if not text:
        raise BindingError(
            f"binding file {folder / key} is missing or empty: declare a dependency named {folder.name} "
            f"in the AcmeService, or set SERVICE_BINDING_ROOT to the folder that holds {folder.name}/"
        )
    return text


def _optional(folder: Path, key: str) -> str | None:
    try:
        return (folder / key).read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise BindingError(f"binding file {folder / key} cannot be read: {error}") from error


def _port(folder: Path) -> int:
    text = _value(folder, "port")
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= _HIGHEST_PORT:
        raise BindingError(f"binding file {folder / 'port'} holds {text[:20]!r}: a port is a number from 1 to 65535")
    return int(text)


def _check_ssl(folder: Path, sslmode: str, certificates: str | None) -> None:
    if sslmode not in _SSL_MODES:
        raise BindingError(
            f"binding file {folder / 'sslmode'} holds {sslmode[:20]!r}: use one of {', '.join(_SSL_MODES)}"
        )
    if sslmode == "verify-full" and not certificates:
        raise BindingError(
            f"binding file {folder / 'certificates'} is missing: sslmode verify-full needs the CA of the server as PEM"
        )
