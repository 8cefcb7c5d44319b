"""The sockets of an HTTP client, so that none outlives it.

A TLS connection that is left in the middle of a request says farewell first and waits for the server's, which may come after the
end of the event loop. When the client ends nobody waits for anything any more.
"""

import asyncio
import socket
from contextlib import suppress
from typing import Any
from weakref import WeakSet

_PATIENCE = 1.0


class Sockets:
    """Makes a client's sockets and remembers those that live."""

    def __init__(self) -> None:
        self._made: WeakSet[socket.socket] = WeakSet()

    def make(self, address: tuple[Any, ...]) -> socket.socket:
        """A new socket for an address as `getaddrinfo` gives it."""
        made = socket.socket(*address[:3])
        self._made.add(made)
        return made

    async def end(self) -> None:
        """Cut every connection, and return when the event loop has let go of it; a second is more than it takes."""
        for each in self._open():
            with suppress(OSError):  # it was never connected, or the other side has gone already
                each.shutdown(socket.SHUT_RDWR)
        with suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE):
                while self._open():  # noqa: ASYNC110  # nobody is told when the event loop closes a socket
                    await asyncio.sleep(0)

    def _open(self) -> list[socket.socket]:
        return [each for each in self._made if each.fileno() != -1]
