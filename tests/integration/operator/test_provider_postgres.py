"""The PostgreSQL provider on a real server: nothing is written twice, drift is repaired, nobody else's things are touched."""

import asyncio
import secrets
from dataclasses import replace

import asyncpg
import pytest

from acme_operator.api.access import Access
from acme_operator.providers.contract import Change, Login, Server
from acme_operator.providers.errors import ExtensionMissing, ForeignRole, LoginRefused, NoDatabase
from acme_operator.providers.postgres import Postgres
from acme_operator.providers.postgres_session import open_session
from tests.plugins.databases import as_login, login, prepared, run, value
from tests.plugins.postgres_server import PostgresServer

pytestmark = [pytest.mark.asyncio, pytest.mark.postgres]


async def test_a_second_pass_changes_nothing_and_runs_no_statement_that_writes(
    provider: Postgres, server: Server, name: str, postgres: PostgresServer
) -> None:
    logins = await prepared(provider, server, name)
    written = postgres.log.stat().st_size

    again = await provider.ensure_database(name)
    for each in logins.values():
        again += await provider.ensure_login(each)

    said = postgres.log.read_text()[written:].lower()
    assert again == []
    assert "statement: " in said or "execute " in said
    assert not [word for word in ("create ", "alter ", "grant ", "revoke ", "comment on", "drop ") if word in said]


async def test_dropping_an_owners_login_keeps_its_tables_and_ends_its_sessions(
    provider: Postgres, server: Server, name: str
) -> None:
    owner = (await prepared(provider, server, name))[Access.OWNER]
    heir = login(name, Access.OWNER, f"{name}_heir")
    async with open_session(as_login(server, owner), name) as session:
        changes = await provider.drop_login(owner.role)
        with pytest.raises(Exception, match="lost"):
            await session.fetch("select 1")

    await provider.ensure_login(heir)

    assert [change.action for change in changes] == ["barred", "ended", "dropped"]
    assert await value(as_login(server, heir), name, "select count(*) from public.items") == 1
    await run(as_login(server, heir), name, "alter table items add column note text")
    assert await provider.drop_login(owner.role) == []


async def test_a_login_that_owns_objects_and_holds_grants_of_its_own_is_dropped_all_the_same(
    provider: Postgres, server: Server, name: str
) -> None:
    owner = (await prepared(provider, server, name))[Access.OWNER]
    await run(as_login(server, owner), name, "set role none", "create table tied (id int)")
    await run(
        server, name, f"grant connect on database postgres to {owner.role}", f"grant select on items to {owner.role}"
    )

    await provider.drop_login(owner.role)

    assert (
        await value(server, name, "select tableowner::text from pg_tables where tablename = 'tied'") == f"{name}_owner"
    )


async def test_twenty_parallel_logins_come_out_whole(provider: Postgres, server: Server, name: str) -> None:
    await provider.ensure_database(name)
    logins = [login(name, Access.READ_WRITE, f"{name}_{number}") for number in range(10)]

    async def from_elsewhere(each: Login) -> None:
        async with Postgres(server, owner="shop/shop-db") as other:
            await other.ensure_login(each)

    async with asyncio.TaskGroup() as group:
        for each in logins:
            group.create_task(provider.ensure_login(each))
            group.create_task(from_elsewhere(each))

    assert [each for each in logins if await provider.ensure_login(each)] == []


async def test_drift_made_by_hand_is_repaired(provider: Postgres, server: Server, name: str) -> None:
    logins = await prepared(provider, server, name)
    reader, writer, owner = (logins[access].role for access in (Access.READ_ONLY, Access.READ_WRITE, Access.OWNER))
    await run(
        server,
        name,
        f"alter role {reader} superuser createdb",
        f"grant {name}_owner to {reader}",
        f"revoke {name}_rw from {writer}",
        f"alter role {owner} nologin valid until '2001-01-01'",
        f"alter role {owner} in database {name} reset role",
        f"revoke select on items from {name}_ro",
        f"grant insert on items to {name}_ro",
        f"alter default privileges for role {name}_owner revoke select on tables from {name}_ro",
        f"grant connect on database {name} to public",
        f"revoke connect on database {name} from {name}_rw",
        "grant create on schema public to public",
        f"revoke usage on schema public from {name}_rw",
    )

    done = [str(change) for change in await provider.ensure_database(name)]
    for each in logins.values():
        done += [str(change) for change in await provider.ensure_login(each)]

    # Each thing once: two of the statements above are one repair, and ended sessions are one of their own.
    assert len(done) == len(set(done)) == 13, "\n".join(done)
    await nothing_left(provider, logins, name)
    await run(as_login(server, logins[Access.READ_WRITE]), name, "insert into items default values")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await run(as_login(server, logins[Access.READ_ONLY]), name, "insert into items default values")


async def nothing_left(provider: Postgres, logins: dict[Access, Login], name: str) -> None:
    """Nothing is left to do."""
    assert await provider.ensure_database(name) == []
    for each in logins.values():
        assert await provider.ensure_login(each) == []


async def test_a_password_changed_by_hand_is_noticed_and_set_again(
    provider: Postgres, server: Server, name: str
) -> None:
    reader = (await prepared(provider, server, name))[Access.READ_ONLY]
    await run(server, name, f"alter role {reader.role} password 'other'")

    assert not await provider.proves_login(reader)
    changes = await provider.ensure_login(reader)

    assert [change.action for change in changes] == ["set"]
    assert await provider.proves_login(reader)


