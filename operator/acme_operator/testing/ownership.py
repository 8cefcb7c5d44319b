"""Server-side apply in a simple form: which manager owns which field, who conflicts, what is dropped. Pure.

A leaf is a scalar, an atomic list or an atomic map. Lists merge by the same keys as on the real server; what the fake does
not know is defaulting and the union of several schemas.
"""

import copy
from collections.abc import Iterator
from typing import Any

from acme_operator.api.manifests import Manifest
from acme_operator.engine.errors import Claim
from acme_operator.engine.schema import entry_key, is_exact_map, merge_key

Path = tuple[Any, ...]
Owners = dict[str, set[Path]]

_MISSING = object()
_IDENTITY = ("name", "namespace", "uid", "resourceVersion")


def apply(live: Manifest, wanted: Manifest, owners: Owners, manager: str) -> Manifest:
    """The object after `manager` applied `wanted`; `owners` is brought up to date in place. Conflicts are overridden."""
    for name, path in _holders(live, wanted, owners, manager):
        owners[name].discard(path)
    fresh = {path for path, _ in leaves(wanted)}
    others = {path for name, paths in owners.items() if name != manager for path in paths}
    dropped = owners.get(manager, set()) - fresh - others
    owners[manager] = fresh
    result: Manifest = _without(live, (), dropped)
    merge(result, wanted)
    return result


def conflicts(live: Manifest, wanted: Manifest, owners: Owners, manager: str) -> list[Claim]:
    """The fields that others own and that `wanted` would change."""
    return [Claim(name, _text(path)) for name, path in _holders(live, wanted, owners, manager)]


def _holders(live: Manifest, wanted: Manifest, owners: Owners, manager: str) -> list[tuple[str, Path]]:
    current = dict(leaves(live))
    changed = [path for path, value in leaves(wanted) if path in current and current[path] != value]
    return [(name, path) for path in changed for name in owners if name != manager and path in owners[name]]


def updated(before: Manifest, after: Manifest, owners: Owners, manager: str) -> None:
    """Record an update: the manager owns what it changed or added, and nobody owns what is gone."""
    old, new = dict(leaves(before)), dict(leaves(after))
    changed = {path for path, value in new.items() if old.get(path, _MISSING) != value}
    for name, paths in owners.items():
        owners[name] = (paths - changed) & new.keys()
    owners.setdefault(manager, set()).update(changed)


def leaves(manifest: Manifest) -> Iterator[tuple[Path, Any]]:
    """The fields of an object that can be owned, with their values."""
    for field, value in manifest.items():
        if field == "metadata":
            inner = {name: found for name, found in value.items() if name not in _IDENTITY}
            yield from _leaves(("metadata",), inner)
        elif field not in ("apiVersion", "kind"):
            yield from _leaves((field,), value)


def _leaves(path: Path, value: Any) -> Iterator[tuple[Path, Any]]:
    fields = _fields(path)
    if isinstance(value, dict) and value and not is_exact_map(fields):
        for field, inner in value.items():
            yield from _leaves((*path, field), inner)
        return
    key = merge_key(fields) if isinstance(value, list) else None
    if key is None or not value:
        yield path, value
        return
    for entry in value:
        yield from _leaves((*path, (key, entry_key(entry, key))), entry)


def merge(target: Manifest, wanted: Manifest, path: Path = ()) -> None:
    """Set everything of `wanted` in `target`."""
    for field, value in wanted.items():
        here = (*path, field)
        current = target.get(field)
        key = merge_key(_fields(here)) if isinstance(value, list) else None
        if isinstance(value, dict) and isinstance(current, dict) and not is_exact_map(_fields(here)):
            merge(current, value, here)
        elif key is not None and isinstance(current, list):
            _merge_list(current, value, key, here)
        else:
            target[field] = copy.deepcopy(value)


def _merge_list(current: list[Any], wanted: list[Any], key: tuple[str, ...], path: Path) -> None:
    known = {entry_key(entry, key): entry for entry in current}
    for entry in wanted:
        identity = entry_key(entry, key)
        if identity in known:
            merge(known[identity], entry, (*path, (key, identity)))
        else:
            current.append(copy.deepcopy(entry))


def _without(value: Any, path: Path, dropped: set[Path]) -> Any:
    """A copy without some leaves, and without the maps and entries that this leaves empty."""
    fields = _fields(path)
    if isinstance(value, dict) and value and not is_exact_map(fields):
        kept = {name: _without(inner, (*path, name), dropped) for name, inner in value.items()}
        return {name: inner for name, inner in kept.items() if inner is not _MISSING} or _MISSING
    key = merge_key(fields) if isinstance(value, list) and path else None
    if key is not None and value:
        entries = [_without(entry, (*path, (key, entry_key(entry, key))), dropped) for entry in value]
        return [entry for entry in entries if entry is not _MISSING] or _MISSING
    return _MISSING if path in dropped else copy.deepcopy(value)


def _fields(path: Path) -> list[str]:
    return [step for step in path if isinstance(step, str)]


def _text(path: Path) -> str:
    parts = [f"[{','.join(map(str, step[1]))}]" if isinstance(step, tuple) else f".{step}" for step in path]
    return "".join(parts).removeprefix(".")
