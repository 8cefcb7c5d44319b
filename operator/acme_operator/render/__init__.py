"""Shapes: (metadata, spec, facts) → manifests. Pure: no clock, no randomness, no I/O, so the same input is the same bytes."""
