"""The three CustomResourceDefinitions, made from the models; `python -m acme_operator.api.crd DIR` writes them.

`make gen` calls it, and a test fails where the files in crds/ differ from what the models say.
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel

from acme_operator.api import datastore, service, topic
from acme_operator.api.meta import GROUP, VERSION
from acme_operator.api.schema import structural, undefaulted

Crd = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of `kubectl get`; `wide` ones show with -o wide."""

    name: str
    path: str
    type: str = "string"
    wide: bool = False


def condition(kind: str, field: str = "status") -> str:
    """JSONPath to a field of one condition."""
    return f'.status.conditions[?(@.type=="{kind}")].{field}'


READY = (Column("Ready", condition("Ready")), Column("Reason", condition("Ready", "reason")))
AGE = Column("Age", ".metadata.creationTimestamp", "date")
BLOCKED_BY = Column("BlockedBy", ".status.blockedBy[*].name", wide=True)


@dataclass(frozen=True, slots=True)
class Definition:
    """Everything that differs between the three definitions."""

    kind: str
    plural: str
    short: str
    summary: str
    spec: type[BaseModel]
    status: type[BaseModel]
    rules: Sequence[tuple[str, str]]
    columns: Sequence[Column]
    subresources: Mapping[str, Any]


DEFINITIONS = (
    Definition(
        kind="AcmeService",
        plural="acmeservices",
        short="asvc",
        summary="AcmeService is a workload and what it needs.",
        spec=service.AcmeServiceSpec,
        status=service.AcmeServiceStatus,
        rules=service.NAME_RULES,
        columns=(
            *READY,
            Column("Available", condition("Available")),
            Column("Replicas", ".status.ready"),
            AGE,
            Column("Image", ".spec.image", wide=True),
            BLOCKED_BY,
        ),
        subresources={
            "status": {},
            "scale": {
                "specReplicasPath": ".spec.replicas",
                "statusReplicasPath": ".status.replicas",
                "labelSelectorPath": ".status.selector",
            },
        },
    ),
    Definition(
        kind="AcmeDatastore",
        plural="acmedatastores",
        short="ads",
        summary="AcmeDatastore is a database server, and a login on it for every service that declares it.",
        spec=datastore.AcmeDatastoreSpec,
        status=datastore.AcmeDatastoreStatus,
        rules=datastore.NAME_RULES,
        columns=(
            *READY,
            Column("Engine", ".status.engine"),
            Column("Provider", ".spec.provider"),
            Column("Version", ".status.version"),
            Column("Users", ".status.consumerCount", "integer"),
            AGE,
            Column("Endpoint", ".status.endpoints.readWrite", wide=True),
            BLOCKED_BY,
        ),
        subresources={"status": {}},
    ),
    Definition(
        kind="AcmeTopic",
        plural="acmetopics",
        short="atop",
        summary="AcmeTopic is a Kafka topic. This release knows the kind and answers NotSupported.",
        spec=topic.AcmeTopicSpec,
        status=topic.AcmeTopicStatus,
        rules=topic.NAME_RULES,
        columns=(*READY, Column("Partitions", ".spec.partitions", "integer"), AGE, BLOCKED_BY),
        subresources={"status": {}},
    ),
)


def manifest(definition: Definition) -> Crd:
    """The CustomResourceDefinition of one kind."""
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{definition.plural}.{GROUP}", "labels": {"app.kubernetes.io/part-of": "acme-platform"}},
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": {
                "kind": definition.kind,
                "listKind": f"{definition.kind}List",
                "plural": definition.plural,
                "singular": definition.kind.lower(),
                "shortNames": [definition.short],
                "categories": ["acme"],
            },
            "versions": [_version(definition)],
        },
    }


def _version(definition: Definition) -> Crd:
    return {
        "name": VERSION,
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": _root(definition)},
        "subresources": dict(definition.subresources),
        "additionalPrinterColumns": [_column(column) for column in definition.columns],
    }


def _root(definition: Definition) -> Crd:
    status = undefaulted(structural(definition.status))
    # Readers of status must never take a new object for a finished one, so it starts with a generation that never is.
    status["default"] = {"observedGeneration": -1}
    status["description"] = "What the operator observed; written by it alone."
    return {
        "type": "object",
        "description": definition.summary,
        "required": ["spec"],
        "properties": {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": {"type": "object"},
            "spec": structural(definition.spec),
            "status": status,
        },
        "x-kubernetes-validations": [{"rule": rule, "message": message} for rule, message in definition.rules],
    }


def _column(column: Column) -> Crd:
    shown = {"name": column.name, "type": column.type, "jsonPath": column.path}
    return shown | ({"priority": 1} if column.wide else {})


def document(definition: Definition) -> str:
    """The definition as YAML, long sentences unbroken."""
    head = "# Generated by `make gen` from operator/acme_operator/api; do not edit.\n"
    return head + yaml.safe_dump(manifest(definition), sort_keys=False, width=1000, allow_unicode=True)


def main(folder: Path) -> None:
    """Write one file a kind into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for definition in DEFINITIONS:
        (folder / f"{definition.plural}.yaml").write_text(document(definition))


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "crds"))
