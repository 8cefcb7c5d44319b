"""JSON patch (RFC 6902) as far as the engine uses it: add, remove and replace. Pure."""

from collections.abc import Sequence
from typing import Any

from acme_operator.engine.cluster import Manifest, Operation


def patched(target: Manifest, operations: Sequence[Operation]) -> Manifest:
    """The object with the operations done in order; it is changed in place. An unknown operation raises ValueError."""
    for operation in operations:
        *parents, last = [_unescaped(token) for token in operation["path"].split("/")[1:]]
        holder: Any = target
        for token in parents:
            holder = holder[int(token)] if isinstance(holder, list) else holder[token]
        _do(operation, holder, last)
    return target


def _do(operation: Operation, holder: Any, step: str) -> None:
    in_list = isinstance(holder, list)
    match operation["op"]:
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
