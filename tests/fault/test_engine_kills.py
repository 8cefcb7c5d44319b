"""Killed at any request, before it was done or before its answer came, a new process ends where an old one would have."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import pytest

from acme_operator.api.manifests import Manifest
from acme_operator.engine.kinds import CONFIG_MAP, DEPLOYMENT, SERVICE
from acme_operator.testing import FakeCluster
from tests.plugins.clusters import THING, Bench
from tests.plugins.keeper import CHILD_KINDS, keeping, until_right, want, wrong

pytestmark = pytest.mark.asyncio


class Dying(FakeCluster):
    """The fake cluster for a process that dies at its n-th write: before the deed, or after it and without the answer."""

    life: int
    after_the_deed: bool
    died: asyncio.Event

    async def apply(self, manifest: Manifest, *, force: bool) -> Manifest:
        return await self._mortal(super().apply(manifest, force=force))

    async def apply_status(self, manifest: Manifest) -> Manifest:
        return await self._mortal(super().apply_status(manifest))

    async def patch(self, *args: Any) -> Manifest:
        return await self._mortal(super().patch(*args))

    async def delete(self, *args: Any, **preconditions: Any) -> None:
        await self._mortal(super().delete(*args, **preconditions))

    async def _mortal[T](self, deed: Coroutine[Any, Any, T]) -> T:
        self.life -= 1
        if self.life > 0:
            return await deed
        if self.life == 0 and self.after_the_deed:
            await deed
        else:
            deed.close()
        self.died.set()
        await asyncio.Event().wait()
        raise AssertionError("the dead do not go on")


@asynccontextmanager
async def scene() -> AsyncIterator[tuple[Bench, FakeCluster]]:
    """A world in which everything is due at once: a change, an extra too much, a child deleted, a foreign entry."""
    fake = FakeCluster([THING])
    bench = Bench(fake, fake.acting_as("kubectl-edit"), f"kill-{uuid4().hex[:8]}", fake)
    async with keeping(fake, bench.namespace):
        await want(bench, word="one", extras=["a", "b"])
        await until_right(bench)
    await want(bench, word="two", extras=["c"])
    await bench.remove(bench.ref(SERVICE, "shop"))
    port = {"containerPort": 9999, "protocol": "TCP"}
    await bench.edit(bench.ref(DEPLOYMENT, "shop"), "/spec/template/spec/containers/0/ports/-", port, op="add")
    yield bench, fake


@pytest.mark.parametrize("after_the_deed", [False, True], ids=["before the deed", "before the answer"])
async def test_a_kill_at_any_write_is_made_good_by_the_next_process(after_the_deed: bool) -> None:
    ends, kills = [], 0
    while True:
        async with scene() as (bench, fake):
            dying = fake.twin(Dying)
            dying.life, dying.after_the_deed, dying.died = kills + 1, after_the_deed, asyncio.Event()
            if not await _dies(dying, bench):
                break
            kills += 1
            async with keeping(fake, bench.namespace):
                await until_right(bench)
            ends.append(_end(fake))

    # Two applies of what holds the word, the service, the new extra, two prunes, the foreign port and the status.
    assert kills >= 8
    assert all(end == ends[0] for end in ends)


async def _dies(dying: Dying, bench: Bench) -> bool:
    async with keeping(dying, bench.namespace):
        right = asyncio.create_task(until_right(bench))
        death = asyncio.create_task(dying.died.wait())
        await asyncio.wait([right, death], return_when=asyncio.FIRST_COMPLETED)
        for task in (right, death):
            task.cancel()
    return dying.died.is_set()


def _end(fake: FakeCluster) -> dict[str, Any]:
    """What is there, but for what differs from one life to the next."""
    return {
        f"{kind.kind} {name.partition('/')[2]}": {
            field: value for field, value in live.items() if field in ("spec", "data", "status")
        }
        for kind in (THING, *CHILD_KINDS)
        for name, live in fake.live(kind).items()
    }


async def test_the_scene_is_not_right_from_the_start() -> None:
    async with scene() as (bench, fake):
        found = await wrong(bench)

    assert {"status", f"no Service {bench.namespace}/shop"} <= set(found)
    assert any(path.startswith("left over: ConfigMap") for path in found)
    assert any(path.endswith("(foreign)") for path in found)
    assert len(fake.live(CONFIG_MAP)) == 3
