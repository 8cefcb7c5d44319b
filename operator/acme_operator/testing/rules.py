"""The rules of built-in kinds that the engine has an answer to: what cannot be changed, and names that must differ. Pure."""

from collections.abc import Iterator
from typing import Any

from acme_operator.api.manifests import Manifest
from acme_operator.engine.cluster import Kind
from acme_operator.engine.errors import FieldCause
from acme_operator.engine.kinds import DEPLOYMENT, SECRET, SERVICE, STATEFULSET

_IMMUTABLE = {DEPLOYMENT: ("spec", "selector"), STATEFULSET: ("spec", "selector"), SECRET: ("type",)}


def broken_rules(kind: Kind, before: Manifest | None, after: Manifest) -> list[FieldCause]:
    """What the real server would refuse a write for, in its own words for machines."""
    found = list(_doubled_names(kind, after))
    path = _IMMUTABLE.get(kind, ())
    if before is not None and path and _at(before, path) != _at(after, path):
        forbidden = kind is STATEFULSET
        reason = "FieldValueForbidden" if forbidden else "FieldValueInvalid"
        found.append(FieldCause("spec" if forbidden else ".".join(path), reason, "field is immutable"))
    return found


def _doubled_names(kind: Kind, manifest: Manifest) -> Iterator[FieldCause]:
    spec = manifest.get("spec", {})
    if kind == SERVICE:
        yield from _doubled("spec.ports", spec.get("ports", ()))
    template = spec.get("template", {}).get("spec", {})
    for position, container in enumerate(template.get("containers", ())):
        yield from _doubled(f"spec.template.spec.containers[{position}].ports", container.get("ports", ()))


def _doubled(path: str, entries: Any) -> Iterator[FieldCause]:
    seen = set()
    for position, entry in enumerate(entries):
        name = entry.get("name")
        if name is not None and name in seen:
            yield FieldCause(f"{path}[{position}].name", "FieldValueDuplicate", f"Duplicate value: {name}")
        seen.add(name)


def _at(manifest: Manifest, path: tuple[str, ...]) -> Any:
    value: Any = manifest
    for step in path:
        value = value.get(step, {}) if isinstance(value, dict) else None
    return value
