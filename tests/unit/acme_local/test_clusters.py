"""A cluster's name decides its folders, addresses and devices."""

from pathlib import Path

import pytest

from acme_local.clusters import Cluster
from acme_local.failures import LocalError


def test_the_default_cluster_has_the_short_kubeconfig_path() -> None:
    assert Cluster(repository=Path("/src")).kubeconfig == Path("/src/.local/kubeconfig")


def test_another_cluster_keeps_everything_in_its_own_folder() -> None:
    other = Cluster("other", Path("/src"))

    assert other.kubeconfig == Path("/src/.local/other/kubeconfig")
    assert other.logs == Path("/src/.local/other/logs")


def test_two_clusters_share_no_address_and_no_device() -> None:
    one, other = Cluster("acme"), Cluster("e2e")

    places = [one.host_address, one.node_address, other.host_address, other.node_address]
    assert len(set(places)) == len(places)
    assert one.device != other.device


def test_the_two_ends_of_a_link_are_in_one_block_of_four() -> None:
    last = [int(Cluster("e2e").node_address.split(".")[3]), int(Cluster("e2e").host_address.split(".")[3])]

    assert last[0] // 4 == last[1] // 4
    assert [each % 4 for each in last] == [1, 2]


@pytest.mark.parametrize("name", ["", "Upper", "1st", "with space", "a" * 21, "../up", "under_score"])
def test_a_name_that_cannot_stand_in_paths_is_refused_with_the_rule(name: str) -> None:
    with pytest.raises(LocalError, match="lower-case letters"):
        Cluster(name)


def test_sockets_stay_within_the_kernels_limit_for_the_longest_name() -> None:
    socket = Cluster("a" * 20).run / "containerd" / "containerd.sock.ttrpc"

    assert len(str(socket)) < 108
