"""The composition root: puts the product service together, and runs nothing."""

import logging
from functools import partial
from pathlib import Path

from acme_rpc.product.v1.product_pb2_grpc import add_ProductServiceServicer_to_server
from acme_services.chassis.backoff import every
from acme_services.chassis.bindings import postgres_binding
from acme_services.chassis.database import Database
from acme_services.chassis.rpc_server import Rpc as Offer
from acme_services.chassis.run import Assembly, Process
from acme_services.kernel.clock import utc_now
from acme_services.kernel.errors import Unavailable
from acme_services.kernel.ids import new_id
from acme_services.product import settings
from acme_services.product.ports import Store
from acme_services.product.rpc import SERVICE_NAME, Rpc
from acme_services.product.store import PostgresStore
from acme_services.product.usecases import forget_old_claims

_log = logging.getLogger(__name__)


def assemble(process: Process) -> Assembly:
    """The service on its database; BindingError when that is not declared."""
    binding = partial(postgres_binding, process.settings.binding_root, settings.DATABASE)
    binding()  # a dependency that is not declared never appears by itself: say so now
    migrations = Path(__file__).parent / "migrations"
    database = Database(binding, migrations, process.readiness, process.settings.pool_size)
    store = PostgresStore(database)
    servicer = Rpc(store, utc_now, new_id)
    return Assembly(
        rpc=Offer((SERVICE_NAME,), partial(add_ProductServiceServicer_to_server, servicer)),
        jobs=(database.keep, partial(every, settings.CLAIM_SWEEP_SECONDS, partial(_sweep, store))),
        close=database.close,
    )


async def _sweep(store: Store) -> None:
    try:
        forgotten = await forget_old_claims(utc_now(), settings.CLAIM_LIFETIME, store)
    except Unavailable:
        return  # the next round finds the same claims
    _log.info("expired idempotency claims deleted", extra={"count": forgotten})
