"""What is done to a role follows from what is wanted and what is there, and from nothing else."""

from dataclasses import replace

import pytest

from acme_operator.api.access import Access
from acme_operator.providers.contract import Login
from acme_operator.providers.errors import ForeignRole, NoDatabase
from acme_operator.providers.postgres_acl import Step, grant_steps
from acme_operator.providers.postgres_catalog import Admin, Guarded, Membership, RoleState
from acme_operator.providers.postgres_names import Mark
from acme_operator.providers.postgres_plan import (
    DRIFT,
    database_step,
    drop_steps,
    login_steps,
    role_steps,
    wanted_group,
    wanted_login,
)

SUPERUSER = Admin(superuser=True, version="17.4", major=17, writable=True)
MANAGED = replace(SUPERUSER, superuser=False)
OLDER = replace(MANAGED, version="15.1", major=15)
OWNER = "shop/shop-db"
LOGIN = wanted_login(OWNER, Login("orders-db", "secret", "orders", Access.OWNER))
GROUP = RoleState(
    "orders_owner", Mark(OWNER, "group", Access.OWNER, "orders"), frozenset({"INHERIT"}), False, True, (), {}
)
SETTLED = RoleState(
    name="orders-db",
    mark=LOGIN.mark,
    attributes=frozenset({"LOGIN", "INHERIT"}),
    expires=False,
    reachable=True,
    memberships=(Membership("orders_owner", "postgres", True),),
    starts_as={"orders": "orders_owner"},
)


def sql(steps: list[Step]) -> list[str]:
    """The statements, in order."""
    return [statement for step in steps for statement in step.statements]


def test_a_role_as_wanted_needs_nothing() -> None:
    assert role_steps(LOGIN, SETTLED, SUPERUSER) == []
    assert role_steps(LOGIN, SETTLED, MANAGED) == []


def test_a_new_login_is_made_with_its_mark_in_one_transaction() -> None:
    created, *_ = role_steps(LOGIN, None, SUPERUSER)

    assert created.statements == (
        'CREATE ROLE "orders-db" LOGIN',
        "COMMENT ON ROLE \"orders-db\" IS 'acme-operator: shop/shop-db login Owner orders'",
    )


def test_an_owners_sessions_start_as_the_group() -> None:
    assert 'ALTER ROLE "orders-db" IN DATABASE "orders" SET role = "orders_owner"' in sql(
        role_steps(LOGIN, None, SUPERUSER)
    )


def test_a_managed_administrator_joins_the_owner_group_and_a_superuser_need_not() -> None:
    group = wanted_group(OWNER, "orders", Access.OWNER)
    join = 'GRANT "orders_owner" TO CURRENT_USER'

    assert f"{join} WITH INHERIT TRUE, SET TRUE" in sql(role_steps(group, None, MANAGED))
    assert join in sql(role_steps(group, None, OLDER))
    assert join not in " ".join(sql(role_steps(group, None, SUPERUSER)))
    assert sql(role_steps(group, replace(GROUP, reachable=False), OLDER)) == [join]


def test_a_foreign_membership_is_taken_back_from_whoever_granted_it() -> None:
    drifted = replace(SETTLED, memberships=(*SETTLED.memberships, Membership("pg_monitor", "alice", True)))

    assert sql(role_steps(LOGIN, drifted, SUPERUSER))[0] == 'REVOKE "pg_monitor" FROM "orders-db" GRANTED BY "alice"'
    assert sql(role_steps(LOGIN, drifted, OLDER))[0] == 'REVOKE "pg_monitor" FROM "orders-db"'


def test_a_membership_that_does_not_inherit_is_granted_again() -> None:
    drifted = replace(SETTLED, memberships=(Membership("orders_owner", "postgres", False),))

    assert sql(role_steps(LOGIN, drifted, SUPERUSER)) == [
        'GRANT "orders_owner" TO "orders-db" WITH INHERIT TRUE, SET TRUE'
    ]


def test_only_attributes_that_differ_are_spoken_of() -> None:
    drifted = replace(SETTLED, attributes=frozenset({"LOGIN", "INHERIT", "CREATEDB"}), expires=True)

    assert sql(role_steps(LOGIN, drifted, MANAGED)) == ["ALTER ROLE \"orders-db\" NOCREATEDB VALID UNTIL 'infinity'"]


def test_a_reduced_access_resets_the_start_role_and_ends_sessions_before_it_gives_anything() -> None:
    reader = wanted_login(OWNER, Login("orders-db", "secret", "orders", Access.READ_ONLY))

    actions = [step.change.action for step in role_steps(reader, SETTLED, SUPERUSER)]

    assert actions == ["marked", "revoked", "ended", "granted", "reset"]


@pytest.mark.parametrize(
    ("mark", "whose"),
    [
        (None, "was not made by this operator"),
        (Mark("shop/other", "login", Access.OWNER, "orders"), "belongs to shop/other"),
        (Mark(OWNER, "group", Access.OWNER, "orders"), r"belongs to shop/shop-db \(group\)"),
    ],
)
def test_a_role_with_another_mark_is_foreign(mark: Mark | None, whose: str) -> None:
    theirs = replace(SETTLED, mark=mark)

    with pytest.raises(ForeignRole, match=whose):
        role_steps(LOGIN, theirs, SUPERUSER)
    with pytest.raises(ForeignRole, match=whose):
        drop_steps(OWNER, theirs, SUPERUSER)


def test_a_login_waits_for_its_database() -> None:
    with pytest.raises(NoDatabase, match="orders-db waits for database orders"):
        login_steps(LOGIN, {}, SUPERUSER)


def test_a_dropped_login_is_barred_before_its_sessions_end() -> None:
    assert [step.change.action for step in drop_steps(OWNER, SETTLED, SUPERUSER)] == ["barred", "ended"]


def test_a_database_is_made_taken_over_or_left_as_it_is() -> None:
    assert sql(database_step("orders", None)) == [
        'CREATE DATABASE "orders" OWNER "orders_owner" TEMPLATE template0 ENCODING \'UTF8\''
    ]
    assert sql(database_step("orders", "alice")) == ['ALTER DATABASE "orders" OWNER TO "orders_owner"']
    assert database_step("orders", "orders_owner") == []


def test_what_an_owner_gave_writers_stays_and_what_readers_got_goes() -> None:
    table = Guarded(
        "table",
        "TABLE public.items",
        "table public.items",
        True,
        {
            "orders_rw": frozenset({"SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE"}),
            "orders_ro": frozenset({"SELECT", "DELETE"}),
            "": frozenset({"SELECT"}),
        },
    )

    assert sql(grant_steps("orders", [table], cause=DRIFT)) == ['REVOKE DELETE ON TABLE public.items FROM "orders_ro"']


def test_future_objects_are_granted_through_the_owner_group() -> None:
    future = Guarded("schema", "SCHEMAS", "future schemas", True, {"orders_rw": frozenset({"USAGE"})})

    assert sql(grant_steps("orders", [future], cause=DRIFT, future=True)) == [
        'ALTER DEFAULT PRIVILEGES FOR ROLE "orders_owner" GRANT USAGE ON SCHEMAS TO "orders_ro"'
    ]
