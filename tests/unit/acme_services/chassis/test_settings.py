"""Settings from the environment."""

from pathlib import Path

import pytest

from acme_services.chassis.settings import SettingsError, read_settings


def test_an_empty_environment_gives_the_defaults() -> None:
    settings = read_settings({})

    assert (settings.grpc_port, settings.http_port) == (9090, 9464)
    assert settings.binding_root == Path("/bindings")


def test_each_variable_is_taken() -> None:
    settings = read_settings(
        {
            "SERVICE_BINDING_ROOT": "/b",
            "ACME_LISTEN_HOST": "::1",
            "ACME_GRPC_PORT": "1",
            "ACME_HTTP_PORT": "2",
            "ACME_LOG_LEVEL": "DEBUG",
            "ACME_MAX_CONCURRENT_RPCS": "3",
            "ACME_RPC_DEADLINE": "0.5",
            "ACME_STOP_DELAY": "0",
            "ACME_STOP_GRACE": "4",
            "ACME_DB_POOL_SIZE": "5",
        }
    )

    assert (settings.binding_root, settings.host, settings.log_level) == (Path("/b"), "::1", "debug")
    assert (settings.grpc_port, settings.http_port, settings.max_concurrent_rpcs, settings.pool_size) == (1, 2, 3, 5)
    assert (settings.rpc_deadline, settings.stop_delay, settings.stop_grace) == (0.5, 0.0, 4.0)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("ACME_GRPC_PORT", "70000"),
        ("ACME_GRPC_PORT", "-1"),
        ("ACME_HTTP_PORT", "tcp://10.0.0.1:80"),
        ("ACME_MAX_CONCURRENT_RPCS", "0"),
        ("ACME_MAX_CONCURRENT_RPCS", "1.5"),
        ("ACME_RPC_DEADLINE", "nan"),
        ("ACME_RPC_DEADLINE", "0"),
        ("ACME_STOP_GRACE", "inf"),
        ("ACME_LOG_LEVEL", "loud"),
    ],
)
def test_a_value_that_means_nothing_is_refused_by_the_name_of_its_variable(name: str, text: str) -> None:
    with pytest.raises(SettingsError, match=f"^{name} is '"):
        read_settings({name: text})
