"""AcmeDatastore: a database server and who may use it."""

from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field

from acme_operator.api.access import Access
from acme_operator.api.meta import DATASTORE_NAME_LIMIT, Model, Name, Quantity, Status, list_map, rules


class Provider(StrEnum):
    """Who runs the server."""

    BUILTIN = "Builtin"
    EXTERNAL = "External"


class DeletionPolicy(StrEnum):
    """What becomes of the data when the object is deleted."""

    RETAIN = "Retain"
    DELETE = "Delete"


class TlsMode(StrEnum):
    """How strictly an external server's certificate is checked."""

    VERIFY_FULL = "VerifyFull"
    REQUIRE = "Require"
    DISABLE = "Disable"


class Database(Model):
    """A database to be there."""

    name: Annotated[
        str,
        Field(min_length=1, max_length=63, pattern=r"^[a-z_][a-z0-9_]*$", description="Its name."),
    ]
    extensions: Annotated[
        tuple[Annotated[str, Field(max_length=63, pattern=r"^[a-z_][a-z0-9_-]*$")], ...],
        Field(
            max_length=32,
            json_schema_extra={"x-kubernetes-list-type": "set"},
            description="PostgreSQL extensions to create in it, for example pg_trgm.",
        ),
    ] = ()


class PostgresVersion(StrEnum):
    """The major versions of PostgreSQL that can be asked for."""

    V17 = "17"


class Postgres(Model):
    """A PostgreSQL server."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            (
                "!has(self.databases) || self.databases.all(d, !(d.name in ['postgres', 'template0', 'template1']))",
                "postgres.databases names one of PostgreSQL's own databases (postgres, template0, template1): choose another name",
            )
        )
    )

    version: Annotated[
        PostgresVersion, Field(description="The major version. External servers may be newer or older.")
    ] = PostgresVersion.V17
    databases: Annotated[
        tuple[Database, ...],
        Field(
            max_length=64,
            json_schema_extra=list_map("name"),
            description="Databases that several services share. A service that names none gets one of its own. One that "
            "exists already is taken over: its owner becomes the role <name>_owner, and PUBLIC loses CONNECT.",
        ),
    ] = ()


class Redis(Model):
    """A Redis server. Known to the API; this release answers Ready=False, reason NotSupported."""


class Kafka(Model):
    """A Kafka cluster. Known to the API; this release answers Ready=False, reason NotSupported."""


class SecretRef(Model):
    """A Secret in the object's namespace."""

    name: Annotated[str, Field(min_length=1, max_length=253, description="The Secret's name.")]


class External(Model):
    """A server that somebody else runs."""

    host: Annotated[
        str, Field(min_length=1, max_length=253, pattern=r"^[^\s/:]+$", description="Its host name or address.")
    ]
    port: Annotated[int, Field(ge=1, le=65535, description="Its port.")] = 5432
    tls: Annotated[
        TlsMode,
        Field(
            description="VerifyFull checks the certificate and the host name, Require only encrypts, Disable does neither."
        ),
    ] = TlsMode.VERIFY_FULL
    admin_secret: Annotated[
        SecretRef,
        Field(
            description="A Secret with the keys username and password of a login that may create databases and roles, and "
            "ca.crt where the certificate is not from a public authority."
        ),
    ]


class Size(Model):
    """What a Builtin server gets."""

    storage: Annotated[Quantity, Field(description="The size of its volume. It can't be changed yet.")] = "10Gi"
    cpu: Annotated[Quantity, Field(description="Cores it is guaranteed.")] = "100m"
    memory: Annotated[Quantity, Field(description="Memory it is guaranteed and may use at most.")] = "512Mi"


class AcmeDatastoreSpec(Model):
    """What the owner declares."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            (
                "[has(self.postgres), has(self.redis), has(self.kafka)].exists_one(given, given)",
                "a datastore needs exactly one engine: postgres, redis or kafka",
            ),
            (
                "self.provider == 'External' || !has(self.external)",
                "spec.external is only for provider External: set spec.provider to External or leave spec.external out",
            ),
            (
                "self.provider != 'External' || has(self.external)",
                "provider External needs spec.external with host and adminSecret",
            ),
            (
                "self.size.storage == oldSelf.size.storage",
                "spec.size.storage can't be changed after creation yet: make a second datastore and move the data",
            ),
            (
                "self.provider == oldSelf.provider",
                "spec.provider can't be changed: the data would stay behind; make a second datastore and move the data",
            ),
        )
    )

    postgres: Annotated[Postgres | None, Field(description="Make it a PostgreSQL server.")] = None
    redis: Annotated[Redis | None, Field(description="Make it a Redis server (not supported by this release).")] = None
    kafka: Annotated[Kafka | None, Field(description="Make it a Kafka cluster (not supported by this release).")] = None
    provider: Annotated[
        Provider,
        Field(
            description="Builtin runs one instance in this namespace: right for development and small installations. "
            "External takes a server that is there already."
        ),
    ] = Provider.BUILTIN
    external: Annotated[External | None, Field(description="Where the External server is.")] = None
    size: Annotated[Size, Field(description="What a Builtin server gets.")] = Size()
    deletion_policy: Annotated[
        DeletionPolicy,
        Field(
            description="Retain keeps volume and admin password when this object is deleted, and takes them up again under "
            "the same name; Delete removes them for good. Databases of an External server are never dropped."
        ),
    ] = DeletionPolicy.RETAIN


class Consumer(Model):
    """A login that was made for a service."""

    service: Annotated[Name, Field(description="The AcmeService.")]
    dependency: Annotated[Name, Field(description="The name of its dependency.")]
    database: Annotated[str, Field(max_length=63, description="The database.")]
    access: Annotated[Access, Field(description="What the login may do.")]
    secret: Annotated[
        str, Field(max_length=253, description="The Secret that binds it; empty until the login works.")
    ] = ""
    reason: Annotated[str, Field(max_length=128, description="Why there is no Secret yet, or Bound.")] = "Bound"


class Endpoints(Model):
    """The endpoints of a datastore."""

    read_write: Annotated[str, Field(max_length=320, description="host:port that takes reads and writes.")] = ""


class AcmeDatastoreStatus(Status):
    """What the operator observed of an AcmeDatastore."""

    engine: Annotated[str, Field(max_length=32, description="postgres, redis or kafka.")] = ""
    version: Annotated[str, Field(max_length=64, description="What the server says it is.")] = ""
    endpoints: Annotated[Endpoints, Field(description="Where it is reached.")] = Endpoints()
    consumers: Annotated[
        tuple[Consumer, ...],
        Field(max_length=256, description="Each service that declared it, and its login."),
    ] = ()
    consumer_count: Annotated[
        int, Field(json_schema_extra={"format": "int32"}, description="How many have a login.")
    ] = 0


NAME_RULES = (
    (
        f"size(self.metadata.name) <= {DATASTORE_NAME_LIMIT}",
        f"metadata.name is longer than {DATASTORE_NAME_LIMIT} characters: its StatefulSet, Services and Secrets carry the name and need room for a suffix",
    ),
    (
        "self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",
        "metadata.name must be lower-case letters, digits and -, and start with a letter: it becomes part of a Service's name",
    ),
)
"""CEL over the whole object."""
