"""AcmeDatastore: gather → check → render → apply → bind → status."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from pydantic import ValidationError

from acme_operator.api.datastore import AcmeDatastoreSpec, Postgres
from acme_operator.api.facts import BuiltinFacts, Claim
from acme_operator.api.manifests import Manifest
from acme_operator.api.meta import ConditionStatus, OwnerMeta
from acme_operator.api.reasons import Reason
from acme_operator.checks import verdicts
from acme_operator.checks.verdicts import Verdict
from acme_operator.controllers.claims import claims
from acme_operator.controllers.cleanup import Cleanup, Connect
from acme_operator.controllers.kinds import ACME_DATASTORE
from acme_operator.controllers.logins import Logins, Visit
from acme_operator.controllers.parsing import invalid_spec
from acme_operator.controllers.reports import Reporter, Tools
from acme_operator.controllers.servers import Servers
from acme_operator.engine import health
from acme_operator.engine.cluster import Kind, Ref
from acme_operator.engine.errors import Rejected, Waiting
from acme_operator.engine.health import Health
from acme_operator.engine.kinds import POD, STATEFULSET, ref_of
from acme_operator.providers.contract import Server
from acme_operator.providers.errors import ProviderError
from acme_operator.render import names
from acme_operator.render.datastore import datastore_manifests

START_DEADLINE = timedelta(minutes=10)
"""How long a Builtin server may take to serve before it is called stuck; an image may have to be pulled first."""

RECHECK = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the process knows and the objects don't: the image catalog, our own namespace, how to reach a server."""

    image: Callable[[str, str], str | None]
    namespace: str
    connect: Connect


