"""Who looks again when something changes: the owner, and whoever declared the thing."""

from typing import Any

from acme_operator.api.manifests import Manifest
from acme_operator.controllers.kinds import ACME_DATASTORE, ACME_SERVICE
from acme_operator.controllers.wakes import Wakes
from acme_operator.engine.cluster import Kind, Ref
from acme_operator.engine.kinds import POD, SECRET
from acme_operator.engine.store import Store


def live(kind: Kind, name: str, **more: Any) -> Manifest:
    metadata = {"name": name, "namespace": "shop", "uid": name, "resourceVersion": "1"}
    return {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": metadata, **more}


def labelled(kind: Kind, **labels: str) -> Manifest:
    manifest = live(kind, "child")
    manifest["metadata"]["labels"] = {f"platform.acme.dev/{key}": value for key, value in labels.items()}
    return manifest


def product() -> Manifest:
    needs = [
        {"name": "db", "datastore": {"name": "shop-db"}},
        {"name": "stock", "service": {"name": "inventory", "port": "grpc"}},
    ]
    return live(ACME_SERVICE, "product", spec={"dependencies": needs})


def woken(kind: Kind, manifest: Manifest, *known: Manifest) -> set[Ref]:
    store = Store()
    for service in known:
        store.upsert(ACME_SERVICE, service)
    return set(Wakes(store)(kind, manifest))


def service(name: str) -> Ref:
    return Ref(ACME_SERVICE, "shop", name)


def test_a_child_wakes_its_owner() -> None:
    assert woken(POD, labelled(POD, service="product")) == {service("product")}


def test_a_binding_wakes_the_datastore_that_keeps_it_and_the_service_that_needs_it() -> None:
    binding = labelled(SECRET, service="product", datastore="shop-db")

    assert woken(SECRET, binding) == {service("product"), Ref(ACME_DATASTORE, "shop", "shop-db")}


def test_a_service_wakes_what_it_depends_on() -> None:
    targets = {Ref(ACME_DATASTORE, "shop", "shop-db"), service("inventory")}

    assert woken(ACME_SERVICE, product()) == targets


def test_a_datastore_wakes_the_services_that_declare_it() -> None:
    assert woken(ACME_DATASTORE, live(ACME_DATASTORE, "shop-db"), product()) == {service("product")}


def test_a_service_wakes_its_callers() -> None:
    assert service("product") in woken(ACME_SERVICE, live(ACME_SERVICE, "inventory", spec={}), product())


def test_a_stranger_wakes_nobody() -> None:
    assert woken(POD, live(POD, "stranger")) == set()
