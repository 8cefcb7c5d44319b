"""What can go wrong between a reconcile and the API server.

    Exception
    ├── Waiting             the world is not there yet; the engine comes back after `retry_in`
    ├── Rejected            no retry helps; the controller reports it and returns
    └── ClusterError        what the API server answered, or that it did not
        ├── Conflict        409: a stale resourceVersion or uid, or fields that another manager owns
        ├── AlreadyExists   409 on create
        ├── Invalid         422: the object breaks a rule of its kind
        ├── BadRequest      400: the request itself is malformed
        ├── Unauthorized    401: the credentials are not accepted
        ├── Forbidden       403: RBAC, a quota or an admission policy refuses
        ├── NotFound        404
        ├── Expired         410: the resourceVersion or list token is too old
        ├── Throttled       429: come back after `retry_after`
        └── Unavailable     5xx, a broken connection or no answer in time: the request may have been done

Callers tell errors apart by class and by their machine-readable parts, never by text.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta


class Waiting(Exception):
    """Something that is expected to appear by itself is missing.

    `reason` is a stable CamelCase word of the API; the message names the object and what is waited for.
    """

    def __init__(self, reason: str, message: str, retry_in: timedelta = timedelta(seconds=10)) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.retry_in = retry_in


class Rejected(Exception):
    """What is wanted cannot be done until somebody changes it; the message says what to change."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


@dataclass(frozen=True, slots=True)
class FieldCause:
    """One field that the API server named in a refusal: its path, the server's reason word and its sentence."""

    field: str
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Claim:
    """A field that another field manager owns."""

    manager: str
    field: str


class ClusterError(Exception):
    """The API server refused a request or did not answer it. `what` says which: `apply Deployment shop/product`."""

    def __init__(self, what: str, message: str) -> None:
        super().__init__(f"{what}: {message}")
        self.what = what
        self.message = message


class Conflict(ClusterError):
    """Somebody else was quicker (no claims), or owns fields that a server-side apply sets (claims)."""

    def __init__(self, what: str, message: str, claims: Sequence[Claim] = ()) -> None:
        super().__init__(what, message)
        self.claims = tuple(claims)


class Invalid(ClusterError):
    """The object breaks a rule of its kind; `causes` names the fields."""

    def __init__(self, what: str, message: str, causes: Sequence[FieldCause] = ()) -> None:
        super().__init__(what, message)
        self.causes = tuple(causes)


class AlreadyExists(ClusterError):
    """An object of that name exists."""


class BadRequest(ClusterError):
    """The request is malformed: a mistake of ours, or an API server of another version."""


class Unauthorized(ClusterError):
    """The credentials are missing, wrong or expired."""


class Forbidden(ClusterError):
    """The identity may not do this, or a quota or admission policy refuses it."""


class NotFound(ClusterError):
    """The object, its namespace or its kind does not exist."""


class Expired(ClusterError):
    """The resourceVersion or continue token is older than what the API server remembers."""


class Throttled(ClusterError):
    """The API server asks for less; `retry_after` is its own figure, or one second."""

    def __init__(self, what: str, message: str, retry_after: timedelta = timedelta(seconds=1)) -> None:
        super().__init__(what, message)
        self.retry_after = retry_after


class Unavailable(ClusterError):
    """No answer, or a 5xx. A write may or may not have happened; all our writes may be repeated."""
