"""What render makes of known input is what was reviewed."""

from pathlib import Path

import pytest

from tests.golden.cases import cases, document, rendered


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_render_makes_what_was_reviewed(case: Path) -> None:
    expected = (case / "expected.yaml").read_text()

    assert document(rendered(case)) == expected, "changed: run `make gen`, read the difference and commit it"
