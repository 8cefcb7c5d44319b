"""A log record is one line of JSON with its values as fields."""

import json
import logging

from acme_services.chassis.telemetry import JsonLines


def line(record: logging.LogRecord) -> dict[str, object]:
    text = JsonLines("product").format(record)
    assert "\n" not in text
    parsed: dict[str, object] = json.loads(text)
    return parsed


def record(**values: object) -> logging.LogRecord:
    return logging.makeLogRecord({"name": "acme", "levelname": "INFO", "msg": "call", **values})


def test_values_given_with_a_record_become_fields() -> None:
    parsed = line(record(method="/a/B", ms=1.5, reason="two\nlines"))

    assert (parsed["event"], parsed["level"], parsed["service"]) == ("call", "info", "product")
    assert (parsed["method"], parsed["ms"], parsed["reason"]) == ("/a/B", 1.5, "two\nlines")


def test_an_exception_stays_on_the_record_s_line() -> None:
    error = LookupError("lost")

    parsed = line(record(exc_info=(LookupError, error, None)))

    assert "LookupError: lost" in str(parsed["exception"])


def test_a_value_that_json_does_not_know_is_written_as_text() -> None:
    assert line(record(path=LookupError("x")))["path"] == "x"
