"""What has to be done to roles and databases, decided from what the catalogs said. Pure: no statement is run here."""

from collections.abc import Mapping
from dataclasses import dataclass

from acme_operator.api.access import Access
from acme_operator.providers.contract import Change, Login
from acme_operator.providers.errors import ForeignRole, NoDatabase
from acme_operator.providers.postgres_acl import Step
from acme_operator.providers.postgres_catalog import Admin, RoleState
from acme_operator.providers.postgres_names import Mark, group, identifier, literal
from acme_operator.providers.scram import verifier

ABSENT = "it was not there"
DRIFT = "it differed from what is declared"
UNWANTED = "it is no longer declared"
_POWERS = ("SUPERUSER", "CREATEDB", "CREATEROLE", "REPLICATION", "BYPASSRLS")
_EXPLICIT_MEMBERSHIP = 16
"""The major version from which memberships carry INHERIT and SET options and belong to their grantor."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A role as it should be."""

    name: str
    mark: Mark
    member_of: str = ""
    starts_as: str = ""
    """The role that its sessions take on in its database; empty for none."""

    @property
    def attributes(self) -> frozenset[str]:
        """A login may log in, a group may not; neither may anything else."""
        return frozenset({"INHERIT", "LOGIN"} if self.mark.kind == "login" else {"INHERIT"})


def wanted_group(owner: str, database: str, access: Access) -> Wanted:
    """One of a database's three groups."""
    return Wanted(group(database, access), Mark(owner, "group", access, database))


def wanted_login(owner: str, login: Login) -> Wanted:
    """A consumer's login. An owner's sessions act as the group, so that what they make is not tied to the login."""
    member_of = group(login.database, login.access)
    mark = Mark(owner, "login", login.access, login.database)
    return Wanted(login.role, mark, member_of, member_of if login.access is Access.OWNER else "")


def database_step(name: str, current_owner: str | None) -> list[Step]:
    """Make the database, or take over one that is there."""
    owner = group(name, Access.OWNER)
    if current_owner is None:
        # template0: nobody can be connected to it, and nothing of anybody's is in it.
        sql = f"CREATE DATABASE {identifier(name)} OWNER {identifier(owner)} TEMPLATE template0 ENCODING 'UTF8'"
        return [Step(Change("created", f"database {name}", ABSENT), (sql,), slow=True)]
    if current_owner == owner:
        return []
    sql = f"ALTER DATABASE {identifier(name)} OWNER TO {identifier(owner)}"
    return [Step(Change("took over", f"database {name} from {current_owner}", "it is declared here"), (sql,))]


def login_steps(wanted: Wanted, seen: Mapping[str, RoleState], admin: Admin) -> list[Step]:
    """What brings a consumer's login to `wanted`. Raises NoDatabase while the database's groups are missing."""
    if wanted.member_of not in seen:
        raise NoDatabase(
            f"role {wanted.name} waits for database {wanted.mark.database}: its group {wanted.member_of} is not there yet"
        )
    return role_steps(wanted, seen.get(wanted.name), admin)


def role_steps(wanted: Wanted, seen: RoleState | None, admin: Admin) -> list[Step]:
    """What brings a role to `wanted`. Raises ForeignRole when one of that name belongs to somebody else."""
    if seen is None:
        return [_created(wanted, admin), *_joined_steps(wanted, (), admin, ABSENT), *_start_steps(wanted, {}, ABSENT)]
    if seen.mark is None or not seen.mark.same_holder(wanted.mark):
        raise _foreign(seen, _handing_over(seen, wanted))
    steps = [*_attribute_steps(wanted, seen), *_mark_steps(wanted, seen), *_reach_steps(wanted, seen, admin)]
    steps += _left_steps(wanted, seen, admin)
    steps += _joined_steps(wanted, tuple(each.group for each in seen.memberships if each.inherits), admin, DRIFT)
    return steps + _start_steps(wanted, seen.starts_as, DRIFT)


def drop_steps(owner: str, seen: RoleState, admin: Admin) -> list[Step]:
    """Bar the door, then show the sessions out: in the other order a consumer's pool would be back at once.

    Raises ForeignRole when the role is not a login of `owner`.
    """
    if seen.mark is None or (seen.mark.owner, seen.mark.kind) != (owner, "login"):
        raise _foreign(seen, "it is left alone; drop it by hand if nobody needs it")
    barred = Step(Change("barred", f"login {seen.name}", UNWANTED), (f"ALTER ROLE {identifier(seen.name)} NOLOGIN",))
    return [barred, _ended_sessions(seen, admin, UNWANTED)]


def drop_step(role: str) -> Step:
    """The end of a login that nothing depends on any more."""
    return Step(Change("dropped", f"login {role}", UNWANTED), (f"DROP ROLE {identifier(role)}",))


def password_step(login: Login, *, fresh: bool) -> Step:
    """Set a login's password by its verifier; the password itself is in no statement."""
    sql = f"ALTER ROLE {identifier(login.role)} PASSWORD {literal(verifier(login.password))}"
    return Step(Change("set", f"password of {login.role}", ABSENT if fresh else "the server no longer took it"), (sql,))


def _handing_over(seen: RoleState, wanted: Wanted) -> str:
    if seen.mark:
        return "choose another name, or let its holder go first"
    mark = f"COMMENT ON ROLE {identifier(seen.name)} IS {literal(str(wanted.mark))}"
    return f"choose another name, drop it, or hand it over with {mark}"


