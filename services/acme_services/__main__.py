"""`python -m acme_services <name>`: runs the service of that name; the list of services stands here only."""

import runpy
import signal
import sys

SERVICES = ("product",)


def main(arguments: list[str]) -> int:
    """Run the service that `arguments` names; 2 with a sentence when there is none of that name."""
    if len(arguments) != 1 or arguments[0] not in SERVICES:
        asked = " ".join(arguments) or "no name"
        sys.stderr.write(f"acme_services: {asked!r} is not a service; name one of: {', '.join(SERVICES)}\n")
        return 2
    # As process 1 of a container a signal without a handler is lost, also in the second that imports take.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    runpy.run_module(f"acme_services.{arguments[0]}", run_name="__main__")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
