"""What the store lets in, forgets and tells."""

from typing import Any

from acme_operator.api.manifests import Manifest
from acme_operator.engine.cluster import Kind
from acme_operator.engine.kinds import CONFIG_MAP, SERVICE, ref_of
from acme_operator.engine.store import Store
from acme_operator.testing import manifest


def config(name: str = "settings", version: int = 1, **fields: Any) -> Manifest:
    made = manifest(CONFIG_MAP, name, **fields)
    made["metadata"]["resourceVersion"] = str(version)
    return made


def test_a_newer_version_replaces_an_older_one_and_nothing_else_does() -> None:
    store = Store()

    news = [store.upsert(CONFIG_MAP, config(version=version, data={"at": str(version)})) for version in (5, 5, 4, 6)]

    assert news == [True, False, False, True]
    live = store.get(ref_of(config()))
    assert live is not None
    assert live["data"] == {"at": "6"}


def test_versions_are_compared_as_numbers() -> None:
    store = Store()
    store.upsert(CONFIG_MAP, config(version=9))

    assert store.upsert(CONFIG_MAP, config(version=10))


def test_the_late_answer_to_a_write_does_not_bring_back_a_deleted_object() -> None:
    store = Store()
    store.upsert(CONFIG_MAP, config(version=5))
    store.remove(ref_of(config()), "7")

    assert not store.upsert(CONFIG_MAP, config(version=6))
    assert store.get(ref_of(config())) is None
    assert store.upsert(CONFIG_MAP, config(version=8))


def test_the_news_of_an_old_deletion_does_not_take_away_what_was_made_anew() -> None:
    store = Store()
    store.upsert(CONFIG_MAP, config(version=9))

    assert not store.remove(ref_of(config()), "7")
    assert store.get(ref_of(config())) is not None


def test_objects_are_found_by_owner_as_long_as_they_are_there() -> None:
    store = Store()
    store.upsert(CONFIG_MAP, config("one", 1, owner="u1"))
    store.upsert(CONFIG_MAP, config("two", 2, owner="u1"))
    store.upsert(CONFIG_MAP, config("three", 3, owner="u2"))
    store.upsert(CONFIG_MAP, config("two", 4, owner="u2"))
    store.remove(ref_of(config("three")), "9")

    assert {ref.name for ref in store.owned_by("u1")} == {"one"}
    assert {ref.name for ref in store.owned_by("u2")} == {"two"}
    assert store.owned_by("nobody") == {}


def test_objects_are_kept_without_what_nobody_reads() -> None:
    store = Store()
    bulky = config()
    bulky["metadata"] |= {
        "managedFields": [{"manager": "x"}],
        "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}", "kept": "yes"},
    }

    store.upsert(CONFIG_MAP, bulky)

    live = store.get(ref_of(bulky))
    assert live is not None
    assert live["metadata"]["annotations"] == {"kept": "yes"}
    assert "managedFields" not in live["metadata"]


def test_listeners_hear_all_news_and_no_echo() -> None:
    store, heard = Store(), []

    def listen(kind: Kind, old: Manifest | None, new: Manifest | None) -> None:
        heard.append((kind, old and old["metadata"]["resourceVersion"], new and new["metadata"]["resourceVersion"]))

    store.listen(listen)
    store.upsert(CONFIG_MAP, config(version=1))
    store.upsert(CONFIG_MAP, config(version=1))
    store.upsert(CONFIG_MAP, config(version=2))
    store.remove(ref_of(config()), "3")
    store.remove(ref_of(config()), "3")

    assert heard == [(CONFIG_MAP, None, "1"), (CONFIG_MAP, "1", "2"), (CONFIG_MAP, "2", None)]


def test_a_list_is_of_one_kind_and_if_wanted_of_one_namespace() -> None:
    store = Store()
    store.upsert(CONFIG_MAP, config("one", 1))
    store.upsert(CONFIG_MAP, config("two", 2, namespace="other"))
    store.upsert(SERVICE, config("three", 3))

    assert len(store.list(CONFIG_MAP)) == 2
    assert [found["metadata"]["name"] for found in store.list(CONFIG_MAP, "other")] == ["two"]
    assert store.refs(SERVICE)[0].name == "three"


def test_absence_means_something_only_after_a_complete_list() -> None:
    store = Store()
    before = store.synced(CONFIG_MAP)
    store.mark_synced(CONFIG_MAP)

    assert (before, store.synced(CONFIG_MAP), store.synced(SERVICE)) == (False, True, False)
