"""JSON patch (RFC 6902) as far as the engine uses it: test, add, remove and replace. Pure."""

from collections.abc import Sequence
from typing import Any

from acme_operator.api.manifests import Manifest
from acme_operator.engine.cluster import Operation


class PatchTestFailedError(Exception):
    """A `test` found another value, or none."""


def patched(target: Manifest, operations: Sequence[Operation]) -> Manifest:
    """The object with the operations done in order; it is changed in place. An unknown operation raises ValueError."""
    for operation in operations:
        *parents, last = [_unescaped(token) for token in operation["path"].split("/")[1:]]
        holder: Any = target
        for step in parents:
            holder = holder[int(step)] if isinstance(holder, list) else holder[step]
        _do(operation, holder, last)
    return target


def _do(operation: Operation, holder: Any, step: str) -> None:
    in_list = isinstance(holder, list)
    match operation["op"]:
        case "test":
            found = holder[int(step) : int(step) + 1] if in_list else [holder[step]] if step in holder else []
            if found != [operation["value"]]:
                raise PatchTestFailedError(operation["path"])
        case "remove":
            del holder[int(step) if in_list else step]
        case "add" if in_list:
            holder.insert(len(holder) if step == "-" else int(step), operation["value"])
        case "add" | "replace":
            holder[int(step) if in_list else step] = operation["value"]
        case unknown:
            raise ValueError(f"the fake knows no JSON patch operation {unknown!r}")


def _unescaped(token: str) -> str:
    return token.replace("~1", "/").replace("~0", "~")