def _foreign(seen: RoleState, next_step: str) -> ForeignRole:
    whose = f"belongs to {seen.mark.owner} ({seen.mark.kind})" if seen.mark else "was not made by this operator"
    return ForeignRole(f"role {seen.name} is there already and {whose}: {next_step}")


def _created(wanted: Wanted, admin: Admin) -> Step:
    role = identifier(wanted.name)
    word = "LOGIN" if "LOGIN" in wanted.attributes else "NOLOGIN"
    # One transaction: a role without its mark would be taken for somebody else's for ever after a crash in between.
    statements = [f"CREATE ROLE {role} {word}", f"COMMENT ON ROLE {role} IS {literal(str(wanted.mark))}"]
    if _must_reach(wanted, admin):
        statements += _reach(wanted.name, admin)
    return Step(Change("created", f"{wanted.mark.kind} {wanted.name}", ABSENT), tuple(statements))


def _attribute_steps(wanted: Wanted, seen: RoleState) -> list[Step]:
    # Only what differs is said: an administrator who is no superuser may not even say NOSUPERUSER.
    words = [
        word if word in wanted.attributes else f"NO{word}"
        for word in ("LOGIN", "INHERIT", *_POWERS)
        if (word in wanted.attributes) != (word in seen.attributes)
    ]
    if seen.expires:
        words.append("VALID UNTIL 'infinity'")
    if not words:
        return []
    sql = f"ALTER ROLE {identifier(wanted.name)} {' '.join(words)}"
    return [Step(Change("altered", f"{wanted.mark.kind} {wanted.name} ({', '.join(words)})", DRIFT), (sql,))]


def _mark_steps(wanted: Wanted, seen: RoleState) -> list[Step]:
    if seen.mark == wanted.mark:
        return []
    sql = f"COMMENT ON ROLE {identifier(wanted.name)} IS {literal(str(wanted.mark))}"
    change = Change("marked", f"{wanted.mark.kind} {wanted.name} {wanted.mark.access} of {wanted.mark.database}", DRIFT)
    return [Step(change, (sql,))]


def _reach_steps(wanted: Wanted, seen: RoleState, admin: Admin) -> list[Step]:
    if seen.reachable or not _must_reach(wanted, admin):
        return []
    return [Step(Change("joined", f"group {wanted.name} as administrator", DRIFT), _reach(wanted.name, admin))]


def _must_reach(wanted: Wanted, admin: Admin) -> bool:
    """A superuser may act as anybody; another administrator has to be a member to give a database to its group."""
    return not admin.superuser and wanted.mark.kind == "group" and wanted.mark.access is Access.OWNER


def _reach(role: str, admin: Admin) -> tuple[str, ...]:
    return (f"GRANT {identifier(role)} TO CURRENT_USER{_membership_options(admin)}",)


def _left_steps(wanted: Wanted, seen: RoleState, admin: Admin) -> list[Step]:
    steps = []
    for membership in seen.memberships:
        if membership.group == wanted.member_of:
            continue
        sql = f"REVOKE {identifier(membership.group)} FROM {identifier(seen.name)}"
        if admin.major >= _EXPLICIT_MEMBERSHIP and membership.grantor:
            sql += f" GRANTED BY {identifier(membership.grantor)}"
        steps.append(Step(Change("revoked", f"{membership.group} from {seen.name}", DRIFT), (sql,)))
    if steps and wanted.mark.kind == "login":
        # A session that took on a group's role keeps it after the membership is gone.
        steps.append(_ended_sessions(seen, admin, "its access was reduced"))
    return steps


def _joined_steps(wanted: Wanted, inherited: tuple[str, ...], admin: Admin, cause: str) -> list[Step]:
    if not wanted.member_of or wanted.member_of in inherited:
        return []
    sql = f"GRANT {identifier(wanted.member_of)} TO {identifier(wanted.name)}{_membership_options(admin)}"
    return [Step(Change("granted", f"{wanted.member_of} to {wanted.name}", cause), (sql,))]


def _membership_options(admin: Admin) -> str:
    return " WITH INHERIT TRUE, SET TRUE" if admin.major >= _EXPLICIT_MEMBERSHIP else ""


def _ended_sessions(seen: RoleState, admin: Admin, cause: str) -> Step:
    reach = () if seen.reachable else _reach(seen.name, admin)
    sql = f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = {literal(seen.name)}"
    return Step(Change("ended", f"sessions of {seen.name}", cause), (*reach, sql))


def _start_steps(wanted: Wanted, seen: Mapping[str, str], cause: str) -> list[Step]:
    role, steps = identifier(wanted.name), []
    for database, value in seen.items():
        if database == wanted.mark.database and value == wanted.starts_as:
            continue
        where = f" IN DATABASE {identifier(database)}" if database else ""
        change = Change("reset", f"start role {value} of {wanted.name} in {database or 'every database'}", cause)
        steps.append(Step(change, (f"ALTER ROLE {role}{where} RESET role",)))
    if wanted.starts_as and seen.get(wanted.mark.database) != wanted.starts_as:
        where = f"IN DATABASE {identifier(wanted.mark.database)}"
        change = Change("set", f"start role {wanted.starts_as} of {wanted.name} in {wanted.mark.database}", cause)
        steps.append(Step(change, (f"ALTER ROLE {role} {where} SET role = {identifier(wanted.starts_as)}",)))
    return steps
