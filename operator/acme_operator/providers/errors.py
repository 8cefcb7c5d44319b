"""Why a driver could not do its work: one tree, told apart by class. A message names the server, the object and the next
step, and never a password or a statement."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import ClassVar

from acme_operator.providers.contract import Change


class ProviderError(Exception):
    """The server or what is on it does not let us go on.

    `reason` is stable and fit for a condition; `transient` says that trying again may help though nobody acts. `changes`
    are those that were made before it failed.
    """

    reason: ClassVar[str] = "ProviderError"
    transient: ClassVar[bool] = False
    changes: Sequence[Change] = ()


class Unreachable(ProviderError):
    """Nobody answers at the address, or the connection was lost."""

    reason = "Unreachable"
    transient = True


class TimedOut(ProviderError):
    """The server is there but did not answer in time, or a lock was not to be had."""

    reason = "TimedOut"
    transient = True


class Overloaded(ProviderError):
    """The server has no connection left."""

    reason = "Overloaded"
    transient = True


class Refused(ProviderError):
    """The server refused a statement for a reason that has no class of its own here."""

    reason = "Refused"
    transient = True


class NotWritable(ProviderError):
    """The server is a standby or read-only."""

    reason = "NotWritable"
    transient = True


class BadCertificate(ProviderError):
    """The server's certificate can't be trusted, or the CA we were given is none."""

    reason = "BadCertificate"


class BadCredentials(ProviderError):
    """The administrator's login was turned away."""

    reason = "BadCredentials"


class Forbidden(ProviderError):
    """The administrator's login lacks a privilege."""

    reason = "Forbidden"


class NoDatabase(ProviderError):
    """A database that should be there is not."""

    reason = "NoDatabase"


class ForeignRole(ProviderError):
    """A role of the wanted name belongs to somebody else."""

    reason = "ForeignRole"


class ExtensionMissing(ProviderError):
    """The server has no such extension to create."""

    reason = "ExtensionMissing"


class BadName(ProviderError):
    """A name or password that the engine can't take."""

    reason = "BadName"


class LoginRefused(ProviderError):
    """A login is as it should be, and the server turns it away all the same."""

    reason = "LoginRefused"


class VersionTooOld(ProviderError):
    """The server is older than what we know how to drive."""

    reason = "VersionTooOld"


@contextmanager
def recorded() -> Iterator[list[Change]]:
    """A list to add changes to as they are made; a failure takes them along, so that the audit log misses none."""
    changes: list[Change] = []
    try:
        yield changes
    except ProviderError as error:
        error.changes = tuple(changes)
        raise
