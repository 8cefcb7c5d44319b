"""Loads the fixtures of tests/plugins; a plugin per real thing that tests talk to."""

pytest_plugins = [
    "tests.plugins.cluster",
    "tests.plugins.operator",
    "tests.plugins.controlplane",
    "tests.plugins.clusters",
    "tests.plugins.postgres",
]
