"""What a person reads when the database is away."""

import errno
import socket
import ssl
from pathlib import Path

import asyncpg
import pytest

from acme_services.chassis.bindings import PostgresBinding
from acme_services.chassis.database_errors import AWAY, reason

BINDING = PostgresBinding("db.shop", 5432, "catalog", "product-a", "s3cret", "verify-full", "PEM", Path("/b/ca"))


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ConnectionRefusedError(), "refuses or drops the connection"),
        (TimeoutError(), "does not answer in time"),
        (socket.gaierror(), "does not resolve"),
        (OSError(errno.ENETUNREACH, "Network is unreachable"), "cannot be reached: network is unreachable"),
        (ssl.SSLError(), "TLS"),
        (asyncpg.InvalidPasswordError(), "refuses the login product-a"),
        (asyncpg.InvalidCatalogNameError(), "does not exist there"),
        (asyncpg.CannotConnectNowError(), "starting up"),
        (asyncpg.TooManyConnectionsError(), "fails with TooManyConnectionsError"),
    ],
)
def test_the_reason_names_the_database_and_what_is_wrong(error: Exception, words: str) -> None:
    sentence = reason(error, BINDING)

    assert sentence.startswith("database catalog at db.shop:5432 ")
    assert words in sentence
    assert "s3cret" not in sentence


@pytest.mark.parametrize(
    "error",
    [
        ConnectionResetError,
        asyncpg.AdminShutdownError,
        asyncpg.DeadlockDetectedError,
        asyncpg.ConnectionDoesNotExistError,
    ],
)
def test_what_may_pass_is_told_from_what_is_wrong_with_the_request(error: type[Exception]) -> None:
    assert issubclass(error, AWAY)
    assert not issubclass(asyncpg.UniqueViolationError, AWAY)
