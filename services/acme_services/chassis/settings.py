"""The settings of every service process, read once from the environment; nothing below reads it again."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path


class SettingsError(Exception):
    """An environment variable holds what it cannot mean; the text names it and what it takes."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What an operator of the process may choose; durations are seconds."""

    # SERVICE_BINDING_ROOT: the folder with a sub-folder for each dependency.
    binding_root: Path
    # ACME_LISTEN_HOST: every address by default, because the kubelet and the peers come from outside the pod.
    host: str
    # ACME_GRPC_PORT: where the service answers; 0 takes a free one.
    grpc_port: int
    # ACME_HTTP_PORT: /livez, /readyz and /metrics; apart from the service so that probes are never shed.
    http_port: int
    # ACME_LOG_LEVEL: debug, info, warning or error.
    log_level: str
    # ACME_MAX_CONCURRENT_RPCS: further calls are refused at once, since a queue only makes everybody late.
    max_concurrent_rpcs: int
    # ACME_RPC_DEADLINE: the longest a call may take when its caller sets no deadline, or a later one.
    rpc_deadline: float
    # ACME_STOP_DELAY: how long a stopping process still takes calls, until all load balancers have read its readiness.
    stop_delay: float
    # ACME_STOP_GRACE: how long calls in flight may go on after that; with the delay less than the pod's own grace.
    stop_grace: float
    # ACME_DB_POOL_SIZE: connections a process may hold; times the replicas, it must fit in max_connections.
    pool_size: int


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Settings from the environment with their defaults; SettingsError names the variable that is wrong."""
    read = _Reader(environment)
    return Settings(
        binding_root=Path(environment.get("SERVICE_BINDING_ROOT") or "/bindings"),
        host=environment.get("ACME_LISTEN_HOST") or "0.0.0.0",  # noqa: S104 - see the field
        grpc_port=read.whole("ACME_GRPC_PORT", 9090, 0, 65535),
        http_port=read.whole("ACME_HTTP_PORT", 9464, 0, 65535),
        log_level=read.word("ACME_LOG_LEVEL", "info", ("debug", "info", "warning", "error")),
        max_concurrent_rpcs=read.whole("ACME_MAX_CONCURRENT_RPCS", 256, 1, 100_000),
        rpc_deadline=read.seconds("ACME_RPC_DEADLINE", 10.0, 0.001, 3600.0),
        stop_delay=read.seconds("ACME_STOP_DELAY", 3.0, 0.0, 300.0),
        stop_grace=read.seconds("ACME_STOP_GRACE", 20.0, 0.0, 3600.0),
        pool_size=read.whole("ACME_DB_POOL_SIZE", 10, 1, 1000),
    )


@dataclass(frozen=True, slots=True)
class _Reader:
    environment: Mapping[str, str]

    def whole(self, name: str, default: int, least: int, most: int) -> int:
        return self._number(name, default, (least, most), int)

    def seconds(self, name: str, default: float, least: float, most: float) -> float:
        return self._number(name, default, (least, most), float)

    def word(self, name: str, default: str, known: tuple[str, ...]) -> str:
        text = (self.environment.get(name) or default).lower()
        if text not in known:
            raise SettingsError(f"{name} is {text[:30]!r}: use one of {', '.join(known)}")
        return text

    def _number[N: (int, float)](self, name: str, default: N, bounds: tuple[N, N], convert: Callable[[str], N]) -> N:
        text = self.environment.get(name)
        if not text:
            return default
        # float() also takes "nan" and "1_0", which nobody means.
        if not re.fullmatch(r"[0-9]+(\.[0-9]+)?", text):
            raise SettingsError(f"{name} is {text[:30]!r}: it takes a number from {bounds[0]} to {bounds[1]}")
        try:
            number = convert(text)
        except ValueError as error:
            raise SettingsError(f"{name} is {text[:30]!r}: it takes a whole number") from error
        if not bounds[0] <= number <= bounds[1]:
            raise SettingsError(f"{name} is {text[:30]!r}: it takes a number from {bounds[0]} to {bounds[1]}")
        return number
