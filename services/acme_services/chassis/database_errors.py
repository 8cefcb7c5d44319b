"""Which errors mean that the database is away, and what to tell a person about each; told apart by class only."""

import socket
import ssl
from collections.abc import Mapping

import asyncpg

from acme_services.chassis.bindings import PostgresBinding

# The same request may succeed later: the server, the network or a rival transaction was in the way, not the request.
# InterfaceError is what asyncpg raises for a connection that died between two statements.
AWAY: tuple[type[Exception], ...] = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.TransactionRollbackError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCachedStatementError,
    asyncpg.InterfaceError,
)

# The first that fits, so a narrow class stands before its parents.
_SENTENCES: Mapping[type[Exception], str] = {
    ssl.SSLError: "does not speak TLS as we do",
    TimeoutError: "does not answer in time",
    socket.gaierror: "cannot be found: the host name does not resolve",
    ConnectionError: "refuses or drops the connection",
    asyncpg.InvalidCatalogNameError: "does not exist there",
    asyncpg.CannotConnectNowError: "is starting up or shutting down",
}


def reason(error: Exception, binding: PostgresBinding | None) -> str:
    """A sentence on why the database does not serve us, with the address and without any credential."""
    if binding is None:
        return f"the database's binding cannot be read: {type(error).__name__}"
    return f"database {binding.database} at {binding.host}:{binding.port} {_predicate(error, binding)}"


def _predicate(error: Exception, binding: PostgresBinding) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"shows a certificate that the binding's certificates do not vouch for: {error.verify_message}"
    if isinstance(error, asyncpg.InvalidAuthorizationSpecificationError):
        return f"refuses the login {binding.username}"
    if type(error) is OSError and error.strerror:
        return f"cannot be reached: {error.strerror.lower()}"
    known = (sentence for kind, sentence in _SENTENCES.items() if isinstance(error, kind))
    return next(known, f"fails with {type(error).__name__}")
