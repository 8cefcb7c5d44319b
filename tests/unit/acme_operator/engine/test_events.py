"""Events are few and cost a reconcile nothing."""

import asyncio

import pytest

from acme_operator.engine.errors import Forbidden
from acme_operator.engine.events import Recorder
from acme_operator.engine.kinds import DEPLOYMENT, EVENT
from acme_operator.testing import NOW, FakeCluster, FixedClock, manifest

pytestmark = pytest.mark.asyncio


async def posted(cluster: FakeCluster, recorder: Recorder) -> list[tuple[str, str]]:
    running = asyncio.create_task(recorder.run())
    await asyncio.wait_for(recorder.drained(), 5)
    running.cancel()
    return [(event["reason"], event["note"]) for event in cluster.live(EVENT).values()]


def world() -> tuple[FakeCluster, FixedClock, Recorder]:
    cluster, clock = FakeCluster(), FixedClock()
    return cluster, clock, Recorder(cluster, "pod-1", clock, lambda: NOW)


def product(uid: str = "1") -> dict[str, object]:
    made = manifest(DEPLOYMENT, "product")
    made["metadata"]["uid"] = uid
    return made


async def test_the_same_is_told_once_in_ten_minutes_and_then_again() -> None:
    cluster, clock, recorder = world()
    for seconds in (0, 0, 599, 2):
        clock.advance(seconds)
        recorder.record(product(), "Normal", "Created", "made it")

    assert await posted(cluster, recorder) == [("Created", "made it")] * 2


async def test_another_reason_message_or_object_is_news() -> None:
    cluster, _, recorder = world()
    recorder.record(product(), "Normal", "Created", "made it")
    recorder.record(product(), "Normal", "Changed", "made it")
    recorder.record(product(), "Normal", "Created", "made another")
    recorder.record(product("2"), "Normal", "Created", "made it")

    assert len(await posted(cluster, recorder)) == 4


async def test_an_event_says_what_it_is_about() -> None:
    cluster, _, recorder = world()
    recorder.record(product(), "Warning", "Broken", "x" * 2000)

    await posted(cluster, recorder)

    [event] = cluster.live(EVENT).values()
    assert event["regarding"] == {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "namespace": "shop",
        "name": "product",
        "uid": "1",
    }
    assert (event["type"], event["eventTime"]) == ("Warning", "2030-01-01T12:00:00.000000Z")
    assert len(event["note"]) == 1024


async def test_a_refused_event_does_not_keep_the_next_from_being_posted() -> None:
    cluster, _, recorder = world()
    cluster.fail("create_event", Forbidden("create Event", "no"))
    recorder.record(product(), "Normal", "First", "refused")
    recorder.record(product(), "Normal", "Second", "posted")

    assert await posted(cluster, recorder) == [("Second", "posted")]


async def test_more_events_than_can_be_posted_are_dropped_and_raise_nothing() -> None:
    cluster, _, recorder = world()
    for number in range(1000):
        recorder.record(product(), "Normal", "Storm", str(number))

    assert 0 < len(await posted(cluster, recorder)) < 1000
