"""An External PostgreSQL under contract: a database and a login for each service, and what becomes of them."""

import base64
import ssl
from typing import Any

import asyncpg
import pytest

from acme_operator.engine.metrics import Metrics
from tests.plugins.kubectl import Kubectl, condition
from tests.plugins.operator import Operators, passed, settled
from tests.plugins.postgres_server import PostgresServer
from tests.plugins.waiting import eventually

pytestmark = [pytest.mark.controlplane, pytest.mark.postgres, pytest.mark.asyncio]


def datastore(server: PostgresServer, **spec: Any) -> dict[str, Any]:
    external = {"host": "localhost", "port": server.port, "adminSecret": {"name": "admin"}}
    return {
        "apiVersion": "platform.acme.dev/v1alpha1",
        "kind": "AcmeDatastore",
        "metadata": {"name": "shop-db"},
        "spec": {"postgres": {}, "provider": "External", "external": external, **spec},
    }


def admin(server: PostgresServer, password: str | None = None) -> dict[str, Any]:
    values = {"username": server.superuser, "password": password or server.password, "ca.crt": server.ca_pem}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "admin"}, "stringData": values}


def consumer(name: str, **datastore: Any) -> dict[str, Any]:
    return {
        "apiVersion": "platform.acme.dev/v1alpha1",
        "kind": "AcmeService",
        "metadata": {"name": name},
        "spec": {
            "image": "acme/services:1.0",
            "dependencies": [{"name": "db", "datastore": {"name": "shop-db", **datastore}}],
        },
    }


def own(kubectl: Kubectl, name: str) -> str:
    """A service's name that no other test has: its database is on a server that all tests share."""
    return f"{name}-{kubectl.namespace.removeprefix('test-')}"


async def binding(kubectl: Kubectl, service: str) -> dict[str, str]:
    found = kubectl.find("secret", f"{service}.db.binding")
    if found is None:
        return {}
    return {key: base64.b64decode(value).decode() for key, value in found["data"].items()}


async def ready_reason(kubectl: Kubectl) -> str:
    return str(condition(kubectl.get("ads", "shop-db"), "Ready").get("reason", ""))


async def gone(kubectl: Kubectl) -> bool:
    return kubectl.find("ads", "shop-db") is None


async def login(server: PostgresServer, files: dict[str, str]) -> asyncpg.Connection:
    return await asyncpg.connect(
        host=files["host"],
        port=int(files["port"]),
        database=files["database"],
        user=files["username"],
        password=files["password"],
        ssl=ssl.create_default_context(cadata=files["certificates"]),
    )


async def roles(server: PostgresServer, kubectl: Kubectl) -> set[str]:
    connection = await login(
        server,
        {
            "host": "localhost",
            "port": str(server.port),
            "database": "postgres",
            "username": server.superuser,
            "password": server.password,
            "certificates": server.ca_pem,
        },
    )
    try:
        rows = await connection.fetch("SELECT rolname FROM pg_roles WHERE rolname LIKE $1", f"{kubectl.namespace}.%")
    finally:
        await connection.close()
    return {row["rolname"] for row in rows}


async def test_a_service_gets_a_database_and_a_login_of_its_own(
    operator: Metrics, kubectl: Kubectl, postgres: PostgresServer
) -> None:
    order = own(kubectl, "order")
    product = own(kubectl, "product")
    kubectl.apply(admin(postgres), datastore(postgres), consumer(product), consumer(order))

    first = await eventually(lambda: binding(kubectl, product))
    second = await eventually(lambda: binding(kubectl, order))

    assert (first["type"], first["database"]) == ("postgresql", product.replace("-", "_"))
    assert (first["username"], first["password"]) != (second["username"], second["password"])
    connection = await login(postgres, first)
    await connection.execute("CREATE TABLE mine (id int)")
    await connection.close()
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await login(postgres, first | {"database": second["database"]})


async def test_the_binding_releases_the_deployment(
    operator: Metrics, kubectl: Kubectl, postgres: PostgresServer
) -> None:
    product = own(kubectl, "product")
    kubectl.apply(consumer(product))

    async def blocked() -> bool:
        return condition(kubectl.get("asvc", product), "Ready").get("reason") == "DependencyMissing"

    await eventually(blocked)
    assert kubectl.find("deployment", product) is None

    kubectl.apply(admin(postgres), datastore(postgres))

    async def mounted() -> bool:
        found = kubectl.find("deployment", product)
        return found is not None and f"{product}.db.binding" in str(found["spec"]["template"]["spec"]["volumes"])

    assert await eventually(mounted)


async def test_a_consumer_that_goes_takes_its_login_along(
    operator: Metrics, kubectl: Kubectl, postgres: PostgresServer
) -> None:
    product = own(kubectl, "product")
    kubectl.apply(admin(postgres), datastore(postgres), consumer(product))
    await eventually(lambda: binding(kubectl, product))
    assert await roles(postgres, kubectl) == {f"{kubectl.namespace}.{product}.db"}

    kubectl.must("delete", "asvc", product)

    async def dropped() -> bool:
        return not await roles(postgres, kubectl) and kubectl.find("secret", f"{product}.db.binding") is None

    assert await eventually(dropped)


