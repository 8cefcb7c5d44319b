"""Brings a database's schema up to the files in a folder, one process at a time; runs in a thread, never on a request.

yoyo applies a step and notes it in two transactions, and a process can die between them. So every statement in a
migration must stand being run again (`IF NOT EXISTS` and the like).
"""

from pathlib import Path
from urllib.parse import quote, urlencode

import psycopg
from yoyo import get_backend, read_migrations

from acme_services.chassis.bindings import PostgresBinding

# Any number does, as long as all services' processes that share a database use the same one.
_LOCK = 0x61636D65
# Bounds how long a stopping process waits for this thread when another holds the lock.
_SERVER_OPTIONS = "-c lock_timeout=5s -c client_min_messages=warning"
_CONNECT_SECONDS = 5


class MigrationError(Exception):
    """The schema could not be brought up to date; the text says why and holds no credential."""


def migrate(binding: PostgresBinding, folder: Path) -> list[str]:
    """Apply the migrations of `folder` that the database lacks, and return their names; MigrationError."""
    try:
        return _migrate(binding, folder)
    except psycopg.Error as error:
        raise MigrationError(f"migrations of database {binding.database}: {_cause(error)}") from error
    except OSError as error:  # a file of the migrations, not the network: psycopg has its own errors for that
        raise MigrationError(f"migrations of database {binding.database}: {error}") from error


def _migrate(binding: PostgresBinding, folder: Path) -> list[str]:
    backend = get_backend(_uri(binding))
    try:
        # yoyo's own lock is a row that outlives a killed process; the server drops this one with its connection.
        backend.execute(f"SELECT pg_advisory_lock({_LOCK})")
        backend.break_lock()
        wanted = backend.to_apply(read_migrations(str(folder)))
        backend.apply_migrations(wanted)
        return [migration.id for migration in wanted]
    finally:
        backend.connection.close()


def _uri(binding: PostgresBinding) -> str:
    options = {
        "sslmode": binding.sslmode,
        "connect_timeout": str(_CONNECT_SECONDS),
        "application_name": "acme-migrations",
        "options": _SERVER_OPTIONS,
    }
    if binding.sslmode == "verify-full":
        options["sslrootcert"] = str(binding.certificates_file)
    login = f"{quote(binding.username, safe='')}:{quote(binding.password, safe='')}"
    host = f"[{binding.host}]" if ":" in binding.host else binding.host
    return f"postgresql+psycopg://{login}@{host}:{binding.port}/{quote(binding.database, safe='')}?{urlencode(options)}"


def _cause(error: psycopg.Error) -> str:
    if isinstance(error, psycopg.errors.InsufficientPrivilege):
        return f"{error.diag.message_primary}; declare the dependency with access: Owner"
    if isinstance(error, psycopg.errors.LockNotAvailable):
        return "another process is migrating; waiting for it"
    return error.diag.message_primary or type(error).__name__
