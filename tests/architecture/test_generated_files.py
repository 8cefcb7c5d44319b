"""What is generated is fresh: the CRDs say what the models say."""

from pathlib import Path

import pytest

from acme_operator.api import crd

CRDS = Path(__file__).parents[2] / "crds"


@pytest.mark.parametrize("definition", crd.DEFINITIONS, ids=lambda definition: definition.kind)
def test_a_crd_on_disk_is_what_the_models_say(definition: crd.Definition) -> None:
    on_disk = (CRDS / f"{definition.plural}.yaml").read_text()

    assert on_disk == crd.document(definition), "stale: run `make gen` and commit what it changed"


def test_no_crd_is_left_over() -> None:
    assert {path.stem for path in CRDS.glob("*.yaml")} == {definition.plural for definition in crd.DEFINITIONS}
