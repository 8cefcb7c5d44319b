"""The bare floor: a client that does an operator's writes and nothing else. `python -m tests.bench.floor KUBECONFIG NAMESPACE`.

It applies the children of every AcmeService that changed, unless its watch cache shows every wanted field, and then one
status. No queue, no order, no retry, no pruning, no repair, no events: a bound to compare with, not an operator.
"""

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from acme_operator.api.meta import API_VERSION
from acme_operator.engine.cluster import Kind
from tests.bench.calls import APPLY, Calls, Manifest
from tests.bench.mirror import Mirror
from tests.bench.work import CHILDREN, OWNER, Template

_MANAGER = "bench-floor"


def has_all(live: Any, wanted: Any) -> bool:
    """Whether every wanted field is live; fields that the server or others added do not count."""
    if live is None:
        return wanted is None or wanted in ("", {}, [])  # The server drops what is empty.
    if isinstance(wanted, dict):
        return isinstance(live, dict) and all(has_all(live.get(field), value) for field, value in wanted.items())
    if isinstance(wanted, list):
        return isinstance(live, list) and len(live) == len(wanted) and all(map(has_all, live, wanted))
    return bool(live == wanted)


class Floor:
    """Serves one namespace until it is killed."""

    def __init__(self, calls: Calls, namespace: str) -> None:
        self._calls = calls
        self._namespace = namespace
        self._template = Template()
        self._mirror = Mirror(calls, namespace, self._heard)
        self._handled: dict[str, int] = {}
        self._passes: set[asyncio.Task[None]] = set()
        self._failed = asyncio.get_running_loop().create_future()

    async def run(self) -> None:
        """Say `ready` on stdout when the lists are in; a refused write ends the process, for the run is then worth nothing."""
        async with self._mirror.following([*CHILDREN, OWNER]):
            sys.stdout.write("ready\n")
            sys.stdout.flush()
            await self._failed

    def _heard(self, kind: Kind, item: Manifest) -> None:
        generation = item["metadata"].get("generation", 0)
        if kind is not OWNER or self._handled.get(item["metadata"]["uid"]) == generation:
            return
        self._handled[item["metadata"]["uid"]] = generation
        task = asyncio.create_task(self._pass(item))
        self._passes.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._passes.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None and not self._failed.done():
            self._failed.set_exception(error)

    async def _pass(self, owner: Manifest) -> None:
        name = owner["metadata"]["name"]
        children = self._template.children(owner)
        await asyncio.gather(*(self._child(kind, name, body) for kind, body in children))
        path = f"{OWNER.path(self._namespace, name)}/status"
        await self._apply(path, orjson.dumps(_status(owner)))

    async def _child(self, kind: Kind, name: str, body: bytes) -> None:
        live = self._mirror.objects.get((kind, name))
        if live is None or not has_all(live, orjson.loads(body)):
            await self._apply(kind.path(self._namespace, name), body)

    async def _apply(self, path: str, body: bytes) -> None:
        await self._calls.send("PATCH", path, body, APPLY, {"fieldManager": _MANAGER, "force": "true"})


def _status(owner: Manifest) -> Manifest:
    generation = owner["metadata"]["generation"]
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    common = {"observedGeneration": generation, "lastTransitionTime": now, "reason": "Applied", "message": "applied"}
    conditions = [{"type": kind, "status": "Unknown", **common} for kind in ("Ready", "Available", "Reconciling")]
    return {
        "apiVersion": API_VERSION,
        "kind": OWNER.kind,
        "metadata": {"name": owner["metadata"]["name"], "namespace": owner["metadata"]["namespace"]},
        "status": {"observedGeneration": generation, "conditions": conditions},
    }


async def _main(kubeconfig: str, namespace: str) -> None:
    async with Calls(Path(kubeconfig)) as calls:
        await Floor(calls, namespace).run()


if __name__ == "__main__":
    asyncio.run(_main(*sys.argv[1:]))
