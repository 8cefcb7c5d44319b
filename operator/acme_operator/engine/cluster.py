"""The engine's view of a Kubernetes API server, as a protocol; `kube.Kube` is the real one, `testing.FakeCluster` a fake.

One contract suite holds both to the promises below. Nothing here retries: a caller that can answer an error catches it.
"""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from acme_operator.api.manifests import Manifest

Operation = dict[str, Any]
EventType = Literal["ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR"]


@dataclass(frozen=True, slots=True)
class Kind:
    """A resource of the API; `group` is empty for the core group."""

    group: str
    version: str
    kind: str
    plural: str

    @property
    def api_version(self) -> str:
        """As it stands in a manifest: `apps/v1`, `v1`."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(self, namespace: str | None, name: str | None = None) -> str:
        """The URL path of the collection or the object; no namespace means all of them, or a cluster-scoped kind."""
        root = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        scope = f"/namespaces/{namespace}" if namespace else ""
        return f"{root}{scope}/{self.plural}" + (f"/{name}" if name else "")


@dataclass(frozen=True, slots=True)
class Ref:
    """Which object: equal refs mean the same name, not the same incarnation (that is the uid)."""

    kind: Kind
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind.kind} {self.name}"


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a list. All pages of one list show the state at `resource_version`; `token` asks for the next."""

    items: Sequence[Manifest]
    resource_version: str
    token: str | None


@dataclass(frozen=True, slots=True)
class WatchEvent:
    """One line of a watch. A BOOKMARK's object carries only a resourceVersion, an ERROR's is a Status."""

    type: EventType
    object: Manifest


class Cluster(Protocol):
    """Every call raises a `ClusterError` when refused or unanswered. Answers are fresh dicts that the caller owns."""

    async def list(
        self, kind: Kind, namespace: str | None, selector: str | None, limit: int, token: str | None
    ) -> Page:
        """Up to `limit` objects, each with apiVersion and kind. An old token raises `Expired`."""
        ...

    def watch(
        self, kind: Kind, namespace: str | None, selector: str | None, resource_version: str
    ) -> AsyncGenerator[WatchEvent, None]:
        """Changes after `resource_version`, in order. Ends when the server closes it; silence raises `Unavailable`.

        A version that is too old raises `Expired` or comes as an ERROR event with code 410: both happen.
        Who stops listening early closes it (`aclosing`), or its connection stays open until it is collected.
        """
        ...

    async def get(self, ref: Ref) -> Manifest | None:
        """The object as it is now, or None."""
        ...

    async def create(self, manifest: Manifest) -> Manifest:
        """Make the object, or raise `AlreadyExists` and leave the existing one alone."""
        ...

    async def apply(self, manifest: Manifest, *, force: bool) -> Manifest:
        """Server-side apply. Without force, a field owned by another manager with another value raises `Conflict`."""
        ...

    async def apply_status(self, manifest: Manifest) -> Manifest:
        """Server-side apply of `status` by our status manager, forced. Raises `NotFound`, never creates.

        A uid in the manifest is no condition: on a status the API server looks at the name alone.
        """
        ...

    async def patch(self, ref: Ref, operations: Sequence[Operation], resource_version: str | None = None) -> Manifest:
        """JSON patch; a failed `test` raises `Invalid`. With a version, of exactly that version, else `Conflict`."""
        ...

    async def patch_finalizers(self, ref: Ref, finalizers: Sequence[str], resource_version: str) -> Manifest:
        """Replace the list of finalizers of exactly that version of the object, else `Conflict`."""
        ...

    async def delete(self, ref: Ref, *, uid: str, resource_version: str | None) -> None:
        """Delete exactly that incarnation (and version), else `Conflict`; dependants follow in the background.

        An object that is gone already is fine.
        """
        ...

    async def create_event(self, manifest: Manifest) -> None:
        """Post an events.k8s.io/v1 Event."""
        ...
