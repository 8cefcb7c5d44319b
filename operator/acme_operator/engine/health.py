"""How a workload is, judged from its object and its pods. Pure: one rule per kind, no clock of its own, no log text ever.

What a container printed may hold secrets; its name, the reason of its state and its exit code do not.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from acme_operator.api.manifests import Manifest

State = Literal["Progressing", "Ready", "Failed"]

# A container that waits for one of these is simply starting.
_STARTING = frozenset({"ContainerCreating", "PodInitializing"})
# No passing of time makes an image of this kind appear: waiting for the deadline would tell nobody anything.
_HOPELESS = frozenset({"ErrImageNeverPull", "InvalidImageName"})


@dataclass(frozen=True, slots=True)
class Failing:
    """A container that does not run: which, the kubelet's reason word, and how it ended if it did."""

    pod: str
    container: str
    reason: str
    exit_code: int | None = None

    def __str__(self) -> str:
        ended = f", exit code {self.exit_code}" if self.exit_code is not None else ""
        return f"container {self.container} of pod {self.pod}: {self.reason}{ended}"


@dataclass(frozen=True, slots=True)
class Health:
    """`ready` of `desired` pods serve; `message` says what is waited for or what failed; `failing` is the first such pod."""

    state: State
    message: str
    ready: int = 0
    desired: int = 0
    failing: Failing | None = None


def deployment(live: Manifest | None, pods: Sequence[Manifest] = ()) -> Health:
    """The health of a Deployment: Ready when every wanted replica is of this generation and available.

    Failed once the Deployment's own progress deadline has passed, or at once for an image that can never start.
    """
    if live is None:
        return Health("Progressing", "waiting for the Deployment to be created")
    status, desired = live.get("status", {}), _desired(live)
    failing = _first_failing(pods)
    state, message = _roll_out(live, status, desired)
    if state == "Progressing" and (failing is not None and failing.reason in _HOPELESS):
        state = "Failed"
    if state != "Ready" and failing is not None:
        message = f"{failing}"
    return Health(state, message, status.get("readyReplicas", 0), desired, failing)


def statefulset(
    live: Manifest | None, pods: Sequence[Manifest] = (), *, now: datetime, deadline: timedelta = timedelta(minutes=10)
) -> Health:
    """The health of a StatefulSet. It has no deadline of its own: a pod that is unready for `deadline` makes it Failed."""
    if live is None:
        return Health("Progressing", "waiting for the StatefulSet to be created")
    status, desired = live.get("status", {}), _desired(live)
    ready = status.get("readyReplicas", 0)
    failing = _first_failing(pods)
    state, message = _ordered_roll_out(live, status, desired)
    if state == "Ready":
        return Health(state, message, ready, desired)
    hopeless = failing is not None and failing.reason in _HOPELESS
    if hopeless or any(_unready_for(pod, now) >= deadline for pod in pods):
        state = "Failed"
    return Health(state, f"{failing}" if failing else message, ready, desired, failing)


def failing_container(pod: Manifest) -> Failing | None:
    """The first container of a pod that cannot start or keeps ending; None if all may still work."""
    status = pod.get("status", {})
    statuses = [*status.get("initContainerStatuses", ()), *status.get("containerStatuses", ())]
    for found in statuses:
        if (failing := _failing(pod["metadata"]["name"], found)) is not None:
            return failing
    return None


def _roll_out(live: Manifest, status: dict[str, Any], desired: int) -> tuple[State, str]:
    generation = live["metadata"].get("generation", 0)
    if status.get("observedGeneration", 0) < generation:
        return "Progressing", "waiting for the Deployment controller to see this generation"
    progressing = _condition(status, "Progressing")
    if progressing.get("reason") == "ProgressDeadlineExceeded":
        return "Failed", "the roll-out passed its progress deadline"
    refused = _condition(status, "ReplicaFailure")
    if refused.get("status") == "True":
        return "Progressing", f"pods cannot be created: {refused.get('reason', '')}"
    updated, available = status.get("updatedReplicas", 0), status.get("availableReplicas", 0)
    if updated < desired:
        return "Progressing", f"{updated} of {desired} pods are of this generation"
    if status.get("replicas", 0) > updated:
        return "Progressing", f"waiting for {status['replicas'] - updated} pods of the previous generation to end"
    if available < desired:
        return "Progressing", f"{available} of {desired} pods are available"
    return "Ready", f"{available} of {desired} pods are available"


def _ordered_roll_out(live: Manifest, status: dict[str, Any], desired: int) -> tuple[State, str]:
    generation = live["metadata"].get("generation", 0)
    if status.get("observedGeneration", 0) < generation:
        return "Progressing", "waiting for the StatefulSet controller to see this generation"
    updated, ready = status.get("updatedReplicas", 0), status.get("readyReplicas", 0)
    current = status.get("currentRevision") == status.get("updateRevision")
    if not current and updated < desired:
        return "Progressing", f"{updated} of {desired} pods are of this generation"
    if ready < desired:
        return "Progressing", f"{ready} of {desired} pods are ready"
    return "Ready", f"{ready} of {desired} pods are ready"


def _desired(live: Manifest) -> int:
    replicas: int = live.get("spec", {}).get("replicas", 1)
    return replicas


def _condition(status: dict[str, Any], kind: str) -> dict[str, Any]:
    return next((found for found in status.get("conditions", ()) if found.get("type") == kind), {})


def _first_failing(pods: Sequence[Manifest]) -> Failing | None:
    going = [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]
    # The youngest pod is of the newest generation: its trouble is the one that somebody just made.
    youngest_first = sorted(going, key=lambda pod: str(pod["metadata"].get("creationTimestamp", "")), reverse=True)
    return next((failing for pod in youngest_first if (failing := failing_container(pod)) is not None), None)


def _failing(pod: str, container: dict[str, Any]) -> Failing | None:
    waiting = container.get("state", {}).get("waiting", {}).get("reason")
    ended = container.get("state", {}).get("terminated") or container.get("lastState", {}).get("terminated") or {}
    exit_code = ended.get("exitCode")
    if waiting and waiting not in _STARTING:
        return Failing(pod, container["name"], waiting, exit_code)
    if container.get("state", {}).get("terminated") and exit_code != 0:
        return Failing(pod, container["name"], ended.get("reason", "Error"), exit_code)
    return None


def _unready_for(pod: Manifest, now: datetime) -> timedelta:
    ready = _condition(pod.get("status", {}), "Ready")
    if ready.get("status") == "True":
        return timedelta(0)
    since = ready.get("lastTransitionTime") or pod["metadata"].get("creationTimestamp")
    return now - datetime.fromisoformat(since).astimezone(UTC) if since else timedelta(0)
