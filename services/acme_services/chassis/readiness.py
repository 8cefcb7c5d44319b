"""Whether the process may be sent work, and if not, why; it is told by others and checks nothing itself."""

from collections.abc import Callable, Mapping

type Listener = Callable[[bool], None]


class Readiness:
    """Named reasons not to be ready; ready is having none. Listeners hear each change at once, and the stop."""

    def __init__(self) -> None:
        self._reasons: dict[str, str] = {}
        self._listeners: list[Listener] = []
        self._stopping = False

    @property
    def is_stopping(self) -> bool:
        """Whether the process is on its way out; it never becomes ready again."""
        return self._stopping

    @property
    def is_ready(self) -> bool:
        """Whether no reason stands against it."""
        return not self._reasons and not self._stopping

    @property
    def reasons(self) -> Mapping[str, str]:
        """Why not, by the part that says so; empty when ready."""
        return dict(self._reasons)

    def report(self, part: str, reason: str | None) -> None:
        """`part` is well (None), or is not and says why."""
        before = self.is_ready
        if reason is None:
            self._reasons.pop(part, None)
        else:
            self._reasons[part] = reason
        if self.is_ready is not before:
            for tell in self._listeners:
                tell(self.is_ready)

    def stop(self) -> None:
        """The process is going away: not ready from now on."""
        self._stopping = True
        self._reasons["process"] = "stopping"
        for tell in self._listeners:
            tell(False)

    def listen(self, listener: Listener) -> None:
        """Tell `listener` how it stands, and every time that changes."""
        self._listeners.append(listener)
        listener(self.is_ready)
