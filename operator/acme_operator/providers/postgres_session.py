"""One connection to PostgreSQL: TLS, time limits, and every failure turned into our own tree. Knows no role or grant."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, nullcontext
from typing import Any

import asyncpg

from acme_operator.providers import errors
from acme_operator.providers.contract import Server

CONNECT_SECONDS = 5.0
COMMAND_SECONDS = 10.0
SLOW_COMMAND_SECONDS = 120.0
"""For CREATE DATABASE and CREATE EXTENSION, which copy and compile; cut short, they would start from nothing each time."""
_CLOSE_SECONDS = 2.0
# An owner of a database may create functions and operators in it; a fixed path keeps them out of an administrator's
# statements. The lock limit ends a wait on the server before our own limit ends the connection.
_SETTINGS = {
    "application_name": "acme-operator",
    "search_path": "pg_catalog",
    "standard_conforming_strings": "on",
    "lock_timeout": "8s",
}


class Session:
    """An open connection; statements of several tasks take turns."""

    def __init__(self, connection: Any, address: str) -> None:
        self._connection = connection
        self._address = address
        self._turn = asyncio.Lock()

    async def fetch(self, query: str, *arguments: object) -> list[Any]:
        """The rows of a query."""
        async with self._turn:
            with translated(self._address):
                return list(await self._connection.fetch(query, *arguments))

    async def execute(self, statements: Sequence[str], *, slow: bool = False) -> None:
        """Run several statements as one transaction, or a single one by itself: CREATE DATABASE can't be in one."""
        limit = SLOW_COMMAND_SECONDS if slow else COMMAND_SECONDS
        async with self._turn:
            with translated(self._address):
                async with self._connection.transaction() if len(statements) > 1 else nullcontext():
                    for statement in statements:
                        await self._connection.execute(statement, timeout=limit)

    async def close(self) -> None:
        """End the connection, politely if the server still answers."""
        try:
            await self._connection.close(timeout=_CLOSE_SECONDS)
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            self._connection.terminate()


@asynccontextmanager
async def open_session(server: Server, database: str) -> AsyncIterator[Session]:
    """A session on `database`, closed at the end. Raises a ProviderError."""
    session = await connect(server, database)
    try:
        yield session
    finally:
        await session.close()


async def connect(server: Server, database: str) -> Session:
    """A session on `database`, to be closed by the caller. Raises a ProviderError."""
    with translated(server.address, user=server.username, database=database):
        connection = await asyncpg.connect(
            host=server.host,
            port=server.port,
            user=server.username,
            password=server.password,
            database=database,
            ssl=_tls(server),
            timeout=CONNECT_SECONDS,
            command_timeout=COMMAND_SECONDS,
            server_settings=_SETTINGS,
        )
    return Session(connection, server.address)


def _tls(server: Server) -> ssl.SSLContext | bool:
    if server.sslmode == "disable":
        return False
    try:
        context = ssl.create_default_context(cadata=server.ca)
    except ssl.SSLError as exc:
        raise errors.BadCertificate(
            f"the CA given for {server.address} is not a PEM certificate: put the certificate of its authority there"
        ) from exc
    if server.sslmode == "require":
        # As libpq does: no host name, and a chain only where an authority was named.
        context.check_hostname = False
        context.verify_mode = ssl.CERT_REQUIRED if server.ca else ssl.CERT_NONE
    return context


@contextmanager
def translated(address: str, *, user: str = "", database: str = "") -> Iterator[None]:
    """Turn what the driver raises into a ProviderError that names the server and the next step."""
    try:
        yield
    except UnicodeError as exc:
        # The resolver's answer to a label that no host name may have.
        raise errors.Unreachable(f"the host name of {address} is malformed: check its spelling") from exc
    except (OSError, asyncpg.InterfaceError, asyncpg.InternalClientError) as exc:
        raise _from_network(exc, address) from exc
    except asyncpg.PostgresError as exc:
        raise _from_server(exc, address, user, database) from exc


def _from_network(exc: Exception, address: str) -> errors.ProviderError:
    if isinstance(exc, ssl.SSLCertVerificationError):
        return errors.BadCertificate(
            f"the certificate of {address} is not to be trusted ({exc.verify_message}): "
            "give the CA that signed it, and the host name that stands in it"
        )
    if isinstance(exc, TimeoutError):
        return errors.TimedOut(f"{address} did not answer in time: see whether the server is overloaded or cut off")
    if isinstance(exc, socket.gaierror):
        return errors.Unreachable(f"the host name of {address} is not known: check spelling and DNS")
    if isinstance(exc, ConnectionRefusedError):
        return errors.Unreachable(f"nothing listens at {address}: see whether the server runs and the port is right")
    return errors.Unreachable(
        f"the connection to {address} was lost or is not PostgreSQL with TLS ({type(exc).__name__}): "
        "see the server's log, and whether it offers TLS"
    )


_Sentence = tuple[type[errors.ProviderError], str]
# Ordered from the special to the general, as the driver's classes inherit from one another.
_BY_CLASS: Sequence[tuple[type[asyncpg.PostgresError], _Sentence]] = (
    (
        asyncpg.InvalidAuthorizationSpecificationError,
        (
            errors.BadCredentials,
            "{address} turned the login {user!r} away: check name and password, and its pg_hba rules",
        ),
    ),
    (
        asyncpg.InvalidCatalogNameError,
        (errors.NoDatabase, "{address} has no database {database!r}: create it, or declare it on the datastore"),
    ),
    (
        asyncpg.TooManyConnectionsError,
        (errors.Overloaded, "{address} has no connection left: raise max_connections or close idle clients"),
    ),
    (
        asyncpg.ReadOnlySQLTransactionError,
        (errors.NotWritable, "{address} takes no writes: name the primary, not a standby"),
    ),
    (
        asyncpg.LockNotAvailableError,
        (errors.TimedOut, "{address} could not get a lock in time: another session holds it; it is tried again"),
    ),
    (
        asyncpg.OperatorInterventionError,
        (errors.Unreachable, "{address} is starting or shutting down: it is tried again"),
    ),
    (
        asyncpg.PostgresConnectionError,
        (errors.Unreachable, "the connection to {address} was lost: it is tried again"),
    ),
)


def _from_server(exc: asyncpg.PostgresError, address: str, user: str, database: str) -> errors.ProviderError:
    if isinstance(exc, asyncpg.InsufficientPrivilegeError):
        return errors.Forbidden(
            f"{address} says: {exc.message}; grant it to the administrator's login, or name another"
        )
    for kind, (ours, sentence) in _BY_CLASS:
        if isinstance(exc, kind):
            return ours(sentence.format(address=address, user=user, database=database))
    return errors.Refused(f"{address} refused a statement: {exc.message} (SQLSTATE {exc.sqlstate})")
