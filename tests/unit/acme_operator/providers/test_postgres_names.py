"""Names of groups are stable, distinct and never cut by PostgreSQL; marks say whose a role is and nothing by accident."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acme_operator.api.access import Access
from acme_operator.providers.errors import BadName
from acme_operator.providers.postgres_names import (
    NAME_LIMIT,
    Mark,
    check_database_name,
    check_role_name,
    group,
    identifier,
    literal,
)

names = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=63).filter(
    lambda name: len(name.encode()) <= NAME_LIMIT
)


def test_groups_are_named_after_database_and_access() -> None:
    assert [group("orders", access) for access in Access] == ["orders_owner", "orders_rw", "orders_ro"]


@given(names, st.sampled_from(Access))
def test_a_group_name_is_never_cut_by_postgresql(database: str, access: Access) -> None:
    assert len(group(database, access).encode()) <= NAME_LIMIT


@given(names, names)
def test_two_databases_never_share_a_group(one: str, other: str) -> None:
    shared = {group(one, access) for access in Access} & {group(other, access) for access in Access}

    assert not shared or one == other


def test_long_names_that_differ_at_the_end_only_stay_apart() -> None:
    assert group("x" * 62 + "a", Access.OWNER) != group("x" * 62 + "b", Access.OWNER)


@given(names, st.sampled_from(Access), st.sampled_from(["group", "login"]))
def test_a_mark_is_read_back_as_it_was_written(database: str, access: Access, kind: str) -> None:
    mark = Mark("shop/shop-db", "group" if kind == "group" else "login", access, database)

    assert Mark.parse(str(mark)) == mark


@pytest.mark.parametrize(
    "comment",
    [
        "",
        "made by hand",
        "acme-operator: shop/db",
        "acme-operator: shop/db login Superuser orders",
        "acme-operator: a thing Owner b",
    ],
)
def test_a_comment_of_somebody_else_is_no_mark(comment: str) -> None:
    assert Mark.parse(comment) is None


def test_a_login_may_change_access_and_a_group_may_not() -> None:
    login = Mark("shop/db", "login", Access.OWNER, "orders")
    held = Mark("shop/db", "group", Access.OWNER, "orders")

    assert login.same_holder(Mark("shop/db", "login", Access.READ_ONLY, "orders"))
    assert not held.same_holder(Mark("shop/db", "group", Access.READ_ONLY, "orders"))
    assert not login.same_holder(Mark("shop/other", "login", Access.OWNER, "orders"))
    assert not login.same_holder(held)


def test_quotes_in_a_name_stay_inside_it() -> None:
    assert identifier('a"; drop role b; --') == '"a""; drop role b; --"'
    assert literal("it's") == "'it''s'"


@pytest.mark.parametrize("name", ["", "template1", "a\0b", "ä" * 32])
def test_a_database_name_that_postgresql_would_not_keep_is_refused(name: str) -> None:
    with pytest.raises(BadName):
        check_database_name(name)


@pytest.mark.parametrize("name", ["pg_reader", "public", "none", "x" * 64])
def test_a_role_name_that_postgresql_would_not_keep_is_refused(name: str) -> None:
    with pytest.raises(BadName):
        check_role_name(name)
