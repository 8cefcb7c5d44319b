"""Protobuf to domain and back."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from acme_rpc.common.v1.money_pb2 import Money as MoneyMessage
from acme_rpc.product.v1 import product_pb2 as pb
from acme_services.kernel.errors import Invalid
from acme_services.kernel.money import Money
from acme_services.kernel.paging import Page
from acme_services.product import messages
from acme_services.product.domain import Change, Draft, Product

NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
MUG = Product(UUID(int=1), "mug", "of clay", Money(1999, "EUR"), 3, NOW, NOW)


def test_a_product_keeps_all_its_fields() -> None:
    message = messages.product_message(MUG)

    assert (message.id, message.name, message.description, message.version) == (str(MUG.id), "mug", "of clay", 3)
    assert (message.price.minor_units, message.price.currency) == (1999, "EUR")
    assert message.created_at.ToDatetime(tzinfo=UTC) == NOW


def test_a_creation_becomes_a_draft() -> None:
    request = pb.CreateProductRequest(name="mug", price=MoneyMessage(minor_units=5, currency="JPY"))

    assert messages.draft(request) == Draft("mug", "", Money(5, "JPY"))


def test_a_creation_without_a_price_is_refused() -> None:
    with pytest.raises(Invalid, match=r"^price: is missing"):
        messages.draft(pb.CreateProductRequest(name="mug"))


def test_an_absent_field_changes_nothing_and_an_empty_one_does() -> None:
    assert messages.change(pb.UpdateProductRequest(description="")) == Change(description="")


@pytest.mark.parametrize("version", [0, -1])
def test_a_version_that_never_was_is_refused(version: int) -> None:
    with pytest.raises(Invalid, match=r"^version: "):
        messages.based_on(version)


def test_only_a_page_that_is_followed_has_a_token() -> None:
    assert messages.page_message(Page([MUG], MUG.id)).next_page_token
    assert not messages.page_message(Page([MUG], None)).next_page_token


def test_the_key_is_taken_from_the_metadata() -> None:
    assert messages.idempotency_key([("user-agent", "x"), ("idempotency-key", "a-1_~")]) == "a-1_~"
    assert messages.idempotency_key([("user-agent", "x")]) is None
    assert messages.idempotency_key(None) is None


@pytest.mark.parametrize("key", ["", "a b", "x" * 129, "é", b"raw"])
def test_a_key_that_cannot_be_one_is_refused(key: str | bytes) -> None:
    with pytest.raises(Invalid, match=r"^idempotency-key: "):
        messages.idempotency_key([("idempotency-key", key)])


def test_two_keys_on_one_call_are_refused() -> None:
    with pytest.raises(Invalid, match=r"^idempotency-key: "):
        messages.idempotency_key([("idempotency-key", "a"), ("idempotency-key", "b")])
