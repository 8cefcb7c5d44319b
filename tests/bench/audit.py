"""Who asked the API server for what, read from its audit log: the one count that no client can get wrong about itself."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import orjson

_WRITES = frozenset({"create", "update", "patch", "delete", "deletecollection"})


@dataclass(frozen=True, slots=True)
class Request:
    """One answered request; `name` is empty for a collection."""

    user: str
    verb: str
    resource: str
    name: str

    @property
    def changes(self) -> bool:
        """Whether it asks for a change. Events and leases are counted apart: they tell, and change nothing."""
        return self.verb in _WRITES and self.resource not in ("events", "leases")

    @property
    def tells(self) -> bool:
        """Whether it records an Event."""
        return self.verb in _WRITES and self.resource == "events"

    @property
    def reads(self) -> bool:
        """Whether it gets or lists; a watch is neither."""
        return self.verb in ("get", "list") and bool(self.resource)


class AuditLog:
    """All requests since the log began, read as far as somebody asked. Follows the log through its rotations."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open(encoding="utf-8")
        self._rest = ""
        self._requests: list[Request] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def mark(self) -> int:
        """A position to count from: everything answered until now is before it."""
        self._read()
        return len(self._requests)

    def since(self, mark: int, user: str | None = None) -> Sequence[Request]:
        """The requests after a mark, of one user or of all."""
        self._read()
        return [each for each in self._requests[mark:] if user in (None, each.user)]

    def _read(self) -> None:
        self._drain()
        if self._path.stat().st_ino != os.fstat(self._file.fileno()).st_ino:
            self._drain()  # What came between the reading and the rotation.
            self._file.close()
            self._file = self._path.open(encoding="utf-8")
            self._drain()

    def _drain(self) -> None:
        *lines, self._rest = (self._rest + self._file.read()).split("\n")
        self._requests += [request for line in lines if line and (request := parse(line)) is not None]


def parse(line: str) -> Request | None:
    """The request of one line; None for the end of a watch, whose start is the request."""
    entry = orjson.loads(line)
    if entry["verb"] == "watch" and entry["stage"] != "ResponseStarted":
        return None
    about = entry.get("objectRef", {})
    return Request(entry["user"]["username"], entry["verb"], about.get("resource", ""), about.get("name", ""))


def count_writes(requests: Iterable[Request]) -> int:
    """How many of them change something."""
    return sum(1 for each in requests if each.changes)
