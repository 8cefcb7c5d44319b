"""postgresql.conf of a Builtin PostgreSQL: memory from the declared size, TLS only, the rest PostgreSQL's own defaults."""

UNITS = {"": 1, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}

SMALLEST_BUFFERS = 32
"""MiB; below this the catalogues alone do not fit."""


def megabytes(quantity: str) -> int:
    """A Kubernetes quantity of memory in MiB, rounded down."""
    digits = quantity.rstrip("mkMGTi")
    return int(float(digits) * UNITS[quantity[len(digits) :]] / 2**20)


def postgresql_conf(memory: str) -> str:
    """The settings for a server that may use `memory` in all."""
    total = megabytes(memory)
    settings = {
        "listen_addresses": "'*'",
        "max_connections": "100",
        # A quarter for the cache and half as what the planner may count on, PostgreSQL's own advice.
        "shared_buffers": f"{max(SMALLEST_BUFFERS, total // 4)}MB",
        "effective_cache_size": f"{max(SMALLEST_BUFFERS, total // 2)}MB",
        "password_encryption": "'scram-sha-256'",
        "ssl": "on",
        "ssl_min_protocol_version": "'TLSv1.3'",
        "unix_socket_directories": "'/run/postgresql'",
        "log_destination": "'stderr'",
        "logging_collector": "off",
        # A statement may hold what a client wrote into it, so only the server's own words are logged.
        "log_statement": "'none'",
        "log_min_error_statement": "panic",
        "log_min_duration_statement": "-1",
    }
    return "".join(f"{key} = {value}\n" for key, value in settings.items())
