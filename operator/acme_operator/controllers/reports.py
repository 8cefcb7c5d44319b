"""What the controllers share: their tools, and how a pass is told — status, events, the audit line of every outside change."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from acme_operator.api.manifests import Manifest
from acme_operator.api.meta import ConditionStatus, OwnerMeta
from acme_operator.api.reasons import Reason
from acme_operator.checks.verdicts import Verdict
from acme_operator.engine.apply import Applier, ChangeSet
from acme_operator.engine.cluster import Cluster, Ref
from acme_operator.engine.conditions import Conditions
from acme_operator.engine.events import Recorder
from acme_operator.engine.prune import Pruner
from acme_operator.engine.status import StatusWriter
from acme_operator.engine.store import Store
from acme_operator.providers.contract import Change

log = logging.getLogger(__name__)
audit = logging.getLogger("acme_operator.audit")


@dataclass(frozen=True, slots=True)
class Tools:
    """The engine's hands, as every controller holds them."""

    cluster: Cluster
    store: Store
    applier: Applier
    pruner: Pruner
    clock: Callable[[], datetime]


class Reporter:
    """Tells what a pass came to. Writes nothing that it said before."""

    def __init__(self, tools: Tools, writer: StatusWriter, recorder: Recorder) -> None:
        self._tools = tools
        self._writer = writer
        self._recorder = recorder

    async def report(self, ref: Ref, owner: OwnerMeta, verdict: Verdict, fields: Mapping[str, Any]) -> None:
        """Write the status of this pass; what `fields` leaves out stays as it was."""
        live = self._tools.store.get(ref)
        if live is None:
            return
        previous = live.get("status", {})
        status = {
            **previous,
            **fields,
            "observedGeneration": owner.generation,
            "conditions": self._conditions(previous, owner, verdict),
        }
        status.pop("blockedBy", None)
        if verdict.blocked_by:
            status["blockedBy"] = [blocker.model_dump(by_alias=True) for blocker in verdict.blocked_by]
        if await self._writer.write(ref, status):
            self._announce(live, previous, verdict)

    def _conditions(self, previous: Mapping[str, Any], owner: OwnerMeta, verdict: Verdict) -> list[Manifest]:
        conditions = Conditions(previous.get("conditions", ()), owner.generation, self._tools.clock())
        told = {
            (ConditionStatus.TRUE, False): conditions.ready,
            (ConditionStatus.UNKNOWN, False): conditions.converging,
            (ConditionStatus.FALSE, False): conditions.blocked,
            (ConditionStatus.FALSE, True): conditions.stalled,
        }
        told[verdict.ready, verdict.stalled](verdict.reason, verdict.message)
        serving: tuple[Literal["True", "False"], str] = (
            ("True", "it serves") if verdict.available else ("False", "nothing serves now")
        )
        conditions.set("Available", serving[0], verdict.reason, serving[1])
        return conditions.finish()

    def _announce(self, live: Manifest, previous: Mapping[str, Any], verdict: Verdict) -> None:
        """An event where Ready changes its reason; every other word of status is there to be read."""
        before: Mapping[str, Any] = next((one for one in previous.get("conditions", ()) if one["type"] == "Ready"), {})
        if (before.get("status"), before.get("reason")) != (verdict.ready, verdict.reason):
            kind: Literal["Normal", "Warning"] = "Warning" if verdict.ready is ConditionStatus.FALSE else "Normal"
            self._recorder.record(live, kind, verdict.reason, verdict.message)

    def applied(self, ref: Ref, changes: ChangeSet) -> None:
        """Tell what was written to the cluster for an object, and whose fields were taken over."""
        if changes.changed:
            log.info("applied", extra={"object": str(ref), "changed": [str(one) for one in changes.changed]})
        live = self._tools.store.get(ref)
        for child, claim in changes.conflicts if live is not None else ():
            message = f"{child}: {claim.field} was set by {claim.manager}; put back as declared"
            self._recorder.record(live or {}, "Warning", Reason.FIELD_CONFLICT, message)

    def changed_outside(self, ref: Ref, changes: Sequence[Change]) -> None:
        """One audit line for every change on a server, and one event for all."""
        for change in changes:
            audit.info(
                "external change",
                extra={"owner": str(ref), "action": change.action, "target": change.object, "cause": change.cause},
            )
        live = self._tools.store.get(ref)
        if changes and live is not None:
            self._recorder.record(live, "Normal", Reason.SERVER_CHANGED, _summary(changes))

    def warn(self, ref: Ref, reason: Reason, message: str) -> None:
        """An event that nothing in status can tell, as the object goes."""
        live = self._tools.store.get(ref)
        if live is not None:
            self._recorder.record(live, "Warning", reason, message)


def _summary(changes: Sequence[Change]) -> str:
    """What people ask for first: what came and what went. The grants that go with it are in the audit lines."""
    main = [f"{change.action} {change.object}" for change in changes if change.action in {"created", "dropped"}]
    rest = len(changes) - len(main)
    return "; ".join([*main, *([f"{rest} grants and settings"] if rest else [])])
