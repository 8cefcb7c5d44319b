"""The PostgreSQL provider on a real server: what each access level can do, and above all what it can't."""

from dataclasses import replace

import asyncpg
import pytest

from acme_operator.api.access import Access
from acme_operator.providers.contract import Server
from acme_operator.providers.postgres import Postgres
from acme_operator.providers.postgres_session import open_session
from tests.plugins.databases import as_login, prepared, run, value

pytestmark = [pytest.mark.asyncio, pytest.mark.postgres]


async def test_an_owner_makes_objects_that_belong_to_the_group(provider: Postgres, server: Server, name: str) -> None:
    await prepared(provider, server, name)

    owner = await value(server, name, "select tableowner::text from pg_tables where tablename = 'items'")

    assert owner == f"{name}_owner"


async def test_a_reader_reads_and_can_do_nothing_else(provider: Postgres, server: Server, name: str) -> None:
    reader = as_login(server, (await prepared(provider, server, name))[Access.READ_ONLY])

    assert await value(reader, name, "select count(*) from public.items") == 1
    for forbidden in (
        "insert into items default values",
        "update items set id = 2",
        "delete from items",
        "truncate items",
        "select nextval('items_id_seq')",
        "drop table items",
        "create table mine (id int)",
        "create temporary table mine (id int)",
        "create schema mine",
        f"set role {name}_owner",
        f"set role {name}_rw",
        "create role mine",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await run(reader, name, forbidden)


async def test_a_writer_changes_rows_and_no_schema(provider: Postgres, server: Server, name: str) -> None:
    writer = as_login(server, (await prepared(provider, server, name))[Access.READ_WRITE])

    await run(
        writer, name, "insert into items default values", "update items set id = 9 where id = 1", "delete from items"
    )

    assert await value(writer, name, "select count(*) from public.items") == 0
    for forbidden in (
        "truncate items",
        "drop table items",
        "alter table items add column x int",
        "create table mine (id int)",
        "create schema mine",
        "create extension pg_trgm",
        f"set role {name}_owner",
        f"grant {name}_owner to {writer.username}",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await run(writer, name, forbidden)


async def test_an_owner_owns_one_database_and_no_more(provider: Postgres, server: Server, name: str) -> None:
    owner = as_login(server, (await prepared(provider, server, name))[Access.OWNER])
    other = f"{name}_other"
    await provider.ensure_database(other)

    await run(owner, name, "create schema mine", "create table mine.t (id int)", "drop schema mine cascade")

    for forbidden in ("create role mine", "create database mine", "alter system set work_mem = '1MB'"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await run(owner, name, forbidden)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await run(owner, other, "select 1")


async def test_groups_reach_tables_in_schemas_made_later(provider: Postgres, server: Server, name: str) -> None:
    logins = await prepared(provider, server, name)

    await run(as_login(server, logins[Access.OWNER]), name, "create schema later", "create table later.t (id int)")

    assert await value(as_login(server, logins[Access.READ_ONLY]), name, "select count(*) from later.t") == 0
    await run(as_login(server, logins[Access.READ_WRITE]), name, "insert into later.t values (1)")


async def test_a_reduced_access_takes_hold_of_running_sessions_too(
    provider: Postgres, server: Server, name: str
) -> None:
    owner = (await prepared(provider, server, name))[Access.OWNER]
    async with open_session(as_login(server, owner), name) as session:
        await provider.ensure_login(replace(owner, access=Access.READ_ONLY))
        with pytest.raises(Exception, match="lost"):
            await session.fetch("select 1")

    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await run(as_login(server, owner), name, "drop table items")
    assert (await provider.observe()).logins[owner.role].access is Access.READ_ONLY


async def test_an_owner_of_a_database_cannot_lay_traps_for_the_administrator(
    provider: Postgres, server: Server, name: str
) -> None:
    owner = as_login(server, (await prepared(provider, server, name))[Access.OWNER])
    trap = "create function public.pg_has_role(text, oid, text) returns boolean language plpgsql as $$ begin raise 'trapped'; end $$"
    await run(owner, name, trap, "create table fresh (id int)")

    assert await provider.ensure_database(name) == []
