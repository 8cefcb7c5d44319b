"""What a consumer may do with a database. A file of its own, as providers need the word and nothing else of the API."""

from enum import StrEnum


class Access(StrEnum):
    """What a consumer may do with a database."""

    OWNER = "Owner"
    READ_WRITE = "ReadWrite"
    READ_ONLY = "ReadOnly"
