"""Who declared a datastore, and for what: read from the live AcmeServices, unparsed but for what is needed."""

from collections.abc import Iterable

from acme_operator.api.access import Access
from acme_operator.api.facts import Claim
from acme_operator.api.manifests import Manifest
from acme_operator.controllers.kinds import ACME_SERVICE
from acme_operator.controllers.wakes import dependencies
from acme_operator.engine.cluster import Ref
from acme_operator.engine.store import Store
from acme_operator.render import names


def claims(store: Store, datastore: Ref) -> tuple[Claim, ...]:
    """Every dependency on the datastore, of services that are not being deleted, in a stable order."""
    services = store.list(ACME_SERVICE, datastore.namespace)
    found = (
        _claim(service["metadata"]["name"], dependency)
        for service in services
        if "deletionTimestamp" not in service["metadata"]
        for dependency in _on(datastore.name, service)
    )
    return tuple(sorted(found, key=lambda claim: (claim.service, claim.dependency)))


def _on(datastore: str, service: Manifest) -> Iterable[Manifest]:
    return (one for one in dependencies(service) if one.get("datastore", {}).get("name") == datastore)


def _claim(service: str, dependency: Manifest) -> Claim:
    wanted = dependency["datastore"]
    named = wanted.get("database")
    return Claim(
        service,
        dependency["name"],
        named or names.own_database(service),
        Access(wanted.get("access", Access.OWNER)),
        shared=named is not None,
    )
