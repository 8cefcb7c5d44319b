"""The platform's kinds, and the kinds of their children, as the engine knows kinds."""

from acme_operator.api.meta import GROUP, VERSION, OwnerMeta
from acme_operator.engine.cluster import Kind, Ref
from acme_operator.engine.kinds import (
    CONFIG_MAP,
    DEPLOYMENT,
    NETWORK_POLICY,
    PDB,
    SECRET,
    SERVICE,
    SERVICE_ACCOUNT,
    STATEFULSET,
)

ACME_SERVICE = Kind(GROUP, VERSION, "AcmeService", "acmeservices")
ACME_DATASTORE = Kind(GROUP, VERSION, "AcmeDatastore", "acmedatastores")
ACME_TOPIC = Kind(GROUP, VERSION, "AcmeTopic", "acmetopics")

OWNERS = (ACME_SERVICE, ACME_DATASTORE, ACME_TOPIC)
CHILDREN = (CONFIG_MAP, DEPLOYMENT, NETWORK_POLICY, PDB, SECRET, SERVICE, SERVICE_ACCOUNT, STATEFULSET)


def datastore_ref(owner: OwnerMeta) -> Ref:
    """The AcmeDatastore that `owner` is the metadata of."""
    return Ref(ACME_DATASTORE, owner.namespace, owner.name)
