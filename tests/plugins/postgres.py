"""Fixtures of a real PostgreSQL server with TLS: one shared by a session, and one a test may break."""

from collections.abc import Iterator

import pytest

from tests.plugins.postgres_server import PostgresServer, binaries


def _started() -> PostgresServer:
    folder = binaries()
    if folder is None:
        pytest.skip("PostgreSQL's server is not installed: `apt-get install postgresql` provides initdb and postgres")
    server = PostgresServer(folder)
    try:
        server.create()
        server.start()
    except BaseException:
        server.remove()
        raise
    return server


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """The session's server, which tests share and never stop."""
    server = _started()
    yield server
    server.remove()


@pytest.fixture
def own_postgres() -> Iterator[PostgresServer]:
    """A server of the test's own, to be crashed and started at will."""
    server = _started()
    yield server
    server.remove()
