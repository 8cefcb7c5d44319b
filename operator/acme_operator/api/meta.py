"""What the three kinds share: strict models, names, conditions, references.

Field descriptions here are what `kubectl explain` prints, so they speak to the person who writes the object.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from acme_operator.api.manifests import Manifest

GROUP = "platform.acme.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"

SERVICE_NAME_LIMIT = 52
"""Characters; a pod adds a hash of ten and a suffix of five to its Deployment's name and must stay below 63 + 5."""

DATASTORE_NAME_LIMIT = 40
"""Characters; `<name>-postgres` and the revision hash that the StatefulSet controller appends must fit into a label."""

DNS_LABEL = r"^[a-z]([-a-z0-9]*[a-z0-9])?$"
QUANTITY = r"^[0-9]+(\.[0-9]+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?$"


class Model(BaseModel):
    """A value of the API: frozen, camelCase outside, unknown fields refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=to_camel, populate_by_name=True)


Name = Annotated[str, Field(min_length=1, max_length=63, pattern=DNS_LABEL)]
Quantity = Annotated[str, Field(min_length=1, max_length=20, pattern=QUANTITY)]


def list_map(key: str) -> dict[str, Any]:
    """Schema of a list of named things: merged by `key`, so that two appliers can each own an entry."""
    return {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": [key]}


def rules(*pairs: tuple[str, str]) -> dict[str, Any]:
    """Schema of CEL rules: each pair is an expression and the sentence a person reads when it is false."""
    return {"x-kubernetes-validations": [{"rule": rule, "message": message} for rule, message in pairs]}


class ConditionStatus(StrEnum):
    """The three answers of a condition."""

    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


class Condition(Model):
    """One aspect of the object's state, in the form every Kubernetes tool reads."""

    type: Annotated[str, Field(max_length=316, description="Which aspect: Ready, Available, Reconciling, Stalled, …")]
    status: Annotated[ConditionStatus, Field(description="True, False or Unknown.")]
    reason: Annotated[
        str, Field(max_length=128, description="A stable word for machines; docs/conditions.md lists them.")
    ]
    message: Annotated[str, Field(max_length=4096, description="A sentence for people: object, field and next step.")]
    observed_generation: Annotated[
        int, Field(json_schema_extra={"format": "int64"}, description="The generation this is about.")
    ]
    last_transition_time: Annotated[
        str, Field(json_schema_extra={"format": "date-time"}, description="When the status last changed.")
    ]


class Blocker(Model):
    """A thing that this object waits for."""

    kind: Annotated[str, Field(max_length=63, description="Its kind.")]
    name: Annotated[str, Field(max_length=253, description="Its name, in this object's namespace.")]
    reason: Annotated[str, Field(max_length=128, description="Why it holds this object up.")]


class Status(Model):
    """What every kind reports."""

    observed_generation: Annotated[
        int,
        Field(
            json_schema_extra={"format": "int64"}, description="The generation of the spec that this status is about."
        ),
    ] = -1
    conditions: Annotated[
        tuple[Condition, ...],
        Field(max_length=32, json_schema_extra=list_map("type"), description="The state, aspect by aspect."),
    ] = ()
    blocked_by: Annotated[
        tuple[Blocker, ...],
        Field(max_length=64, description="What this object waits for, down to the deepest cause."),
    ] = ()


class OwnerMeta(BaseModel):
    """The parts of an object's metadata that controllers read."""

    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True, extra="ignore")

    kind: str
    name: str
    namespace: str
    uid: str
    generation: int = 1
    resource_version: str = ""
    annotations: Mapping[str, str] = {}
    finalizers: tuple[str, ...] = ()
    deletion_timestamp: str | None = None

    @classmethod
    def of(cls, manifest: Manifest) -> "OwnerMeta":
        """The metadata of a live object, with its kind."""
        return cls.model_validate({"kind": manifest["kind"], **manifest["metadata"]})
