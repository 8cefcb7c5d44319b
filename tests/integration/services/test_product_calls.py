"""The product service as a process on a real database: what its callers get."""

import asyncio
import json
import sys

import grpc
import grpc.aio
import pytest

from acme_rpc.common.v1.money_pb2 import Money
from acme_rpc.product.v1 import product_pb2 as pb
from acme_rpc.product.v1.product_pb2_grpc import ProductServiceStub
from tests.plugins.catalogue import Catalogue
from tests.plugins.service_process import ServiceProcess

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.postgres]


def mug(name: str = "mug", minor_units: int = 1999) -> pb.CreateProductRequest:
    return pb.CreateProductRequest(name=name, price=Money(minor_units=minor_units, currency="EUR"))


async def test_a_created_product_is_read_and_listed(product: ServiceProcess) -> None:
    async with grpc.aio.insecure_channel(product.address) as channel:
        stub = ProductServiceStub(channel)

        created = (await stub.CreateProduct(mug())).product

        assert (created.name, created.price.minor_units, created.price.currency) == ("mug", 1999, "EUR")
        assert created.version == 1
        assert (await stub.GetProduct(pb.GetProductRequest(id=created.id))).product == created
        assert list((await stub.ListProducts(pb.ListProductsRequest())).products) == [created]


async def test_one_key_makes_one_product_however_many_calls_carry_it(
    product: ServiceProcess, catalogue: Catalogue
) -> None:
    async with grpc.aio.insecure_channel(product.address) as channel:
        stub = ProductServiceStub(channel)
        key = (("idempotency-key", "order-4711"),)

        answers = await asyncio.gather(*(stub.CreateProduct(mug(), metadata=key) for _ in range(200)))

    assert {answer.SerializeToString(deterministic=True) for answer in answers} == {
        answers[0].SerializeToString(deterministic=True)
    }
    with catalogue.admin() as admin:
        assert admin.execute("SELECT count(*) FROM products").fetchone() == (1,)


async def test_a_replay_returns_the_first_answer_even_after_the_product_changed(product: ServiceProcess) -> None:
    async with grpc.aio.insecure_channel(product.address) as channel:
        stub = ProductServiceStub(channel)
        key = (("idempotency-key", "k1"),)
        first = (await stub.CreateProduct(mug(), metadata=key)).product
        await stub.UpdateProduct(pb.UpdateProductRequest(id=first.id, version=1, name="cup"))

        replayed = (await stub.CreateProduct(mug(), metadata=key)).product

    assert replayed == first


async def test_a_key_used_for_another_request_is_refused(product: ServiceProcess) -> None:
    async with grpc.aio.insecure_channel(product.address) as channel:
        stub = ProductServiceStub(channel)
        key = (("idempotency-key", "k1"),)
        await stub.CreateProduct(mug(), metadata=key)

        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await stub.CreateProduct(mug(minor_units=2999), metadata=key)

    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "idempotency-key" in (refused.value.details() or "")


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (mug(name=""), "name:"),
        (mug(name="x" * 201), "name:"),
        (mug(name="two\nlines"), "name:"),
        (mug(minor_units=-1), "price.minor_units:"),
        (pb.CreateProductRequest(name="mug"), "price:"),
        (pb.CreateProductRequest(name="mug", price=Money(minor_units=1, currency="euro")), "price.currency:"),
        (pb.CreateProductRequest(name="mug", description="a\0b", price=Money(currency="EUR")), "description:"),
    ],
)
async def test_bad_input_is_refused_with_the_name_of_the_field(
    product: ServiceProcess, request_: pb.CreateProductRequest, field: str
) -> None:
    async with grpc.aio.insecure_channel(product.address) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await ProductServiceStub(channel).CreateProduct(request_)

    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert (refused.value.details() or "").startswith(field)


async def test_pages_hold_every_product_once_and_in_order(product: ServiceProcess) -> None:
    async with grpc.aio.insecure_channel(product.address) as channel:
        stub = ProductServiceStub(channel)
        made = [(await stub.CreateProduct(mug(name=f"mug {number}"))).product.id for number in range(5)]

        sizes, seen, token = [], [], ""
        while True:
            page = await stub.ListProducts(pb.ListProductsRequest(page_size=2, page_token=token))
            sizes.append(len(page.products))
            seen += [product.id for product in page.products]
            token = page.next_page_token
            if not token:
                break

    assert sizes == [2, 2, 1]
    assert seen == made


async def test_a_change_based_on_an_old_version_is_aborted(product: ServiceProcess) -> None:
    async with grpc.aio.insecure_channel(product.address) as channel:
        stub = ProductServiceStub(channel)
        created = (await stub.CreateProduct(mug())).product
        changed = (await stub.UpdateProduct(pb.UpdateProductRequest(id=created.id, version=1, name="cup"))).product

        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await stub.UpdateProduct(pb.UpdateProductRequest(id=created.id, version=1, name="glass"))
        current = (await stub.GetProduct(pb.GetProductRequest(id=created.id))).product

    assert refused.value.code() is grpc.StatusCode.ABORTED
    assert (current.name, current.version) == ("cup", 2)
    assert current == changed


async def test_of_many_changes_based_on_one_version_one_wins(product: ServiceProcess) -> None:
    async with grpc.aio.insecure_channel(product.address) as channel:
        stub = ProductServiceStub(channel)
        created = (await stub.CreateProduct(mug())).product
        changes = (pb.UpdateProductRequest(id=created.id, version=1, name=f"cup {number}") for number in range(20))

        outcomes = await asyncio.gather(*(stub.UpdateProduct(each) for each in changes), return_exceptions=True)

    won = [outcome for outcome in outcomes if isinstance(outcome, pb.UpdateProductResponse)]
    assert [outcome.product.version for outcome in won] == [2]


async def test_a_deleted_product_is_gone(product: ServiceProcess) -> None:
    async with grpc.aio.insecure_channel(product.address) as channel:
        stub = ProductServiceStub(channel)
        created = (await stub.CreateProduct(mug())).product
        await stub.DeleteProduct(pb.DeleteProductRequest(id=created.id))

        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await stub.GetProduct(pb.GetProductRequest(id=created.id))

    assert refused.value.code() is grpc.StatusCode.NOT_FOUND
    assert created.id in (refused.value.details() or "")


async def test_the_client_prints_json_lines(product: ServiceProcess) -> None:
    async def client(*arguments: str) -> tuple[int | None, str]:
        command = [sys.executable, "-m", "acme_services.product.client", "--address", product.address, *arguments]
        process = await asyncio.create_subprocess_exec(
            *command, env=product.environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        output, _ = await process.communicate()
        return process.returncode, output.decode()

    made = await client("create", "--name", "Café mug", "--price", "1999", "--currency", "EUR")
    listed = await client("list")
    refused = await client("create", "--name", "mug", "--price", "1999", "--currency", "XXX")

    assert made[0] == 0
    assert json.loads(made[1])["name"] == "Café mug"
    assert listed == made
    assert refused[0] == 1
    assert "INVALID_ARGUMENT: price.currency" in refused[1]
