"""Starts the product service."""

from acme_services.chassis.run import start
from acme_services.product.wiring import assemble

if __name__ == "__main__":
    start("product", assemble)
