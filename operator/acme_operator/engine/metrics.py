"""What the engine counts, in the Prometheus format. Labels are few and bounded: never an object's name."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_SECONDS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Metrics:
    """The engine's meters on one registry; each test makes its own."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry = registry or CollectorRegistry()
        self.reconciles = Counter(
            "acme_reconciles_total", "Finished reconciles", ["kind", "outcome"], registry=registry
        )
        self.seconds = Histogram(
            "acme_reconcile_seconds", "Duration of a reconcile", ["kind"], buckets=_SECONDS, registry=registry
        )
        self.depth = Gauge("acme_queue_depth", "Keys waiting for a worker", registry=registry)
        self.oldest = Gauge("acme_queue_oldest_seconds", "Age of the longest waiting key", registry=registry)
        self.watch_age = Gauge(
            "acme_watch_age_seconds", "Seconds since a watch last gave a sign of life", ["kind"], registry=registry
        )
        self.writes = Counter(
            "acme_writes_total", "Requests that change the cluster", ["verb", "kind"], registry=registry
        )
        self.skipped = Counter(
            "acme_applies_skipped_total", "Children that were found as wanted and not applied", registry=registry
        )
        self.errors = Counter("acme_errors_total", "Failed reconciles by class of error", ["reason"], registry=registry)
