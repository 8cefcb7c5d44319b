"""Writes status, and only when it says something new. Decides nothing about what it says."""

from acme_operator.api.manifests import Manifest
from acme_operator.engine.cluster import Cluster, Ref
from acme_operator.engine.errors import NotFound
from acme_operator.engine.store import Store


class StatusWriter:
    """Server-side apply of the whole status under its own field manager: what is no longer said disappears."""

    def __init__(self, cluster: Cluster, store: Store) -> None:
        self._cluster = cluster
        self._store = store

    async def write(self, ref: Ref, status: Manifest) -> bool:
        """Make the object's status equal to `status`; whether a request was needed. An object that is gone is fine.

        An object that took the name in this very moment gets it too, until its own first pass, which is on its way.
        """
        live = self._store.get(ref)
        if live is None or live.get("status") == status:
            return False
        manifest = {
            "apiVersion": ref.kind.api_version,
            "kind": ref.kind.kind,
            "metadata": {"name": ref.name, "namespace": ref.namespace},
            "status": status,
        }
        try:
            answer = await self._cluster.apply_status(manifest)
        except NotFound:
            return False
        self._store.upsert(ref.kind, answer)
        return True
