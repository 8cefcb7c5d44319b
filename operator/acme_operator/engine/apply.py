"""Makes live objects match manifests with as few requests as can be, and says what it did. Deletes nothing.

A child whose wanted fields are all live already costs no request. Everything else is one server-side apply, or, where
somebody put an entry into a list of ours, one JSON patch. All writes may be repeated: stopping between any two is safe.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from acme_operator.api.manifests import Manifest
from acme_operator.api.marks import APPLIED_HASH, FIELD_MANAGER, MANAGED_BY
from acme_operator.engine.cluster import Cluster, Kind, Ref
from acme_operator.engine.errors import AlreadyExists, Claim, Conflict, FieldCause, Invalid, Rejected, Waiting
from acme_operator.engine.kinds import (
    CONFIG_MAP,
    JOB,
    NETWORK_POLICY,
    PDB,
    PVC,
    SECRET,
    SERVICE,
    SERVICE_ACCOUNT,
    STATEFULSET,
    ref_of,
)
from acme_operator.engine.metrics import Metrics
from acme_operator.engine.plan import Difference, compare, content_hash, repairs
from acme_operator.engine.store import Store

Action = Literal["created", "configured", "unchanged"]
log = logging.getLogger(__name__)

# What a workload mounts or runs as is there before it; what selects it, too, so that it starts behind its policy.
_WAVES: Mapping[Kind, int] = {
    SERVICE_ACCOUNT: 0,
    CONFIG_MAP: 0,
    SECRET: 0,
    PVC: 0,
    SERVICE: 1,
    PDB: 1,
    NETWORK_POLICY: 1,
}
_LAST_WAVE = 2

# The API server answers some changes of an immutable field as an invalid value; most others as a forbidden one.
_IMMUTABLE_VALUES = frozenset({"spec.selector", "spec.clusterIPs[0]", "spec.clusterIP", "type", "spec.template"})
_WHOLE_SPEC = {
    STATEFULSET: "its volume claims, service name or selector",
    JOB: "its template",
    PVC: "its storage class or modes",
}


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """What one pass did. `conflicts` tells whose fields were taken over: (object, manager and field)."""

    created: tuple[Ref, ...] = ()
    configured: tuple[Ref, ...] = ()
    unchanged: tuple[Ref, ...] = ()
    conflicts: tuple[tuple[Ref, Claim], ...] = ()

    @property
    def changed(self) -> tuple[Ref, ...]:
        """What was written, in either way."""
        return self.created + self.configured

    @property
    def all(self) -> frozenset[Ref]:
        """Everything that was wanted: what a prune keeps."""
        return frozenset(self.created + self.configured + self.unchanged)


@dataclass(frozen=True, slots=True)
class _Done:
    ref: Ref
    action: Action
    claims: tuple[Claim, ...] = ()


class Applier:
    """Applies manifests of one owner after another; safe to call for different owners at the same time."""

    def __init__(self, cluster: Cluster, store: Store, metrics: Metrics | None = None) -> None:
        self._cluster = cluster
        self._store = store
        self._metrics = metrics or Metrics()
        # What the server's answer to our own apply still lacks is its way of writing it, not drift: see `_settle`.
        self._tolerated: dict[Ref, tuple[str, frozenset[str]]] = {}

    async def apply(self, owner: Ref, desired: Sequence[Manifest]) -> ChangeSet:
        """Make every manifest live, wave by wave; within a wave all at once.

        A refusal does not keep the rest of its wave from being applied; it is raised after, and later waves wait.
        Raises `Rejected` for what somebody has to change, `Waiting` for a name still taken, or a `ClusterError`.
        """
        done: list[_Done] = []
        for wave in _waves(desired):
            answers = await asyncio.gather(*(self._one(owner, each) for each in wave), return_exceptions=True)
            for answer in answers:
                if isinstance(answer, BaseException):
                    raise answer
                done.append(answer)
        return _change_set(done)

    async def create_once(self, manifest: Manifest) -> Manifest:
        """The live object of that name, made from `manifest` if there is none: generated Secrets are never overwritten."""
        ref = ref_of(manifest)
        if (known := self._store.get(ref)) is not None:
            _refuse_dying(ref, known)
            return known
        try:
            # With the hash, or the first apply of the same would be a write.
            answer = await self._cluster.create(_stamped(manifest, content_hash(manifest)))
        except AlreadyExists:
            found = await self._cluster.get(ref)
            if found is None:
                raise
            _refuse_strangers(ref, manifest, found)
            answer = found
        self._store.upsert(ref.kind, answer)
        return answer

    async def _one(self, owner: Ref, manifest: Manifest) -> _Done:
        ref, digest = ref_of(manifest), content_hash(manifest)
        wanted = _stamped(manifest, digest)
        live = self._store.get(ref)
        if live is None:
            answer, claims = await self._apply(owner, wanted, None)
            self._settle(ref, digest, wanted, answer)
            return _Done(ref, "created", claims)
        _refuse_anothers(ref, wanted, live)
        found = compare(wanted, live)
        if self._is_settled(ref, digest, found):
            self._metrics.skipped.inc()
            return _Done(ref, "unchanged")
        answer, claims = await self._configure(owner, wanted, live, found)
        self._settle(ref, digest, wanted, answer)
        return _Done(ref, "configured", claims)

    async def _configure(
        self, owner: Ref, wanted: Manifest, live: Manifest, found: Sequence[Difference]
    ) -> tuple[Manifest, tuple[Claim, ...]]:
        claims: tuple[Claim, ...] = ()
        # Same hash: what stands too much was put there by others, and goes first, or the apply may be refused for it.
        # Another hash: the apply itself takes away what we no longer render, and only what is left then is foreign.
        if _digest(live) == _digest(wanted):
            live = await self._remove_foreign(wanted, live)
            found = compare(wanted, live)
        if any(each.nature != "foreign" for each in found):
            live, claims = await self._apply(owner, wanted, live)
        return await self._remove_foreign(wanted, live), claims

    async def _remove_foreign(self, wanted: Manifest, live: Manifest) -> Manifest:
        ref = ref_of(wanted)
        if not (operations := repairs(compare(wanted, live))):
            return live
        try:
            answer = await self._cluster.patch(ref, operations)
        except Invalid:
            answer = await self._remove_foreign_now(ref, wanted)
        self._store.upsert(ref.kind, answer)
        return answer

    async def _remove_foreign_now(self, ref: Ref, wanted: Manifest) -> Manifest:
        # The list was changed since we looked: once more with what it is now.
        fresh = await self._cluster.get(ref)
        if fresh is None:
            raise Waiting("ChildTerminating", f"{ref} was deleted meanwhile; it is made anew", timedelta(0))
        operations = repairs(compare(wanted, fresh))
        return await self._cluster.patch(ref, operations) if operations else fresh

    async def _apply(self, owner: Ref, wanted: Manifest, live: Manifest | None) -> tuple[Manifest, tuple[Claim, ...]]:
        ref = ref_of(wanted)
        try:
            answer, claims = await self._apply_or_force(ref, wanted, live)
        except Invalid as refusal:
            answer, claims = await self._apply_repaired(owner, wanted, refusal), ()
        self._store.upsert(ref.kind, answer)
        return answer, claims

    async def _apply_or_force(
        self, ref: Ref, wanted: Manifest, live: Manifest | None
    ) -> tuple[Manifest, tuple[Claim, ...]]:
        try:
            return await self._cluster.apply(wanted, force=False), ()
        except Conflict as conflict:
            if not conflict.claims:
                raise
            if live is None:
                _refuse_strangers(ref, wanted, await self._cluster.get(ref))
            log.info("taking over fields", extra={"object": str(ref), "claims": [str(c) for c in conflict.claims]})
            return await self._cluster.apply(wanted, force=True), conflict.claims

    async def _apply_repaired(self, owner: Ref, wanted: Manifest, refusal: Invalid) -> Manifest:
        # Our view may have been too old to show the foreign entry that the server refuses ours for.
        ref = ref_of(wanted)
        fresh = await self._cluster.get(ref)
        if fresh is None or not repairs(compare(wanted, fresh)):
            raise _rejection(owner, ref, refusal, exists=fresh is not None) from refusal
        await self._remove_foreign(wanted, fresh)
        try:
            return await self._cluster.apply(wanted, force=True)
        except Invalid as again:
            raise _rejection(owner, ref, again, exists=True) from again

    def _is_settled(self, ref: Ref, digest: str, found: Sequence[Difference]) -> bool:
        if not found:
            return True
        known, tolerated = self._tolerated.get(ref, ("", frozenset()))
        return known == digest and tolerated.issuperset(str(each) for each in found)

    def _settle(self, ref: Ref, digest: str, wanted: Manifest, answer: Manifest) -> None:
        # Without this a render that the server normalises, or an admission webhook that insists, is applied for ever.
        left = frozenset(str(each) for each in compare(wanted, answer))
        if left:
            log.warning("the server keeps fields as it likes", extra={"object": str(ref), "fields": sorted(left)})
            self._tolerated[ref] = (digest, left)
        else:
            self._tolerated.pop(ref, None)


def _waves(desired: Sequence[Manifest]) -> list[list[Manifest]]:
    waves: dict[int, list[Manifest]] = {}
    for manifest in desired:
        waves.setdefault(_WAVES.get(ref_of(manifest).kind, _LAST_WAVE), []).append(manifest)
    return [waves[number] for number in sorted(waves)]


def _change_set(done: Sequence[_Done]) -> ChangeSet:
    return ChangeSet(
        created=tuple(each.ref for each in done if each.action == "created"),
        configured=tuple(each.ref for each in done if each.action == "configured"),
        unchanged=tuple(each.ref for each in done if each.action == "unchanged"),
        conflicts=tuple((each.ref, claim) for each in done for claim in each.claims),
    )


def _stamped(manifest: Manifest, digest: str) -> Manifest:
    metadata = manifest["metadata"]
    annotations = {**metadata.get("annotations", {}), APPLIED_HASH: digest}
    return {**manifest, "metadata": {**metadata, "annotations": annotations}}


def _digest(manifest: Manifest) -> str | None:
    found: str | None = manifest["metadata"].get("annotations", {}).get(APPLIED_HASH)
    return found


def _controller(manifest: Manifest) -> dict[str, str] | None:
    owners = manifest["metadata"].get("ownerReferences", ())
    return next((owner for owner in owners if owner.get("controller")), None)


def _refuse_anothers(ref: Ref, wanted: Manifest, live: Manifest) -> None:
    """Two owners of one name would undo each other's work for ever; and what is being deleted can't be kept."""
    ours, theirs = _controller(wanted), _controller(live)
    if ours is not None and theirs is not None and ours["uid"] != theirs["uid"]:
        whose = f"{theirs['kind']} {theirs['name']}"
        raise Waiting("NameTaken", f"{ref} belongs to {whose}: rename or delete one of the two", timedelta(seconds=5))
    _refuse_dying(ref, live)


def _refuse_dying(ref: Ref, live: Manifest) -> None:
    if "deletionTimestamp" in live["metadata"]:
        raise Waiting("ChildTerminating", f"{ref} is being deleted; it is made anew after", timedelta(seconds=1))


def _refuse_strangers(ref: Ref, wanted: Manifest, live: Manifest | None) -> None:
    """An object that somebody made by hand under a child's name is not taken over by force."""
    if live is None:
        return
    if live["metadata"].get("labels", {}).get(MANAGED_BY) != FIELD_MANAGER:
        raise Rejected("NameTaken", f"{ref} exists and is not managed by {FIELD_MANAGER}: rename or delete it")
    _refuse_anothers(ref, wanted, live)


def _rejection(owner: Ref, ref: Ref, refusal: Invalid, *, exists: bool) -> Rejected:
    cause = next(iter(refusal.causes), FieldCause("", "", ""))
    if exists and (cause.reason == "FieldValueForbidden" or cause.field in _IMMUTABLE_VALUES):
        what = _WHOLE_SPEC.get(ref.kind, cause.field) if cause.field in ("spec", "") else cause.field
        next_step = f"undo the change of {owner}, or delete {ref} to have it made anew"
        return Rejected("ImmutableField", f"{ref}: {what} cannot be changed in place: {next_step}")
    # The server's sentence repeats the value it refuses, which in a Secret is nobody's business.
    sentence = "is refused" if ref.kind == SECRET else cause.message or refusal.message
    return Rejected("InvalidManifest", f"{ref}: {cause.field or 'object'}: {sentence}: change {owner}")
