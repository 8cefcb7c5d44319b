"""PostgreSQL as a provider: databases with three groups each, and a login per consumer that belongs to exactly one of them.

Each call reads the catalogs, plans, and does only what differs; it knows no Kubernetes object and keeps nothing between calls.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from enum import Enum, auto
from functools import partial
from types import TracebackType
from typing import Self

import asyncpg

from acme_operator.api.access import Access
from acme_operator.providers import postgres_acl as acl
from acme_operator.providers import postgres_catalog as catalog
from acme_operator.providers import postgres_plan as plan
from acme_operator.providers.contract import Change, Health, Login, LoginState, Observed, Server
from acme_operator.providers.errors import (
    BadCredentials,
    ExtensionMissing,
    Forbidden,
    LoginRefused,
    Unreachable,
    VersionTooOld,
    recorded,
)
from acme_operator.providers.postgres_names import (
    check_database_name,
    check_role_name,
    identifier,
)
from acme_operator.providers.postgres_session import Session, connect, open_session
from acme_operator.providers.scram import verifier

MAINTENANCE = "postgres"
"""The database that every server has, in which roles and databases are worked on."""
OLDEST_VERSION = 14
_LOCK_KEY = int.from_bytes(b"acme-ope")
"""One worker at a time alters a server: concurrent GRANTs on one object fail inside PostgreSQL."""

_Plan = Callable[[], Awaitable[list[acl.Step]]]


class _Proof(Enum):
    """What the server said to a login."""

    ACCEPTED = auto()
    WRONG_PASSWORD = auto()
    REFUSED = auto()


class Postgres:
    """A connection as administrator on behalf of `owner` (namespace/name of a datastore), for the length of a `with`.

    Roles that do not carry the owner's mark are never touched; an existing database is taken over and never dropped.
    """

    def __init__(self, server: Server, *, owner: str) -> None:
        self._server = server
        self._owner = owner
        self._lock = asyncio.Lock()

    async def __aenter__(self) -> Self:
        """Connect. Raises a ProviderError."""
        self._session = await connect(self._server, MAINTENANCE)
        try:
            self._admin = await self._read_admin()
        except BaseException:
            await self._session.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Disconnect."""
        await self._session.close()

    async def health(self) -> Health:
        """The server's own word: its version, and whether it is a primary."""
        admin = await catalog.read_admin(self._session)
        return Health(admin.version, admin.writable)

    async def observe(self) -> Observed:
        """The owner's databases with their extensions, and his logins."""
        marks = await catalog.read_marks(self._session)
        ours = {role: mark for role, mark in marks.items() if mark.owner == self._owner}
        owners = await catalog.read_databases(self._session)
        databases = {}
        for role, mark in ours.items():
            if mark.kind == "group" and owners.get(mark.database) == role:
                async with open_session(self._server, mark.database) as session:
                    databases[mark.database] = await catalog.read_extensions(session)
        logins = {role: LoginState(mark.database, mark.access) for role, mark in ours.items() if mark.kind == "login"}
        return Observed(self._admin.version, databases, logins)

    async def ensure_database(self, name: str, extensions: Iterable[str] = ()) -> list[Change]:
        """Make the database, its three groups, their grants and the extensions be there.

        PUBLIC loses its way in; objects that are there already and may be granted on are opened to the groups. An extension
        that is not asked for stays. Raises BadName, ForeignRole, ExtensionMissing, Forbidden and what a connection raises.
        """
        check_database_name(name)
        with recorded() as changes:
            await self._settle(self._session, partial(self._plan_database, name), changes)
            cause = plan.ABSENT if any(change.action == "created" for change in changes) else plan.DRIFT
            await self._settle(self._session, partial(self._plan_way_in, name, cause), changes)
            async with open_session(self._server, name) as inside:
                await self._settle(inside, partial(self._plan_inside, inside, name, cause), changes)
                await self._settle(inside, partial(self._plan_extensions, inside, frozenset(extensions)), changes)
        return changes

    async def ensure_login(self, login: Login) -> list[Change]:
        """Make the login be there with exactly its access, and prove that it gets in.

        A reduced access ends the login's sessions. Raises BadName, ForeignRole, NoDatabase, LoginRefused and what a
        connection raises.
        """
        check_role_name(login.role)
        verifier(login.password)  # a password that could never be set is said before anything is made
        wanted = plan.wanted_login(self._owner, login)
        with recorded() as changes:
            await self._settle(self._session, partial(self._plan_login, wanted), changes)
            fresh = any(change.action == "created" for change in changes)
            await self._settle_password(login, changes, fresh=fresh)
        return changes

    async def proves_login(self, login: Login) -> bool:
        """Whether the login really gets into its database with its password."""
        return await self._prove(login) is _Proof.ACCEPTED

    async def drop_login(self, role: str) -> list[Change]:
        """End the login's sessions and remove it; whatever it owns passes to the owner of the database it is in.

        Raises ForeignRole when the role is not a login of this owner.
        """
        async with self._alone():
            seen = (await catalog.read_roles(self._session, [role])).get(role)
            if seen is None:
                return []
            with recorded() as changes:
                await self._carry_out(self._session, plan.drop_steps(self._owner, seen, self._admin), changes)
                for database in await catalog.read_dependents(self._session, role):
                    await self._disown(database or MAINTENANCE, role)
                await self._carry_out(self._session, [plan.drop_step(role)], changes)
        return changes

    async def _read_admin(self) -> catalog.Admin:
        admin = await catalog.read_admin(self._session)
        if admin.major < OLDEST_VERSION:
            raise VersionTooOld(
                f"{self._server.address} runs PostgreSQL {admin.version}: upgrade it to {OLDEST_VERSION} or newer"
            )
        return admin

    async def _plan_database(self, name: str) -> list[acl.Step]:
        wanted = [plan.wanted_group(self._owner, name, access) for access in Access]
        seen = await catalog.read_roles(self._session, [role.name for role in wanted])
        steps = [step for role in wanted for step in plan.role_steps(role, seen.get(role.name), self._admin)]
        current = (await catalog.read_databases(self._session)).get(name)
        return steps + plan.database_step(name, current)

    async def _plan_way_in(self, name: str, cause: str) -> list[acl.Step]:
        groups = acl.groups(name)
        things = await catalog.read_guarded(
            self._session, acl.DATABASE, groups[Access.OWNER], list(groups.values()), name
        )
        return acl.grant_steps(name, things, cause=cause)

    async def _plan_extensions(self, inside: Session, wanted: frozenset[str]) -> list[acl.Step]:
        missing = sorted(wanted - await catalog.read_extensions(inside)) if wanted else []
        if not missing:
            return []
        unknown = sorted(set(missing) - await catalog.read_available_extensions(inside))
        if unknown:
            raise ExtensionMissing(
                f"{self._server.address} has no extension {', '.join(unknown)}: install it on the server, or take it out of "
                "the list"
            )
        # The script of an extension goes where new objects go by default; our own path would put it beside PostgreSQL's.
        return [
            acl.Step(
                Change("created", f"extension {name}", plan.ABSENT),
                ("SET LOCAL search_path = public", f"CREATE EXTENSION IF NOT EXISTS {identifier(name)} CASCADE"),
                slow=True,
            )
            for name in missing
        ]

    async def _plan_inside(self, inside: Session, name: str, cause: str) -> list[acl.Step]:
        groups = acl.groups(name)
        arguments = (groups[Access.OWNER], list(groups.values()))
        things = await catalog.read_guarded(inside, acl.SCHEMAS, *arguments)
        things += await catalog.read_guarded(inside, acl.RELATIONS, *arguments)
        future = await catalog.read_guarded(inside, acl.DEFAULTS, *arguments)
        return [
            *acl.grant_steps(name, things, cause=cause),
            *acl.grant_steps(name, future, cause=cause, future=True),
        ]

    async def _plan_login(self, wanted: plan.Wanted) -> list[acl.Step]:
        seen = await catalog.read_roles(self._session, [wanted.name, wanted.member_of])
        return plan.login_steps(wanted, seen, self._admin)

    async def _settle(self, session: Session, make_plan: _Plan, changes: list[Change]) -> None:
        """Carry the plan out; it is made again under the lock, as another worker may have been quicker."""
        if not await make_plan():
            return
        async with self._alone():
            await self._carry_out(session, await make_plan(), changes)

    @staticmethod
    async def _carry_out(session: Session, steps: Iterable[acl.Step], changes: list[Change]) -> None:
        for step in steps:
            await session.execute(step.statements, slow=step.slow)
            changes.append(step.change)

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[None]:
        # The server's lock belongs to the session, which tasks of this object share: hence one of our own around it.
        async with self._lock:
            await self._session.fetch("select pg_advisory_lock($1::bigint)", _LOCK_KEY)
            try:
                yield
            finally:
                with suppress(Unreachable):  # a lost connection has given the lock back already
                    await self._session.fetch("select pg_advisory_unlock($1::bigint)", _LOCK_KEY)

    async def _settle_password(self, login: Login, changes: list[Change], *, fresh: bool) -> None:
        proof = _Proof.WRONG_PASSWORD if fresh else await self._prove(login)
        if proof is _Proof.WRONG_PASSWORD:
            async with self._alone():
                await self._carry_out(self._session, [plan.password_step(login, fresh=fresh)], changes)
            proof = await self._prove(login)
        if proof is not _Proof.ACCEPTED:
            raise LoginRefused(
                f"{self._server.address} turns login {login.role} away from database {login.database} though role and "
                "password are right: see the server's pg_hba rules, and that the database was ensured"
            )

    async def _prove(self, login: Login) -> _Proof:
        server = replace(self._server, username=login.role, password=login.password)
        try:
            async with open_session(server, login.database):
                return _Proof.ACCEPTED
        except BadCredentials as exc:
            wrong = isinstance(exc.__cause__, asyncpg.InvalidPasswordError)
            return _Proof.WRONG_PASSWORD if wrong else _Proof.REFUSED
        except Forbidden:
            return _Proof.REFUSED

    async def _disown(self, database: str, role: str) -> None:
        """Pass what `role` owns in a database to the database's owner, and take its grants away there."""
        heir = (await catalog.read_databases(self._session))[database]
        async with open_session(self._server, database) as inside:
            await inside.execute(
                [
                    f"REASSIGN OWNED BY {identifier(role)} TO {identifier(heir)}",
                    f"DROP OWNED BY {identifier(role)}",
                ]
            )
