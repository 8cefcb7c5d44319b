"""The Acme domain services: one package, one image, `python -m acme_services <name>` runs one of them."""
