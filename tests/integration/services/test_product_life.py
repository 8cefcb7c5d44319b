"""The life of a product process: databases that come and go, logins that rotate, signals and kills."""

import asyncio
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import grpc
import grpc.aio
import psycopg
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from acme_rpc.common.v1.money_pb2 import Money
from acme_rpc.product.v1 import product_pb2 as pb
from acme_rpc.product.v1.product_pb2_grpc import ProductServiceStub
from tests.plugins.catalogue import Catalogue, make_catalogue, table_locked, waiting_sessions
from tests.plugins.postgres_server import PostgresServer
from tests.plugins.service_process import ServiceProcess
from tests.plugins.tls import make_authority
from tests.plugins.waiting import eventually

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.postgres]

type Start = Callable[..., ServiceProcess]
NAME = pb.DESCRIPTOR.services_by_name["ProductService"].full_name


@pytest.fixture
def own_catalogue(own_postgres: PostgresServer, tmp_path: Path) -> Catalogue:
    """A database on a server that the test may stop."""
    return make_catalogue(own_postgres, tmp_path)


async def create(process: ServiceProcess, key: str = "k1") -> pb.Product:
    async with grpc.aio.insecure_channel(process.address) as channel:
        request = pb.CreateProductRequest(name="mug", price=Money(minor_units=1999, currency="EUR"))
        metadata = (("idempotency-key", key),)
        return (await ProductServiceStub(channel).CreateProduct(request, metadata=metadata)).product


async def health(process: ServiceProcess, service: str = "") -> int:
    async with grpc.aio.insecure_channel(process.address) as channel:
        answer = await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(service=service))
        return int(answer.status)


async def until_waiting(admin: psycopg.Connection[tuple[object, ...]]) -> None:
    async def waits() -> bool:
        return waiting_sessions(admin) > 0

    await eventually(waits, "a session waits for the lock")


async def test_a_service_starts_before_its_database_and_becomes_ready_with_it(
    own_catalogue: Catalogue, product_on: Start
) -> None:
    server = own_catalogue.server
    server.stop()
    process = product_on(own_catalogue.bindings)
    await process.start()
    await process.wait_for_event("database not ready")

    assert (await process.get("/livez"))[0] == 200
    reason = (await process.readyz())["reasons"]["database"]
    assert reason == f"database {own_catalogue.name} at 127.0.0.1:{server.port} refuses or drops the connection"
    assert {await health(process), await health(process, NAME)} == {health_pb2.HealthCheckResponse.NOT_SERVING}
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await create(process)
    assert refused.value.code() is grpc.StatusCode.UNAVAILABLE

    server.start()
    await process.wait_until_ready()
    assert {await health(process), await health(process, NAME)} == {health_pb2.HealthCheckResponse.SERVING}
    assert (await create(process)).name == "mug"


async def test_a_crash_of_the_database_is_survived_and_reported(own_catalogue: Catalogue, product_on: Start) -> None:
    process = product_on(own_catalogue.bindings)
    await process.start()
    await process.wait_until_ready()
    made = await create(process)

    own_catalogue.server.crash()
    await process.wait_until_ready(False)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await create(process, "k2")
    assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
    own_catalogue.server.start()
    await process.wait_until_ready()

    assert await create(process) == made
    assert process.is_running
    assert "acme_ready 1.0" in (await process.get("/metrics"))[1]


async def test_a_rotated_password_is_taken_up_without_a_restart(catalogue: Catalogue, product: ServiceProcess) -> None:
    catalogue.set_password("second")
    with catalogue.admin() as admin:
        admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s", (catalogue.login,))
    await product.wait_until_ready(False)
    assert "refuses the login" in (await product.readyz())["reasons"]["database"]

    catalogue.publish("second")
    await product.wait_until_ready()

    assert (await create(product)).name == "mug"


async def test_after_a_change_of_login_the_old_one_is_not_used_any_more(
    catalogue: Catalogue, product: ServiceProcess
) -> None:
    await create(product)
    other = replace(catalogue, login=f"{catalogue.login}_b")
    with catalogue.admin() as admin:
        admin.execute(f"CREATE ROLE {other.login} LOGIN PASSWORD 'second' IN ROLE {catalogue.login}")
        other.publish("second")
        await product.wait_for_event("database binding changed")
        await product.wait_until_ready()
        await create(product, "k2")

        query = "SELECT DISTINCT usename::text FROM pg_stat_activity WHERE usename LIKE %s"
        assert admin.execute(query, (f"{catalogue.login}%",)).fetchall() == [(other.login,)]
        await product.kill()
        admin.execute(f"DROP ROLE {other.login}")


