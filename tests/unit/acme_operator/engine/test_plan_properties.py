"""What holds for the comparison of any two objects."""

import copy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from acme_operator.api.marks import FIELD_MANAGER
from acme_operator.engine.kinds import DEPLOYMENT, ref_of
from acme_operator.engine.plan import compare, content_hash, differences, repairs
from acme_operator.engine.schema import quantity
from acme_operator.testing import manifest, ownership
from acme_operator.testing.operations import patched

words = st.sampled_from(["a", "b", "c", "d"])


def keyed(field: str, rest: st.SearchStrategy[Any]) -> st.SearchStrategy[list[dict[str, Any]]]:
    entry = st.builds(lambda key, extra: {field: key, **extra}, words, rest)
    return st.lists(entry, max_size=4, unique_by=lambda found: found[field])


environments = keyed("name", st.fixed_dictionaries({"value": words}))
mounts = keyed("mountPath", st.fixed_dictionaries({"name": words}))
containers = keyed(
    "name",
    st.fixed_dictionaries({"image": words, "env": environments, "volumeMounts": mounts, "args": st.lists(words)}),
)
pods = st.fixed_dictionaries({"containers": containers, "hostname": words, "volumes": keyed("name", st.just({}))})


def deployment(pod: dict[str, Any]) -> dict[str, Any]:
    return manifest(DEPLOYMENT, "any", spec={"template": {"spec": copy.deepcopy(pod)}})


@given(pods)
def test_nothing_differs_from_itself(pod: dict[str, Any]) -> None:
    assert differences(deployment(pod), deployment(pod)) == []


@given(pods, pods)
def test_repairing_and_applying_makes_any_object_the_wanted_one(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    wanted, live = deployment(ours), deployment(theirs)

    repaired = patched(copy.deepcopy(live), repairs(compare(wanted, live)))
    applied = ownership.apply(repaired, wanted, {}, FIELD_MANAGER)

    assert differences(wanted, applied) == []
    assert ref_of(applied) == ref_of(wanted)


@given(pods, pods)
def test_repairs_leave_nothing_foreign(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    wanted, live = deployment(ours), deployment(theirs)

    repaired = patched(copy.deepcopy(live), repairs(compare(wanted, live)))

    assert not [found for found in compare(wanted, repaired) if found.nature == "foreign"]


@given(pods)
def test_comparing_and_hashing_change_nothing(pod: dict[str, Any]) -> None:
    wanted, live = deployment(pod), deployment(pod)

    compare(wanted, live)
    content_hash(wanted)

    assert wanted == live == deployment(pod)


@given(st.integers(min_value=0, max_value=10**6))
def test_a_quantity_has_one_value_however_it_is_written(cores: int) -> None:
    assert quantity(cores) == quantity(str(cores)) == quantity(f"{cores * 1000}m")
    assert quantity(f"{cores}Gi") == quantity(f"{cores * 1024}Mi")


@given(st.text())
def test_any_text_is_a_quantity_or_none(text: str) -> None:
    quantity(text)
