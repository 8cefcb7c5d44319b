"""Delays grow to a bound, are spread, and start again after a success."""

import pytest

from acme_services.chassis.backoff import Backoff, every, spread


def test_delays_grow_to_a_bound() -> None:
    backoff = Backoff(first=1.0, most=4.0)

    delays = [backoff.delay() for _ in range(5)]

    assert all(most / 2 <= delay <= most for delay, most in zip(delays, [1.0, 2.0, 4.0, 4.0, 4.0], strict=True))


def test_a_success_starts_again_from_the_first_delay() -> None:
    backoff = Backoff(first=1.0, most=64.0)
    for _ in range(6):
        backoff.delay()

    backoff.reset()

    assert backoff.delay() <= 1.0


def test_two_processes_do_not_wait_in_step() -> None:
    assert len({spread(10.0) for _ in range(20)}) > 1


@pytest.mark.asyncio
async def test_a_periodic_act_is_done_until_it_raises() -> None:
    done: list[int] = []

    async def act() -> None:
        done.append(1)
        if len(done) == 3:
            raise LookupError

    with pytest.raises(LookupError):
        await every(0.0, act)