async def test_a_server_that_another_authority_vouches_for_is_not_trusted(
    catalogue: Catalogue, product_on: Start
) -> None:
    (catalogue.bindings / "db" / "certificates").write_bytes(make_authority().pem)
    process = product_on(catalogue.bindings)
    await process.start()
    await process.wait_for_event("database not ready")

    assert "certificate" in (await process.readyz())["reasons"]["database"]


async def test_sigterm_lets_a_call_in_flight_finish(catalogue: Catalogue, product: ServiceProcess) -> None:
    with table_locked(catalogue, "products") as holder:
        call = asyncio.create_task(create(product))
        await until_waiting(holder)
        product.send(signal.SIGTERM)
        await product.wait_for_event("stopping")
        assert not call.done()

    assert (await call).name == "mug"
    assert await product.ended() == 0
    assert product.events[-1]["event"] == "stopped"


async def test_a_call_that_outlasts_the_grace_does_not_keep_the_process(
    catalogue: Catalogue, product_on: Start
) -> None:
    process = product_on(catalogue.bindings, ACME_STOP_GRACE="0.2")
    await process.start()
    await process.wait_until_ready()
    with table_locked(catalogue, "products") as holder:
        call = asyncio.create_task(create(process))
        await until_waiting(holder)
        process.send(signal.SIGTERM)

        assert await process.ended() == 0
        with pytest.raises(grpc.aio.AioRpcError):
            await call


async def test_sigterm_ends_a_process_that_waits_for_its_database(own_catalogue: Catalogue, product_on: Start) -> None:
    own_catalogue.server.stop()
    process = product_on(own_catalogue.bindings)
    await process.start()
    await process.wait_for_event("database not ready")

    process.send(signal.SIGTERM)

    assert await process.ended() == 0


async def test_a_watcher_of_health_hears_each_change_and_does_not_delay_the_stop(
    own_catalogue: Catalogue, product_on: Start
) -> None:
    process = product_on(own_catalogue.bindings, ACME_STOP_GRACE="600")
    await process.start()
    await process.wait_until_ready()
    async with grpc.aio.insecure_channel(process.address) as channel:
        watch = aiter(health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest(service=NAME)))
        heard = [(await anext(watch)).status]

        own_catalogue.server.stop()
        heard.append((await anext(watch)).status)
        process.send(signal.SIGTERM)
        heard += [answer.status async for answer in watch]

        assert await process.ended() == 0
    states = health_pb2.HealthCheckResponse
    assert heard == [states.SERVING, states.NOT_SERVING, states.NOT_SERVING]


async def test_reflection_names_the_service(product: ServiceProcess) -> None:
    async with grpc.aio.insecure_channel(product.address) as channel:
        asked = reflection_pb2.ServerReflectionRequest(list_services="")
        call = reflection_pb2_grpc.ServerReflectionStub(channel).ServerReflectionInfo(iter([asked]))
        names = {service.name for service in (await call.read()).list_services_response.service}

    assert {NAME, "grpc.health.v1.Health"} <= names


async def test_sigterm_ends_a_process_that_waits_for_another_to_migrate(
    catalogue: Catalogue, product_on: Start
) -> None:
    process = product_on(catalogue.bindings)
    with catalogue.admin() as admin:
        admin.execute("SELECT pg_advisory_lock(%s)", (0x61636D65,))
        await process.start()
        await until_waiting(admin)

        process.send(signal.SIGTERM)

        assert await process.ended() == 0


async def test_a_kill_in_the_middle_of_a_create_leaves_nothing(catalogue: Catalogue, product_on: Start) -> None:
    first = product_on(catalogue.bindings)
    await first.start()
    await first.wait_until_ready()
    with table_locked(catalogue, "products") as holder:
        call = asyncio.create_task(create(first))
        await until_waiting(holder)
        await first.kill()
        with pytest.raises(grpc.aio.AioRpcError):
            await call
    with catalogue.admin() as admin:
        await eventually(lambda: _nobody_works(admin), "the dead process's transaction is gone")
        assert admin.execute("SELECT count(*) FROM idempotency_claims").fetchone() == (0,)
        assert admin.execute("SELECT count(*) FROM products").fetchone() == (0,)

        second = product_on(catalogue.bindings)
        await second.start()
        await second.wait_until_ready()
        await create(second)

        assert admin.execute("SELECT count(*) FROM products").fetchone() == (1,)


async def _nobody_works(admin: psycopg.Connection[tuple[object, ...]]) -> bool:
    others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    return admin.execute(others).fetchone() == (0,)


