"""Who may do what inside a database: the rights of the three groups, and the statements that bring access lists to them.

Pure but for the text of the queries, which all give the columns kind, clause, label, owned and held."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from acme_operator.api.access import Access
from acme_operator.providers.contract import Change
from acme_operator.providers.postgres_catalog import PUBLIC, Guarded
from acme_operator.providers.postgres_names import group, identifier


@dataclass(frozen=True, slots=True)
class Step:
    """One change and the statements that make it, which stand or fall together; a single one is run outside a transaction."""

    change: Change
    statements: tuple[str, ...]
    slow: bool = False
    """True for what copies or compiles and so gets the long limit."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What a group has to hold on a thing, and what it may hold at most (None: whatever the owner gave it)."""

    must: frozenset[str]
    may: frozenset[str] | None


def _exactly(*privileges: str) -> Rule:
    return Rule(frozenset(privileges), frozenset(privileges))


def _at_least(*privileges: str) -> Rule:
    return Rule(frozenset(privileges), None)


_WRITE = ("SELECT", "INSERT", "UPDATE", "DELETE")
# ReadOnly is exact everywhere, or the word would be a lie; what an owner gives ReadWrite beyond rows is his to give.
RIGHTS: Mapping[str, Mapping[Access, Rule]] = {
    "database": {
        Access.OWNER: _at_least("CONNECT", "TEMPORARY", "CREATE"),
        Access.READ_WRITE: _exactly("CONNECT", "TEMPORARY"),
        Access.READ_ONLY: _exactly("CONNECT"),
    },
    "schema": {
        Access.OWNER: _at_least("USAGE", "CREATE"),
        Access.READ_WRITE: _exactly("USAGE"),
        Access.READ_ONLY: _exactly("USAGE"),
    },
    "table": {
        Access.OWNER: _at_least(*_WRITE, "TRUNCATE", "REFERENCES", "TRIGGER"),
        Access.READ_WRITE: _at_least(*_WRITE),
        Access.READ_ONLY: _exactly("SELECT"),
    },
    "sequence": {
        Access.OWNER: _at_least("USAGE", "SELECT", "UPDATE"),
        Access.READ_WRITE: _at_least("USAGE", "SELECT", "UPDATE"),
        Access.READ_ONLY: _exactly("SELECT"),
    },
}
# A login reaches its own database only, and makes objects only where its group lets it.
_PUBLIC_MAY: Mapping[str, frozenset[str]] = {"database": frozenset(), "schema": frozenset({"USAGE"})}

_HELD = """array(select coalesce(g.rolname, '') || '/' || a.privilege_type
             from aclexplode({acl}) a left join pg_roles g on g.oid = a.grantee
             where a.grantee = 0 or g.rolname = any($2::text[])) as held"""
# Arguments of each: the owner group, and all three groups.
DATABASE = f"""
select 'database' as kind, 'DATABASE ' || quote_ident(datname) as clause, 'database ' || datname as label,
       pg_get_userbyid(datdba) = $1::text as owned, {_HELD.format(acl="coalesce(datacl, acldefault('d', datdba))")}
from pg_database where datname = $3::text"""
_MINE = "pg_has_role(current_user, {owner}, 'USAGE')"
_NOT_SYSTEM = "nspname !~ '^pg_' and nspname <> 'information_schema'"
SCHEMAS = f"""
select 'schema' as kind, 'SCHEMA ' || quote_ident(nspname) as clause, 'schema ' || nspname as label,
       pg_has_role($1::text, nspowner, 'USAGE') as owned, {_HELD.format(acl="coalesce(nspacl, acldefault('n', nspowner))")}
from pg_namespace n where {_NOT_SYSTEM} and {_MINE.format(owner="nspowner")}
  and not exists (select from pg_depend d where d.classid = 'pg_namespace'::regclass and d.objid = n.oid and d.deptype = 'e')
order by nspname"""
RELATIONS = f"""
select case relkind when 'S' then 'sequence' else 'table' end as kind,
       case relkind when 'S' then 'SEQUENCE ' else 'TABLE ' end || quote_ident(nspname) || '.' || quote_ident(relname) as clause,
       case relkind when 'S' then 'sequence ' else 'table ' end || nspname || '.' || relname as label,
       pg_has_role($1::text, relowner, 'USAGE') as owned,
       {_HELD.format(acl="coalesce(relacl, acldefault(case relkind when 'S' then 's'::" + '"char"' + " else 'r' end, relowner))")}
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where relkind in ('r', 'p', 'v', 'm', 'f', 'S') and {_NOT_SYSTEM} and {_MINE.format(owner="relowner")}
  and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
order by nspname, relname"""
# What the owner group's future objects will carry. Its own default privileges are implied, so it counts as owner.
DEFAULTS = f"""
select k.kind, k.clause, 'future ' || lower(k.clause) || ' of ' || $1::text as label, true as owned,
       {_HELD.format(acl="d.defaclacl")}
from (values ('table', 'TABLES', 'r'), ('sequence', 'SEQUENCES', 'S'), ('schema', 'SCHEMAS', 'n')) k (kind, clause, type)
left join pg_default_acl d on d.defaclobjtype = k.type::"char" and d.defaclnamespace = 0
  and d.defaclrole = (select oid from pg_roles where rolname = $1::text)"""


def groups(database: str) -> dict[Access, str]:
    """The three groups of a database."""
    return {access: group(database, access) for access in Access}


def grant_steps(database: str, things: Iterable[Guarded], *, cause: str, future: bool = False) -> list[Step]:
    """What brings the access lists of `things` to the rights; `future` where they are default privileges."""
    prefix = f"ALTER DEFAULT PRIVILEGES FOR ROLE {identifier(group(database, Access.OWNER))} " if future else ""
    steps: list[Step] = []
    for thing in things:
        for grantee, rule in _rules(database, thing, future=future):
            steps += _steps(thing, grantee, rule, prefix, cause)
    return steps


def _rules(database: str, thing: Guarded, *, future: bool) -> list[tuple[str, Rule]]:
    rules = [
        (group(database, access), rule)
        for access, rule in RIGHTS[thing.kind].items()
        if not (thing.owned and access is Access.OWNER)
    ]
    if thing.kind in _PUBLIC_MAY and not future:
        rules.append((PUBLIC, Rule(frozenset(), _PUBLIC_MAY[thing.kind])))
    return rules


def _steps(thing: Guarded, grantee: str, rule: Rule, prefix: str, cause: str) -> list[Step]:
    held = thing.held.get(grantee, frozenset())
    missing, surplus = rule.must - held, held - (rule.may if rule.may is not None else held)
    role = identifier(grantee) if grantee else "PUBLIC"
    steps = []
    if missing:
        words = ", ".join(sorted(missing))
        change = Change("granted", f"{words} on {thing.label} to {grantee or 'PUBLIC'}", cause)
        steps.append(Step(change, (f"{prefix}GRANT {words} ON {thing.clause} TO {role}",)))
    if surplus:
        words = ", ".join(sorted(surplus))
        change = Change("revoked", f"{words} on {thing.label} from {grantee or 'PUBLIC'}", cause)
        steps.append(Step(change, (f"{prefix}REVOKE {words} ON {thing.clause} FROM {role}",)))
    return steps
