"""What every service process needs: settings, life cycle, transports, database, telemetry; no business word in it."""
