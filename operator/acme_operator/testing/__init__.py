"""What tests of the operator, and of things built on it, need: a fake cluster, a clock that stands still, builders.

Public to tests; nothing that runs in a cluster imports it. The contract suite holds the fake to the real API server.
"""

from acme_operator.testing.builders import NOW, FixedClock, manifest
from acme_operator.testing.fake import FakeCluster, Request

__all__ = ["NOW", "FakeCluster", "FixedClock", "Request", "manifest"]
