"""The one type that has no type of its own: a Kubernetes object as JSON."""

from typing import Any

Manifest = dict[str, Any]
