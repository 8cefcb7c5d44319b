"""The fixture of a real API server with etcd and controllers: no node, no root, a few seconds to start."""

from collections.abc import Iterator

import pytest

from acme_local import builds, programs, toolchains
from acme_local.controlplanes import ControlPlane
from acme_local.failures import LocalError


def why_no_control_plane() -> str:
    """Why no control plane can run here; empty when it can."""
    if builds.folder(programs.NODE).exists():
        return ""
    try:
        toolchains.go()
    except LocalError as error:
        return f"the control plane can't be built here: {error}"
    return ""


@pytest.fixture(scope="session")
def control_plane() -> Iterator[ControlPlane]:
    """One control plane for the whole run; a test keeps to a namespace of its own."""
    if reason := why_no_control_plane():
        pytest.skip(reason)
    with ControlPlane("tests") as plane:
        yield plane
