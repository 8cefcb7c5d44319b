"""Whatever a team may write, render is deterministic, names are unique, and models and schema agree."""

from collections import Counter
from typing import Any

import jsonschema
from hypothesis import given, settings
from hypothesis import strategies as st

from acme_operator.api import marks
from acme_operator.api.facts import DatastoreTarget, ServiceFacts, ServiceTarget
from acme_operator.api.manifests import Manifest
from acme_operator.api.meta import OwnerMeta
from acme_operator.api.schema import structural
from acme_operator.api.service import AcmeServiceSpec
from acme_operator.render import names
from acme_operator.render.service import revision, standing

LABELS = st.from_regex(r"[a-z]([a-z0-9-]{0,12}[a-z0-9])?", fullmatch=True)
PORT_NAMES = st.from_regex(r"[a-z][a-z0-9]{0,14}", fullmatch=True)
TEXT = st.text(st.characters(min_codepoint=32, max_codepoint=0x2FFF, exclude_categories=["Cs"]), max_size=40)


def unique(strategy: st.SearchStrategy[Any], key: str, most: int) -> st.SearchStrategy[list[Any]]:
    return st.lists(strategy, max_size=most, unique_by=lambda entry: entry[key])


PORTS = st.lists(
    st.fixed_dictionaries(
        {
            "name": PORT_NAMES,
            "port": st.integers(1, 65535),
            "protocol": st.sampled_from(["HTTP", "GRPC", "TCP", "Metrics"]),
        }
    ),
    max_size=5,
    unique_by=(lambda port: port["name"], lambda port: port["port"]),
)
DEPENDENCIES = unique(
    st.one_of(
        st.fixed_dictionaries(
            {
                "name": LABELS,
                "datastore": st.fixed_dictionaries(
                    {"name": LABELS, "access": st.sampled_from(["Owner", "ReadWrite", "ReadOnly"])}
                ),
            }
        ),
        st.fixed_dictionaries({"name": LABELS, "service": st.fixed_dictionaries({"name": LABELS, "port": PORT_NAMES})}),
    ),
    "name",
    4,
)
ENV = unique(
    st.fixed_dictionaries({"name": st.from_regex(r"[A-Z_][A-Z0-9_]{0,20}", fullmatch=True), "value": TEXT}), "name", 4
)
SPECS = st.fixed_dictionaries(
    {"image": st.from_regex(r"[a-z]{1,10}/[a-z]{1,10}:[0-9]{1,3}", fullmatch=True)},
    optional={
        "ports": PORTS,
        "dependencies": DEPENDENCIES,
        "env": ENV,
        "args": st.lists(TEXT, max_size=4),
        "replicas": st.integers(0, 1000),
        "rollout": st.builds(
            lambda n, unit: {"progressDeadline": f"{n}{unit}"}, st.integers(11, 999), st.sampled_from("smh")
        ),
    },
)


def rendered(name: str, given_spec: dict[str, Any]) -> list[Manifest]:
    owner = OwnerMeta(kind="AcmeService", name=name, namespace="shop", uid="u")
    spec = AcmeServiceSpec.model_validate(given_spec)
    facts = ServiceFacts(
        tuple(
            ServiceTarget(one.name, one.service.name, "host", 9090)
            for one in spec.dependencies
            if one.service is not None
        ),
        tuple(
            DatastoreTarget(one.name, names.binding_secret(name, one.name))
            for one in spec.dependencies
            if one.datastore is not None
        ),
    )
    return [*standing(owner, spec), *revision(owner, spec, facts)]


@given(name=LABELS, spec=SPECS)
def test_the_same_input_is_the_same_output(name: str, spec: dict[str, Any]) -> None:
    assert rendered(name, spec) == rendered(name, spec)


@given(name=LABELS, spec=SPECS)
def test_no_two_children_share_a_name(name: str, spec: dict[str, Any]) -> None:
    counted = Counter((manifest["kind"], manifest["metadata"]["name"]) for manifest in rendered(name, spec))

    assert max(counted.values()) == 1


@given(name=LABELS, spec=SPECS)
def test_every_child_is_found_by_its_owner(name: str, spec: dict[str, Any]) -> None:
    for manifest in rendered(name, spec):
        assert manifest["metadata"]["labels"][marks.OWNER_UID] == "u"
        assert manifest["metadata"]["labels"][marks.MANAGED_BY] == marks.FIELD_MANAGER


@given(name=LABELS, spec=SPECS)
def test_what_is_mounted_is_a_volume_and_every_volume_is_mounted(name: str, spec: dict[str, Any]) -> None:
    pod = rendered(name, spec)[-1]["spec"]["template"]["spec"]

    mounted = {mount["name"] for mount in pod["containers"][0]["volumeMounts"]}

    assert mounted == {volume["name"] for volume in pod["volumes"]}


@settings(max_examples=200)
@given(spec=SPECS)
def test_what_the_model_takes_the_schema_takes_too(spec: dict[str, Any]) -> None:
    stored = AcmeServiceSpec.model_validate(spec).model_dump(mode="json", by_alias=True, exclude_none=True)

    jsonschema.validate(stored, closed(structural(AcmeServiceSpec)))


@given(words=st.lists(st.from_regex(r"[a-z]{1,4}", fullmatch=True), min_size=3, max_size=6), data=st.data())
def test_two_bindings_never_share_a_secret(words: list[str], data: st.DataObject) -> None:
    """`a-b` + `c` and `a` + `b-c` are the same letters: the same words, cut at two places, make two names."""
    first, second = data.draw(st.lists(st.integers(1, len(words) - 1), min_size=2, max_size=2, unique=True))

    def cut(place: int) -> str:
        return names.binding_secret("-".join(words[:place]), "-".join(words[place:]))

    assert cut(first) != cut(second)


def closed(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema, refusing fields that it does not name, as the API server does on strict validation."""
    result = dict(schema)
    if "properties" in result:
        result["properties"] = {name: closed(child) for name, child in result["properties"].items()}
        result["additionalProperties"] = False
    if "items" in result:
        result["items"] = closed(result["items"])
    return result
