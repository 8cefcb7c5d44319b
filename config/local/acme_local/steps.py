"""What a person sees while something long runs: a line for each step with the time it took, and the sum at the end."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Step:
    """A step that ended well: what it was, when it began, how long it took (seconds)."""

    name: str
    began: float
    took: float


class Progress:
    """Prints steps as they begin and end; several threads may report at once."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self._began = time.monotonic()
        self._lock = threading.Lock()

    @property
    def elapsed(self) -> float:
        """Seconds since the first step could begin."""
        return time.monotonic() - self._began

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time the block as a step; one that raises is reported as failed."""
        began = self.elapsed
        self.say(f"{name} …")
        try:
            yield
        except BaseException:
            self.say(f"{name}: failed")
            raise
        self.note(name, began)

    def note(self, name: str, began: float) -> None:
        """Report as a step what began at `began` (of `elapsed`) and has just ended."""
        took = self.elapsed - began
        self.steps.append(Step(name, began, took))
        self.say(f"{name}: done in {took:.1f} s")

    def say(self, text: str) -> None:
        """Print one line with the time elapsed before it."""
        with self._lock:
            print(f"[{self.elapsed:6.1f} s] {text}", file=sys.stderr, flush=True)

    def summary(self) -> str:
        """The steps that took longest, and the whole."""
        longest = sorted(self.steps, key=lambda step: -step.took)[:5]
        parts = ", ".join(f"{step.name} {step.took:.0f} s" for step in longest if step.took >= 1)
        return f"{self.elapsed:.0f} s in all ({parts or 'nothing took a second'})"
