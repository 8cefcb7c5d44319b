"""The composition root of the operator: engine, tools and controllers put together, once."""

import socket
from datetime import UTC, datetime

from acme_operator.controllers.datastore import DatastoreController, Surroundings
from acme_operator.controllers.kinds import ACME_DATASTORE, ACME_SERVICE, ACME_TOPIC, CHILDREN
from acme_operator.controllers.reports import Reporter, Tools
from acme_operator.controllers.service import ServiceController
from acme_operator.controllers.topic import TopicController
from acme_operator.controllers.wakes import Wakes
from acme_operator.engine.apply import Applier
from acme_operator.engine.cluster import Cluster, Kind
from acme_operator.engine.events import Recorder
from acme_operator.engine.kinds import POD
from acme_operator.engine.metrics import Metrics
from acme_operator.engine.prune import Pruner
from acme_operator.engine.runner import Controller, Engine, EngineOptions
from acme_operator.engine.status import StatusWriter
from acme_operator.engine.store import Store
from acme_operator.providers.contract import Provider, Server
from acme_operator.providers.postgres import Postgres
from acme_operator.settings import Settings


def assemble(settings: Settings, cluster: Cluster, metrics: Metrics) -> Engine:
    """An engine ready to run against `cluster`."""
    store = Store()
    recorder = Recorder(cluster, socket.gethostname())
    tools = Tools(cluster, store, Applier(cluster, store, metrics), Pruner(cluster, store, CHILDREN), _now)
    reporter = Reporter(tools, StatusWriter(cluster, store), recorder)
    surroundings = Surroundings(settings.platform.image, settings.namespace, _connect)
    controllers: dict[Kind, Controller] = {
        ACME_SERVICE: ServiceController(tools, reporter),
        ACME_DATASTORE: DatastoreController(tools, reporter, surroundings),
        ACME_TOPIC: TopicController(store, reporter),
    }
    options = EngineOptions(namespace=settings.watch_namespace, metrics=metrics, services=(recorder.run,))
    return Engine(cluster, store, controllers, (*CHILDREN, POD), Wakes(store), options)


def _connect(server: Server, owner: str) -> Provider:
    return Postgres(server, owner=owner)


def _now() -> datetime:
    return datetime.now(UTC)
