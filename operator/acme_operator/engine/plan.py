"""Compares what is wanted with what is live, and says how to take away what does not belong. Pure.

A live object has every wanted field, and more: defaults, fields of other managers. So a map is compared by our keys, a
list by its merge key, and an entry that somebody put into a keyed list of ours is `foreign`: an apply would leave it.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import orjson

from acme_operator.api.manifests import Manifest
from acme_operator.engine.cluster import Operation
from acme_operator.engine.schema import SHARED_LISTS, entry_key, is_default, is_exact_map, merge_key, same_scalar

Nature = Literal["changed", "absent", "foreign"]


@dataclass(frozen=True, slots=True)
class Entry:
    """A step into a list: where the live entry stands, and how a person would name it."""

    position: int
    label: str


Path = tuple[str | Entry, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """One field: `changed` in value, `absent` from the live object, or `foreign` (a list entry that is not ours).

    `value` is the wanted one, or the foreign entry as it is live. `entry` names an absent entry, whose path can only end
    in its list.
    """

    path: Path
    nature: Nature
    value: Any = None
    entry: str = ""

    def __str__(self) -> str:
        text = "".join(f"[{step.label}]" if isinstance(step, Entry) else f".{step}" for step in self.path)
        entry = f"[{self.entry}]" if self.entry else ""
        return text.removeprefix(".") + entry + (" (foreign)" if self.nature == "foreign" else "")


def differences(desired: Manifest, live: Manifest) -> list[str]:
    """The paths at which `live` is not as `desired` wants, in words and without values; empty when there is nothing to do."""
    return [str(found) for found in compare(desired, live)]


def compare(desired: Manifest, live: Manifest) -> list[Difference]:
    """The same as values. `foreign` paths point at the entry; an `absent` list entry's path ends in its list."""
    return list(_map((), desired, live))


def repairs(found: Iterable[Difference]) -> list[Operation]:
    """JSON patch that removes the foreign entries and, in the same lists, puts ours back; empty if none is foreign.

    Both in one patch: a list that is emptied first would roll the pods twice, and two entries of one name are refused.
    """
    found = list(found)
    foreign = {_pointer(each.path): each.value for each in found if each.nature == "foreign"}
    touched = {pointer[:-1] for pointer in foreign}
    # Additions come first and at the end of their list, so that no position named by a removal has moved.
    additions = [
        {"op": "add", "path": _text((*_pointer(each.path), "-")), "value": each.value}
        for each in found
        if each.nature == "absent" and _pointer(each.path) in touched
    ]
    # A position is only as good as our view; the test lets nothing be removed but what we looked at. A test of the whole
    # object's version would do, too, and fail whenever a controller writes its status.
    tests = [{"op": "test", "path": _text(pointer), "value": value} for pointer, value in foreign.items()]
    removals = [{"op": "remove", "path": _text(pointer)} for pointer in sorted(foreign, reverse=True)]
    return tests + additions + removals


def content_hash(manifest: Manifest) -> str:
    """A digest of a rendered manifest. Secret values are left out, their keys are not: it stands in an annotation."""
    if manifest.get("kind") == "Secret":
        manifest = {**manifest, "data": sorted(manifest.get("data", {}))}
    return hashlib.blake2b(orjson.dumps(manifest, option=orjson.OPT_SORT_KEYS), digest_size=16).hexdigest()


def _fields(path: Path) -> list[str]:
    return [step for step in path if isinstance(step, str)]


def _pointer(path: Path) -> tuple[str | int, ...]:
    return tuple(step.position if isinstance(step, Entry) else step for step in path)


def _text(pointer: Sequence[str | int]) -> str:
    return "".join("/" + str(token).replace("~", "~0").replace("/", "~1") for token in pointer)


def _is_empty(value: Any) -> bool:
    # The server drops these; false and 0 it keeps where they mean something, so they have to be there.
    return value is None or value in ("", {}, [])


def _value(path: Path, want: Any, have: Any) -> Iterator[Difference]:
    if want == have and not isinstance(have, bool):
        return  # Most of an object is as we wrote it, and this comparison is not made in Python.
    if isinstance(want, dict) and isinstance(have, dict):
        yield from _map(path, want, have)
    elif isinstance(want, list) and isinstance(have, list):
        yield from _list(path, want, have)
    elif not same_scalar(_fields(path), want, have) and not (_is_empty(want) and _is_empty(have)):
        yield Difference(path, "changed", want)


def _map(path: Path, want: Manifest, have: Manifest) -> Iterator[Difference]:
    for field, value in want.items():
        if field in have:
            yield from _value((*path, field), value, have[field])
        elif not _is_empty(value):
            yield Difference((*path, field), "absent", value)
    # The common case is that live has no more keys than we do; only then is the path worth looking at.
    if len(have) > len(want) and is_exact_map(_fields(path)):
        for field, value in have.items():
            if field not in want and not _is_empty(value) and not is_default(field, value):
                yield Difference((*path, field), "changed")


def _list(path: Path, want: list[Any], have: list[Any]) -> Iterator[Difference]:
    key = merge_key(_fields(path))
    if key is None or any(entry_key(entry, key) is None for entry in want):
        yield from _atomic(path, want, have)
    else:
        yield from _keyed(path, want, have, key)


def _atomic(path: Path, want: list[Any], have: list[Any]) -> Iterator[Difference]:
    if len(want) != len(have):
        yield Difference(path, "changed", want)
        return
    for position, (wanted, live) in enumerate(zip(want, have, strict=True)):
        yield from _value((*path, Entry(position, str(position))), wanted, live)


def _keyed(path: Path, want: list[Any], have: list[Any], key: Sequence[str]) -> Iterator[Difference]:
    live = {entry_key(entry, key): (position, entry) for position, entry in enumerate(have)}
    wanted = {entry_key(entry, key): entry for entry in want}
    for identity, entry in wanted.items():
        if identity not in live:
            yield Difference(path, "absent", entry, _label(key, identity))
            continue
        position, found = live[identity]
        yield from _value((*path, _entry(position, key, identity)), entry, found)
    if path[-1] in SHARED_LISTS:
        return
    for identity, (position, found) in live.items():
        if identity not in wanted:
            yield Difference((*path, _entry(position, key, identity)), "foreign", found)


def _entry(position: int, key: Sequence[str], identity: tuple[Any, ...] | None) -> Entry:
    return Entry(position, str(position) if identity is None else _label(key, identity))


def _label(key: Sequence[str], identity: tuple[Any, ...] | None) -> str:
    return ",".join(f"{field}={value}" for field, value in zip(key, identity or (), strict=False))
