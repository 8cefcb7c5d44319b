"""AcmeTopic: a Kafka topic. The kind is in the API; its controller answers NotSupported until Kafka comes."""

from typing import Annotated

from pydantic import ConfigDict, Field

from acme_operator.api.meta import Model, Name, Status, rules


class KafkaRef(Model):
    """An AcmeDatastore with a kafka block, in the same namespace."""

    name: Annotated[Name, Field(description="The AcmeDatastore.")]


class AcmeTopicSpec(Model):
    """What the owner declares."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            (
                "self.partitions >= oldSelf.partitions",
                "spec.partitions can only grow: Kafka never takes partitions away",
            ),
        )
    )

    kafka: Annotated[KafkaRef, Field(description="The Kafka cluster that holds the topic.")]
    partitions: Annotated[
        int, Field(ge=1, le=10000, json_schema_extra={"format": "int32"}, description="How many.")
    ] = 1
    replicas: Annotated[
        int,
        Field(ge=1, le=16, json_schema_extra={"format": "int32"}, description="On how many brokers each partition is."),
    ] = 1


class AcmeTopicStatus(Status):
    """What the operator observed of an AcmeTopic."""


NAME_RULES = (
    (
        "size(self.metadata.name) <= 200",
        "metadata.name is longer than 200 characters: the topic's name is namespace and name, and Kafka allows 249 in all",
    ),
)
"""CEL over the whole object."""
