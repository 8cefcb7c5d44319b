"""The provider on the shared server, for every test of this folder that asks for it."""

import secrets
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from acme_operator.providers.contract import Server
from acme_operator.providers.postgres import Postgres
from tests.plugins.postgres_server import PostgresServer


@pytest.fixture
def server(postgres: PostgresServer) -> Server:
    """The administrator's way in."""
    return Server(postgres.host, postgres.port, postgres.superuser, postgres.password, postgres.ca_pem)


@pytest.fixture
def name() -> str:
    """A database name of the test's own, as the server is shared."""
    return f"db_{secrets.token_hex(4)}"


@pytest_asyncio.fixture
async def provider(server: Server) -> AsyncIterator[Postgres]:
    """The provider on behalf of shop/shop-db."""
    async with Postgres(server, owner="shop/shop-db") as opened:
        yield opened
