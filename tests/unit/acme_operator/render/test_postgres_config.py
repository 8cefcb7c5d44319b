"""postgresql.conf follows the declared memory."""

import pytest

from acme_operator.render.postgres_config import megabytes, postgresql_conf


@pytest.mark.parametrize(("quantity", "expected"), [("1Gi", 1024), ("512Mi", 512), ("1G", 953), ("1073741824", 1024)])
def test_a_quantity_of_memory_is_read_as_mebibytes(quantity: str, expected: int) -> None:
    assert megabytes(quantity) == expected


def test_a_quarter_of_the_memory_is_cache() -> None:
    assert "shared_buffers = 256MB\n" in postgresql_conf("1Gi")


def test_a_tiny_server_still_gets_a_cache() -> None:
    assert "shared_buffers = 32MB\n" in postgresql_conf("64Mi")
