"""Readiness: reasons by part, and listeners that hear each change once."""

from acme_services.chassis.readiness import Readiness


def test_ready_is_having_no_reason_not_to_be() -> None:
    readiness = Readiness()
    readiness.report("database", "away")
    readiness.report("broker", "away")

    readiness.report("database", None)

    assert not readiness.is_ready
    assert readiness.reasons == {"broker": "away"}
    readiness.report("broker", None)
    assert readiness.is_ready


def test_a_listener_hears_the_state_and_each_change_of_it() -> None:
    readiness = Readiness()
    heard: list[bool] = []
    readiness.listen(heard.append)

    for reason in ("away", "still away", None, None):
        readiness.report("database", reason)

    assert heard == [True, False, True]


def test_a_stopping_process_never_becomes_ready_again() -> None:
    readiness = Readiness()

    heard: list[bool] = []
    readiness.report("database", "away")
    readiness.listen(heard.append)

    readiness.stop()
    readiness.report("process", None)
    readiness.report("database", None)

    assert readiness.is_stopping
    assert heard == [False, False], "a listener hears of the stop also when nothing else changes"
    assert not readiness.is_ready
