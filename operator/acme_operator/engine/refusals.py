"""Turns the API server's refusals (HTTP code and Status object) into our errors. Pure."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from acme_operator.engine.errors import (
    AlreadyExists,
    BadRequest,
    Claim,
    ClusterError,
    Conflict,
    Expired,
    FieldCause,
    Forbidden,
    Invalid,
    NotFound,
    Throttled,
    Unauthorized,
    Unavailable,
)

_PLAIN: Mapping[int, type[ClusterError]] = {
    400: BadRequest,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    410: Expired,
}
# The manager's name stands in the sentence only; it is shown to people and nothing is decided by it.
_MANAGER = re.compile(r'conflict with "((?:[^"\\]|\\.)*)"')


def refusal(what: str, code: int, status: Mapping[str, Any], retry_after: str | None = None) -> ClusterError:
    """The error for an HTTP answer of 400 and above. `what` names the request and its object; no value is repeated but
    what the server's own sentence says."""
    message = str(status.get("message") or f"HTTP {code}")
    if code == 409:  # noqa: PLR2004
        return _conflict(what, message, status)
    if code == 422:  # noqa: PLR2004
        return Invalid(what, message, [_field_cause(cause) for cause in _causes(status)])
    if code == 429:  # noqa: PLR2004
        return Throttled(what, message, _delay(status, retry_after))
    if code >= 500:  # noqa: PLR2004
        return Unavailable(what, message)
    return _PLAIN.get(code, ClusterError)(what, message)


def _conflict(what: str, message: str, status: Mapping[str, Any]) -> ClusterError:
    if status.get("reason") == "AlreadyExists":
        return AlreadyExists(what, message)
    claims = [_claim(cause) for cause in _causes(status) if cause.get("reason") == "FieldManagerConflict"]
    return Conflict(what, message, claims)


def _claim(cause: Mapping[str, Any]) -> Claim:
    found = _MANAGER.search(str(cause.get("message", "")))
    return Claim(found.group(1) if found else "unknown", str(cause.get("field", "")).removeprefix("."))


def _field_cause(cause: Mapping[str, Any]) -> FieldCause:
    return FieldCause(str(cause.get("field", "")), str(cause.get("reason", "")), str(cause.get("message", "")))


def _causes(status: Mapping[str, Any]) -> list[dict[str, Any]]:
    return (status.get("details") or {}).get("causes") or []


def _delay(status: Mapping[str, Any], header: str | None) -> timedelta:
    text = header or str((status.get("details") or {}).get("retryAfterSeconds") or "1")
    return timedelta(seconds=min(int(text), 60) if text.isdecimal() else 1)
