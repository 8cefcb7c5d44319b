"""Waiting for the world to be in a state, with an end; the only place in the tests that lets time pass."""

import asyncio
import time
from collections.abc import Awaitable, Callable


async def eventually(question: Callable[[], Awaitable[bool]], what: str, seconds: float = 20.0) -> None:
    """Ask until the answer is yes; fails with `what` when it is still no after `seconds`."""
    deadline = time.monotonic() + seconds
    while not await question():
        assert time.monotonic() < deadline, f"still not true after {seconds} s: {what}"
        await asyncio.sleep(0.05)
