"""Findings and health → what the status says, by the recipe that kubectl wait, kstatus and Argo CD all read right.

Ready: Unknown = converging, False = somebody or something else must act, True = this generation is live.
"""

from dataclasses import dataclass

from acme_operator.api.facts import Finding
from acme_operator.api.meta import Blocker, ConditionStatus
from acme_operator.api.reasons import Reason


@dataclass(frozen=True, slots=True)
class Verdict:
    """What Ready, Available, Reconciling and Stalled are to say."""

    ready: ConditionStatus
    reason: str
    message: str
    available: bool
    blocked_by: tuple[Blocker, ...] = ()
    stalled: bool = False


def live(message: str) -> Verdict:
    """This generation is fully there and serving."""
    return Verdict(ConditionStatus.TRUE, Reason.LIVE, message, available=True)


def converging(reason: str, message: str, *, available: bool) -> Verdict:
    """Work is under way and nobody has to act."""
    return Verdict(ConditionStatus.UNKNOWN, reason, message, available)


def stalled(reason: str, message: str, *, available: bool) -> Verdict:
    """No retry helps: a person has to act."""
    return Verdict(ConditionStatus.FALSE, reason, message, available, stalled=True)


def blocked(finding: Finding, *, available: bool) -> Verdict:
    """The object waits for another one; what runs keeps running."""
    if finding.stuck:
        return Verdict(
            ConditionStatus.FALSE, finding.reason, finding.message, available, finding.blocked_by, stalled=True
        )
    slow = finding.reason == Reason.DEPENDENCY_NOT_READY
    ready = ConditionStatus.UNKNOWN if slow else ConditionStatus.FALSE
    return Verdict(ready, finding.reason, finding.message, available, finding.blocked_by)