async def test_processes_that_start_together_migrate_once_and_all_become_ready(
    catalogue: Catalogue, product_on: Start
) -> None:
    processes = [product_on(catalogue.bindings) for _ in range(3)]

    await asyncio.gather(*(process.start() for process in processes))
    await asyncio.gather(*(process.wait_until_ready() for process in processes))

    migrated = [line for process in processes for line in process.events if line["event"] == "database migrated"]
    assert [line["migrations"] for line in migrated] == [["0001_products"]]


async def test_a_migration_is_noted_under_the_service_s_name_not_the_user_s(
    catalogue: Catalogue, product: ServiceProcess
) -> None:
    # In a container the user's id has no name, and looking for one fails.
    with catalogue.admin() as admin:
        assert admin.execute("SELECT DISTINCT username FROM _yoyo_log").fetchall() == [("product",)]


async def test_migrations_stand_being_run_again_and_keep_what_is_there(
    catalogue: Catalogue, product: ServiceProcess, product_on: Start
) -> None:
    made = await create(product)
    await product.kill()
    with catalogue.admin() as admin:
        # What a process leaves that died after a step and before noting it, while it held the migration tool's lock.
        admin.execute("DELETE FROM _yoyo_migration")
        admin.execute("INSERT INTO yoyo_lock (locked, ctime, pid) VALUES (1, now(), 1)")

    again = product_on(catalogue.bindings)
    await again.start()
    await again.wait_until_ready()

    assert await create(again) == made


async def test_more_calls_than_allowed_are_refused_at_once_and_health_still_answers(
    catalogue: Catalogue, product_on: Start
) -> None:
    process = product_on(catalogue.bindings, ACME_MAX_CONCURRENT_RPCS="1")
    await process.start()
    await process.wait_until_ready()
    with table_locked(catalogue, "products") as holder:
        call = asyncio.create_task(create(process))
        await until_waiting(holder)

        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await create(process, "k2")
        assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert await health(process) == health_pb2.HealthCheckResponse.SERVING

    assert (await call).name == "mug"


async def test_a_call_past_its_deadline_ends_and_leaves_nothing(catalogue: Catalogue, product_on: Start) -> None:
    process = product_on(catalogue.bindings, ACME_RPC_DEADLINE="0.3")
    await process.start()
    await process.wait_until_ready()
    with table_locked(catalogue, "products"), pytest.raises(grpc.aio.AioRpcError) as refused:
        await create(process)

    assert refused.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    with catalogue.admin() as admin:
        assert admin.execute("SELECT count(*) FROM products").fetchone() == (0,)
        assert admin.execute("SELECT count(*) FROM idempotency_claims").fetchone() == (0,)


async def test_the_log_holds_each_call_and_neither_payload_nor_password(
    catalogue: Catalogue, product: ServiceProcess
) -> None:
    await create(product, "a-key-of-the-caller")

    text = str(product.events)
    calls = [line for line in product.events if line["event"] == "call"]
    assert [(line["method"], line["code"]) for line in calls] == [(f"/{NAME}/CreateProduct", "OK")]
    assert (catalogue.bindings / "db" / "password").read_text() not in text
    assert "mug" not in text
    assert "a-key-of-the-caller" not in text


async def test_each_call_is_counted_with_its_code(product: ServiceProcess) -> None:
    await create(product)

    page = (await product.get("/metrics"))[1]

    assert f'acme_rpc_server_duration_seconds_count{{code="OK",method="/{NAME}/CreateProduct"}} 1.0' in page


async def test_a_service_without_its_binding_says_what_to_declare(tmp_path: Path) -> None:
    environment = ServiceProcess("product", tmp_path).environment

    code, text = await _run(environment, "product")

    assert code == 2
    assert f"{tmp_path}/db/type is missing" in text
    assert "declare a dependency named db" in text


async def test_a_name_that_is_no_service_is_answered_with_those_that_are(tmp_path: Path) -> None:
    environment = ServiceProcess("product", tmp_path).environment

    code, text = await _run(environment, "prodct")

    assert (code, text) == (2, "acme_services: 'prodct' is not a service; name one of: product\n")


@pytest.mark.parametrize("variable", ["ACME_GRPC_PORT", "ACME_HTTP_PORT"])
async def test_a_port_that_is_taken_is_named_with_the_variable_that_sets_it(
    catalogue: Catalogue, product: ServiceProcess, variable: str
) -> None:
    port = product.address.rpartition(":")[2]
    environment = ServiceProcess("product", catalogue.bindings, **{variable: port}).environment

    code, text = await _run(environment, "product")

    assert code == 2
    assert f"cannot listen on 127.0.0.1:{port}" in text
    assert variable in text


async def _run(environment: dict[str, str], *arguments: str) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "acme_services",
        *arguments,
        env=environment,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    _, errors = await process.communicate()
    return process.returncode, errors.decode()
