"""The floor does the operator's work: the same children, and it sees which of them are as wanted already."""

import orjson
import pytest

from acme_operator.api.facts import ServiceFacts
from acme_operator.api.manifests import Manifest
from acme_operator.api.marks import APPLIED_HASH
from acme_operator.api.meta import OwnerMeta
from acme_operator.api.service import AcmeServiceSpec
from acme_operator.engine.kinds import ref_of
from acme_operator.render.service import revision, standing
from tests.bench.floor import has_all
from tests.bench.work import CHILDREN, Template, acme_service, change


def live(deadline: Manifest) -> Manifest:
    wanted = acme_service("service-0007")
    metadata = {**wanted["metadata"], "namespace": "bench", "uid": "u-1", "generation": 2}
    return {**wanted, "metadata": metadata, "spec": {**wanted["spec"], **deadline["spec"]}}


def test_the_floor_applies_what_the_operator_renders() -> None:
    owner = live(change(701))
    spec = AcmeServiceSpec.model_validate(owner["spec"])
    meta = OwnerMeta.of(owner)
    rendered = [*standing(meta, spec), *revision(meta, spec, ServiceFacts())]

    filled = [orjson.loads(body) for _, body in Template().children(owner)]

    for child in filled:
        assert len(child["metadata"].pop("annotations")[APPLIED_HASH]) == 32
    assert filled == rendered


def test_every_kind_of_child_is_watched_for() -> None:
    kinds = [kind for kind, _ in Template().children(live(change(701)))]

    assert sorted(kinds, key=str) == sorted(CHILDREN, key=str)


def test_a_change_alters_the_deployment_and_nothing_else() -> None:
    template = Template()
    before, after = ([orjson.loads(body) for _, body in template.children(live(change(n)))] for n in (701, 702))

    different = [ref_of(new).kind.kind for old, new in zip(before, after, strict=True) if old != new]

    assert different == ["Deployment"]


@pytest.mark.parametrize(
    ("there", "wanted", "expected"),
    [
        ({"a": 1, "b": 2}, {"a": 1}, True),
        ({"a": 1}, {"a": 2}, False),
        ({"a": 1}, {"b": 2}, False),
        ({}, {"volume": {}}, True),
        ({"l": [{"a": 1, "default": 0}]}, {"l": [{"a": 1}]}, True),
        ({"l": [1, 2]}, {"l": [1]}, False),
        (None, [], True),
        (None, False, False),
    ],
)
def test_live_has_all_that_is_wanted(there: object, wanted: object, expected: bool) -> None:
    assert has_all(there, wanted) is expected
