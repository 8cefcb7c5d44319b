"""Drift: what somebody does to a child behind the operator's back, and how to see that it is undone. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from acme_operator.engine.cluster import Kind
from acme_operator.engine.kinds import DEPLOYMENT, NETWORK_POLICY, PDB, SERVICE, SERVICE_ACCOUNT
from tests.bench.calls import JSON_PATCH, MERGE, Manifest
from tests.bench.work import CHILDREN

Look = Callable[[], Manifest | None]


@dataclass(frozen=True, slots=True)
class Case:
    """One request against one child. `field` reads what it touches; without one the child's uid is what changes."""

    figure: str
    kind: Kind
    method: str
    body: object = None
    content: str = ""
    field: Callable[[Manifest], Any] | None = None


def _spec(name: str) -> Callable[[Manifest], Any]:
    return lambda manifest: manifest["spec"].get(name)


def _ports(manifest: Manifest) -> list[Any]:
    return sorted((port["name"], port["port"], port.get("appProtocol")) for port in manifest["spec"]["ports"])


def _edit(kind: Kind, body: Mapping[str, Any], field: Callable[[Manifest], Any]) -> Case:
    return Case("drift.edited_s", kind, "PATCH", body, MERGE, field)


def _port(operation: str, path: str, value: object) -> Case:
    patch = [{"op": operation, "path": f"/spec/ports/{path}", "value": value}]
    return Case("drift.foreign_s", SERVICE, "PATCH", patch, JSON_PATCH, _ports)


CASES: Sequence[Case] = (
    *(Case("drift.deleted_s", kind, "DELETE") for kind in CHILDREN),
    _edit(SERVICE_ACCOUNT, {"automountServiceAccountToken": True}, lambda one: one.get("automountServiceAccountToken")),
    _edit(SERVICE, {"spec": {"selector": {"intruder": "yes"}}}, _spec("selector")),
    _edit(PDB, {"spec": {"maxUnavailable": 2}}, _spec("maxUnavailable")),
    _edit(NETWORK_POLICY, {"spec": {"ingress": []}}, _spec("ingress")),
    _edit(DEPLOYMENT, {"spec": {"progressDeadlineSeconds": 77}}, _spec("progressDeadlineSeconds")),
    _port("add", "-", {"name": "foreign", "port": 9999, "protocol": "TCP"}),
    # The port's number is the entry's key: an apply puts ours beside it, and the server refuses two of one name.
    _port("replace", "0/port", 9091),
)


class Undone:
    """True from the moment at which the child, seen changed, is seen as it was before."""

    def __init__(self, case: Case, look: Look, before: Manifest) -> None:
        self._look = look
        self._uid = before["metadata"]["uid"]
        self._field = case.field
        self._right = case.field(before) if case.field else None
        self._changed = False

    def __call__(self) -> bool:
        """Ask at every event."""
        live = self._look()
        if self._field is None:
            return live is not None and live["metadata"]["uid"] != self._uid
        right = live is not None and self._field(live) == self._right
        self._changed = self._changed or not right
        return self._changed and right
