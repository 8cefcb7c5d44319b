"""AcmeService: a workload and what it needs."""

from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field

from acme_operator.api.access import Access
from acme_operator.api.meta import SERVICE_NAME_LIMIT, Model, Name, Quantity, Status, list_map, rules


class ServiceType(StrEnum):
    """The kind of workload."""

    SERVICE = "Service"


class Protocol(StrEnum):
    """What is spoken on a port; it decides the probes."""

    HTTP = "HTTP"
    GRPC = "GRPC"
    TCP = "TCP"
    METRICS = "Metrics"


class Port(Model):
    """A port that the workload listens on."""

    name: Annotated[
        str, Field(min_length=1, max_length=15, pattern=r"^[a-z]([-a-z0-9]*[a-z0-9])?$", description="Its name.")
    ]
    port: Annotated[int, Field(ge=1, le=65535, description="The number, in the pod and on the Service.")]
    protocol: Annotated[
        Protocol,
        Field(
            description="What is spoken on it. GRPC is probed by grpc.health.v1, HTTP by GET /readyz, TCP by connecting; "
            "Metrics is scraped, never called by other services."
        ),
    ] = Protocol.TCP


class EnvVar(Model):
    """An environment variable."""

    name: Annotated[
        str, Field(min_length=1, max_length=256, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", description="Its name.")
    ]
    value: Annotated[
        str, Field(max_length=32768, description="Its value. Never a secret: declare a dependency for those.")
    ]


class ResourceList(Model):
    """Amounts of CPU and memory."""

    cpu: Annotated[Quantity | None, Field(description="Cores, for example 250m or 2.")] = None
    memory: Annotated[Quantity | None, Field(description="Bytes, for example 256Mi.")] = None


class Resources(Model):
    """What each pod is guaranteed and what it may use at most."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            (
                (
                    "!has(self.requests.cpu) || !has(self.limits.cpu) "
                    "|| quantity(self.requests.cpu).compareTo(quantity(self.limits.cpu)) <= 0"
                ),
                "requests.cpu is larger than limits.cpu: raise the limit or lower the request",
            ),
            (
                (
                    "!has(self.requests.memory) || !has(self.limits.memory) "
                    "|| quantity(self.requests.memory).compareTo(quantity(self.limits.memory)) <= 0"
                ),
                "requests.memory is larger than limits.memory: raise the limit or lower the request",
            ),
        ),
    )

    requests: Annotated[ResourceList, Field(description="Reserved for each pod.")] = ResourceList(
        cpu="100m", memory="128Mi"
    )
    limits: Annotated[
        ResourceList, Field(description="The most each pod may use; without limits.cpu a pod uses what is idle.")
    ] = ResourceList(memory="512Mi")


class DatastoreDependency(Model):
    """A database of an AcmeDatastore in the same namespace."""

    name: Annotated[Name, Field(description="The AcmeDatastore.")]
    database: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=63,
            pattern=r"^[a-z_][a-z0-9_]*$",
            description="A database that the AcmeDatastore declares. Left out, the service gets one of its own, named "
            "after it with - written as _.",
        ),
    ] = None
    access: Annotated[
        Access,
        Field(
            description="Owner may change the schema, ReadWrite only rows, ReadOnly nothing. "
            "The login belongs to this service alone."
        ),
    ] = Access.OWNER


class ServiceDependency(Model):
    """Another AcmeService in the same namespace that this one calls."""

    name: Annotated[Name, Field(description="The AcmeService.")]
    port: Annotated[str, Field(min_length=1, max_length=15, description="The name of one of its ports.")]


class Dependency(Model):
    """Something the workload needs before it can start."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            (
                "[has(self.datastore), has(self.service)].exists_one(given, given)",
                "a dependency needs exactly one of datastore and service",
            )
        )
    )

    name: Annotated[
        Name,
        Field(description="The directory under $SERVICE_BINDING_ROOT in which the workload finds how to reach it."),
    ]
    datastore: Annotated[DatastoreDependency | None, Field(description="A database.")] = None
    service: Annotated[ServiceDependency | None, Field(description="Another service.")] = None


