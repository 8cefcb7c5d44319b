"""Page tokens and page sizes."""

from contextlib import suppress
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acme_services.kernel.errors import Invalid
from acme_services.kernel.paging import LARGEST_SIZE, page_size, parse_token, token


@given(st.uuids())
def test_a_token_leads_back_to_its_key(key: UUID) -> None:
    assert parse_token(token(key)) == key


def test_no_token_means_the_first_page_and_no_key_means_the_last() -> None:
    assert parse_token("") is None
    assert token(None) == ""


@given(st.text(min_size=1))
def test_a_text_that_is_no_token_is_refused_and_never_breaks_the_parser(text: str) -> None:
    with suppress(Invalid):
        assert parse_token(text) is not None


@pytest.mark.parametrize("text", ["abc", "AAAAAAAAAAAAAAAAAAAAAAA", "ü", "%%%", "=" * 8])
def test_a_foreign_token_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="page_token"):
        parse_token(text)


@pytest.mark.parametrize(
    ("asked", "given_"), [(0, 50), (1, 1), (200, 200), (201, LARGEST_SIZE), (2**31 - 1, LARGEST_SIZE)]
)
def test_a_page_is_bounded(asked: int, given_: int) -> None:
    assert page_size(asked) == given_


def test_a_negative_page_size_is_refused() -> None:
    with pytest.raises(Invalid, match="page_size"):
        page_size(-1)
