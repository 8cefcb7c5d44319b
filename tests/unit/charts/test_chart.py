"""The operator's chart, rendered by the real helm: no more rights than the code uses, pods as restricted as can be."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

import chart_files
from acme_operator.controllers.kinds import CHILDREN, OWNERS
from acme_operator.engine.kinds import EVENT, POD
from acme_operator.settings import Platform

ROOT = Path(__file__).resolve().parents[3]
CHART = ROOT / "charts" / "acme-operator"

Manifest = dict[str, Any]


@pytest.fixture(scope="session")
def helm() -> Path:
    """The helm at hand."""
    found = chart_files.helm()
    if found is None:
        pytest.skip("helm is not here: `make up` builds it, or set HELM")
    return found


def render(helm: Path, **values: object) -> list[Manifest]:
    """The chart's objects with these values; dots in a name are written as two underscores."""
    options = [
        part
        for key, value in values.items()
        for part in ("--set-json", f"{key.replace('__', '.')}={json.dumps(value)}")
    ]
    return list(chart_files.rendered_objects(helm, *options))


def refusal(helm: Path, *options: str) -> str:
    """What helm says against values."""
    command: list[str | Path] = [helm, "template", "x", CHART, "--kube-version", chart_files.KUBERNETES, *options]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode != 0, "helm took it"
    return done.stderr


def one(manifests: list[Manifest], kind: str) -> Manifest:
    """The only object of a kind."""
    [found] = [each for each in manifests if each["kind"] == kind]
    return found


def rules(manifests: list[Manifest]) -> Iterator[tuple[str, str, str]]:
    """(group, resource, verb) of every rule that the operator's own role has."""
    [role] = [
        each
        for each in manifests
        if each["kind"] in ("Role", "ClusterRole") and each["metadata"]["name"] == "acme-operator"
    ]
    for rule in role["rules"]:
        for group in rule["apiGroups"]:
            for resource in rule["resources"]:
                for verb in rule["verbs"]:
                    yield group, resource, verb


def test_lint_finds_nothing(helm: Path) -> None:
    done = subprocess.run([helm, "lint", "--strict", CHART], check=False, capture_output=True, text=True)

    assert done.returncode == 0, done.stdout + done.stderr


def test_no_rule_says_everything(helm: Path) -> None:
    words = [
        word for each in render(helm) for rule in each.get("rules", []) for section in rule.values() for word in section
    ]

    assert words
    assert "*" not in words


def test_the_operator_may_touch_the_kinds_it_makes_and_no_other(helm: Path) -> None:
    used = {(kind.group, kind.plural) for kind in (*OWNERS, *CHILDREN, POD, EVENT)}

    granted = {(group, resource.partition("/")[0]) for group, resource, _ in rules(render(helm))}

    assert granted == used


def test_what_people_declare_is_never_created_or_deleted_by_the_operator(helm: Path) -> None:
    verbs = {
        (resource, verb)
        for group, resource, verb in rules(render(helm))
        if group == "platform.acme.dev" and verb not in ("get", "list", "watch")
    }

    assert verbs == {
        ("acmeservices/status", "patch"),
        ("acmedatastores/status", "patch"),
        ("acmetopics/status", "patch"),
        ("acmedatastores", "patch"),
        ("acmeservices/finalizers", "update"),
        ("acmedatastores/finalizers", "update"),
    }


def test_one_namespace_needs_no_right_outside_it(helm: Path) -> None:
    manifests = render(helm, watchNamespace="shop")

    assert not [each for each in manifests if each["kind"].startswith("ClusterRole")]
    assert {one(manifests, kind)["metadata"]["namespace"] for kind in ("Role", "RoleBinding")} == {"shop"}
    assert ("", "secrets", "create") in set(rules(manifests))
    assert {"name": "ACME_WATCH_NAMESPACE", "value": "shop"} in container(manifests)["env"]


