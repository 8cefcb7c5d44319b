"""A command line for the service: `python -m acme_services.product.client --help`; prints one JSON object a line."""

import argparse
import asyncio
import json
import sys
from collections.abc import AsyncIterator, Sequence

import grpc.aio
from google.protobuf.json_format import MessageToDict

from acme_rpc.common.v1.money_pb2 import Money
from acme_rpc.product.v1 import product_pb2 as pb
from acme_rpc.product.v1.product_pb2_grpc import ProductServiceStub

_SECONDS = 10.0


def main(arguments: Sequence[str]) -> int:
    """Make one request; 0 when it was answered, 1 with the status on standard error when it was refused."""
    options = _parser().parse_args(arguments)
    try:
        asyncio.run(_print_all(options))
    except grpc.aio.AioRpcError as error:
        sys.stderr.write(f"{options.address}: {error.code().name}: {error.details()}\n")
        return 1
    return 0


async def _print_all(options: argparse.Namespace) -> None:
    async with grpc.aio.insecure_channel(options.address) as channel:
        stub = ProductServiceStub(channel)
        products = _created(stub, options) if options.command == "create" else _listed(stub)
        async for product in products:
            sys.stdout.write(json.dumps(MessageToDict(product, preserving_proto_field_name=True)) + "\n")


async def _created(stub: ProductServiceStub, options: argparse.Namespace) -> AsyncIterator[pb.Product]:
    price = Money(minor_units=options.price, currency=options.currency)
    request = pb.CreateProductRequest(name=options.name, description=options.description, price=price)
    metadata = (("idempotency-key", options.idempotency_key),) if options.idempotency_key else ()
    yield (await stub.CreateProduct(request, metadata=metadata, timeout=_SECONDS, wait_for_ready=True)).product


async def _listed(stub: ProductServiceStub) -> AsyncIterator[pb.Product]:
    token = ""
    while True:
        request = pb.ListProductsRequest(page_token=token)
        page = await stub.ListProducts(request, timeout=_SECONDS, wait_for_ready=True)
        for product in page.products:
            yield product
        token = page.next_page_token
        if not token:
            return


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="acme_services.product.client", description="talk to the product service")
    parser.add_argument("--address", default="localhost:9090", help="host:port of the service (%(default)s)")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="print every product")
    create = commands.add_parser("create", help="add a product and print it")
    create.add_argument("--name", required=True)
    create.add_argument("--description", default="")
    create.add_argument("--price", type=int, required=True, help="in minor units: 1999 EUR is 19.99 euro")
    create.add_argument("--currency", required=True, help="ISO 4217 code, like EUR")
    create.add_argument("--idempotency-key", help="the same key never makes a second product")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
