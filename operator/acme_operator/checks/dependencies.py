"""May a new revision of an AcmeService go out? One question a dependency, the first that can't be met is the finding."""

from collections.abc import Callable, Sequence

from acme_operator.api.datastore import AcmeDatastoreStatus
from acme_operator.api.facts import Finding
from acme_operator.api.meta import Blocker, Condition
from acme_operator.api.reasons import Reason
from acme_operator.api.service import AcmeServiceSpec, DatastoreDependency, Dependency, ServiceDependency

ServiceLookup = Callable[[str], AcmeServiceSpec | None]
DatastoreLookup = Callable[[str], AcmeDatastoreStatus | None]


def datastore_bound(
    service: str, dependency: Dependency, wanted: DatastoreDependency, status: AcmeDatastoreStatus | None
) -> Finding | None:
    """The datastore exists, has made this service's login and published it."""
    if status is None:
        return _missing(dependency, "AcmeDatastore", wanted.name, "datastore")
    entry = next((one for one in status.consumers if (one.service, one.dependency) == (service, dependency.name)), None)
    if entry is not None and entry.secret:
        return None
    reason = entry.reason if entry is not None else _why_not_ready(status.conditions)
    cause = Blocker(kind="AcmeDatastore", name=wanted.name, reason=reason)
    if reason == Reason.DATABASE_NOT_DECLARED:
        message = (
            f"dependency {dependency.name}: AcmeDatastore {wanted.name} declares no database {wanted.database}; add it to "
            f"its spec.postgres.databases, or leave out spec.dependencies[{dependency.name}].datastore.database"
        )
        return Finding(Reason.DATABASE_NOT_DECLARED, message, (cause,))
    message = f"dependency {dependency.name}: AcmeDatastore {wanted.name} has no login for this service yet ({reason})"
    return Finding(Reason.DEPENDENCY_NOT_READY, message, (cause, *status.blocked_by))


def _missing(dependency: Dependency, kind: str, name: str, field: str) -> Finding:
    return Finding(
        Reason.DEPENDENCY_MISSING,
        f"dependency {dependency.name}: {kind} {name} does not exist; create it, or correct "
        f"spec.dependencies[{dependency.name}].{field}.name",
        (Blocker(kind=kind, name=name, reason=Reason.DEPENDENCY_MISSING),),
    )


def _why_not_ready(conditions: Sequence[Condition]) -> str:
    ready = next((condition for condition in conditions if condition.type == "Ready"), None)
    return ready.reason if ready is not None else Reason.PROGRESSING


def service_callable(dependency: Dependency, wanted: ServiceDependency, spec: AcmeServiceSpec | None) -> Finding | None:
    """The service exists and has the port; whether it answers is for the caller's deadlines, so cycles can start."""
    if spec is None:
        return _missing(dependency, "AcmeService", wanted.name, "service")
    ports = [port.name for port in spec.ports]
    if wanted.port in ports:
        return None
    return Finding(
        Reason.PORT_NOT_DECLARED,
        f"dependency {dependency.name}: AcmeService {wanted.name} has no port {wanted.port}; it has {', '.join(ports) or 'none'}",
        (Blocker(kind="AcmeService", name=wanted.name, reason=Reason.PORT_NOT_DECLARED),),
    )


def findings(
    service: str, spec: AcmeServiceSpec, service_spec: ServiceLookup, datastore_status: DatastoreLookup
) -> tuple[Finding, ...]:
    """Every dependency that can't be met now, in the order of the spec."""
    found = (_finding(service, dependency, service_spec, datastore_status) for dependency in spec.dependencies)
    return tuple(finding for finding in found if finding is not None)


def _finding(
    service: str, dependency: Dependency, service_spec: ServiceLookup, datastore_status: DatastoreLookup
) -> Finding | None:
    if dependency.service is not None:
        return service_callable(dependency, dependency.service, service_spec(dependency.service.name))
    if dependency.datastore is not None:
        return datastore_bound(service, dependency, dependency.datastore, datastore_status(dependency.datastore.name))
    return None


def combined(found: Sequence[Finding]) -> Finding | None:
    """One finding for the status: a missing thing before a slow one, every blocker named."""
    if not found:
        return None
    first = min(found, key=lambda finding: finding.reason == Reason.DEPENDENCY_NOT_READY)
    blockers = tuple(dict.fromkeys(blocker for finding in found for blocker in finding.blocked_by))
    message = "; ".join(finding.message for finding in found)
    return Finding(first.reason, message[:1000], blockers, stuck=any(finding.stuck for finding in found))
