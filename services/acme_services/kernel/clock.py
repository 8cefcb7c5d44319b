"""Time as an argument: rules receive an instant, and only the outermost room asks the clock."""

from collections.abc import Callable
from datetime import UTC, datetime

type Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """This instant, in UTC and with microseconds, which is what PostgreSQL keeps."""
    return datetime.now(UTC)
