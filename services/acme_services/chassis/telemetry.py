"""Logs and metrics: one JSON event a line on standard output, one registry a process; started once, in `run`."""

import json
import logging
import sys
import traceback
from datetime import UTC, datetime

from prometheus_client import CollectorRegistry, Gauge, Histogram
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from acme_services.chassis.readiness import Readiness

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
# From a cached read to a call at its deadline.
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1.0, 2.5, 5.0, 10.0)


class JsonLines(logging.Formatter):
    """A record as one line of JSON: time, level, logger, a constant event, and the values given as `extra`."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        """The line for `record`, without its line feed."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "service": self._service,
            "logger": record.name,
            "event": record.getMessage(),
        }
        line |= {key: value for key, value in vars(record).items() if key not in _STANDARD}
        if record.exc_info and record.exc_info[0]:
            line["exception"] = "".join(traceback.format_exception(*record.exc_info))
        return json.dumps(line, default=str)


def start_logging(service: str, level: str) -> None:
    """Send every record of the process to standard output as JSON lines."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonLines(service))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    # It reports each step of each migration at this level, under our own event already.
    logging.getLogger("yoyo").setLevel(logging.WARNING)


class Metrics:
    """The registry of one process, with what every service measures."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self.rpc_seconds = Histogram(
            "acme_rpc_server_duration_seconds",
            "Time to answer a call, by method and status code",
            ("method", "code"),
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self.rpc_in_flight = Gauge("acme_rpc_server_in_flight", "Calls being answered", registry=self.registry)
        self.ready = Gauge("acme_ready", "1 when the process may be sent work", registry=self.registry)

    def follow(self, readiness: Readiness) -> None:
        """Keep the ready gauge true."""
        readiness.listen(self.ready.set)