@dataclass(frozen=True, slots=True)
class Pass:
    """One reconcile's view of its object."""

    ref: Ref
    owner: OwnerMeta
    spec: AcmeDatastoreSpec
    postgres: Postgres
    claims: tuple[Claim, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the pass came to; version and address only where the server answered."""

    verdict: Verdict
    version: str = ""
    address: str = ""


class DatastoreController:
    """Makes one AcmeDatastore so, from whatever state it finds."""

    kind: Kind = ACME_DATASTORE

    def __init__(self, tools: Tools, reporter: Reporter, surroundings: Surroundings) -> None:
        self._tools = tools
        self._reporter = reporter
        self._surroundings = surroundings
        self._servers = Servers(tools)
        self._logins = Logins(tools)
        self._cleanup = Cleanup(tools, reporter, self._servers, surroundings.connect)

    async def reconcile(self, ref: Ref) -> None:
        """One pass; safe to stop anywhere and to repeat."""
        live = self._tools.store.get(ref)
        if live is None:
            return
        owner = OwnerMeta.of(live)
        if owner.deletion_timestamp is not None:
            await self._cleanup.run(ref, owner, live["spec"])
            return
        try:
            spec = AcmeDatastoreSpec.model_validate(live["spec"])
        except ValidationError as error:
            await self._reporter.report(ref, owner, verdicts.stalled(*invalid_spec(error), available=False), {})
            return
        if spec.postgres is None:
            await self._reporter.report(ref, owner, _not_supported(spec), {"engine": _engine(spec)})
            return
        await self._pass(Pass(ref, owner, spec, spec.postgres, claims(self._tools.store, ref)))

    async def _pass(self, now: Pass) -> None:
        """Do the work; whatever stops it is said in status, and what may heal by itself is tried again."""
        try:
            outcome = await self._serve(now)
        except Rejected as refusal:
            await self._report(now, Outcome(verdicts.stalled(refusal.reason, refusal.message, available=False)))
            return
        except Waiting as wait:
            await self._report(now, Outcome(verdicts.converging(wait.reason, wait.message, available=False)))
            raise
        except ProviderError as error:
            await self._report(now, Outcome(_provider_verdict(error)))
            raise Waiting(error.reason, str(error)) from error
        await self._report(now, outcome)
        if outcome.verdict.ready is ConditionStatus.UNKNOWN:
            # A deadline that passes is no event: nothing else would make anybody look.
            raise Waiting(outcome.verdict.reason, outcome.verdict.message, RECHECK)

    async def _serve(self, now: Pass) -> Outcome:
        if now.spec.external is not None:
            await self._cleanup.promise(now.ref, now.owner)
            server = await self._servers.external(now.owner, now.spec.external)
            return await self._bind(now, server, keep=frozenset())
        return await self._serve_builtin(now)

    async def _serve_builtin(self, now: Pass) -> Outcome:
        manifests = await self._instance(now)
        self._reporter.applied(now.ref, await self._tools.applier.apply(now.ref, manifests))
        state = self._health(now)
        if state.state == "Ready":
            keep = frozenset(ref_of(manifest) for manifest in manifests)
            return await self._bind(now, self._servers.builtin(now.owner), keep)
        if state.state == "Failed":
            return Outcome(
                verdicts.stalled(Reason.PROGRESS_DEADLINE_EXCEEDED, state.message, available=state.ready > 0)
            )
        return Outcome(verdicts.converging(Reason.PROGRESSING, state.message, available=state.ready > 0))

    async def _instance(self, now: Pass) -> list[Manifest]:
        image = self._surroundings.image("postgres", now.postgres.version)
        if image is None:
            message = (
                f"the platform's catalog has no image for postgres {now.postgres.version}: add images.postgres to it"
            )
            raise Rejected(Reason.IMAGE_NOT_CATALOGED, message)
        secrets = await self._servers.secrets(now.owner, now.spec)
        consumers = tuple(claim.service for claim in now.claims)
        facts = BuiltinFacts(image, consumers, self._surroundings.namespace)
        return [*secrets, *datastore_manifests(now.owner, now.spec, facts)]

    async def _bind(self, now: Pass, server: Server, keep: frozenset[Ref]) -> Outcome:
        async with self._surroundings.connect(server, f"{now.ref.namespace}/{now.ref.name}") as provider:
            seen = await provider.health()
            secrets = await self._bind_logins(now, Visit(now.owner, server, provider))
        await self._tools.pruner.prune(now.owner.uid, keep | set(secrets))
        verdict = verdicts.live(f"PostgreSQL {seen.version} serves at {server.address}")
        return Outcome(verdict, seen.version, server.address)

    async def _bind_logins(self, now: Pass, visit: Visit) -> tuple[Ref, ...]:
        """Whatever ends the visit, each change that was made has its audit line."""
        try:
            return await self._logins.bind(visit, now.postgres, now.claims)
        except ProviderError as error:
            visit.changes.extend(error.changes)
            raise
        finally:
            self._reporter.changed_outside(now.ref, visit.changes)

    # --- what is live -------------------------------------------------------------------------------------------

    def _health(self, now: Pass) -> Health:
        store = self._tools.store
        live = store.get(Ref(STATEFULSET, now.ref.namespace, names.workload(now.ref.name)))
        pods = [
            pod
            for pod in store.list(POD, now.ref.namespace)
            if pod["metadata"].get("labels", {}).get(names.DATASTORE) == now.ref.name
        ]
        return health.statefulset(live, pods, now=self._tools.clock(), deadline=START_DEADLINE)

    async def _report(self, now: Pass, outcome: Outcome) -> None:
        consumers = self._logins.consumers(now.owner, now.postgres, now.claims)
        fields: Manifest = {
            "engine": "postgres",
            "consumers": [consumer.model_dump(by_alias=True, mode="json") for consumer in consumers],
            "consumerCount": sum(1 for consumer in consumers if consumer.secret),
        }
        fields |= {"version": outcome.version} if outcome.version else {}
        fields |= {"endpoints": {"readWrite": outcome.address}} if outcome.address else {}
        await self._reporter.report(now.ref, now.owner, outcome.verdict, fields)


def _engine(spec: AcmeDatastoreSpec) -> str:
    return "redis" if spec.redis is not None else "kafka"


def _not_supported(spec: AcmeDatastoreSpec) -> Verdict:
    message = f"engine {_engine(spec)} is not supported by this release: delete the AcmeDatastore, or declare postgres"
    return verdicts.stalled(Reason.NOT_SUPPORTED, message, available=False)


def _provider_verdict(error: ProviderError) -> Verdict:
    return Verdict(ConditionStatus.FALSE, error.reason, str(error), available=False, stalled=not error.transient)
