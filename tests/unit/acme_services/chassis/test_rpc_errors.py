"""The table between kernel errors and gRPC codes."""

import grpc
import pytest

from acme_services.chassis.rpc_errors import CODES, Overloaded, status
from acme_services.kernel.errors import Conflict, Failure, Invalid


def test_every_kernel_error_has_a_code_of_its_own() -> None:
    assert set(CODES) == set(Failure.__subclasses__())
    assert len(set(CODES.values())) == len(CODES)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Conflict("x"), grpc.StatusCode.ABORTED),
        (Invalid("name", "is empty"), grpc.StatusCode.INVALID_ARGUMENT),
        (Overloaded(), grpc.StatusCode.RESOURCE_EXHAUSTED),
        (TimeoutError(), grpc.StatusCode.DEADLINE_EXCEEDED),
    ],
)
def test_an_answer_is_told_by_its_code(error: Exception, code: grpc.StatusCode) -> None:
    assert status(error)[0] is code


def test_a_bug_tells_its_caller_nothing_of_its_cause() -> None:
    code, message = status(RuntimeError("password=s3cret"))

    assert code is grpc.StatusCode.INTERNAL
    assert "s3cret" not in message
