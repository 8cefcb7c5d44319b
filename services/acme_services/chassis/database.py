"""The connection to PostgreSQL: kept up for the life of the process, never needed for the process to live.

Every new connection reads the binding's files again, so a rotated login needs no restart.
"""

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import asyncpg

from acme_services.chassis.backoff import Backoff, spread
from acme_services.chassis.bindings import BindingError, PostgresBinding
from acme_services.chassis.database_errors import AWAY, reason
from acme_services.chassis.migrations import MigrationError, migrate
from acme_services.chassis.readiness import Readiness
from acme_services.kernel.errors import Unavailable

_log = logging.getLogger(__name__)

type Connection = asyncpg.Connection | asyncpg.pool.PoolConnectionProxy

_CONNECT_SECONDS = 5.0
_ACQUIRE_SECONDS = 5.0
_CLOSE_SECONDS = 5.0
_CHECK_EVERY = 2.0


class Database:
    """A pool that comes and goes with the server; `keep` must run beside whatever uses the connections."""

    def __init__(
        self, binding: Callable[[], PostgresBinding], migrations: Path, readiness: Readiness, pool_size: int
    ) -> None:
        self._read_binding = binding
        self._migrations = migrations
        self._readiness = readiness
        self._pool_size = pool_size
        self._used: PostgresBinding | None = None
        self._pool: asyncpg.Pool | None = None
        # The check has its own connection: a pool in full use is busy, not broken.
        self._probe: asyncpg.Connection | None = None
        readiness.report("database", "not tried yet")

    async def keep(self) -> None:
        """Migrate and open as soon as the server lets us, then watch it; reports readiness, runs until cancelled."""
        backoff = Backoff()
        while True:
            problem = await self._problem()
            self._tell(problem)
            if problem is None:
                backoff.reset()
            await asyncio.sleep(spread(_CHECK_EVERY) if problem is None else backoff.delay())

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A connection for statements that need no transaction; Unavailable when there is none to be had."""
        if self._pool is None:
            raise Unavailable("the database is not ready: try again later")
        try:
            async with self._pool.acquire(timeout=_ACQUIRE_SECONDS) as connection:
                yield connection
        except AWAY as error:
            _log.warning("database lost in a call", extra={"error": type(error).__name__})
            raise Unavailable("the database does not answer: try again later") from error

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """A connection in a transaction: committed when the block ends, undone when it raises. As `connection`."""
        async with self.connection() as connection, connection.transaction():
            yield connection

    async def close(self) -> None:
        """Give every connection back to the server; calls in flight were drained before."""
        await self._drop_probe()
        if self._pool is None:
            return
        try:
            await asyncio.wait_for(self._pool.close(), _CLOSE_SECONDS)
        except TimeoutError:
            self._pool.terminate()

    def _tell(self, problem: str | None) -> None:
        known = self._readiness.reasons.get("database")
        if problem != known:
            _log.log(
                logging.INFO if problem is None else logging.WARNING,
                "database ready" if problem is None else "database not ready",
                extra={} if problem is None else {"reason": problem},
            )
        self._readiness.report("database", problem)

    async def _problem(self) -> str | None:
        binding: PostgresBinding | None = None
        try:
            binding = self._read_binding()
            await self._follow(binding)
            await self._check(binding)
            await self._open(binding)
        except (BindingError, MigrationError) as error:
            return str(error)
        except (*AWAY, asyncpg.PostgresError) as error:
            await self._drop_probe()
            return reason(error, binding)
        except Exception as error:  # the outermost loop of this job: what we did not foresee may pass as well
            _log.exception("database check failed")
            return reason(error, binding)
        return None

    async def _follow(self, binding: PostgresBinding) -> None:
        if self._used not in (None, binding):
            _log.info("database binding changed")
            await self._drop_probe()
            if self._pool is not None:
                await self._pool.expire_connections()
        self._used = binding

    async def _check(self, binding: PostgresBinding) -> None:
        if self._probe is None or self._probe.is_closed():
            self._probe = await connect(binding)
        await self._probe.execute("SELECT 1", timeout=_CONNECT_SECONDS)

    async def _open(self, binding: PostgresBinding) -> None:
        if self._pool is not None:
            return
        applied = await asyncio.to_thread(migrate, binding, self._migrations)
        if applied:
            _log.info("database migrated", extra={"migrations": applied})
        self._pool = await asyncpg.create_pool(min_size=0, max_size=self._pool_size, connect=self._connect)

    async def _connect(self, *_: object, **options: Any) -> asyncpg.Connection:
        try:
            return await connect(self._read_binding(), **options)
        except BindingError as error:
            raise Unavailable("the database's binding cannot be read: try again later") from error

    async def _drop_probe(self) -> None:
        probe, self._probe = self._probe, None
        if probe is not None:
            with suppress(*AWAY):
                await probe.close(timeout=1)


async def connect(binding: PostgresBinding, **options: Any) -> asyncpg.Connection:
    """A connection to what `binding` names, verified as it says; raises as asyncpg does, within five seconds."""
    return await asyncpg.connect(
        host=binding.host,
        port=binding.port,
        user=binding.username,
        password=binding.password,
        database=binding.database,
        ssl=_tls(binding),
        timeout=_CONNECT_SECONDS,
        **options,
    )


def _tls(binding: PostgresBinding) -> ssl.SSLContext | bool:
    if binding.sslmode == "disable":
        return False
    if binding.sslmode == "require":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    try:
        context = ssl.create_default_context(cadata=binding.certificates)
    except ssl.SSLError as error:
        raise BindingError(f"binding file {binding.certificates_file} holds no certificate in PEM form") from error
    # The default from Python 3.13 on; said here so that every version refuses the same certificates.
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    return context
