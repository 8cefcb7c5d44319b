"""Logins and statements on a real PostgreSQL, as an administrator and as the applications that were given them."""

import secrets
from dataclasses import replace

import asyncpg

from acme_operator.api.access import Access
from acme_operator.providers.contract import Login, Server
from acme_operator.providers.postgres import Postgres
from acme_operator.providers.postgres_session import open_session


def login(database: str, access: Access, role: str = "") -> Login:
    """A login of that access; its role is named after both unless given."""
    return Login(role or f"{database}_{access.lower()}_login", secrets.token_urlsafe(24), database, access)


def as_login(server: Server, who: Login) -> Server:
    """The server with a consumer's login."""
    return replace(server, username=who.role, password=who.password)


async def run(server: Server, database: str, *statements: str) -> None:
    """Run statements one by one on a connection of their own, the way an application would."""
    connection = await asyncpg.connect(
        host=server.host,
        port=server.port,
        user=server.username,
        password=server.password,
        database=database,
        ssl="require",
    )
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


async def value(server: Server, database: str, query: str, *arguments: object) -> object:
    """The first value of a query."""
    async with open_session(server, database) as session:
        return (await session.fetch(query, *arguments))[0][0]


async def prepared(provider: Postgres, server: Server, name: str) -> dict[Access, Login]:
    """A database with a login of each level, and a table with one row made by the owner."""
    await provider.ensure_database(name)
    logins = {access: login(name, access) for access in Access}
    for each in logins.values():
        await provider.ensure_login(each)
    await run(
        as_login(server, logins[Access.OWNER]),
        name,
        "create table items (id serial primary key)",
        "insert into items default values",
    )
    return logins
