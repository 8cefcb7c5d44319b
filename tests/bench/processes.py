"""The two things measured, as processes of their own: the operator as in production, and the floor; what each has used."""

import asyncio
import os
import shutil
import socket
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import aiohttp

from acme_local.controlplanes import ControlPlane
from tests.bench.calls import BenchError

SideName = Literal["operator", "floor"]
USERS: Mapping[SideName, str] = {"operator": "bench-operator", "floor": "bench-floor"}
_ROOT = Path(__file__).parents[2]
_TICKS = os.sysconf("SC_CLK_TCK")
_PATIENCE = 60


@dataclass(frozen=True, slots=True)
class Running:
    """A started process, and the file of its output."""

    process: asyncio.subprocess.Process
    log: Path

    def cpu_ms(self) -> float:
        """Processor time used until now, in steps of 10 ms."""
        return cpu_ms(self.process.pid)

    def memory_mib(self, field: str = "VmRSS") -> float:
        """Resident memory now, or its peak (`VmHWM`)."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(field)) / 1024

    def last_words(self) -> str:
        """How it is, and the end of its output, for an error."""
        code = self.process.returncode
        state = "it still runs" if code is None else f"it ended with {code}"
        return f"{state}, and said last:\n{_end_of(self.log)}"

    async def kill(self) -> None:
        """End it without a chance to say goodbye."""
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()


class Starter:
    """Starts either side against one control plane; their output goes to files in `logs`."""

    def __init__(self, plane: ControlPlane, logs: Path) -> None:
        self.plane = plane
        self._logs = logs
        self._kubeconfigs = {side: plane.kubeconfig_for(user, "system:masters") for side, user in USERS.items()}

    async def start(self, side: SideName, namespace: str) -> Running:
        """The process, once it has its lists and serves."""
        return await (self._operator() if side == "operator" else self._floor(namespace))

    async def _operator(self) -> Running:
        port = _free_port()
        environment = {
            "KUBECONFIG": str(self._kubeconfigs["operator"]),
            "ACME_PLATFORM_CONFIG": str(_ROOT / "config" / "platform.yaml"),
            "ACME_HTTP_PORT": str(port),
        }
        log = self._logs / "operator.log"
        with log.open("ab") as out:
            process = await _spawn(["acme_operator"], environment, asyncio.subprocess.DEVNULL, out.fileno())
        await _answers(process, f"http://127.0.0.1:{port}/readyz", log)
        return Running(process, log)

    async def _floor(self, namespace: str) -> Running:
        log = self._logs / "floor.log"
        words = ["tests.bench.floor", str(self._kubeconfigs["floor"]), namespace]
        with log.open("ab") as out:
            process = await _spawn(words, {}, asyncio.subprocess.PIPE, out.fileno())
        line = await asyncio.wait_for(process.stdout.readline(), _PATIENCE) if process.stdout else b""
        if line != b"ready\n":
            raise BenchError(f"the floor did not start: {_end_of(log)}")
        return Running(process, log)


def cpu_ms(pid: int) -> float:
    """Processor time of a process and its threads, in milliseconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / _TICKS


async def _spawn(
    words: Sequence[str], environment: Mapping[str, str], stdout: int, stderr: int
) -> asyncio.subprocess.Process:
    # A benchmark that is killed must leave no operator behind.
    prefix = ["setpriv", "--pdeathsig", "KILL", "--"] if shutil.which("setpriv") else []
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(("ACME_", "KUBE"))}
    paths = os.pathsep.join(str(_ROOT / each) for each in ("operator", "config/local", "."))
    settings = {**inherited, "PYTHONPATH": paths, **environment}
    command = [*prefix, sys.executable, "-m", *words]
    return await asyncio.create_subprocess_exec(*command, env=settings, stdout=stdout, stderr=stderr)


async def _answers(process: asyncio.subprocess.Process, url: str, log: Path) -> None:
    deadline = asyncio.get_running_loop().time() + _PATIENCE
    async with aiohttp.ClientSession() as session:
        while not await _is_ok(session, url):
            if process.returncode is not None or asyncio.get_running_loop().time() > deadline:
                raise BenchError(f"the operator is not ready: {_end_of(log)}")
            await asyncio.sleep(0.05)


async def _is_ok(session: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with session.get(url) as response:
            return response.ok
    except aiohttp.ClientError:
        return False


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def _end_of(log: Path) -> str:
    return "\n".join(log.read_text().splitlines()[-15:])
