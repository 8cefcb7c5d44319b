"""What an identity has asked of the API server, by the server's own audit log."""

import json
from dataclasses import dataclass
from pathlib import Path

_WRITES = frozenset({"create", "update", "patch", "delete", "deletecollection"})


@dataclass(frozen=True)
class Audit:
    """The requests of one user in one namespace."""

    log: Path
    user: str
    namespace: str

    def requests(self) -> list[str]:
        """Each answered request as `verb resource/name` (or `/status`), in order."""
        found = []
        for line in self.log.read_text().splitlines():
            if self.namespace not in line:
                continue  # parsing the log of a whole run takes seconds
            entry = json.loads(line)
            about = entry.get("objectRef", {})
            if entry["user"]["username"] == self.user and about.get("namespace") == self.namespace:
                name = about.get("name", "") + (f"/{about['subresource']}" if "subresource" in about else "")
                found.append(f"{entry['verb']} {about['resource']}/{name}")
        return found

    def writes(self) -> list[str]:
        """Those that were to change something."""
        return [request for request in self.requests() if request.split()[0] in _WRITES]
