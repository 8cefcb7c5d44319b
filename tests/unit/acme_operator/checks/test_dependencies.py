"""Which dependency holds a new revision up, and the sentence that says so."""

from typing import Any

from acme_operator.api.datastore import AcmeDatastoreStatus
from acme_operator.api.facts import Finding
from acme_operator.api.meta import ConditionStatus
from acme_operator.api.service import AcmeServiceSpec
from acme_operator.checks import verdicts
from acme_operator.checks.dependencies import combined, findings

CONSUMER = {"service": "product", "dependency": "db", "database": "product", "access": "Owner"}


def spec(**target: Any) -> AcmeServiceSpec:
    return AcmeServiceSpec.model_validate({"image": "a:1", "dependencies": [{"name": "db", **target}]})


def datastore(**status: Any) -> AcmeDatastoreStatus:
    return AcmeDatastoreStatus.model_validate(status)


def found(
    wanted: AcmeServiceSpec, *, service: AcmeServiceSpec | None = None, store: AcmeDatastoreStatus | None = None
) -> Finding | None:
    return combined(findings("product", wanted, lambda _: service, lambda _: store))


ON_DATASTORE = spec(datastore={"name": "shop-db"})
ON_SERVICE = spec(service={"name": "inventory", "port": "grpc"})


def test_a_bound_datastore_holds_nothing_up() -> None:
    bound = datastore(consumers=[CONSUMER | {"secret": "product.db.binding"}])

    assert found(ON_DATASTORE, store=bound) is None


def test_a_datastore_that_is_not_there_is_named_with_the_field_to_correct() -> None:
    finding = found(ON_DATASTORE)

    assert finding is not None
    assert finding.reason == "DependencyMissing"
    assert "spec.dependencies[db].datastore.name" in finding.message
    assert [blocker.name for blocker in finding.blocked_by] == ["shop-db"]


def test_a_login_that_is_being_made_is_waited_for() -> None:
    finding = found(ON_DATASTORE, store=datastore(consumers=[CONSUMER | {"reason": "Progressing"}]))

    assert finding is not None
    assert finding.reason == "DependencyNotReady"
    assert verdicts.blocked(finding, available=True).ready is ConditionStatus.UNKNOWN


def test_the_deepest_cause_is_passed_on() -> None:
    blocked = datastore(blockedBy=[{"kind": "Secret", "name": "admin", "reason": "SecretMissing"}])

    finding = found(ON_DATASTORE, store=blocked)

    assert finding is not None
    assert [blocker.name for blocker in finding.blocked_by] == ["shop-db", "admin"]


def test_another_service_of_the_datastore_does_not_bind_this_one() -> None:
    other = CONSUMER | {"service": "order", "secret": "order.db.binding"}

    assert found(ON_DATASTORE, store=datastore(consumers=[other])) is not None


def test_a_service_with_the_port_can_be_called() -> None:
    callee = AcmeServiceSpec.model_validate({"image": "a:1", "ports": [{"name": "grpc", "port": 9090}]})

    assert found(ON_SERVICE, service=callee) is None


def test_a_service_without_the_port_says_which_it_has() -> None:
    callee = AcmeServiceSpec.model_validate({"image": "a:1", "ports": [{"name": "http", "port": 8080}]})

    finding = found(ON_SERVICE, service=callee)

    assert finding is not None
    assert finding.reason == "PortNotDeclared"
    assert "it has http" in finding.message


def test_something_missing_is_said_before_something_slow() -> None:
    both = AcmeServiceSpec.model_validate(
        {
            "image": "a:1",
            "dependencies": [
                {"name": "db", "datastore": {"name": "shop-db"}},
                {"name": "stock", "service": {"name": "inventory", "port": "grpc"}},
            ],
        }
    )

    finding = found(both, store=datastore())

    assert finding is not None
    assert finding.reason == "DependencyMissing"
    assert {blocker.name for blocker in finding.blocked_by} == {"shop-db", "inventory"}
