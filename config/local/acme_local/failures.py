"""The one error that a person sees: what could not be done, and what to do about it."""


class LocalError(Exception):
    """A step that cannot go on; the message is one sentence that ends in the next thing to do."""
