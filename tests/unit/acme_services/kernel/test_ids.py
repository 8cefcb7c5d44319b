"""Identities sort by age and are read back with a clear refusal."""

import pytest

from acme_services.kernel.errors import Invalid
from acme_services.kernel.ids import new_id, parse_id


def test_newer_ids_sort_after_older_ones() -> None:
    ids = [new_id() for _ in range(1000)]

    assert ids == sorted(ids)
    assert len(set(ids)) == 1000
    assert {each.version for each in ids} == {7}


def test_an_id_is_read_back() -> None:
    known = new_id()

    assert parse_id(str(known)) == known


@pytest.mark.parametrize("text", ["", "1", "not-an-id", "x" * 1000])
def test_a_text_that_is_no_id_is_refused_by_the_name_of_its_field(text: str) -> None:
    with pytest.raises(Invalid, match=r"^product_id: ") as refused:
        parse_id(text, "product_id")

    assert len(str(refused.value)) < 200
