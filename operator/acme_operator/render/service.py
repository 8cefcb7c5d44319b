"""The lists that make an AcmeService."""

from acme_operator.api.facts import ServiceFacts, ServiceTarget
from acme_operator.api.manifests import Manifest
from acme_operator.api.meta import OwnerMeta
from acme_operator.api.service import AcmeServiceSpec
from acme_operator.render import bindings, names
from acme_operator.render.network import service, service_policy
from acme_operator.render.pods import is_probed, pod_spec

SETTLE_SECONDS = 10
"""How long a container that nothing probes has to run before it counts; less than the shortest progress deadline."""


def standing(owner: OwnerMeta, spec: AcmeServiceSpec) -> list[Manifest]:
    """What needs no dependency: identity, address, disruption budget."""
    return [
        service_account(owner),
        *([service(owner, spec)] if spec.ports else []),
        disruption_budget(owner),
    ]


def revision(owner: OwnerMeta, spec: AcmeServiceSpec, facts: ServiceFacts) -> list[Manifest]:
    """What waits until every dependency is there: bindings, policy, workload."""
    return [
        *(_service_binding(owner, target) for target in facts.services),
        service_policy(owner, spec, facts),
        deployment(owner, spec, facts),
    ]


def service_account(owner: OwnerMeta) -> Manifest:
    """The identity of the pods; no token is mounted, as no service talks to the API server."""
    head = names.child("v1", "ServiceAccount", owner.name, owner, names.service_labels(owner.name))
    return head | {"automountServiceAccountToken": False}


def _service_binding(owner: OwnerMeta, target: ServiceTarget) -> Manifest:
    labels = names.service_labels(owner.name) | {names.DEPENDENCY: target.dependency}
    head = names.child("v1", "Secret", names.binding_secret(owner.name, target.dependency), owner, labels)
    return head | bindings.service_content(target)


def disruption_budget(owner: OwnerMeta) -> Manifest:
    """At most one pod away at a time; never zero, so that a node can always be drained."""
    head = names.child("policy/v1", "PodDisruptionBudget", owner.name, owner, names.service_labels(owner.name))
    return head | {
        "spec": {
            "maxUnavailable": 1,
            "selector": {"matchLabels": {names.SERVICE: owner.name}},
            # A pod that is broken anyway must not hold up the drain of its node.
            "unhealthyPodEvictionPolicy": "AlwaysAllow",
        }
    }


def deployment(owner: OwnerMeta, spec: AcmeServiceSpec, facts: ServiceFacts) -> Manifest:
    """The workload."""
    labels = names.service_labels(owner.name)
    return names.child("apps/v1", "Deployment", owner.name, owner, labels) | {
        "spec": {
            "replicas": spec.replicas,
            "revisionHistoryLimit": 5,
            **({} if is_probed(spec.ports) else {"minReadySeconds": SETTLE_SECONDS}),
            "progressDeadlineSeconds": spec.rollout.progress_deadline_seconds,
            "selector": {"matchLabels": {names.SERVICE: owner.name}},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": 0}},
            "template": {"metadata": {"labels": labels}, "spec": pod_spec(owner.name, spec, facts)},
        }
    }
