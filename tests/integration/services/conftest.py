"""Fixtures of the services' integration tests: a database of the test's own, and processes on it."""

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.plugins.catalogue import Catalogue, drop_catalogue, make_catalogue
from tests.plugins.postgres_server import PostgresServer
from tests.plugins.service_process import ServiceProcess


@pytest.fixture
def catalogue(postgres: PostgresServer, tmp_path: Path) -> Iterator[Catalogue]:
    """A database on the session's server."""
    made = make_catalogue(postgres, tmp_path)
    yield made
    drop_catalogue(made)


@pytest_asyncio.fixture(loop_scope="session")
async def product_on() -> AsyncIterator[Callable[..., ServiceProcess]]:
    """Makes product processes on a folder of bindings; whatever still runs at the end is killed."""
    made: list[ServiceProcess] = []

    def make(bindings: Path, **environment: str) -> ServiceProcess:
        made.append(ServiceProcess("product", bindings, **environment))
        return made[-1]

    yield make
    for process in made:
        await process.kill()


@pytest_asyncio.fixture(loop_scope="session")
async def product(catalogue: Catalogue, product_on: Callable[..., ServiceProcess]) -> ServiceProcess:
    """A product process that is ready, on the test's own database."""
    process = product_on(catalogue.bindings)
    await process.start()
    await process.wait_until_ready()
    return process
