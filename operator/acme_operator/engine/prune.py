"""Deletes what was made for an owner and is no longer wanted. Never decides what is wanted."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from acme_operator.api.manifests import Manifest
from acme_operator.api.marks import RETAIN
from acme_operator.engine.cluster import Cluster, Kind, Ref
from acme_operator.engine.errors import Conflict
from acme_operator.engine.store import Store

PASS_LIMIT = 20


@dataclass(frozen=True, slots=True)
class Pruned:
    """What was deleted in this pass, and how many are left for the next: changed meanwhile, or past the limit."""

    deleted: tuple[Ref, ...] = ()
    left: int = 0


class Pruner:
    """Deletes by what the synced store shows, each object only in exactly the version that was looked at."""

    def __init__(self, cluster: Cluster, store: Store, kinds: Iterable[Kind]) -> None:
        self._cluster = cluster
        self._store = store
        self._kinds = tuple(kinds)

    async def prune(self, owner_uid: str, keep: Collection[Ref]) -> Pruned:
        """Delete what carries the owner's uid and is not in `keep`; objects marked `retain` stay.

        Does nothing until every child kind is synced: on half a view, what is wanted looks unwanted. At most 20 a pass.
        """
        if not all(self._store.synced(kind) for kind in self._kinds):
            return Pruned()
        owned = self._store.owned_by(owner_uid)
        doomed = [ref for ref, live in owned.items() if ref not in keep and _may_go(live)]
        deleted = [ref for ref in doomed[:PASS_LIMIT] if await self._delete(ref, owned[ref])]
        return Pruned(tuple(deleted), len(doomed) - len(deleted))

    async def _delete(self, ref: Ref, live: Manifest) -> bool:
        metadata = live["metadata"]
        version = metadata["resourceVersion"]
        try:
            await self._cluster.delete(ref, uid=metadata["uid"], resource_version=version)
        except Conflict:
            return False  # It changed under us: its event is on the way, and brings the owner back to judge anew.
        self._store.remove(ref, version)
        return True


def _may_go(live: Manifest) -> bool:
    metadata = live["metadata"]
    return "deletionTimestamp" not in metadata and metadata.get("annotations", {}).get(RETAIN) != "true"
