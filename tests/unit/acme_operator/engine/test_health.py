"""How workloads are judged."""

from datetime import timedelta
from typing import Any

import pytest

from acme_operator.api.manifests import Manifest
from acme_operator.engine.health import deployment, failing_container, statefulset
from acme_operator.engine.kinds import DEPLOYMENT, POD, STATEFULSET
from acme_operator.testing import NOW, manifest

DONE = {"observedGeneration": 2, "replicas": 2, "updatedReplicas": 2, "readyReplicas": 2, "availableReplicas": 2}


def workload(**status: Any) -> Manifest:
    made = manifest(DEPLOYMENT, "product", spec={"replicas": 2}, status=DONE | status)
    made["metadata"]["generation"] = 2
    return made


def ordered(**status: Any) -> Manifest:
    base = {"observedGeneration": 1, "replicas": 1, "readyReplicas": 1, "currentRevision": "a", "updateRevision": "a"}
    made = manifest(STATEFULSET, "db", spec={"replicas": 1}, status=base | status)
    made["metadata"]["generation"] = 1
    return made


def pod(state: dict[str, Any], name: str = "product-1", created: str = "2030-01-01T11:00:00Z", **more: Any) -> Manifest:
    container = {"name": "product", "state": state, **more}
    ready = {"type": "Ready", "status": "False", "lastTransitionTime": created}
    made = manifest(POD, name, status={"containerStatuses": [container], "conditions": [ready]})
    made["metadata"]["creationTimestamp"] = created
    return made


CRASHING = pod(
    {"waiting": {"reason": "CrashLoopBackOff", "message": "password=hunter2"}},
    lastState={"terminated": {"exitCode": 3, "reason": "Error", "message": "password=hunter2"}},
)


def test_a_deployment_of_this_generation_with_all_pods_available_is_ready() -> None:
    health = deployment(workload())

    assert (health.state, health.ready, health.desired) == ("Ready", 2, 2)


@pytest.mark.parametrize(
    ("status", "says"),
    [
        ({"observedGeneration": 1}, "to see this generation"),
        ({"updatedReplicas": 1}, "1 of 2 pods are of this generation"),
        ({"replicas": 3}, "1 pods of the previous generation"),
        ({"availableReplicas": 1}, "1 of 2 pods are available"),
        ({"conditions": [{"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate"}]}, "FailedCreate"),
    ],
)
def test_a_deployment_on_its_way_says_what_it_waits_for(status: dict[str, Any], says: str) -> None:
    health = deployment(workload(**status))

    assert health.state == "Progressing"
    assert says in health.message


def test_a_deployment_that_is_not_there_yet_is_on_its_way() -> None:
    assert deployment(None).state == statefulset(None, now=NOW).state == "Progressing"


def test_a_crashing_container_is_named_while_it_may_still_work_and_failed_after_the_deadline() -> None:
    passed = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}

    early = deployment(workload(availableReplicas=1), [CRASHING])
    late = deployment(workload(availableReplicas=1, conditions=[passed]), [CRASHING])

    assert (early.state, late.state) == ("Progressing", "Failed")
    assert late.message == "container product of pod product-1: CrashLoopBackOff, exit code 3"


def test_nothing_that_a_container_printed_is_repeated() -> None:
    health = deployment(workload(availableReplicas=1), [CRASHING])

    assert "hunter2" not in f"{health}"


@pytest.mark.parametrize("reason", ["ErrImageNeverPull", "InvalidImageName"])
def test_an_image_that_can_never_start_fails_at_once(reason: str) -> None:
    pods = [pod({"waiting": {"reason": reason}})]

    assert deployment(workload(availableReplicas=0), pods).state == "Failed"
    assert statefulset(ordered(readyReplicas=0), pods, now=NOW).state == "Failed"


@pytest.mark.parametrize("reason", ["ImagePullBackOff", "CreateContainerConfigError"])
def test_what_may_heal_is_on_its_way_with_its_reason(reason: str) -> None:
    health = deployment(workload(availableReplicas=0), [pod({"waiting": {"reason": reason}})])

    assert health.state == "Progressing"
    assert health.failing is not None
    assert (health.failing.container, health.failing.reason) == ("product", reason)


def test_a_container_that_ended_well_or_is_starting_does_not_fail() -> None:
    assert failing_container(pod({"waiting": {"reason": "ContainerCreating"}})) is None
    assert failing_container(pod({"running": {}})) is None
    assert failing_container(pod({"terminated": {"exitCode": 0, "reason": "Completed"}})) is None
    assert failing_container(manifest(POD, "unplaced", status={})) is None


def test_the_youngest_pods_trouble_is_told_and_that_of_an_ending_pod_is_not() -> None:
    old = pod({"waiting": {"reason": "CrashLoopBackOff"}}, "old", "2030-01-01T10:00:00Z")
    new = pod({"terminated": {"exitCode": 137, "reason": "OOMKilled"}}, "new")
    ending = pod({"waiting": {"reason": "ImagePullBackOff"}}, "ending", "2030-01-01T11:30:00Z")
    ending["metadata"]["deletionTimestamp"] = "2030-01-01T11:31:00Z"

    health = deployment(workload(availableReplicas=1), [old, new, ending])

    assert health.message == "container product of pod new: OOMKilled, exit code 137"


def test_a_failing_init_container_is_found() -> None:
    waiting = {"name": "wait-for-db", "state": {"waiting": {"reason": "CrashLoopBackOff"}}}
    failing = failing_container(manifest(POD, "p", status={"initContainerStatuses": [waiting]}))

    assert failing is not None
    assert failing.container == "wait-for-db"


def test_a_statefulset_is_ready_when_its_pods_are_and_are_of_this_generation() -> None:
    assert statefulset(ordered(), now=NOW).state == "Ready"
    assert statefulset(ordered(readyReplicas=0), now=NOW).message == "0 of 1 pods are ready"
    assert statefulset(ordered(updateRevision="b"), now=NOW).state == "Progressing"
    assert statefulset(ordered(observedGeneration=0), now=NOW).state == "Progressing"


def test_a_statefulset_fails_when_a_pod_is_unready_for_longer_than_the_deadline() -> None:
    live, pods = ordered(readyReplicas=0), [CRASHING]  # unready since 11:00

    soon = statefulset(live, pods, now=NOW, deadline=timedelta(minutes=61))
    late = statefulset(live, pods, now=NOW, deadline=timedelta(minutes=60))

    assert (soon.state, late.state) == ("Progressing", "Failed")
    assert "CrashLoopBackOff" in late.message
