"""A program that fails, is missing or hangs ends as one sentence with its own words."""

import pytest

from acme_local.commands import run, succeeds
from acme_local.failures import LocalError


def test_output_is_returned_and_input_is_passed() -> None:
    assert run(["cat"], what="repeating", stdin="words") == "words"


def test_the_programs_complaint_is_in_the_error() -> None:
    with pytest.raises(LocalError, match=r"(?s)counting failed.*cannot count"):
        run(["sh", "-c", "echo cannot count >&2; exit 3"], what="counting")


def test_a_missing_program_is_named() -> None:
    with pytest.raises(LocalError, match="needs no-such-program"):
        run(["no-such-program"], what="trying")
    assert not succeeds(["no-such-program"])


def test_a_program_that_hangs_is_ended() -> None:
    with pytest.raises(LocalError, match="took more than"):
        run(["sleep", "60"], what="sleeping", seconds=0.2)
