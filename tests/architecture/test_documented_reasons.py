"""Every reason that a status or an event can carry is in docs/conditions.md, and the page names no other."""

import re
from pathlib import Path

from acme_operator.api.reasons import Reason
from acme_operator.providers import errors

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "conditions.md").read_text()
RAISED = re.compile(r'\b(?:Waiting|Rejected)\(\s*"([A-Z][A-Za-z]+)"')


def documented() -> set[str]:
    return set(re.findall(r"^\| `([A-Za-z]+)`", PAGE, re.MULTILINE)) - {"Ready", "Available", "Reconciling", "Stalled"}


def given() -> set[str]:
    sources = [path.read_text() for path in (ROOT / "operator" / "acme_operator").rglob("*.py")]
    found = {word for source in sources for word in RAISED.findall(source)}
    provider = {error.reason for error in vars(errors).values() if isinstance(error, type) and hasattr(error, "reason")}
    return found | {str(reason) for reason in Reason} | (provider - {errors.ProviderError.reason})


def test_every_reason_is_explained() -> None:
    assert given() - documented() == set()


def test_nothing_is_explained_that_is_never_given() -> None:
    assert documented() - given() == set()
