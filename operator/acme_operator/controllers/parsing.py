"""What to say of a stored spec that today's models refuse. Rare: the API server checks the same schema on every write."""

from pydantic import ValidationError

from acme_operator.api.reasons import Reason


def invalid_spec(error: ValidationError) -> tuple[str, str]:
    """Reason and message naming the first field that does not fit."""
    first = error.errors(include_input=False, include_url=False)[0]
    field = ".".join(str(part) for part in ("spec", *first["loc"]))
    return Reason.INVALID_SPEC, f"{field}: {first['msg']}; correct it and apply the object again"
