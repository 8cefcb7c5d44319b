"""In which order keys are handed out, and that none is lost or doubled."""

import asyncio
from datetime import timedelta

import pytest

from acme_operator.engine.cluster import Ref
from acme_operator.engine.kinds import CONFIG_MAP
from acme_operator.engine.queue import LAST_RETRY, Priority, WorkQueue, back_off
from acme_operator.testing import FixedClock

pytestmark = pytest.mark.asyncio
SOON = 5.0


def key(name: str, namespace: str = "shop") -> Ref:
    return Ref(CONFIG_MAP, namespace, name)


async def take(queue: WorkQueue, count: int = 1) -> list[str]:
    return [(await asyncio.wait_for(queue.get(), SOON)).name for _ in range(count)]


async def test_a_key_asked_for_twice_is_handed_out_once() -> None:
    queue = WorkQueue()
    queue.add(key("a"))
    queue.add(key("a"))

    assert await take(queue) == ["a"]
    assert queue.depth() == 0


async def test_a_key_asked_for_while_it_is_worked_on_comes_again_after_and_not_before() -> None:
    queue = WorkQueue()
    queue.add(key("a"))
    held = await queue.get()

    queue.add(key("a"))
    depth_meanwhile = queue.depth()
    queue.done(held)

    assert depth_meanwhile == 0
    assert await take(queue) == ["a"]


async def test_what_was_asked_for_meanwhile_rests_unless_somebody_changed_it() -> None:
    queue = WorkQueue()
    for name in ("drifted", "changed"):
        queue.add(key(name))
    held = [await queue.get(), await queue.get()]
    queue.add(key("drifted"), Priority.DRIFT)
    queue.add(key("changed"), Priority.CHANGE)

    for each in held:
        queue.done(each, rest=timedelta(milliseconds=20))

    assert queue.depth() == 1
    assert await take(queue, 2) == ["changed", "drifted"]


async def test_changes_come_before_drift_and_drift_before_the_cold_start() -> None:
    queue = WorkQueue()
    for name, priority in (("cold", Priority.COLD), ("drift", Priority.DRIFT), ("change", Priority.CHANGE)):
        queue.add(key(name), priority)

    assert await take(queue, 3) == ["change", "drift", "cold"]


async def test_asking_more_urgently_moves_a_key_up_and_less_urgently_does_nothing() -> None:
    queue = WorkQueue()
    queue.add(key("first"), Priority.DRIFT)
    queue.add(key("second"), Priority.COLD)
    queue.add(key("second"), Priority.CHANGE)
    queue.add(key("second"), Priority.COLD)

    assert await take(queue, 2) == ["second", "first"]


async def test_a_storm_of_changes_does_not_end_the_repairs() -> None:
    queue = WorkQueue()
    queue.add(key("repair"), Priority.COLD)
    for number in range(50):
        queue.add(key(f"change-{number}"), Priority.CHANGE)

    assert "repair" in await take(queue, 8)


async def test_a_newcomer_does_not_stand_behind_another_namespace() -> None:
    queue = WorkQueue()
    for number in range(50):
        queue.add(key(f"storm-{number}", "busy"))
    queue.add(key("newcomer", "quiet"))

    assert "newcomer" in await take(queue, 2)


async def test_of_several_delays_the_shortest_counts() -> None:
    queue = WorkQueue()
    queue.add_after(key("a"), timedelta(hours=1))
    queue.add_after(key("a"), timedelta(milliseconds=5))
    queue.add_after(key("a"), timedelta(hours=2))

    assert await take(queue) == ["a"]
    queue.close()


async def test_failures_double_the_wait_up_to_a_minute_and_success_forgets_them() -> None:
    queue = WorkQueue()

    waits = [queue.retry(key("a")) for _ in range(3)]
    queue.forget(key("a"))
    again = queue.retry(key("a"))
    asked_for = queue.retry(key("a"), at_least=timedelta(seconds=7))
    queue.close()

    assert waits == [back_off(1), back_off(1) * 2, back_off(1) * 4]
    assert again == back_off(1)
    assert asked_for == timedelta(seconds=7)
    assert back_off(1000) == LAST_RETRY


async def test_a_worker_that_gives_up_waiting_takes_no_key_with_it() -> None:
    queue = WorkQueue()
    waiting = asyncio.create_task(queue.get())
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting

    queue.add(key("a"))

    assert await take(queue) == ["a"]


async def test_the_age_of_the_oldest_key_is_told() -> None:
    clock = FixedClock()
    queue = WorkQueue(clock)
    queue.add(key("a"), Priority.COLD)
    clock.advance(3)
    queue.add(key("b"))
    queue.add(key("a"), Priority.CHANGE)
    clock.advance(4)

    assert queue.oldest() == 7
    assert queue.depth() == 2
