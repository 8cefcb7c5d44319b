"""The live objects as far as we know, slim. Holds no connection: reflectors and the answers to our own writes fill it.

The objects are shared, not copied: who takes one out must not change it.
"""

from collections import OrderedDict, defaultdict
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from acme_operator.api.manifests import Manifest
from acme_operator.api.marks import OWNER_UID
from acme_operator.engine.cluster import Kind, Ref

OnChange = Callable[[Kind, Manifest | None, Manifest | None], None]

_GRAVES = 4096
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


class Store:
    """Objects by kind, namespace and name; a newer version replaces an older one and nothing else does."""

    def __init__(self) -> None:
        self._objects: dict[Kind, dict[Ref, Manifest]] = defaultdict(dict)
        self._owned: dict[str, dict[Ref, Manifest]] = {}
        self._synced: set[Kind] = set()
        self._listeners: list[OnChange] = []
        # The answer to a write may come after the watch told of the object's deletion: it must not bring it back.
        self._graves: OrderedDict[Ref, int] = OrderedDict()

    def listen(self, listener: OnChange) -> None:
        """Have `listener(kind, old, new)` called for all news; None stands for an object that was not or is no more.

        The echo of our own write is no news: the answer to the write was.
        """
        self._listeners.append(listener)

    def get(self, ref: Ref) -> Manifest | None:
        """The object, or None if there is none or none that our selector shows."""
        return self._objects[ref.kind].get(ref)

    def list(self, kind: Kind, namespace: str | None = None) -> Sequence[Manifest]:
        """All objects of a kind, or those of one namespace."""
        objects = self._objects[kind].items()
        return [found for ref, found in objects if namespace is None or ref.namespace == namespace]

    def refs(self, kind: Kind) -> Sequence[Ref]:
        """The names of all objects of a kind."""
        return list(self._objects[kind])

    def owned_by(self, uid: str) -> Mapping[Ref, Manifest]:
        """The objects labelled as made for this owner; a snapshot."""
        return MappingProxyType(dict(self._owned.get(uid, {})))

    def synced(self, kind: Kind) -> bool:
        """Whether a complete list of this kind has been seen. Until then absence means nothing."""
        return kind in self._synced

    def mark_synced(self, kind: Kind) -> None:
        """Say that a complete list of this kind is in."""
        self._synced.add(kind)

    def upsert(self, kind: Kind, manifest: Manifest) -> bool:
        """Put in an object and say whether it is news: an older or equal version is not. Slims it in place."""
        ref = Ref(kind, manifest["metadata"].get("namespace", ""), manifest["metadata"]["name"])
        version, known = version_of(manifest), self.get(ref)
        if known is not None and version <= version_of(known):
            return False
        if version <= self._graves.get(ref, 0):
            return False
        self._graves.pop(ref, None)
        self._unindex(ref, known)
        self._objects[kind][ref] = slim(manifest)
        if uid := owner_uid(manifest):
            self._owned.setdefault(uid, {})[ref] = manifest
        self._tell(kind, known, manifest)
        return True

    def remove(self, ref: Ref, resource_version: str | None = None) -> bool:
        """Take out an object; whether it was there. Versions up to the given (or the known) one don't come back."""
        known = self.get(ref)
        died = int(resource_version) if resource_version else version_of(known) if known else 0
        if known is not None and version_of(known) > died:
            return False  # made anew since
        self._bury(ref, died)
        self._unindex(ref, known)
        if known is None:
            return False
        del self._objects[ref.kind][ref]
        self._tell(ref.kind, known, None)
        return True

    def _tell(self, kind: Kind, old: Manifest | None, new: Manifest | None) -> None:
        for listener in self._listeners:
            listener(kind, old, new)

    def _bury(self, ref: Ref, version: int) -> None:
        self._graves[ref] = max(version, self._graves.get(ref, 0))
        self._graves.move_to_end(ref)
        if len(self._graves) > _GRAVES:
            self._graves.popitem(last=False)

    def _unindex(self, ref: Ref, known: Manifest | None) -> None:
        uid = owner_uid(known) if known else None
        if uid is None or uid not in self._owned:
            return
        self._owned[uid].pop(ref, None)
        if not self._owned[uid]:
            del self._owned[uid]


def version_of(manifest: Manifest) -> int:
    """The resourceVersion as a number; Kubernetes defines it as comparable within a kind."""
    return int(manifest["metadata"].get("resourceVersion") or 0)


def owner_uid(manifest: Manifest) -> str | None:
    """The uid in the owner label, if there is one."""
    uid: str | None = (manifest["metadata"].get("labels") or {}).get(OWNER_UID)
    return uid


def slim(manifest: Manifest) -> Manifest:
    """Drop what nobody here reads and what is half of an object's bytes: managedFields, kubectl's copy of the spec."""
    metadata = manifest["metadata"]
    metadata.pop("managedFields", None)
    if annotations := metadata.get("annotations"):
        annotations.pop(_LAST_APPLIED, None)
    return manifest
