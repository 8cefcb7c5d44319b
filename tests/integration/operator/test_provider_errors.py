"""How the PostgreSQL provider fails: by class, with host, port and the next step, and never with a secret in the message."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from acme_operator.api.access import Access
from acme_operator.providers import errors
from acme_operator.providers.contract import Login, Server
from acme_operator.providers.postgres import Postgres
from tests.plugins.postgres_server import PostgresServer
from tests.plugins.tls import make_authority

pytestmark = [pytest.mark.asyncio, pytest.mark.postgres]


async def failure(server: Server) -> errors.ProviderError:
    """What connecting fails with; the message names the server and holds no password."""
    with pytest.raises(errors.ProviderError) as caught:
        async with Postgres(server, owner="shop/shop-db"):
            pass
    assert server.address in str(caught.value)
    assert server.password not in str(caught.value)
    return caught.value


@asynccontextmanager
async def listener(*, answer: bytes | None) -> AsyncIterator[int]:
    """A port that answers once with `answer` and hangs up, or never says a word."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(8)
        if answer is None:
            await reader.read()
        writer.write(answer or b"")
        writer.close()

    opened = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with opened:
        yield opened.sockets[0].getsockname()[1]


async def test_a_wrong_admin_password_is_bad_credentials(server: Server) -> None:
    error = await failure(replace(server, password="not-the-password"))

    assert isinstance(error, errors.BadCredentials)
    assert "postgres" in str(error)
    assert not error.transient


async def test_a_closed_port_is_unreachable(server: Server) -> None:
    async with listener(answer=b"") as port:
        pass

    error = await failure(replace(server, port=port))

    assert type(error) is errors.Unreachable
    assert "nothing listens" in str(error)
    assert error.transient


async def test_a_ca_that_did_not_sign_the_certificate_is_a_bad_certificate(server: Server) -> None:
    error = await failure(replace(server, ca=make_authority("another CA").pem.decode()))

    assert isinstance(error, errors.BadCertificate)
    assert "give the CA that signed it" in str(error)


async def test_a_host_name_that_the_certificate_lacks_is_a_bad_certificate(server: Server) -> None:
    error = await failure(replace(server, host="127.0.0.2"))

    # Either nobody listens on that address of loopback, or the certificate does not name it; it is never accepted.
    assert isinstance(error, errors.BadCertificate | errors.Unreachable)


async def test_a_ca_that_is_no_certificate_says_so(server: Server) -> None:
    error = await failure(replace(server, ca="not a certificate"))

    assert isinstance(error, errors.BadCertificate)
    assert "not a PEM certificate" in str(error)


async def test_require_encrypts_without_asking_who_it_is(server: Server) -> None:
    async with Postgres(replace(server, ca=None, sslmode="require"), owner="shop/shop-db") as provider:
        assert (await provider.health()).writable


async def test_a_server_that_insists_on_tls_turns_plain_text_away(server: Server) -> None:
    error = await failure(replace(server, sslmode="disable"))

    assert isinstance(error, errors.BadCredentials)
    assert "pg_hba" in str(error)


@pytest.mark.parametrize("answer", [b"N", b"H", b""], ids=["no TLS", "another protocol", "hangs up"])
async def test_what_is_no_postgresql_with_tls_is_unreachable(server: Server, answer: bytes) -> None:
    async with listener(answer=answer) as port:
        error = await failure(replace(server, port=port))

    assert isinstance(error, errors.Unreachable)
    assert "TLS" in str(error)


async def test_a_server_that_never_answers_is_given_up_in_time(server: Server) -> None:
    async with listener(answer=None) as port, asyncio.timeout(8):
        error = await failure(replace(server, port=port))

    assert isinstance(error, errors.TimedOut)


async def test_a_server_lost_in_the_middle_is_unreachable_and_found_again(own_postgres: PostgresServer) -> None:
    server = Server(
        own_postgres.host, own_postgres.port, own_postgres.superuser, own_postgres.password, own_postgres.ca_pem
    )
    async with Postgres(server, owner="shop/shop-db") as provider:
        await provider.ensure_database("orders")
        own_postgres.crash()
        with pytest.raises(errors.Unreachable):
            await provider.ensure_database("orders")

    own_postgres.start()
    async with Postgres(server, owner="shop/shop-db") as provider:
        assert await provider.ensure_database("orders") == []


async def test_an_administrator_without_rights_is_told_which_are_missing(server: Server) -> None:
    weak = replace(server, username=f"weak_{secrets.token_hex(4)}", password=secrets.token_urlsafe(24))
    async with Postgres(server, owner="shop/shop-db") as provider:
        await provider.ensure_database("commons")
        await provider.ensure_login(Login(weak.username, weak.password, "commons", Access.READ_ONLY))

    async with Postgres(weak, owner="shop/weak") as provider:
        with pytest.raises(errors.Forbidden, match="grant it to the administrator's login"):
            await provider.ensure_database("another")


@pytest.mark.parametrize(
    ("database", "sentence"),
    [("postgres", "PostgreSQL's own"), ("x" * 64, "longer than 63 bytes"), ("", "needs a name")],
)
async def test_a_name_that_postgresql_would_mangle_is_refused(server: Server, database: str, sentence: str) -> None:
    async with Postgres(server, owner="shop/shop-db") as provider:
        with pytest.raises(errors.BadName, match=sentence):
            await provider.ensure_database(database)
