"""AcmeService: gather → check → render → apply → observe → status."""

from collections.abc import Sequence

from pydantic import ValidationError

from acme_operator.api.datastore import AcmeDatastoreStatus
from acme_operator.api.facts import DatastoreTarget, Finding, ServiceFacts, ServiceTarget
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
            await self._report(ref, owner, None, verdicts.stalled(*invalid_spec(error), available=self._serves(ref)))
            return
        await self._pass(ref, owner, spec)

    async def _pass(self, ref: Ref, owner: OwnerMeta, spec: AcmeServiceSpec) -> None:
        found = dependencies.findings(ref.name, spec, self._service_spec(ref), self._datastore_status(ref))
        finding = dependencies.combined(found)
        try:
            await self._apply(ref, owner, spec, held=finding is not None)
        except Rejected as refusal:
            verdict = verdicts.stalled(refusal.reason, refusal.message, available=self._serves(ref))
            await self._report(ref, owner, spec, verdict)
            return
        except Waiting as wait:
            verdict = verdicts.converging(wait.reason, wait.message, available=self._serves(ref))
            await self._report(ref, owner, spec, verdict)
            raise
        await self._report(ref, owner, spec, self._verdict(ref, finding))

    async def _apply(self, ref: Ref, owner: OwnerMeta, spec: AcmeServiceSpec, *, held: bool) -> None:
        """While a dependency is missing only what needs none is applied: running pods, their policy and their bindings stay."""
        if held:
            self._reporter.applied(ref, await self._tools.applier.apply(ref, standing(owner, spec)))
            return
        wanted = [*standing(owner, spec), *revision(owner, spec, self._facts(ref, spec))]
        self._reporter.applied(ref, await self._tools.applier.apply(ref, wanted))
        await self._tools.pruner.prune(owner.uid, {ref_of(manifest) for manifest in wanted})

    def _verdict(self, ref: Ref, finding: Finding | None) -> Verdict:
        if finding is not None:
            return verdicts.blocked(finding, available=self._serves(ref))
        state = self._health(ref)
        if state.state == "Ready":
            return verdicts.live(f"{state.ready} of {state.desired} pods serve this generation")
        if state.state == "Failed":
            reason = Reason.PROGRESS_DEADLINE_EXCEEDED
            return verdicts.stalled(reason, state.message, available=self._serves(ref))
        return verdicts.converging(Reason.PROGRESSING, state.message, available=self._serves(ref))

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

    def _health(self, ref: Ref) -> Health:
        live = self._tools.store.get(Ref(DEPLOYMENT, ref.namespace, ref.name))
        return health.deployment(live, self._pods(ref))

    def _pods(self, ref: Ref) -> Sequence[Manifest]:
        pods = self._tools.store.list(POD, ref.namespace)
        return [pod for pod in pods if pod["metadata"].get("labels", {}).get(names.SERVICE) == ref.name]

    def _serves(self, ref: Ref) -> bool:
        state = self._health(ref)
        return state.ready > 0

    async def _report(self, ref: Ref, owner: OwnerMeta, spec: AcmeServiceSpec | None, verdict: Verdict) -> None:
        state = self._health(ref)
        wanted = spec.replicas if spec is not None else state.desired
        ports = spec.ports if spec is not None else ()
        fields: Manifest = {
            "replicas": len(self._pods(ref)),
            "readyReplicas": state.ready,
            "ready": f"{state.ready}/{wanted}",
            "selector": f"{names.SERVICE}={ref.name}",
            "endpoints": [
                {"name": port.name, "address": f"{names.host(ref.name, ref.namespace)}:{port.port}"} for port in ports
            ],
        }
        await self._reporter.report(ref, owner, verdict, fields)
