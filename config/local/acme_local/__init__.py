"""A real Kubernetes on one Linux machine: its binaries, its processes, its network, its images.

This package knows nothing of the operator's code; it only builds the operator's image and installs its chart.
Nothing here may need more than the standard library, PyYAML and cryptography.
"""
