import grpc
import grpc.aio

from acme_rpc.product.v1 import product_pb2

class ProductServiceStub:
    def __init__(self, channel: grpc.aio.Channel) -> None: ...
    CreateProduct: grpc.aio.UnaryUnaryMultiCallable[product_pb2.CreateProductRequest, product_pb2.CreateProductResponse]
    GetProduct: grpc.aio.UnaryUnaryMultiCallable[product_pb2.GetProductRequest, product_pb2.GetProductResponse]
    ListProducts: grpc.aio.UnaryUnaryMultiCallable[product_pb2.ListProductsRequest, product_pb2.ListProductsResponse]
    UpdateProduct: grpc.aio.UnaryUnaryMultiCallable[product_pb2.UpdateProductRequest, product_pb2.UpdateProductResponse]
    DeleteProduct: grpc.aio.UnaryUnaryMultiCallable[product_pb2.DeleteProductRequest, product_pb2.DeleteProductResponse]

class ProductServiceServicer:
    async def CreateProduct(
        self, request: product_pb2.CreateProductRequest, context: grpc.aio.ServicerContext[product_pb2.CreateProductRequest, product_pb2.CreateProductResponse]
    ) -> product_pb2.CreateProductResponse: ...
    async def GetProduct(
        self, request: product_pb2.GetProductRequest, context: grpc.aio.ServicerContext[product_pb2.GetProductRequest, product_pb2.GetProductResponse]
    ) -> product_pb2.GetProductResponse: ...
    async def ListProducts(
        self, request: product_pb2.ListProductsRequest, context: grpc.aio.ServicerContext[product_pb2.ListProductsRequest, product_pb2.ListProductsResponse]
    ) -> product_pb2.ListProductsResponse: ...
    async def UpdateProduct(
        self, request: product_pb2.UpdateProductRequest, context: grpc.aio.ServicerContext[product_pb2.UpdateProductRequest, product_pb2.UpdateProductResponse]
    ) -> product_pb2.UpdateProductResponse: ...
    async def DeleteProduct(
        self, request: product_pb2.DeleteProductRequest, context: grpc.aio.ServicerContext[product_pb2.DeleteProductRequest, product_pb2.DeleteProductResponse]
    ) -> product_pb2.DeleteProductResponse: ...

def add_ProductServiceServicer_to_server(servicer: ProductServiceServicer, server: grpc.aio.Server) -> None: ...
