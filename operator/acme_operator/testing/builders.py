"""Objects and times to test with."""

from datetime import UTC, datetime
from typing import Any

from acme_operator.api.manifests import Manifest
from acme_operator.api.marks import FIELD_MANAGER, MANAGED_BY, OWNER_UID
from acme_operator.engine.cluster import Kind

NOW = datetime(2030, 1, 1, 12, 0, tzinfo=UTC)
"""The moment at which tests happen."""


class FixedClock:
    """Seconds that pass only when a test says so; a monotonic clock to whoever is given it."""

    def __init__(self, seconds: float = 1000.0) -> None:
        self.seconds = seconds

    def __call__(self) -> float:
        return self.seconds

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.seconds += seconds


def manifest(kind: Kind, name: str, *, namespace: str = "shop", owner: str | None = None, **fields: Any) -> Manifest:
    """A manifest as render makes it: labelled as managed and, with `owner`, as belonging to that uid."""
    labels = {MANAGED_BY: FIELD_MANAGER, **({OWNER_UID: owner} if owner else {})}
    metadata = {"name": name, "namespace": namespace, "labels": labels}
    return {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": metadata, **fields}
