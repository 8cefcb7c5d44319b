"""PostgreSQL's words: quoting, the names of a database's groups, and the mark we put on roles that are ours. Pure."""

import hashlib
from dataclasses import dataclass
from typing import Literal, Self

from acme_operator.api.access import Access
from acme_operator.providers.errors import BadName

NAME_LIMIT = 63
"""Bytes of an identifier; PostgreSQL cuts a longer one without an error."""
_PREFIX = "acme-operator:"
_SUFFIXES = {Access.OWNER: "_owner", Access.READ_WRITE: "_rw", Access.READ_ONLY: "_ro"}
_RESERVED_DATABASES = frozenset({"postgres", "template0", "template1"})
_MARK_PARTS = 5


def identifier(name: str) -> str:
    """`name` quoted for a statement."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """`text` as a string constant; right only while standard_conforming_strings is on, as our sessions set it."""
    return "'" + text.replace("'", "''") + "'"


def check_database_name(name: str) -> None:
    """Raises BadName for a name that PostgreSQL would cut, refuse or already uses itself."""
    _check_name("database", name)
    if name in _RESERVED_DATABASES:
        raise BadName(f"database {name!r} is PostgreSQL's own: choose another name")


def check_role_name(name: str) -> None:
    """Raises BadName for a name that PostgreSQL would cut or refuse."""
    _check_name("role", name)
    if name.startswith("pg_") or name in {"public", "none"}:
        raise BadName(f"role name {name!r} is reserved by PostgreSQL: choose another name")


def group(database: str, access: Access) -> str:
    """The role that holds the privileges of one level of access; a long name is cut and ends in a hash."""
    suffix = _SUFFIXES[access]
    if len(database.encode()) + len(suffix) <= NAME_LIMIT:
        return database + suffix
    digest = "_" + hashlib.blake2b(database.encode(), digest_size=4).hexdigest()
    room = NAME_LIMIT - len(suffix) - len(digest)
    return database.encode()[:room].decode(errors="ignore") + digest + suffix


@dataclass(frozen=True, slots=True)
class Mark:
    """What a role is for, kept in its comment. `owner` is the datastore it was made for and holds no blank."""

    owner: str
    kind: Literal["group", "login"]
    access: Access
    database: str

    def __str__(self) -> str:
        """The comment."""
        return f"{_PREFIX} {self.owner} {self.kind} {self.access} {self.database}"

    @classmethod
    def parse(cls, comment: str) -> Self | None:
        """The mark in a comment, or None where it is somebody else's."""
        parts = comment.split(" ", _MARK_PARTS - 1)
        if len(parts) != _MARK_PARTS or parts[0] != _PREFIX or parts[3] not in set(Access):
            return None
        if parts[2] == "group":
            return cls(parts[1], "group", Access(parts[3]), parts[4])
        if parts[2] == "login":
            return cls(parts[1], "login", Access(parts[3]), parts[4])
        return None

    def same_holder(self, other: "Mark") -> bool:
        """Whether both were made for the same owner and purpose; access and database of a login may change."""
        if (self.owner, self.kind) != (other.owner, other.kind):
            return False
        return self.kind == "login" or (self.access, self.database) == (other.access, other.database)


def _check_name(what: str, name: str) -> None:
    if not name or "\0" in name:
        raise BadName(f"a {what} needs a name without null characters")
    if len(name.encode()) > NAME_LIMIT:
        raise BadName(f"{what} name {name!r} is longer than {NAME_LIMIT} bytes: PostgreSQL would cut it; shorten it")
