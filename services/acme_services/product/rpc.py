"""The gRPC servicer: message in, use case, message out; no decision is taken here."""

from dataclasses import dataclass

import grpc.aio

from acme_rpc.product.v1 import product_pb2 as pb
from acme_rpc.product.v1.product_pb2_grpc import ProductServiceServicer
from acme_services.kernel.clock import Clock
from acme_services.kernel.ids import NewId, parse_id
from acme_services.kernel.paging import page_size, parse_token
from acme_services.product import messages, usecases
from acme_services.product.ports import Store
from acme_services.product.usecases import Creation

SERVICE_NAME: str = pb.DESCRIPTOR.services_by_name["ProductService"].full_name


@dataclass(frozen=True, slots=True)
class Rpc(ProductServiceServicer):
    """ProductService over a store."""

    store: Store
    clock: Clock
    new_id: NewId

    async def CreateProduct(
        self,
        request: pb.CreateProductRequest,
        context: grpc.aio.ServicerContext[pb.CreateProductRequest, pb.CreateProductResponse],
    ) -> pb.CreateProductResponse:
        """Adds a product, once for each idempotency key."""
        key = messages.idempotency_key(context.invocation_metadata())
        creation = Creation(self.new_id(), self.clock(), key)
        product = await usecases.create_product(messages.draft(request), creation, self.store)
        return pb.CreateProductResponse(product=messages.product_message(product))

    async def GetProduct(
        self,
        request: pb.GetProductRequest,
        context: grpc.aio.ServicerContext[pb.GetProductRequest, pb.GetProductResponse],
    ) -> pb.GetProductResponse:
        """Reads a product."""
        product = await usecases.get_product(parse_id(request.id), self.store)
        return pb.GetProductResponse(product=messages.product_message(product))

    async def ListProducts(
        self,
        request: pb.ListProductsRequest,
        context: grpc.aio.ServicerContext[pb.ListProductsRequest, pb.ListProductsResponse],
    ) -> pb.ListProductsResponse:
        """Reads a page of products."""
        after, size = parse_token(request.page_token), page_size(request.page_size)
        return messages.page_message(await usecases.list_products(after, size, self.store))

    async def UpdateProduct(
        self,
        request: pb.UpdateProductRequest,
        context: grpc.aio.ServicerContext[pb.UpdateProductRequest, pb.UpdateProductResponse],
    ) -> pb.UpdateProductResponse:
        """Changes the fields that are present."""
        product_id, change, version = parse_id(request.id), messages.change(request), messages.based_on(request.version)
        product = await usecases.update_product(product_id, change, version, self.clock(), self.store)
        return pb.UpdateProductResponse(product=messages.product_message(product))

    async def DeleteProduct(
        self,
        request: pb.DeleteProductRequest,
        context: grpc.aio.ServicerContext[pb.DeleteProductRequest, pb.DeleteProductResponse],
    ) -> pb.DeleteProductResponse:
        """Removes a product."""
        version = messages.based_on(request.version) if request.HasField("version") else None
        await usecases.delete_product(parse_id(request.id), version, self.store)
        return pb.DeleteProductResponse()
