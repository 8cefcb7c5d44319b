"""Whatever befalls the requests, the world ends in the same state."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from acme_local.controlplanes import ControlPlane
from acme_operator.engine.connection import Connection, from_kubeconfig
from acme_operator.engine.kinds import DEPLOYMENT, SERVICE
from acme_operator.engine.kube import Kube, Limits
from tests.plugins.clusters import THING, Bench, real_bench
from tests.plugins.faulty_proxy import (
    Fault,
    FaultyProxy,
    broken_stream,
    cut,
    ended_stream,
    expired_stream,
    faulty_proxy,
    lost,
    refused,
    silent_stream,
)
from tests.plugins.keeper import keeping, until_right, want
from tests.plugins.waiting import eventually

pytestmark = [pytest.mark.asyncio, pytest.mark.controlplane]
PATIENT = Limits(request=5)
IMPATIENT = Limits(request=5, silence=2)


@asynccontextmanager
async def shop(plane: ControlPlane) -> AsyncIterator[tuple[Bench, FaultyProxy]]:
    direct = from_kubeconfig(plane.kubeconfig)
    async with real_bench(plane) as bench, faulty_proxy(direct) as proxy:
        yield bench, proxy


async def a_life(bench: Bench) -> None:
    """Made, changed, robbed of a child, edited by hand, changed again: and right after each."""
    await want(bench, word="one", extras=["a", "b"])
    await until_right(bench)
    await want(bench, word="two", extras=["b"])
    await until_right(bench)
    await bench.remove(bench.ref(SERVICE, "shop"))
    await until_right(bench)
    port = {"containerPort": 9999, "protocol": "TCP"}
    await bench.edit(bench.ref(DEPLOYMENT, "shop"), "/spec/template/spec/containers/0/ports/-", port, op="add")
    await until_right(bench)
    await want(bench, word="three", extras=["c"])
    await until_right(bench)


FAULTS = {
    "nothing": [],
    "409 on applies": [Fault("PATCH", refused(409, "Conflict"), times=4)],
    "429 with Retry-After": [Fault("PATCH", refused(429, Retry_After="1"), times=3)],
    "429 on lists and watches": [Fault("GET", refused(429, Retry_After="1"), times=3), Fault("WATCH", refused(429))],
    "500 on everything at first": [Fault(method, refused(500), times=4) for method in ("GET", "PATCH", "DELETE")],
    "503 in HTML": [Fault("PATCH", refused(503), times=6)],
    "connections cut before the deed": [Fault(method, cut, times=4) for method in ("GET", "PATCH", "DELETE")],
    "answers lost after the deed": [Fault("PATCH", lost, times=6), Fault("DELETE", lost)],
    "the answer to a status lost": [Fault("PATCH", lost, "/status", times=2)],
    "403 for a while": [Fault("PATCH", refused(403, "Forbidden"), "/shop", times=5)],
    "401 for a while": [Fault("PATCH", refused(401, "Unauthorized"), times=2)],
    "410 instead of watches": [Fault("WATCH", refused(410, "Expired"), times=9)],
    "410 within watches": [Fault("WATCH", expired_stream, times=9)],
    "watches that end at once": [Fault("WATCH", ended_stream, times=9)],
    "watches that break in a line": [Fault("WATCH", broken_stream, times=9)],
    "watches that fall silent": [Fault("WATCH", silent_stream, times=9)],
}


@pytest.mark.parametrize("name", FAULTS)
async def test_the_end_is_the_same_whatever_befalls_the_requests(control_plane: ControlPlane, name: str) -> None:
    async with shop(control_plane) as (bench, proxy):
        faults = [Fault(fault.method, fault.answer, fault.ending, fault.times) for fault in FAULTS[name]]
        proxy.faults.extend(faults)
        limits = IMPATIENT if "silent" in name else PATIENT
        async with through(proxy, limits) as kube, keeping(kube, bench.namespace):
            await a_life(bench)

    assert [fault for fault in faults if fault.times] == []


async def test_a_change_in_the_gap_of_a_cut_watch_is_seen(control_plane: ControlPlane) -> None:
    async with shop(control_plane) as (bench, proxy), through(proxy) as kube, keeping(kube, bench.namespace):
        await want(bench, word="one")
        await until_right(bench)
        refusing = Fault("WATCH", refused(503), times=9)
        proxy.faults.append(refusing)
        proxy.cut_watches()
        await bench.remove(bench.ref(DEPLOYMENT, "shop"))
        await want(bench, word="two")
        await until_right(bench)

    assert refusing.times == 0


async def test_a_deletion_that_falls_into_a_gap_that_no_watch_can_bridge_is_seen(control_plane: ControlPlane) -> None:
    async with shop(control_plane) as (bench, proxy), through(proxy) as kube, keeping(kube, bench.namespace):
        await want(bench, word="one")
        await until_right(bench)
        proxy.faults.append(Fault("WATCH", refused(410, "Expired"), times=9))
        proxy.cut_watches()
        await bench.remove(bench.ref(DEPLOYMENT, "shop"))
        await until_right(bench)


async def test_an_outage_of_everything_ends_the_same(control_plane: ControlPlane) -> None:
    async with shop(control_plane) as (bench, proxy), through(proxy) as kube, keeping(kube, bench.namespace):
        await want(bench, word="one")
        await until_right(bench)
        outage = [Fault(method, cut, times=10**6) for method in ("WATCH", "GET", "PATCH", "DELETE")]
        proxy.faults.extend(outage)
        proxy.cut_watches()
        await want(bench, word="two", extras=["a"])
        await bench.remove(bench.ref(SERVICE, "shop"))
        await eventually(_tried(outage[0], 9), "every watch was tried again")
        proxy.faults.clear()
        await until_right(bench)


def _tried(fault: Fault, times: int) -> Any:
    async def question() -> bool:
        return fault.times <= 10**6 - times

    return question


@asynccontextmanager
async def through(proxy: FaultyProxy, limits: Limits = PATIENT) -> AsyncIterator[Kube]:
    async with Kube(Connection(proxy.url), [THING], limits=limits) as kube:
        yield kube
