"""What PostgreSQL's catalogs say, as plain values. Reads only; decides nothing."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from acme_operator.providers.postgres_names import Mark
from acme_operator.providers.postgres_session import Session

PUBLIC = ""
"""The grantee that stands for everybody."""


@dataclass(frozen=True, slots=True)
class Admin:
    """Who we are on the server, and what the server is."""

    superuser: bool
    version: str
    major: int
    writable: bool


@dataclass(frozen=True, slots=True)
class Membership:
    """One grant of a group to a role. `inherits` is false where the role has to SET ROLE first."""

    group: str
    grantor: str
    inherits: bool


@dataclass(frozen=True, slots=True)
class RoleState:
    """A role that is there."""

    name: str
    mark: Mark | None
    attributes: frozenset[str]
    expires: bool
    reachable: bool
    """Whether the administrator may act as this role."""
    memberships: tuple[Membership, ...]
    starts_as: Mapping[str, str]
    """By database (empty: any), the role that a session takes on at its start."""


@dataclass(frozen=True, slots=True)
class Guarded:
    """A thing with an access list. `clause` names it in a statement, `label` in a message."""

    kind: str
    clause: str
    label: str
    owned: bool
    """Whether it belongs to the database's owner group, who then needs no grant."""
    held: Mapping[str, frozenset[str]]
    """Privileges by grantee, of PUBLIC and of the groups that were asked for."""


async def read_admin(session: Session) -> Admin:
    """Who we are, what the server is."""
    [row] = await session.fetch(
        """select rolsuper, current_setting('server_version') as version, not pg_is_in_recovery() as writable,
                  current_setting('server_version_num')::int / 10000 as major
           from pg_roles where rolname = current_user"""
    )
    return Admin(row["rolsuper"], row["version"].split()[0], row["major"], row["writable"])


async def read_roles(session: Session, names: Iterable[str]) -> dict[str, RoleState]:
    """Those of `names` that are there."""
    wanted = list(names)
    roles = await session.fetch(_ROLES, wanted)
    members = await session.fetch(_MEMBERSHIPS, wanted)
    starts = await session.fetch(_STARTS_AS, wanted)
    return {row["name"]: _role(row, members, starts) for row in roles}


async def read_marks(session: Session) -> dict[str, Mark]:
    """Every role that carries a mark, whoever's it is."""
    rows = await session.fetch(
        """select rolname::text as name, shobj_description(oid, 'pg_authid') as comment
           from pg_roles where shobj_description(oid, 'pg_authid') is not null"""
    )
    marks = {row["name"]: Mark.parse(row["comment"]) for row in rows}
    return {name: mark for name, mark in marks.items() if mark}


async def read_databases(session: Session) -> dict[str, str]:
    """Each database that takes connections, with its owner."""
    rows = await session.fetch(
        "select datname::text as name, pg_get_userbyid(datdba)::text as owner from pg_database where datallowconn"
    )
    return {row["name"]: row["owner"] for row in rows}


async def read_extensions(session: Session) -> frozenset[str]:
    """Extensions of the session's database."""
    return frozenset(row["name"] for row in await session.fetch("select extname::text as name from pg_extension"))


async def read_available_extensions(session: Session) -> frozenset[str]:
    """Extensions that the server could create."""
    rows = await session.fetch("select name::text as name from pg_available_extensions")
    return frozenset(row["name"] for row in rows)


async def read_guarded(session: Session, query: str, *arguments: object) -> list[Guarded]:
    """The rows of one of the queries in `postgres_acl` as values."""
    return [_guarded(row) for row in await session.fetch(query, *arguments)]


async def read_dependents(session: Session, role: str) -> list[str]:
    """Databases that hold objects or grants of `role`; shared ones count for every database and are given once as ''."""
    rows = await session.fetch(_DEPENDENTS, role)
    return [row["name"] for row in rows]


_ATTRIBUTES = {
    "rolcanlogin": "LOGIN",
    "rolinherit": "INHERIT",
    "rolsuper": "SUPERUSER",
    "rolcreatedb": "CREATEDB",
    "rolcreaterole": "CREATEROLE",
    "rolreplication": "REPLICATION",
    "rolbypassrls": "BYPASSRLS",
}
_ROLES = """
select rolname::text as name, coalesce(shobj_description(oid, 'pg_authid'), '') as comment,
       rolcanlogin, rolinherit, rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls,
       rolvaliduntil is not null and rolvaliduntil <> 'infinity' as expires,
       pg_has_role(current_user, oid, 'USAGE') as reachable
from pg_roles where rolname = any($1::text[])"""
_MEMBERSHIPS = """
select member.rolname::text as role, granted.rolname::text as name,
       coalesce(grantor.rolname, '')::text as grantor, pg_has_role(m.member, m.roleid, 'USAGE') as inherits
from pg_auth_members m
join pg_roles member on member.oid = m.member
join pg_roles granted on granted.oid = m.roleid
left join pg_roles grantor on grantor.oid = m.grantor
where member.rolname = any($1::text[]) order by 1, 2, 3"""
_STARTS_AS = """
select r.rolname::text as role, coalesce(d.datname, '')::text as database, substr(setting, 6) as value
from pg_db_role_setting s
join pg_roles r on r.oid = s.setrole
left join pg_database d on d.oid = s.setdatabase
cross join lateral unnest(s.setconfig) as setting
where r.rolname = any($1::text[]) and setting like 'role=%'"""
# Memberships are shared dependencies too from PostgreSQL 16 on, and go with the role by themselves.
_DEPENDENTS = """
select distinct coalesce(d.datname, '')::text as name
from pg_shdepend s left join pg_database d on d.oid = s.dbid
where s.refclassid = 'pg_authid'::regclass and s.classid <> 'pg_auth_members'::regclass
  and s.refobjid = (select oid from pg_roles where rolname = $1::text)
order by 1"""


def _role(row: Any, members: list[Any], starts: list[Any]) -> RoleState:
    name = row["name"]
    return RoleState(
        name=name,
        mark=Mark.parse(row["comment"]),
        attributes=frozenset(word for column, word in _ATTRIBUTES.items() if row[column]),
        expires=row["expires"],
        reachable=row["reachable"],
        memberships=tuple(Membership(m["name"], m["grantor"], m["inherits"]) for m in members if m["role"] == name),
        starts_as={s["database"]: s["value"] for s in starts if s["role"] == name},
    )


def _guarded(row: Any) -> Guarded:
    held: dict[str, set[str]] = {}
    for entry in row["held"]:
        grantee, _, privilege = entry.rpartition("/")
        held.setdefault(grantee, set()).add(privilege)
    frozen = {grantee: frozenset(privileges) for grantee, privileges in held.items()}
    return Guarded(row["kind"], row["clause"], row["label"], row["owned"], frozen)
