"""The API server's client ends whole: whatever it was doing, no socket is left when it has gone."""

import asyncio
from contextlib import aclosing
from pathlib import Path

import pytest

from acme_local.controlplanes import ControlPlane
from acme_operator.engine.connection import from_kubeconfig
from acme_operator.engine.kinds import CONFIG_MAP, SECRET
from acme_operator.engine.kube import Kube

pytestmark = [pytest.mark.asyncio, pytest.mark.controlplane]


def sockets() -> set[str]:
    """The sockets of this process, by inode."""
    links = []
    for entry in Path("/proc/self/fd").iterdir():
        try:
            links.append(str(entry.readlink()))
        except FileNotFoundError:
            continue  # the folder's own descriptor
    return {link for link in links if link.startswith("socket:")}


async def follow(kube: Kube) -> None:
    page = await kube.list(SECRET, None, None, 500, None)
    async with aclosing(kube.watch(SECRET, None, None, page.resource_version)) as watch:
        async for _ in watch:
            pass


@pytest.mark.parametrize("turns", [1, 3, 10, 30, 100, 300])
async def test_no_socket_outlives_a_client_that_was_broken_off(control_plane: ControlPlane, turns: int) -> None:
    before = sockets()

    async with Kube(from_kubeconfig(control_plane.kubeconfig)) as kube:
        calls = [asyncio.ensure_future(kube.list(CONFIG_MAP, None, None, 500, None)) for _ in range(20)]
        tasks = [*calls, *(asyncio.ensure_future(follow(kube)) for _ in range(5))]
        for _ in range(turns):
            await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    assert sockets() - before == set()
