"""AcmeService: gather → check → render → apply → observe → status."""

from dataclasses import dataclass
from functools import partial
from typing import Protocol

from pydantic import ValidationError

from acme_operator.api.datastore import AcmeDatastoreStatus
from acme_operator.api.facts import DatastoreTarget, ServiceFacts, ServiceTarget
from acme_operator.api.manifests import Manifest
from acme_operator.api.meta import OwnerMeta
from acme_operator.api.reasons import Reason
from acme_operator.api.service import AcmeServiceSpec
from acme_operator.checks import dependencies, verdicts
from acme_operator.checks.verdicts import Verdict
from acme_operator.controllers.kinds import ACME_DATASTORE, ACME_SERVICE
from acme_operator.controllers.parsing import invalid_spec
from acme_operator.controllers.reports import Reporter, Tools
from acme_operator.controllers.wakes import dependencies as declared
from acme_operator.engine import health
from acme_operator.engine.cluster import Kind, Ref
from acme_operator.engine.errors import Rejected, Waiting
from acme_operator.engine.health import Health
from acme_operator.engine.kinds import DEPLOYMENT, POD, ref_of
from acme_operator.render import names
from acme_operator.render.service import revision, standing


@dataclass(frozen=True, slots=True)
class Seen:
    """The workload as the store shows it after the pass."""

    health: Health
    pods: int

    @property
    def serves(self) -> bool:
        """Whether any pod serves, of whatever revision."""
        return self.health.ready > 0


class Hindrance(Protocol):
    """A verdict that still has to be told whether something serves."""

    def __call__(self, *, available: bool) -> Verdict:
        """The verdict."""
        ...


class ServiceController:
    """Makes one AcmeService so, from whatever state it finds."""

    kind: Kind = ACME_SERVICE

    def __init__(self, tools: Tools, reporter: Reporter) -> None:
        self._tools = tools
        self._reporter = reporter

    async def reconcile(self, ref: Ref) -> None:
        """One pass; safe to stop anywhere and to repeat. Children go with their owner, so a deletion needs no work."""
        live = self._tools.store.get(ref)
        if live is None or "deletionTimestamp" in live["metadata"]:
            return
        owner = OwnerMeta.of(live)
        try:
            spec = AcmeServiceSpec.model_validate(live["spec"])
        except ValidationError as error:
            seen = self._look(ref)
            verdict = verdicts.stalled(*invalid_spec(error), available=seen.serves)
            await self._reporter.report(ref, owner, verdict, _counts(seen, seen.health.desired))
            return
        await self._pass(ref, owner, spec)

    async def _pass(self, ref: Ref, owner: OwnerMeta, spec: AcmeServiceSpec) -> None:
        found = dependencies.findings(ref.name, spec, self._service_spec(ref), self._datastore_status(ref))
        finding = dependencies.combined(found)
        try:
            await self._apply(ref, owner, spec, held=finding is not None)
        except Rejected as refusal:
            await self._report(ref, owner, spec, partial(verdicts.stalled, refusal.reason, refusal.message))
        except Waiting as wait:
            await self._report(ref, owner, spec, partial(verdicts.converging, wait.reason, wait.message))
            raise
        else:
            await self._report(ref, owner, spec, partial(verdicts.blocked, finding) if finding is not None else None)

    async def _apply(self, ref: Ref, owner: OwnerMeta, spec: AcmeServiceSpec, *, held: bool) -> None:
        """While a dependency is missing only what needs none is applied: running pods, their policy and their bindings stay."""
        if held:
            self._reporter.applied(ref, await self._tools.applier.apply(ref, standing(owner, spec)))
            return
        wanted = [*standing(owner, spec), *revision(owner, spec, self._facts(ref, spec))]
        self._reporter.applied(ref, await self._tools.applier.apply(ref, wanted))
        await self._tools.pruner.prune(owner.uid, {ref_of(manifest) for manifest in wanted})

    # --- facts --------------------------------------------------------------------------------------------------

    def _facts(self, ref: Ref, spec: AcmeServiceSpec) -> ServiceFacts:
        return ServiceFacts(self._called(ref, spec), self._stored(ref, spec), self._callers(ref))

    def _called(self, ref: Ref, spec: AcmeServiceSpec) -> tuple[ServiceTarget, ...]:
        lookup = self._service_spec(ref)
        return tuple(
            ServiceTarget(dependency.name, wanted.name, names.host(wanted.name, ref.namespace), port.port)
            for dependency in spec.dependencies
            if (wanted := dependency.service) is not None and (target := lookup(wanted.name)) is not None
            for port in target.ports
            if port.name == wanted.port
        )

    def _stored(self, ref: Ref, spec: AcmeServiceSpec) -> tuple[DatastoreTarget, ...]:
        return tuple(
            DatastoreTarget(dependency.name, names.binding_secret(ref.name, dependency.name))
            for dependency in spec.dependencies
            if dependency.datastore is not None
        )

    def _callers(self, ref: Ref) -> tuple[str, ...]:
        services = self._tools.store.list(ACME_SERVICE, ref.namespace)
        return tuple(
            sorted(
                service["metadata"]["name"]
                for service in services
                if any(one.get("service", {}).get("name") == ref.name for one in declared(service))
            )
        )

    def _service_spec(self, ref: Ref) -> dependencies.ServiceLookup:
        def lookup(name: str) -> AcmeServiceSpec | None:
            live = self._tools.store.get(Ref(ACME_SERVICE, ref.namespace, name))
            return None if live is None else AcmeServiceSpec.model_validate(live["spec"])

        return lookup

    def _datastore_status(self, ref: Ref) -> dependencies.DatastoreLookup:
        def lookup(name: str) -> AcmeDatastoreStatus | None:
            live = self._tools.store.get(Ref(ACME_DATASTORE, ref.namespace, name))
            return None if live is None else AcmeDatastoreStatus.model_validate(live.get("status", {}))

        return lookup

    # --- what is live -------------------------------------------------------------------------------------------

    def _look(self, ref: Ref) -> Seen:
        store = self._tools.store
        pods = [
            pod
            for pod in store.list(POD, ref.namespace)
            if pod["metadata"].get("labels", {}).get(names.SERVICE) == ref.name
        ]
        return Seen(health.deployment(store.get(Ref(DEPLOYMENT, ref.namespace, ref.name)), pods), len(pods))

    async def _report(self, ref: Ref, owner: OwnerMeta, spec: AcmeServiceSpec, hindered: Hindrance | None) -> None:
        """Say what hindered this pass; where nothing did, the workload's own health decides."""
        seen = self._look(ref)
        verdict = hindered(available=seen.serves) if hindered is not None else _verdict(seen)
        fields: Manifest = {
            **_counts(seen, spec.replicas),
            "selector": f"{names.SERVICE}={ref.name}",
            "endpoints": [
                {"name": port.name, "address": f"{names.host(ref.name, ref.namespace)}:{port.port}"}
                for port in spec.ports
            ],
        }
        await self._reporter.report(ref, owner, verdict, fields)


def _verdict(seen: Seen) -> Verdict:
    found = seen.health
    if found.state == "Ready":
        return verdicts.live(f"{found.ready} of {found.desired} pods serve this generation")
    if found.state == "Failed":
        return verdicts.stalled(Reason.PROGRESS_DEADLINE_EXCEEDED, found.message, available=seen.serves)
    return verdicts.converging(Reason.PROGRESSING, found.message, available=seen.serves)


def _counts(seen: Seen, wanted: int) -> Manifest:
    return {"replicas": seen.pods, "readyReplicas": seen.health.ready, "ready": f"{seen.health.ready}/{wanted}"}
