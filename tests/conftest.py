"""Loads the fixtures of tests/plugins; a plugin per real thing that tests talk to."""

pytest_plugins = ["tests.plugins.operator", "tests.plugins.controlplane", "tests.plugins.postgres"]
