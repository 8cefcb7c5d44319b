"""An API server in memory, as far as the engine can tell: versions, watches, server-side apply, preconditions, finalizers.

It has no schema, no defaults and no controllers but one: what an owner leaves behind goes with it.
"""

import asyncio
import copy
from collections import deque
from collections.abc import AsyncGenerator, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Self
from uuid import uuid4

from acme_operator.api.manifests import Manifest
from acme_operator.api.marks import FIELD_MANAGER, STATUS_MANAGER
from acme_operator.engine.cluster import EventType, Kind, Operation, Page, Ref, WatchEvent
from acme_operator.engine.errors import AlreadyExists, Conflict, Expired, Invalid, NotFound, Unavailable
from acme_operator.engine.kinds import EVENT, index, kind_of, ref_of
from acme_operator.testing import ownership
from acme_operator.testing.operations import PatchTestFailedError, patched
from acme_operator.testing.rules import broken_rules

_SERVER_SET = ("uid", "resourceVersion", "generation", "creationTimestamp", "deletionTimestamp")


@dataclass(frozen=True, slots=True)
class Request:
    """A request that was answered or refused: the verb and the object."""

    verb: str
    ref: Ref


@dataclass(slots=True)
class _Stored:
    manifest: Manifest
    owners: ownership.Owners = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Change:
    version: int
    ref: Ref
    old: Manifest | None
    new: Manifest | None
    last: Manifest  # as it was when it went, with the version of its going


@dataclass(slots=True)
class _World:
    objects: dict[Ref, _Stored] = field(default_factory=dict)
    history: list[_Change] = field(default_factory=list)
    version: int = 100
    forgotten: int = 0
    cuts: int = 0
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    snapshots: dict[str, list[Manifest]] = field(default_factory=dict)
    faults: dict[str, deque[tuple[Exception, bool]]] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)

    def tell(self) -> None:
        self.changed.set()
        self.changed = asyncio.Event()


