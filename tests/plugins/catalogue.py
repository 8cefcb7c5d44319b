"""A database of one test's own on a real server, with the login and the binding files that lead to it."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import psycopg.sql

from tests.plugins.postgres_server import PostgresServer
from tests.plugins.service_process import write_binding


@dataclass(frozen=True, slots=True)
class Catalogue:
    """A database with a login that owns it, and the folder of binding files that name both."""

    server: PostgresServer
    name: str
    login: str
    bindings: Path

    def admin(self) -> psycopg.Connection[tuple[object, ...]]:
        """A superuser's connection to the database, in autocommit."""
        return psycopg.connect(
            host=self.server.host,
            port=self.server.port,
            user=self.server.superuser,
            password=self.server.password,
            dbname=self.name,
            sslmode="verify-full",
            sslrootcert=str(self.server.ca),
            autocommit=True,
        )

    def set_password(self, password: str) -> None:
        """Give the login another password, in the server only."""
        with self.admin() as admin:
            admin.execute(psycopg.sql.SQL("ALTER ROLE {} PASSWORD {}").format(_name(self.login), password))

    def publish(self, password: str) -> None:
        """Write the binding files as they are with `password`."""
        write_binding(self.bindings, "db", self.server, self.name, (self.login, password))


def make_catalogue(server: PostgresServer, folder: Path) -> Catalogue:
    """A fresh login, a fresh database that it owns, and its binding files below `folder`."""
    name = f"catalog_{secrets.token_hex(4)}"
    password = secrets.token_urlsafe(12)
    catalogue = Catalogue(server, "postgres", name, folder / "bindings")
    with catalogue.admin() as admin:
        admin.execute(psycopg.sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(_name(name), password))
        admin.execute(psycopg.sql.SQL("CREATE DATABASE {0} OWNER {0}").format(_name(name)))
    ours = Catalogue(server, name, name, catalogue.bindings)
    ours.publish(password)
    return ours


@contextmanager
def table_locked(catalogue: Catalogue, table: str) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """Hold `table` so that no other session reads or writes it until the block ends; gives the holder's connection."""
    with catalogue.admin() as admin, admin.transaction():
        admin.execute(psycopg.sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(_name(table)))
        yield admin


def waiting_sessions(admin: psycopg.Connection[tuple[object, ...]]) -> int:
    """How many sessions of this database wait for a lock."""
    # Not pg_stat_activity, which shows a transaction the same picture for as long as it lasts.
    row = admin.execute(
        "SELECT count(*) FROM pg_locks JOIN pg_database d ON d.oid = database"
        " WHERE NOT granted AND datname = current_database()"
    ).fetchone()
    assert row is not None
    count = row[0]
    assert isinstance(count, int)
    return count


def drop_catalogue(catalogue: Catalogue) -> None:
    """Drop the database, whoever still holds it, and its login."""
    with Catalogue(catalogue.server, "postgres", catalogue.login, catalogue.bindings).admin() as admin:
        admin.execute(psycopg.sql.SQL("DROP DATABASE {} WITH (FORCE)").format(_name(catalogue.name)))
        admin.execute(psycopg.sql.SQL("DROP ROLE {}").format(_name(catalogue.login)))


def _name(text: str) -> psycopg.sql.Identifier:
    return psycopg.sql.Identifier(text)
