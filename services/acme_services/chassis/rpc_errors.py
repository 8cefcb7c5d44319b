"""One table between the kernel's errors and gRPC's status codes; no other place names both."""

import grpc

from acme_services.kernel.errors import Conflict, Denied, Failure, Invalid, NotFound, Unavailable

CODES: dict[type[Failure], grpc.StatusCode] = {
    NotFound: grpc.StatusCode.NOT_FOUND,
    # ABORTED, not FAILED_PRECONDITION: reading again and retrying is what helps.
    Conflict: grpc.StatusCode.ABORTED,
    Invalid: grpc.StatusCode.INVALID_ARGUMENT,
    Denied: grpc.StatusCode.PERMISSION_DENIED,
    Unavailable: grpc.StatusCode.UNAVAILABLE,
}


class Overloaded(Exception):
    """The process answers as many calls as it may already."""


def status(error: Exception) -> tuple[grpc.StatusCode, str]:
    """The status code and message that answer `error`; what is no Failure says nothing of its cause."""
    if isinstance(error, Failure):
        return CODES[type(error)], str(error)
    if isinstance(error, Overloaded):
        return grpc.StatusCode.RESOURCE_EXHAUSTED, "too many calls in flight: try again later, with back-off"
    if isinstance(error, TimeoutError):
        return grpc.StatusCode.DEADLINE_EXCEEDED, "the call took longer than its deadline"
    return grpc.StatusCode.INTERNAL, "internal error: the service's log has the details"