def container(manifests: list[Manifest]) -> Manifest:
    """The operator's container."""
    [only] = one(manifests, "Deployment")["spec"]["template"]["spec"]["containers"]
    found: Manifest = only
    return found


def test_the_pod_is_as_restricted_as_can_be(helm: Path) -> None:
    manifests = render(helm)
    pod = one(manifests, "Deployment")["spec"]["template"]["spec"]

    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container(manifests)["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def test_two_operators_never_run_at_once(helm: Path) -> None:
    spec = one(render(helm), "Deployment")["spec"]

    assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})


def test_the_platform_config_is_the_default_with_the_values_on_top(helm: Path) -> None:
    def platform(**values: object) -> Platform:
        text = one(render(helm, **values), "ConfigMap")["data"]["platform.yaml"]
        return Platform.model_validate(yaml.safe_load(text))

    assert platform() == Platform.model_validate(yaml.safe_load((ROOT / "config" / "platform.yaml").read_text()))
    assert platform(platform={"images": {"postgres": {"17": "own/pg:1"}}}).image("postgres", "17") == "own/pg:1"
    assert platform(platform={"images": {"postgres": {"18": "own/pg:2"}}}).image("postgres", "17")


def test_a_changed_platform_config_starts_the_pod_anew(helm: Path) -> None:
    def mark(**values: object) -> object:
        return one(render(helm, **values), "Deployment")["spec"]["template"]["metadata"]["annotations"]

    assert mark() == mark()
    assert mark() != mark(platform={"images": {"postgres": {"17": "own/pg:1"}}})


@pytest.mark.parametrize(
    ("option", "named"),
    [
        ("imagee.tag=x", "imagee"),
        ("image.tagg=x", "tagg"),
        ("logLevel=LOUD", "logLevel"),
        ("watchNamespace=Not_A_Name", "watchNamespace"),
        ("platform.image.postgres=x", "platform"),
        ("networkPolicy.databasePorts={70000}", "databasePorts"),
    ],
)
def test_a_value_that_is_wrong_is_refused_by_name(helm: Path, option: str, named: str) -> None:
    assert named in refusal(helm, "--set", option)


def test_uninstalling_keeps_the_definitions_and_what_was_declared() -> None:
    copies = [yaml.safe_load(path.read_text()) for path in (CHART / "files" / "crds").glob("*.yaml")]

    assert {each["spec"]["names"]["plural"] for each in copies} == {kind.plural for kind in OWNERS}
    assert {each["metadata"]["annotations"]["helm.sh/resource-policy"] for each in copies} == {"keep"}


def test_definitions_are_left_out_where_somebody_else_applies_them(helm: Path) -> None:
    assert [each for each in render(helm) if each["kind"] == "CustomResourceDefinition"]
    assert not [each for each in render(helm, crds__install=False) if each["kind"] == "CustomResourceDefinition"]


def test_the_charts_copies_are_fresh() -> None:
    stale = [str(path) for path, content in chart_files.copies().items() if path.read_text() != content]

    assert not stale, "run `make gen`"


def test_the_plain_manifests_are_what_helm_renders(helm: Path) -> None:
    stale = [str(path) for path, content in chart_files.plain(helm).items() if path.read_text() != content]

    assert not stale, "run `make gen`"


def test_the_plain_manifests_hold_every_object_of_the_chart_and_the_namespace(helm: Path) -> None:
    files = [ROOT / "config" / "rbac" / "rbac.yaml", ROOT / "config" / "default" / "operator.yaml"]
    plain = [each for file in files for each in yaml.safe_load_all(file.read_text())]
    namespace = yaml.safe_load((ROOT / "config" / "default" / "namespace.yaml").read_text())

    assert sorted((each["kind"], each["metadata"]["name"]) for each in plain) == sorted(
        (each["kind"], each["metadata"]["name"]) for each in render(helm)
    )
    assert namespace["metadata"]["name"] == chart_files.NAMESPACE
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