async def test_a_role_of_somebody_else_is_never_touched(provider: Postgres, server: Server, name: str) -> None:
    await provider.ensure_database(name)
    await run(server, name, f"create role {name}_theirs login password 'theirs'")
    theirs = Login(f"{name}_theirs", "mine", name, Access.OWNER)

    with pytest.raises(
        ForeignRole, match=f"role {name}_theirs is there already and was not made by this operator: .*COMMENT"
    ):
        await provider.ensure_login(theirs)
    with pytest.raises(ForeignRole):
        await provider.drop_login(theirs.role)

    assert await provider.proves_login(replace(theirs, password="theirs", database="postgres"))


async def test_two_datastores_on_one_server_keep_out_of_each_others_way(
    provider: Postgres, server: Server, name: str
) -> None:
    reader = (await prepared(provider, server, name))[Access.READ_ONLY]
    async with Postgres(server, owner="shop/other-db") as other:
        with pytest.raises(ForeignRole, match="belongs to shop/shop-db"):
            await other.ensure_database(name)
        with pytest.raises(ForeignRole, match="belongs to shop/shop-db"):
            await other.drop_login(reader.role)
        assert reader.role not in (await other.observe()).logins


async def test_an_existing_database_is_taken_over_with_its_data(provider: Postgres, server: Server, name: str) -> None:
    await run(server, "postgres", f"create role {name}_former login password 'former'", f"create database {name}")
    await run(server, name, "create table legacy (id int)", "insert into legacy values (1)")

    changes = await provider.ensure_database(name)
    writer, owner = login(name, Access.READ_WRITE), login(name, Access.OWNER)
    await provider.ensure_login(writer)
    await provider.ensure_login(owner)

    assert ("took over", f"database {name} from postgres") in [(change.action, change.object) for change in changes]
    await run(as_login(server, writer), name, "insert into legacy values (2)")
    assert await value(as_login(server, owner), name, "select count(*) from public.legacy") == 2
    assert await provider.ensure_database(name) == []


async def test_extensions_are_made_and_an_unknown_one_is_named(provider: Postgres, server: Server, name: str) -> None:
    await provider.ensure_database(name, ["pg_trgm"])

    with pytest.raises(ExtensionMissing, match="no extension no_such: install it") as caught:
        await provider.ensure_database(f"{name}_2", ["pg_trgm", "no_such"])

    assert Change("created", f"database {name}_2", "it was not there") in caught.value.changes
    assert "pg_trgm" in (await provider.observe()).databases[name]
    assert await provider.ensure_database(name, ["pg_trgm"]) == []


async def test_observe_tells_what_is_there_and_nothing_of_others(provider: Postgres, server: Server, name: str) -> None:
    logins = await prepared(provider, server, name)

    seen = await provider.observe()

    assert seen.databases[name] == frozenset({"plpgsql"})
    assert "postgres" not in seen.databases
    assert {role: state.access for role, state in seen.logins.items() if state.database == name} == {
        each.role: access for access, each in logins.items()
    }


async def test_a_login_without_its_database_says_what_it_waits_for(provider: Postgres, name: str) -> None:
    with pytest.raises(NoDatabase, match=f"waits for database {name}"):
        await provider.ensure_login(login(name, Access.READ_ONLY))


async def test_a_login_that_the_server_turns_away_for_another_reason_is_no_endless_loop(
    provider: Postgres, server: Server, name: str
) -> None:
    reader = (await prepared(provider, server, name))[Access.READ_ONLY]
    await run(server, "postgres", f"revoke connect on database {name} from {name}_ro")

    with pytest.raises(LoginRefused, match="pg_hba"):
        await provider.ensure_login(reader)

    await provider.ensure_database(name)
    assert await provider.ensure_login(reader) == []


async def test_no_password_reaches_the_servers_log(
    provider: Postgres, server: Server, name: str, postgres: PostgresServer
) -> None:
    logins = await prepared(provider, server, name)

    said = postgres.log.read_text()

    assert "SCRAM-SHA-256$4096:" in said
    assert [each.role for each in logins.values() if each.password in said] == []
    assert postgres.password not in said


async def test_health_tells_version_and_that_it_takes_writes(provider: Postgres) -> None:
    health = await provider.health()

    assert int(health.version.split(".")[0]) >= 14
    assert health.writable


async def test_an_administrator_who_is_no_superuser_can_do_it_all(server: Server, name: str) -> None:
    admin = replace(server, username=f"{name}_admin", password=secrets.token_urlsafe(24))
    await run(server, "postgres", f"create role {admin.username} login createdb createrole password '{admin.password}'")

    async with Postgres(admin, owner="shop/managed") as provider:
        logins = await prepared(provider, server, name)
        await provider.ensure_login(replace(logins[Access.OWNER], access=Access.READ_WRITE))
        assert await provider.ensure_database(name, ["pg_trgm"]) != []
        assert await provider.ensure_database(name, ["pg_trgm"]) == []
        for each in logins.values():
            await provider.drop_login(each.role)
        assert (await provider.observe()).logins == {}
