"""AcmeTopic: answers NotSupported until Kafka comes."""

from acme_operator.api.meta import ConditionStatus, OwnerMeta
from acme_operator.api.reasons import Reason
from acme_operator.checks.verdicts import Verdict
from acme_operator.controllers.kinds import ACME_TOPIC
from acme_operator.controllers.reports import Reporter
from acme_operator.engine.cluster import Kind, Ref
from acme_operator.engine.store import Store


class TopicController:
    """Says that it can't, so that nobody waits for a topic that never comes."""

    kind: Kind = ACME_TOPIC

    def __init__(self, store: Store, reporter: Reporter) -> None:
        self._store = store
        self._reporter = reporter

    async def reconcile(self, ref: Ref) -> None:
        """Write the one status there is."""
        live = self._store.get(ref)
        if live is None or "deletionTimestamp" in live["metadata"]:
            return
        message = "topics are not supported by this release; delete the AcmeTopic, or keep it for a release that provides Kafka"
        verdict = Verdict(ConditionStatus.FALSE, Reason.NOT_SUPPORTED, message, available=False, stalled=True)
        await self._reporter.report(ref, OwnerMeta.of(live), verdict, {})