class Rollout(Model):
    """How a new revision replaces the running one."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            (
                "duration(self.progressDeadline) > duration('10s')",
                "rollout.progressDeadline must be longer than 10s: a pod that nothing probes counts after ten seconds",
            )
        )
    )

    progress_deadline: Annotated[
        str,
        Field(
            max_length=8,
            pattern=r"^[1-9][0-9]*(s|m|h)$",
            description="How long a revision may make no progress before the object is Stalled, for example 90s or 10m.",
        ),
    ] = "10m"

    @property
    def progress_deadline_seconds(self) -> int:
        """The deadline in seconds."""
        return int(self.progress_deadline[:-1]) * {"s": 1, "m": 60, "h": 3600}[self.progress_deadline[-1]]


class AcmeServiceSpec(Model):
    """What the service team declares."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            (
                "!has(self.ports) || self.ports.all(p, self.ports.exists_one(q, q.port == p.port))",
                "two ports have the same number: give each its own",
            ),
        )
    )

    type: Annotated[ServiceType, Field(description="The kind of workload: Service runs until it is deleted.")] = (
        ServiceType.SERVICE
    )
    image: Annotated[
        str,
        Field(
            min_length=1, max_length=512, pattern=r"^[^\s]+$", description="The container image with its tag or digest."
        ),
    ]
    command: Annotated[
        tuple[Annotated[str, Field(max_length=4096)], ...],
        Field(
            max_length=64,
            description="Replaces the image's entry point.",
            json_schema_extra={"x-kubernetes-list-type": "atomic"},
        ),
    ] = ()
    args: Annotated[
        tuple[Annotated[str, Field(max_length=4096)], ...],
        Field(
            max_length=128,
            description="Arguments to the entry point.",
            json_schema_extra={"x-kubernetes-list-type": "atomic"},
        ),
    ] = ()
    env: Annotated[
        tuple[EnvVar, ...],
        Field(max_length=128, json_schema_extra=list_map("name"), description="Environment variables."),
    ] = ()
    ports: Annotated[
        tuple[Port, ...],
        Field(max_length=16, json_schema_extra=list_map("name"), description="The ports it listens on."),
    ] = ()
    resources: Annotated[Resources, Field(description="What each pod is guaranteed and may use.")] = Resources()
    replicas: Annotated[
        int, Field(ge=0, le=1000, json_schema_extra={"format": "int32"}, description="How many pods.")
    ] = 1
    dependencies: Annotated[
        tuple[Dependency, ...],
        Field(
            max_length=32,
            json_schema_extra=list_map("name"),
            description="What it needs. A new revision waits until each is there; running pods are left alone.",
        ),
    ] = ()
    rollout: Annotated[Rollout, Field(description="How a new revision replaces the running one.")] = Rollout()


class Endpoint(Model):
    """Where a port is reached inside the cluster."""

    name: Annotated[str, Field(max_length=63, description="The port's name.")]
    address: Annotated[str, Field(max_length=320, description="host:port, with the full host name.")]


class AcmeServiceStatus(Status):
    """What the operator observed of an AcmeService."""

    replicas: Annotated[int, Field(json_schema_extra={"format": "int32"}, description="Pods that exist.")] = 0
    ready_replicas: Annotated[int, Field(json_schema_extra={"format": "int32"}, description="Pods that serve.")] = 0
    ready: Annotated[str, Field(max_length=16, description="Pods that serve of those wanted, for the table.")] = "0/0"
    selector: Annotated[str, Field(max_length=320, description="Selects the pods; read by autoscalers.")] = ""
    endpoints: Annotated[
        tuple[Endpoint, ...],
        Field(max_length=16, json_schema_extra=list_map("name"), description="Where each port is reached."),
    ] = ()


NAME_RULES = (
    (
        f"size(self.metadata.name) <= {SERVICE_NAME_LIMIT}",
        f"metadata.name is longer than {SERVICE_NAME_LIMIT} characters: its pods, Service and Secrets carry the name and need room for a suffix",
    ),
    (
        "self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",
        "metadata.name must be lower-case letters, digits and -, and start with a letter: it becomes the name of a Service",
    ),
    (
        "!has(self.spec.dependencies) || self.spec.dependencies.all(d, !has(d.service) || d.service.name != self.metadata.name)",
        "spec.dependencies names the service itself: a service can't wait for itself to be ready",
    ),
)
"""CEL over the whole object: the only place where a rule can see metadata.name."""
