"""The API server's refusals as our errors."""

from datetime import timedelta
from typing import Any

import pytest

from acme_operator.engine import errors
from acme_operator.engine.errors import Claim, FieldCause
from acme_operator.engine.refusals import refusal


@pytest.mark.parametrize(
    ("code", "status", "expected"),
    [
        (400, {}, errors.BadRequest),
        (401, {}, errors.Unauthorized),
        (403, {}, errors.Forbidden),
        (404, {}, errors.NotFound),
        (409, {"reason": "Conflict"}, errors.Conflict),
        (409, {"reason": "AlreadyExists"}, errors.AlreadyExists),
        (410, {}, errors.Expired),
        (422, {}, errors.Invalid),
        (429, {}, errors.Throttled),
        (500, {}, errors.Unavailable),
        (503, {}, errors.Unavailable),
        (504, {}, errors.Unavailable),
        (418, {}, errors.ClusterError),
    ],
)
def test_each_code_has_its_error(code: int, status: dict[str, Any], expected: type[Exception]) -> None:
    found = refusal("apply Deployment shop/product", code, status)

    assert type(found) is expected
    assert "apply Deployment shop/product" in str(found)


def test_a_field_conflict_names_managers_and_fields() -> None:
    causes = [
        {"reason": "FieldManagerConflict", "message": f'conflict with "{who}" using apps/v1', "field": f".spec.{field}"}
        for who, field in (("kubectl-edit", "replicas"), ("odd 'name'", "paused"))
    ]

    found = refusal("apply", 409, {"reason": "Conflict", "details": {"causes": causes}})

    assert isinstance(found, errors.Conflict)
    assert found.claims == (Claim("kubectl-edit", "spec.replicas"), Claim("odd 'name'", "spec.paused"))


def test_an_invalid_object_names_its_fields() -> None:
    cause = {"reason": "FieldValueRequired", "message": "Required value", "field": "spec.ports[1].name"}

    found = refusal("apply", 422, {"details": {"causes": [cause]}})

    assert isinstance(found, errors.Invalid)
    assert found.causes == (FieldCause("spec.ports[1].name", "FieldValueRequired", "Required value"),)


@pytest.mark.parametrize(
    ("header", "details", "seconds"),
    [
        ("7", {}, 7),
        (None, {"retryAfterSeconds": 3}, 3),
        (None, {}, 1),
        ("Wed, 21 Oct 2026 07:28:00 GMT", {}, 1),
        ("86400", {}, 60),
    ],
)
def test_a_throttled_request_says_when_to_come_back(header: str | None, details: Any, seconds: int) -> None:
    found = refusal("apply", 429, {"details": details}, header)

    assert isinstance(found, errors.Throttled)
    assert found.retry_after == timedelta(seconds=seconds)
