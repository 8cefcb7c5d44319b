"""What was observed before deciding: plain frozen values that render and checks take as arguments."""

from dataclasses import dataclass, field

from acme_operator.api.access import Access
from acme_operator.api.meta import Blocker


@dataclass(frozen=True, slots=True)
class ServiceTarget:
    """A service that another one calls, as resolved from its declaration."""

    dependency: str
    service: str
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class DatastoreTarget:
    """A dependency on a datastore, and the Secret that holds its login."""

    dependency: str
    secret: str


@dataclass(frozen=True, slots=True)
class ServiceFacts:
    """The world around one AcmeService."""

    services: tuple[ServiceTarget, ...] = ()
    datastores: tuple[DatastoreTarget, ...] = ()
    callers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Claim:
    """One dependency of one AcmeService on a datastore, as declared."""

    service: str
    dependency: str
    database: str
    access: Access
    shared: bool
    """True where the service named the database, so the datastore has to declare it."""


@dataclass(frozen=True, slots=True)
class DatabaseBinding:
    """What a consumer needs to log in: the content of its binding Secret."""

    claim: Claim
    host: str
    port: int
    username: str
    password: str = field(repr=False)
    sslmode: str
    certificates: str = ""


@dataclass(frozen=True, slots=True)
class BuiltinFacts:
    """The world around one Builtin datastore."""

    image: str
    consumers: tuple[str, ...] = ()
    operator_namespace: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """Why something can't go on: a stable reason, a sentence with the next step, and what is in the way."""

    reason: str
    message: str
    blocked_by: tuple[Blocker, ...] = ()
    stuck: bool = False
    """True where only a person can mend it: Ready is False and the object is Stalled."""