async def test_a_binding_deleted_by_hand_comes_back_and_works(
    operator: Metrics, kubectl: Kubectl, postgres: PostgresServer
) -> None:
    product = own(kubectl, "product")
    kubectl.apply(admin(postgres), datastore(postgres), consumer(product))
    await eventually(lambda: binding(kubectl, product))

    kubectl.must("delete", "secret", f"{product}.db.binding")

    files = await eventually(lambda: binding(kubectl, product))
    await (await login(postgres, files)).close()


async def test_a_restart_writes_nothing_and_keeps_every_password(
    operators: Operators, kubectl: Kubectl, postgres: PostgresServer
) -> None:
    product = own(kubectl, "product")
    kubectl.apply(admin(postgres), datastore(postgres), consumer(product))
    async with operators.running():
        before = await eventually(lambda: binding(kubectl, product))
        await settled(operators)
    writes = operators.writes()

    async with operators.running() as metrics:
        await passed(metrics, "AcmeDatastore")

        assert operators.writes() == writes
    assert await binding(kubectl, product) == before


async def test_a_shared_database_has_to_be_declared(
    operator: Metrics, kubectl: Kubectl, postgres: PostgresServer
) -> None:
    report, orders = own(kubectl, "report"), own(kubectl, "orders").replace("-", "_")
    kubectl.apply(admin(postgres), datastore(postgres), consumer(report, database=orders, access="ReadOnly"))

    async def told() -> bool:
        return condition(kubectl.get("asvc", report), "Ready").get("reason") == "DatabaseNotDeclared"

    assert await eventually(told)
    assert f"declares no database {orders}" in condition(kubectl.get("asvc", report), "Ready")["message"]

    kubectl.apply(datastore(postgres, postgres={"databases": [{"name": orders}]}))

    files = await eventually(lambda: binding(kubectl, report))
    assert files["database"] == orders


async def test_a_missing_admin_secret_is_named_and_heals(
    operator: Metrics, kubectl: Kubectl, postgres: PostgresServer
) -> None:
    kubectl.apply(datastore(postgres))
    assert await eventually(lambda: ready_reason(kubectl)) == "SecretMissing"
    message = condition(kubectl.get("ads", "shop-db"), "Ready")["message"]
    assert "Secret admin does not exist" in message

    kubectl.apply(admin(postgres))

    async def live() -> bool:
        return await ready_reason(kubectl) == "Live"

    assert await eventually(live, seconds=30)


async def test_a_wrong_admin_password_is_stalled_without_a_secret_in_the_message(
    operator: Metrics, kubectl: Kubectl, postgres: PostgresServer
) -> None:
    kubectl.apply(admin(postgres, "not-the-password"), datastore(postgres))

    assert await eventually(lambda: ready_reason(kubectl)) == "BadCredentials"
    live = kubectl.get("ads", "shop-db")
    assert condition(live, "Stalled")["status"] == "True"
    assert "not-the-password" not in str(live["status"])


async def test_a_deleted_datastore_takes_its_logins_and_keeps_the_data(
    operator: Metrics, kubectl: Kubectl, postgres: PostgresServer
) -> None:
    kept = own(kubectl, "kept")
    kubectl.apply(admin(postgres), datastore(postgres), consumer(kept))
    files = await eventually(lambda: binding(kubectl, kept))
    connection = await login(postgres, files)
    await connection.execute("CREATE TABLE IF NOT EXISTS treasure (id int)")
    await connection.close()

    kubectl.must("delete", "ads", "shop-db", "--wait=false")

    assert await eventually(lambda: gone(kubectl))
    assert await roles(postgres, kubectl) == set()
    superuser = files | {"username": postgres.superuser, "password": postgres.password}
    connection = await login(postgres, superuser)
    assert await connection.fetchval("SELECT count(*) FROM pg_tables WHERE tablename = 'treasure'") == 1
    await connection.close()


async def test_a_deletion_is_not_held_up_by_a_server_that_is_gone_for_good(
    operator: Metrics, kubectl: Kubectl, postgres: PostgresServer
) -> None:
    kubectl.apply(admin(postgres), datastore(postgres))

    async def live() -> bool:
        return await ready_reason(kubectl) == "Live"

    await eventually(live)
    kubectl.apply(admin(postgres, "lost"))
    kubectl.must("delete", "ads", "shop-db", "--wait=false")

    async def blocked() -> bool:
        return await ready_reason(kubectl) == "CleanupBlocked"

    await eventually(blocked)
    kubectl.must("annotate", "ads", "shop-db", "platform.acme.dev/force-delete=true")
    assert await eventually(lambda: gone(kubectl))
