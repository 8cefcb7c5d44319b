"""How long to wait before the next attempt: longer each time, bounded, and never in step with the other processes."""

import asyncio
from collections.abc import Awaitable, Callable
from random import SystemRandom

_random = SystemRandom()


class Backoff:
    """Delays that double from `first` to `most`, each shortened by up to a half at random; durations in seconds."""

    def __init__(self, first: float = 0.2, most: float = 10.0) -> None:
        self._first, self._most = first, most
        self._next = first

    def reset(self) -> None:
        """Start again from `first`: the last attempt went well."""
        self._next = self._first

    def delay(self) -> float:
        """The next delay."""
        current, self._next = self._next, min(self._next * 2, self._most)
        return spread(current)


def spread(seconds: float) -> float:
    """`seconds` shortened by up to a half at random, so that processes started together drift apart."""
    return seconds * _random.uniform(0.5, 1.0)


async def every(seconds: float, act: Callable[[], Awaitable[None]]) -> None:
    """Call `act` for ever, with about `seconds` between; what it raises ends the loop."""
    while True:
        await asyncio.sleep(spread(seconds))
        await act()