class FakeCluster:
    """A `Cluster`. Tests also speak to it directly: `acting_as` another manager, `fail`, `forget_history`, `cut_watches`."""

    def __init__(self, kinds: Iterable[Kind] = (), manager: str = FIELD_MANAGER, world: _World | None = None) -> None:
        self._kinds = index(kinds)
        self._manager = manager
        self._world = world or _World()

    # --- for tests ----------------------------------------------------------------------------------------------

    @property
    def requests(self) -> list[Request]:
        """All requests so far, reads and writes, in order."""
        return self._world.requests

    @property
    def writes(self) -> list[Request]:
        """The requests so far that were to change something."""
        return [request for request in self._world.requests if request.verb not in ("get", "list", "watch")]

    def acting_as(self, manager: str) -> Self:
        """The same cluster for somebody else: another field manager."""
        return type(self)(self._kinds.values(), manager, self._world)

    def twin[T: FakeCluster](self, kind: type[T]) -> T:
        """The same cluster seen through a subclass, which may behave otherwise for whoever holds it."""
        return kind(self._kinds.values(), self._manager, self._world)

    def fail(self, verb: str, error: Exception, *, after_commit: bool = False) -> None:
        """Have the next request of that verb fail, before or after it was done; several calls queue up."""
        self._world.faults.setdefault(verb, deque()).append((error, after_commit))

    def forget_history(self) -> None:
        """Make every older resourceVersion and list token too old, as a compaction does."""
        self._world.forgotten = self._world.version
        self._world.history.clear()
        self._world.snapshots.clear()

    def cut_watches(self) -> None:
        """Break off every running watch."""
        self._world.cuts += 1
        self._world.tell()

    def live(self, kind: Kind) -> dict[str, Manifest]:
        """The objects of a kind by `namespace/name`."""
        return {
            f"{ref.namespace}/{ref.name}": copy.deepcopy(stored.manifest)
            for ref, stored in self._world.objects.items()
            if ref.kind == kind
        }

    # --- reads --------------------------------------------------------------------------------------------------

    async def list(
        self, kind: Kind, namespace: str | None, selector: str | None, limit: int, token: str | None
    ) -> Page:
        """See `Cluster.list`."""
        self._begin("list", Ref(kind, namespace or "", ""))
        world = self._world
        if token is None:
            found = [self._copy(ref) for ref in world.objects if ref.kind == kind and _within(ref, namespace)]
            chosen = [item for item in found if _matches(item, selector)]
            version, start = str(world.version), 0
            world.snapshots[version] = chosen
        else:
            version, _, offset = token.partition(":")
            start = int(offset)
        if version not in world.snapshots:
            raise Expired(f"list {kind.plural}", "the token is too old")
        items = world.snapshots[version]
        end = start + limit
        return Page(copy.deepcopy(items[start:end]), version, f"{version}:{end}" if end < len(items) else None)

    async def watch(
        self, kind: Kind, namespace: str | None, selector: str | None, resource_version: str
    ) -> AsyncGenerator[WatchEvent, None]:
        """See `Cluster.watch`."""
        self._begin("watch", Ref(kind, namespace or "", ""))
        world, position, cuts = self._world, int(resource_version), self._world.cuts
        while True:
            changed = world.changed
            if world.cuts != cuts:
                raise Unavailable(f"watch {kind.plural}", "cut off")
            if position < world.forgotten:
                yield WatchEvent("ERROR", {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old"})
                return
            for change in [change for change in world.history if change.version > position]:
                position = change.version
                if change.ref.kind != kind or not _within(change.ref, namespace):
                    continue
                if (event := _event(change, selector)) is not None:
                    yield event
            if position < world.version:
                position = world.version
                yield WatchEvent("BOOKMARK", {"metadata": {"resourceVersion": str(position)}})
            await changed.wait()

    async def get(self, ref: Ref) -> Manifest | None:
        """See `Cluster.get`."""
        self._begin("get", ref)
        return self._copy(ref) if ref in self._world.objects else None

    # --- writes -------------------------------------------------------------------------------------------------

    async def create(self, manifest: Manifest) -> Manifest:
        """See `Cluster.create`."""
        ref = self._ref(manifest)
        fault = self._begin("create", ref)
        if ref in self._world.objects:
            raise AlreadyExists(f"create {ref}", "it exists")
        owners: ownership.Owners = {}
        ownership.updated({}, manifest, owners, self._manager)
        return self._commit(ref, None, copy.deepcopy(manifest), owners, fault)

    async def apply(self, manifest: Manifest, *, force: bool) -> Manifest:
        """See `Cluster.apply`."""
        ref = self._ref(manifest)
        fault = self._begin("apply", ref)
        wanted = {name: value for name, value in manifest.items() if name != "status"}
        return self._merge(ref, wanted, self._manager, force, fault)

    async def apply_status(self, manifest: Manifest) -> Manifest:
        """See `Cluster.apply_status`."""
        ref = self._ref(manifest)
        fault = self._begin("apply_status", ref)
        if ref not in self._world.objects:
            raise NotFound(f"apply_status {ref}", "not found")
        wanted = {name: manifest[name] for name in ("apiVersion", "kind", "status")}
        wanted["metadata"] = {"name": ref.name, "namespace": ref.namespace}
        return self._merge(ref, wanted, STATUS_MANAGER, True, fault)

    async def patch(self, ref: Ref, operations: Sequence[Operation], resource_version: str | None = None) -> Manifest:
        """See `Cluster.patch`."""
        fault = self._begin("patch", ref)
        self._require(ref, f"patch {ref}", resource_version=resource_version)
        try:
            after = patched(self._copy(ref), operations)
        except PatchTestFailedError as error:
            raise Invalid(f"patch {ref}", "a test failed") from error
        return self._update(ref, after, fault)

    async def patch_finalizers(self, ref: Ref, finalizers: Sequence[str], resource_version: str) -> Manifest:
        """See `Cluster.patch_finalizers`."""
        fault = self._begin("patch_finalizers", ref)
        self._require(ref, f"patch {ref}", resource_version=resource_version)
        after = self._copy(ref)
        after["metadata"]["finalizers"] = list(finalizers)
        return self._update(ref, after, fault)

    async def delete(self, ref: Ref, *, uid: str, resource_version: str | None) -> None:
        """See `Cluster.delete`."""
        fault = self._begin("delete", ref)
        if ref not in self._world.objects:
            return
        self._require(ref, f"delete {ref}", uid=uid, resource_version=resource_version)
        self._delete(ref)
        _raise_late(fault)

    async def create_event(self, manifest: Manifest) -> None:
        """See `Cluster.create_event`."""
        metadata = manifest["metadata"]
        named = {**metadata, "name": f"{metadata.get('generateName', '')}{uuid4().hex[:8]}"}
        ref = Ref(EVENT, named["namespace"], named["name"])
        fault = self._begin("create_event", ref)
        self._commit(ref, None, {**copy.deepcopy(manifest), "metadata": named}, {}, fault)

    # --- inside -------------------------------------------------------------------------------------------------

    def _begin(self, verb: str, ref: Ref) -> Exception | None:
        """Note a request and raise the error that was asked for; one that comes after the deed is returned."""
        self._world.requests.append(Request(verb, ref))
        queued = self._world.faults.get(verb)
        if not queued:
            return None
        error, after_commit = queued.popleft()
        if not after_commit:
            raise error
        return error

    def _merge(self, ref: Ref, wanted: Manifest, manager: str, force: bool, fault: Exception | None) -> Manifest:
        stored = self._world.objects.get(ref)
        if stored is None:
            owners = {manager: {path for path, _ in ownership.leaves(wanted)}}
            return self._commit(ref, None, copy.deepcopy(wanted), owners, fault)
        claims = ownership.conflicts(stored.manifest, wanted, stored.owners, manager)
        if claims and not force:
            raise Conflict(f"apply {ref}", f"conflicts with {claims[0].manager}", claims)
        owners = copy.deepcopy(stored.owners)
        after = ownership.apply(stored.manifest, wanted, owners, manager)
        return self._commit(ref, stored.manifest, after, owners, fault)

    def _update(self, ref: Ref, after: Manifest, fault: Exception | None) -> Manifest:
        stored = self._world.objects[ref]
        owners = copy.deepcopy(stored.owners)
        ownership.updated(stored.manifest, after, owners, self._manager)
        return self._commit(ref, stored.manifest, after, owners, fault)

    def _commit(
        self, ref: Ref, before: Manifest | None, after: Manifest, owners: ownership.Owners, fault: Exception | None
    ) -> Manifest:
        if causes := broken_rules(ref.kind, before, after):
            raise Invalid(f"write {ref}", f"{ref} is invalid", causes)
        self._stamp(before, after)
        if before is None or after != before:
            self._world.objects[ref] = _Stored(after, owners)
            self._record(ref, before, after)
        else:
            self._world.objects[ref].owners = owners
        if "deletionTimestamp" in after["metadata"] and not after["metadata"].get("finalizers"):
            self._delete(ref)
        _raise_late(fault)
        return copy.deepcopy(after)

    def _stamp(self, before: Manifest | None, after: Manifest) -> None:
        metadata = after["metadata"]
        if before is None:
            now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            metadata.update(uid=str(uuid4()), creationTimestamp=now, generation=1)
            return
        metadata.update({name: before["metadata"][name] for name in _SERVER_SET if name in before["metadata"]})
        if _orders(before) != _orders(after):
            metadata["generation"] = before["metadata"]["generation"] + 1

    def _record(self, ref: Ref, old: Manifest | None, new: Manifest | None) -> None:
        world = self._world
        world.version += 1
        last = copy.deepcopy(new or old or {})
        last["metadata"]["resourceVersion"] = str(world.version)
        if new is not None:
            new["metadata"]["resourceVersion"] = str(world.version)
        world.history.append(_Change(world.version, ref, copy.deepcopy(old), copy.deepcopy(new), last))
        world.tell()

    def _delete(self, ref: Ref) -> None:
        live = self._world.objects[ref].manifest
        if live["metadata"].get("finalizers"):
            if "deletionTimestamp" not in live["metadata"]:
                before = copy.deepcopy(live)
                live["metadata"]["deletionTimestamp"] = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
                self._record(ref, before, live)
            return
        del self._world.objects[ref]
        self._record(ref, live, None)
        for other in [found for found, stored in self._world.objects.items() if _is_owned(stored, live)]:
            if other in self._world.objects:
                self._delete(other)

    def _require(self, ref: Ref, what: str, *, uid: str | None = None, resource_version: str | None = None) -> None:
        if ref not in self._world.objects:
            raise NotFound(what, "not found")
        metadata = self._world.objects[ref].manifest["metadata"]
        if uid is not None and uid != metadata["uid"]:
            raise Conflict(what, "the uid is another one")
        if resource_version is not None and resource_version != metadata["resourceVersion"]:
            raise Conflict(what, "the object was changed")

    def _copy(self, ref: Ref) -> Manifest:
        return copy.deepcopy(self._world.objects[ref].manifest)

    def _ref(self, manifest: Manifest) -> Ref:
        return ref_of(manifest, kind_of(manifest, self._kinds))


def _raise_late(fault: Exception | None) -> None:
    if fault is not None:
        raise fault


def _within(ref: Ref, namespace: str | None) -> bool:
    return namespace is None or ref.namespace == namespace


def _matches(manifest: Manifest | None, selector: str | None) -> bool:
    if manifest is None:
        return False
    labels = manifest["metadata"].get("labels", {})
    pairs = [term.partition("=") for term in selector.split(",")] if selector else []
    return all(labels.get(name) == value for name, _, value in pairs)


def _event(change: _Change, selector: str | None) -> WatchEvent | None:
    was, now = _matches(change.old, selector), _matches(change.new, selector)
    kind: EventType
    if was and now:
        kind = "MODIFIED"
    elif now:
        kind = "ADDED"
    elif was:
        kind = "DELETED"
    else:
        return None
    return WatchEvent(kind, copy.deepcopy(change.last))


def _orders(manifest: Manifest) -> dict[str, Any]:
    return {name: value for name, value in manifest.items() if name not in ("metadata", "status")}


def _is_owned(stored: _Stored, owner: Manifest) -> bool:
    references = stored.manifest["metadata"].get("ownerReferences", ())
    return any(reference["uid"] == owner["metadata"]["uid"] for reference in references)
