"""The little of Kubernetes' schema that a comparison has to know: how lists and maps merge, which strings are numbers.

Pure tables and questions. A list that is not named here is atomic: compared and replaced as a whole, as the server does.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

_BY_FIELD: Mapping[str, tuple[str, ...]] = {
    "conditions": ("type",),
    "containers": ("name",),
    "env": ("name",),
    "ephemeralContainers": ("name",),
    "hostAliases": ("ip",),
    "imagePullSecrets": ("name",),
    "initContainers": ("name",),
    "ownerReferences": ("uid",),
    "secrets": ("name",),
    "topologySpreadConstraints": ("topologyKey", "whenUnsatisfiable"),
    "volumeDevices": ("devicePath",),
    "volumeMounts": ("mountPath",),
    "volumes": ("name",),
}
# `ports` is three different lists: of a container, of a Service, and the atomic one of a NetworkPolicy's rule.
_PORTS: Mapping[str, tuple[str, ...]] = {
    "containers": ("containerPort", "protocol"),
    "initContainers": ("containerPort", "protocol"),
    "spec": ("port", "protocol"),
}
_KEY_DEFAULTS: Mapping[str, Any] = {"protocol": "TCP"}

SHARED_LISTS = frozenset({"ownerReferences", "conditions", "secrets", "imagePullSecrets"})
"""Keyed lists to which others add by right (the cluster's own controllers do): an entry that is not ours stays."""

_ATOMIC_MAPS = frozenset({"selector", "podSelector", "namespaceSelector", "labelSelector", "nodeSelector"})
_STRICT_LISTS = frozenset({"ingress", "egress"})
_QUANTITY_MAPS = frozenset({"limits", "requests", "capacity", "hard"})
_QUANTITY_FIELDS = frozenset({"sizeLimit", "divisor"})
_INT_OR_STRING = frozenset({"targetPort", "port", "maxSurge", "maxUnavailable", "minAvailable"})
_SUFFIXES: Mapping[str, Decimal] = {
    "": Decimal(1),
    **{
        letter: Decimal(10) ** power
        for letter, power in zip("numkMGTPE", (-9, -6, -3, 3, 6, 9, 12, 15, 18), strict=True)
    },
    **{f"{letter}i": Decimal(1024) ** power for power, letter in enumerate("KMGTPE", 1)},
}


def merge_key(fields: Sequence[str]) -> tuple[str, ...] | None:
    """The fields that identify an entry of the list at this path (names, no indexes), or None for an atomic list."""
    if fields[-1] == "ports":
        return _PORTS.get(fields[-2]) if len(fields) > 1 else None
    return _BY_FIELD.get(fields[-1])


def entry_key(entry: Any, key: Sequence[str]) -> tuple[Any, ...] | None:
    """The identity of a list's entry, with the server's default where a key field is left out; None if it has none."""
    if not isinstance(entry, dict):
        return None
    found = tuple(entry.get(field, _KEY_DEFAULTS.get(field)) for field in key)
    return None if None in found else found


def is_exact_map(fields: Sequence[str]) -> bool:
    """Whether a map must have no keys but ours: selectors, and everything in a network rule."""
    return bool(fields) and (fields[-1] in _ATOMIC_MAPS or not _STRICT_LISTS.isdisjoint(fields))


def is_default(field: str, value: Any) -> bool:
    """Whether the server sets this value where a manifest says nothing."""
    return field in _KEY_DEFAULTS and bool(_KEY_DEFAULTS[field] == value)


def same_scalar(fields: Sequence[str], want: Any, have: Any) -> bool:
    """Whether two leaves mean the same at this path: quantities by value, int-or-string by its text."""
    if isinstance(want, bool) or isinstance(have, bool):
        return want is have
    if want == have:
        return True
    if fields[-1] in _INT_OR_STRING and str(want) == str(have):
        return True
    if fields[-1] in _QUANTITY_FIELDS or (len(fields) > 1 and fields[-2] in _QUANTITY_MAPS):
        parsed = quantity(want)
        return parsed is not None and parsed == quantity(have)
    return False


def quantity(value: Any) -> Decimal | None:
    """The number that a Kubernetes quantity stands for ("500m", "1Gi", "1e3", 2), or None."""
    text = str(value)
    number = text.rstrip("numkMGTPEi")
    suffix = text[len(number) :]
    if suffix not in _SUFFIXES:
        return None
    try:
        return Decimal(number) * _SUFFIXES[suffix]
    except InvalidOperation:
        return None
