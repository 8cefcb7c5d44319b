"""`python -m acme_operator`: read the settings, connect, serve until told to stop."""

import asyncio
import os
import sys

from acme_operator import settings
from acme_operator.engine.connection import ConnectionConfigError
from acme_operator.handlers import logs, startup


def main() -> int:
    """The exit code: 2 where a setting is wrong, with one sentence that says which."""
    try:
        told = settings.read(os.environ)
        connection = startup.connection(os.environ)
    except (settings.SettingsError, ConnectionConfigError) as error:
        sys.stderr.write(f"acme-operator: {error}\n")
        return 2
    logs.configure(told.log_level)
    asyncio.run(startup.run(told, connection))
    return 0


if __name__ == "__main__":
    sys.exit(main())
