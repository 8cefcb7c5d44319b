"""The rules of products."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from acme_services.kernel.errors import Conflict, Invalid
from acme_services.kernel.money import Money
from acme_services.product.domain import Change, Draft, new_product

NOW = datetime(2026, 3, 1, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
EURO = Money(100, "EUR")
MUG = new_product(Draft("mug", "of clay", EURO), UUID(int=1), NOW)


def test_a_new_product_is_at_version_one() -> None:
    assert (MUG.version, MUG.created_at, MUG.updated_at) == (1, NOW, NOW)


def test_a_change_takes_what_it_names_and_leaves_the_rest() -> None:
    cup = MUG.changed(Change(name="cup"), 1, LATER)

    assert (cup.name, cup.description, cup.price) == ("cup", "of clay", EURO)
    assert (cup.version, cup.created_at, cup.updated_at) == (2, NOW, LATER)
    assert MUG.name == "mug"


def test_a_description_can_be_emptied() -> None:
    assert MUG.changed(Change(description=""), 1, LATER).description == ""


@pytest.mark.parametrize("version", [0, 2])
def test_a_change_based_on_another_version_conflicts(version: int) -> None:
    with pytest.raises(Conflict, match="is at version 1"):
        MUG.changed(Change(name="cup"), version, LATER)


def test_a_change_of_nothing_is_refused() -> None:
    with pytest.raises(Invalid, match="nothing to change"):
        Change()


@pytest.mark.parametrize("name", ["", " ", "x" * 201, "a\nb", "a\0b", "a\u200bb"])
def test_a_name_is_one_line_that_can_be_seen(name: str) -> None:
    with pytest.raises(Invalid, match=r"^name: "):
        Draft(name, "", EURO)
    with pytest.raises(Invalid, match=r"^name: "):
        Change(name=name)


@pytest.mark.parametrize("description", ["x" * 5001, "a\0b"])
def test_a_description_is_bounded_and_can_be_stored(description: str) -> None:
    with pytest.raises(Invalid, match=r"^description: "):
        Draft("mug", description, EURO)
    with pytest.raises(Invalid, match=r"^description: "):
        Change(description=description)


def test_names_and_descriptions_up_to_their_bounds_are_taken() -> None:
    Draft("é" * 200, "line\n" * 1000, EURO)
