"""A real PostgreSQL server as a child process, on loopback, with TLS and SCRAM; it knows no test and no fixture."""

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.plugins.tls import make_authority, write_server_pair

_DEADLINE = 30.0
_HBA = "local all all scram-sha-256\nhostssl all all 127.0.0.1/32 scram-sha-256\n"
# Popen(user=…) forks, and a fork of a process with gRPC's threads in it hangs; this changes the user in the child alone.
_AS_USER = (
    "import os, pwd, sys; user = pwd.getpwnam(sys.argv[1]); os.setgroups([]); os.setgid(user.pw_gid);"
    " os.setuid(user.pw_uid); os.execv(sys.argv[2], sys.argv[2:])"
)
# Durability is not what these tests ask for, and a shared disk's fsync would be most of their time.
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "ssl": "on",
    "password_encryption": "scram-sha-256",
    "fsync": "off",
    "max_connections": "200",
    "shared_buffers": "32MB",
    "log_statement": "all",
}


def binaries() -> Path | None:
    """The folder that holds initdb and postgres on this machine, the newest version first; None when there is none."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True)
    on_path = shutil.which("initdb")
    candidates = [*installed, *([Path(on_path).resolve().parent] if on_path else [])]
    return next((path for path in candidates if (path / "initdb").exists() and (path / "postgres").exists()), None)


class PostgresServer:
    """One server with its own folder, port, CA and superuser; `start`, `crash` and `stop` come in any order."""

    host = "127.0.0.1"
    superuser = "postgres"

    def __init__(self, binary_folder: Path) -> None:
        self._bin = binary_folder
        self._process: subprocess.Popen[bytes] | None = None
        self.folder = Path(tempfile.mkdtemp(prefix="acme-pg-"))
        self.password = secrets.token_urlsafe(16)
        self.port = _free_port()
        self.ca = self.folder / "ca.crt"
        self.log = self.folder / "server.log"
        self._data = self.folder / "data"
        self._user = _unprivileged_user()

    @property
    def ca_pem(self) -> str:
        """The CA's certificate as text."""
        return self.ca.read_text()

    @property
    def is_running(self) -> bool:
        """Whether the server's process is alive."""
        return self._process is not None and self._process.poll() is None

    def create(self) -> None:
        """Make certificates and an empty cluster; once, before the first start."""
        authority = make_authority()
        self.ca.write_bytes(authority.pem)
        write_server_pair(authority, self.folder)
        password_file = self.folder / "superuser"
        password_file.write_text(self.password)
        self._give_away()
        initdb = [str(self._bin / "initdb"), "-D", str(self._data), "-U", self.superuser, f"--pwfile={password_file}"]
        options = ["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
        command = self._command([*initdb, *options])
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"initdb failed: {done.stderr}")
        password_file.unlink()
        (self._data / "pg_hba.conf").write_text(_HBA)

    def start(self) -> None:
        """Start the server and return when it accepts connections."""
        settings = _SETTINGS | {
            "port": str(self.port),
            "unix_socket_directories": str(self.folder),
            "ssl_cert_file": str(self.folder / "tls.crt"),
            "ssl_key_file": str(self.folder / "tls.key"),
        }
        flags = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
        with self.log.open("ab") as log:
            command = self._command([str(self._bin / "postgres"), "-D", str(self._data), *flags])
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        self._wait_until_ready()

    def crash(self) -> None:
        """End the server at once, as a power cut does: no client is told, recovery runs at the next start."""
        self._end(signal.SIGQUIT)

    def stop(self) -> None:
        """Stop the server if it runs."""
        self._end(signal.SIGINT)

    def remove(self) -> None:
        """Stop the server and delete all it wrote."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _end(self, how: signal.Signals) -> None:
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.send_signal(how)
        self._process.wait(_DEADLINE)
        self._process = None

    def _command(self, arguments: list[str]) -> list[str]:
        if self._user is None:
            return arguments
        return [sys.executable, "-I", "-c", _AS_USER, self._user, *arguments]

    def _give_away(self) -> None:
        if self._user is None:
            return
        for path in [self.folder, *self.folder.iterdir()]:
            shutil.chown(path, self._user)

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + _DEADLINE
        while not self._says_ready():
            if not self.is_running or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start: {self.log.read_text()[-2000:]}")
            time.sleep(0.02)

    def _says_ready(self) -> bool:
        # The eighth line of the lock file is the postmaster's own word; the first guards against a dead one's file.
        assert self._process is not None
        try:
            lines = (self._data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return len(lines) >= 8 and lines[0] == str(self._process.pid) and lines[7].strip() == "ready"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _unprivileged_user() -> str | None:
    """PostgreSQL refuses to run as root; anybody else runs it as himself."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in known else "nobody"
