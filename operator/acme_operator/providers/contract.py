"""What every engine's driver promises, and the values that pass between it and a controller. No engine is named here."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Literal, Protocol, Self

from acme_operator.api.access import Access

SslMode = Literal["verify-full", "require", "disable"]


@dataclass(frozen=True, slots=True)
class Server:
    """Where a server is, and the administrator's login. `ca` is PEM; None trusts the public authorities."""

    host: str
    port: int
    username: str
    password: str = field(repr=False)
    ca: str | None = None
    sslmode: SslMode = "verify-full"

    @property
    def address(self) -> str:
        """`host:port`, as messages name it."""
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Login:
    """A consumer's own way in: one role, one database, one level of access. The password is printable ASCII."""

    role: str
    password: str = field(repr=False)
    database: str
    access: Access


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that was altered outside, and why: a line of the audit log. Holds nothing secret."""

    action: str
    object: str
    cause: str

    def __str__(self) -> str:
        """The change as a sentence."""
        return f"{self.action} {self.object}: {self.cause}"


@dataclass(frozen=True, slots=True)
class LoginState:
    """What a login that is there was made for."""

    database: str
    access: Access


@dataclass(frozen=True, slots=True)
class Observed:
    """What one owner has on a server; other people's databases and roles are not in it."""

    version: str
    databases: Mapping[str, frozenset[str]]
    """Name of each managed database, and the extensions in it."""
    logins: Mapping[str, LoginState]
    """Each managed login by its role."""


@dataclass(frozen=True, slots=True)
class Health:
    """A server that answers: its version, and whether it takes writes."""

    version: str
    writable: bool


class Provider(Protocol):
    """A connection to one server on behalf of one owner.

    Every call is idempotent, and one that finds nothing to do writes nothing. What can't be done is a `ProviderError`.
    """

    async def __aenter__(self) -> Self:
        """Connect."""
        ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Disconnect."""
        ...

    async def health(self) -> Health:
        """The server's own word that it serves."""
        ...

    async def observe(self) -> Observed:
        """What the owner has there now."""
        ...

    async def ensure_database(self, name: str, extensions: Iterable[str] = ()) -> list[Change]:
        """Make the database be there with its groups, grants and extensions; an existing one is taken over."""
        ...

    async def ensure_login(self, login: Login) -> list[Change]:
        """Make the login exist with exactly this access, and prove that it works."""
        ...

    async def proves_login(self, login: Login) -> bool:
        """Whether the login really gets in with its password."""
        ...

    async def drop_login(self, role: str) -> list[Change]:
        """End the login's sessions and remove it; what it made stays with the database's owner."""
        ...
