"""Who has to look again when an object changes: a pure map from the object to the keys of its owner and its neighbours."""

from collections.abc import Iterable

from acme_operator.api.manifests import Manifest
from acme_operator.controllers.kinds import ACME_DATASTORE, ACME_SERVICE
from acme_operator.engine.cluster import Kind, Ref
from acme_operator.engine.store import Store
from acme_operator.render import names


class Wakes:
    """The map; it reads the store for the services that declare a thing, and changes nothing."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def __call__(self, kind: Kind, manifest: Manifest) -> Iterable[Ref]:
        """The objects whose state may depend on this one. The object itself is the engine's business."""
        namespace, name = manifest["metadata"].get("namespace", ""), manifest["metadata"]["name"]
        if kind is ACME_SERVICE:
            return [*_targets(namespace, manifest), *self._users(namespace, "service", name)]
        if kind is ACME_DATASTORE:
            return self._users(namespace, "datastore", name)
        return _owners(namespace, manifest)

    def _users(self, namespace: str, target: str, name: str) -> list[Ref]:
        services = self._store.list(ACME_SERVICE, namespace)
        return [
            Ref(ACME_SERVICE, namespace, service["metadata"]["name"])
            for service in services
            if any(dependency.get(target, {}).get("name") == name for dependency in dependencies(service))
        ]


def dependencies(service: Manifest) -> Iterable[Manifest]:
    """The dependencies of a live AcmeService, unparsed: a spec that can't be parsed still wakes its neighbours."""
    found: Iterable[Manifest] = service.get("spec", {}).get("dependencies", ())
    return found


def _targets(namespace: str, service: Manifest) -> Iterable[Ref]:
    for dependency in dependencies(service):
        for target, kind in (("datastore", ACME_DATASTORE), ("service", ACME_SERVICE)):
            if target in dependency:
                yield Ref(kind, namespace, dependency[target]["name"])


def _owners(namespace: str, child: Manifest) -> Iterable[Ref]:
    # A binding Secret carries both labels: the datastore keeps it, the service waits for it.
    labels = child["metadata"].get("labels", {})
    if names.SERVICE in labels:
        yield Ref(ACME_SERVICE, namespace, labels[names.SERVICE])
    if names.DATASTORE in labels:
        yield Ref(ACME_DATASTORE, namespace, labels[names.DATASTORE])
