"""What a service may answer instead of a result; transports translate these, nothing here knows a transport.

Failure
├── NotFound      the thing named is not there
├── Conflict      it is there, but not in the state the caller assumed
├── Invalid       the request can never be right as it stands; names the field
├── Denied        the caller may not do this
└── Unavailable   nothing wrong with the request: ask again later
"""


class Failure(Exception):
    """An answer that is not a result; its text is a sentence for the caller and holds nothing secret."""


class NotFound(Failure):
    """The thing named does not exist, or no longer."""


class Conflict(Failure):
    """The thing exists, but not in the state that the caller assumed."""


class Invalid(Failure):
    """The request can never succeed as it stands."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field


class Denied(Failure):
    """The caller may not do this."""


class Unavailable(Failure):
    """Something that the service needs does not answer now; the same request may succeed later."""
