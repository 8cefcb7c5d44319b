"""Drivers of what lives outside Kubernetes: servers, their databases and logins. This room knows no Kubernetes object,
decides from what it observed, and tells every change it made."""
