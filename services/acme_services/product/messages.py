"""Protobuf to domain and back: the only place that knows both."""

from collections.abc import Iterable

from acme_rpc.common.v1 import money_pb2
from acme_rpc.product.v1 import product_pb2 as pb
from acme_services.kernel.errors import Invalid
from acme_services.kernel.money import Money, price
from acme_services.kernel.paging import Page, token
from acme_services.product.domain import Change, Draft, Product

KEY_NAME = "idempotency-key"
_LONGEST_KEY = 128


def draft(request: pb.CreateProductRequest) -> Draft:
    """What a creation asks for; Invalid names the field that is missing or wrong."""
    if not request.HasField("price"):
        raise Invalid("price", "is missing; set minor_units and currency")
    return Draft(request.name, request.description, _price(request.price))


def change(request: pb.UpdateProductRequest) -> Change:
    """What an update asks for; fields that are absent stay as they are."""
    return Change(
        name=request.name if request.HasField("name") else None,
        description=request.description if request.HasField("description") else None,
        price=_price(request.price) if request.HasField("price") else None,
    )


def based_on(version: int) -> int:
    """The version that a caller has seen; Invalid when no product was ever at it."""
    if version < 1:
        raise Invalid("version", "is missing; set it to the version of the product you have read")
    return version


def idempotency_key(metadata: Iterable[tuple[str, str | bytes]] | None) -> str | None:
    """The call's idempotency key, None when it has none; Invalid when it cannot be one."""
    keys = [value for name, value in metadata or () if name == KEY_NAME]
    if not keys:
        return None
    key = keys[0]
    if len(keys) > 1 or not isinstance(key, str) or not 1 <= len(key) <= _LONGEST_KEY or not _is_visible(key):
        raise Invalid(KEY_NAME, f"must be one value of 1 to {_LONGEST_KEY} visible ASCII characters")
    return key


def product_message(product: Product) -> pb.Product:
    """A product as its callers see it."""
    message = pb.Product(
        id=str(product.id),
        name=product.name,
        description=product.description,
        price=money_pb2.Money(minor_units=product.price.minor_units, currency=product.price.currency),
        version=product.version,
    )
    message.created_at.FromDatetime(product.created_at)
    message.updated_at.FromDatetime(product.updated_at)
    return message


def page_message(page: Page[Product]) -> pb.ListProductsResponse:
    """A page as its callers see it."""
    products = [product_message(product) for product in page.items]
    return pb.ListProductsResponse(products=products, next_page_token=token(page.last))


def _price(message: money_pb2.Money) -> Money:
    return price(message.minor_units, message.currency)


def _is_visible(text: str) -> bool:
    return all("!" <= character <= "~" for character in text)
