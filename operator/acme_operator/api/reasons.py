"""The reasons that controllers give: part of the API, so each is stable and explained in docs/conditions.md.

Reasons of the engine's and the providers' errors stand beside those errors, and in the same page.
"""

from enum import StrEnum


class Reason(StrEnum):
    """A stable word for machines."""

    LIVE = "Live"
    PROGRESSING = "Progressing"
    PROGRESS_DEADLINE_EXCEEDED = "ProgressDeadlineExceeded"
    DEPENDENCY_MISSING = "DependencyMissing"
    DEPENDENCY_NOT_READY = "DependencyNotReady"
    PORT_NOT_DECLARED = "PortNotDeclared"
    DATABASE_NOT_DECLARED = "DatabaseNotDeclared"
    BOUND = "Bound"
    NOT_SUPPORTED = "NotSupported"
    INVALID_SPEC = "InvalidSpec"
    IMAGE_NOT_CATALOGED = "ImageNotCataloged"
    SECRET_MISSING = "SecretMissing"  # noqa: S105  # a reason, not a secret
    CLEANUP_BLOCKED = "CleanupBlocked"
    LEFT_BEHIND = "LeftBehind"
    FIELD_CONFLICT = "FieldConflict"
    SERVER_CHANGED = "ServerChanged"
