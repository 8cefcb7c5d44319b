"""Builds the conditions of one pass so that kubectl wait, kstatus (Flux, Helm) and Argo CD all read them right. Pure.

`Ready` is always there: Unknown while it converges, False when somebody or something else has to act, True when this
generation is live. `Reconciling` and `Stalled` are there only while True, and never both.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal

from acme_operator.api.manifests import Manifest

Status = Literal["True", "False", "Unknown"]

_FIRST = ("Ready", "Available", "Reconciling", "Stalled")
_ONLY_WHILE_TRUE = ("Reconciling", "Stalled")


class Conditions:
    """Collects this pass's conditions; those of the previous pass that are not set again are dropped."""

    def __init__(self, previous: Sequence[Manifest], generation: int, now: datetime) -> None:
        self._previous = {condition["type"]: condition for condition in previous}
        self._generation = generation
        self._now = now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        self._set: dict[str, Manifest] = {}

    def set(self, kind: str, status: Status, reason: str, message: str) -> None:
        """Say how one aspect is; the time of transition stays while the status stays."""
        before = self._previous.get(kind, {})
        unchanged = before.get("status") == status
        self._set[kind] = {
            "type": kind,
            "status": status,
            "reason": reason,
            "message": message,
            "observedGeneration": self._generation,
            "lastTransitionTime": before.get("lastTransitionTime", self._now) if unchanged else self._now,
        }

    def keep(self, kind: str) -> None:
        """Carry over a condition that this pass has nothing new about."""
        if kind in self._previous:
            self._set[kind] = dict(self._previous[kind])

    def ready(self, reason: str, message: str) -> None:
        """This generation is fully realised and serving."""
        self._verdict("True", reason, message, None)

    def converging(self, reason: str, message: str) -> None:
        """Work is under way, and nobody has to do anything."""
        self._verdict("Unknown", reason, message, "Reconciling")

    def blocked(self, reason: str, message: str) -> None:
        """Something else has to come first; it heals by itself when that does."""
        self._verdict("False", reason, message, "Reconciling")

    def stalled(self, reason: str, message: str) -> None:
        """No retry will fix it: somebody has to act."""
        self._verdict("False", reason, message, "Stalled")

    def finish(self) -> list[Manifest]:
        """The conditions in a stable order. A pass without a verdict on Ready is a mistake of ours: ValueError."""
        if "Ready" not in self._set:
            raise ValueError("a status without Ready: call ready, converging, blocked or stalled first")
        first = [self._set[kind] for kind in _FIRST if kind in self._set]
        return first + [self._set[kind] for kind in sorted(self._set) if kind not in _FIRST]

    def _verdict(self, status: Status, reason: str, message: str, companion: str | None) -> None:
        for kind in _ONLY_WHILE_TRUE:
            self._set.pop(kind, None)
        self.set("Ready", status, reason, message)
        if companion is not None:
            self.set(companion, "True", reason, message)
