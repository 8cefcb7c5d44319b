"""Waiting for the world to be in a state, with an end; the only place in the tests that lets time pass."""

import asyncio
import time
from collections.abc import Awaitable, Callable


async def eventually[T](question: Callable[[], Awaitable[T]], what: str = "", seconds: float = 20.0) -> T:
    """Ask until the answer is true, and return it; fails with `what` and the last answer after `seconds`."""
    deadline = time.monotonic() + seconds
    while not (answer := await question()):
        assert time.monotonic() < deadline, f"still {answer!r} after {seconds} s: {what}"
        await asyncio.sleep(0.05)
    return answer
