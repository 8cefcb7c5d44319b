"""The start script of a Builtin PostgreSQL, run for real: one whole cluster or none, whatever happens in between."""

import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from acme_operator.providers.certificates import make_ca, make_server_certificate
from acme_operator.providers.contract import Server
from acme_operator.providers.errors import BadCredentials, ProviderError
from acme_operator.providers.postgres import Postgres
from acme_operator.providers.postgres_session import open_session
from acme_operator.render.postgres_config import postgresql_conf
from acme_operator.render.postgres_start import START_SCRIPT
from tests.plugins.postgres_server import _free_port, _unprivileged_user, binaries
from tests.plugins.waiting import eventually

pytestmark = [pytest.mark.asyncio, pytest.mark.postgres]


class Volume:
    """What a pod would have: the mounted files, a volume, and PostgreSQL's programs; and the script in it."""

    def __init__(self, programs: Path) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="acme-start-"))
        self.data = self.folder / "volume" / "pgdata"
        self.port = _free_port()
        self._user = _unprivileged_user()
        self._path = f"{programs}:{os.environ['PATH']}"
        self._process: subprocess.Popen[str] | None = None
        self.log = self.folder / "log"
        self._fill()

    def server(self) -> Server:
        """The way in by what is mounted."""
        return Server("localhost", self.port, "postgres", self.password.read_text(), self._ca)

    def start(self) -> None:
        """Start the script; it becomes PostgreSQL."""
        env = {"PGDATA": str(self.data), "PATH": self._path, "LC_ALL": "C.UTF-8"}
        script = ["/bin/sh", str(self.folder / "config" / "start.sh")]
        with self.log.open("w") as log:
            # A group of its own, so that a kill reaches what the script has started, as the end of a container does.
            self._process = subprocess.Popen(
                script, env=env, user=self._user, stdout=log, stderr=log, text=True, process_group=0
            )

    def kill(self) -> None:
        """End everything at once."""
        if self._process:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(10)

    def stop(self) -> int:
        """Stop as the kubelet does with this image: SIGINT to the first process. Gives the exit code."""
        assert self._process
        self._process.send_signal(signal.SIGINT)
        return self._process.wait(20)

    def failure(self) -> str:
        """What the script says when it gives up."""
        assert self._process
        assert self._process.wait(20) == 1
        return self.log.read_text()

    async def answers(self) -> bool:
        """Whether the server takes the mounted password over TLS."""
        assert self._process
        assert self._process.poll() is None, self.log.read_text()
        try:
            async with Postgres(self.server(), owner="shop/shop-db"):
                return True
        except BadCredentials:
            raise
        except ProviderError:
            return False

    def write(self, file: str, content: str) -> Path:
        """A file owned by the server's user."""
        path = self.folder / file
        path.parent.mkdir(exist_ok=True)
        path.write_text(content)
        path.chmod(0o600)
        self._give(path)
        self._give(path.parent)
        return path

    def _give(self, path: Path) -> None:
        if self._user:
            shutil.chown(path, self._user)

    def _fill(self) -> None:
        now = datetime.now(UTC)
        ca = make_ca("start CA", now, timedelta(days=1))
        pair = make_server_certificate(ca, ["localhost"], now, timedelta(days=1))
        self._ca = ca.certificate
        self.password = self.write("admin/password", "first'pass")
        self.write("tls/tls.crt", pair.certificate)
        self.write("tls/tls.key", pair.key)
        sockets = self.folder / "sockets"
        settings = f"port = {self.port}\nunix_socket_directories = '{sockets}'\n"
        self.write("config/postgresql.conf", postgresql_conf("256Mi") + settings)
        self.write("config/start.sh", self._script())
        for folder in (sockets, self.data.parent):
            folder.mkdir()
            self._give(folder)
        self._give(self.folder)

    def _script(self) -> str:
        script = START_SCRIPT.replace("/etc/acme", str(self.folder)).replace(
            "/var/run/postgresql", f"{self.folder}/sockets"
        )
        said = subprocess.run(
            ["postgres", "--version"], env={"PATH": self._path}, capture_output=True, text=True, check=True
        )
        major = int(re.findall(r"\d+", said.stdout)[0])
        # Older than what the product runs, this machine's programs lack the built-in locale; all else is the same.
        return script if major >= 17 else script.replace(" --locale-provider=builtin --builtin-locale=C.UTF-8", "")


@pytest.fixture
def volume() -> Iterator[Volume]:
    """A pod's worth of folders, removed with all that runs in it."""
    programs = binaries()
    if programs is None:
        pytest.skip("PostgreSQL's server is not installed: `apt-get install postgresql` provides initdb and postgres")
    made = Volume(programs)
    yield made
    made.kill()
    shutil.rmtree(made.folder)


async def test_an_empty_volume_becomes_a_server_that_wants_tls_and_the_mounted_password(volume: Volume) -> None:
    volume.start()
    await eventually(volume.answers, "the server answers")

    async with open_session(volume.server(), "postgres") as session:
        [[checksums]] = await session.fetch("select current_setting('data_checksums')")
        [[public]] = await session.fetch(
            "select count(*) from pg_database, aclexplode(datacl) a where a.grantee = 0 and datname in ('postgres', 'template1')"
        )
    assert (checksums, public) == ("on", 0)
    with pytest.raises(BadCredentials):
        async with open_session(
            Server("localhost", volume.port, "postgres", "first'pass", None, "disable"), "postgres"
        ):
            pass
    assert volume.stop() == 0


async def test_killed_while_the_cluster_is_made_it_starts_whole_the_next_time(volume: Volume) -> None:
    making = volume.data.with_name("pgdata.making")
    for half_way in ("PG_VERSION", "global", "base/1/PG_VERSION"):

        async def reached(mark: str = half_way) -> bool:
            return (making / mark).exists() or volume.data.exists()

        volume.start()
        await eventually(reached, f"initdb has made {half_way}")
        volume.kill()

    volume.start()
    await eventually(volume.answers, "the server answers")
    assert not making.exists()


async def test_a_volume_that_outlived_its_password_takes_the_new_one_and_keeps_its_data(volume: Volume) -> None:
    volume.start()
    await eventually(volume.answers, "the server answers")
    async with Postgres(volume.server(), owner="shop/shop-db") as provider:
        await provider.ensure_database("orders")
    volume.kill()
    volume.data.chmod(0o770)

    volume.write("admin/password", 'se"cond$HOME\\1')
    volume.start()
    await eventually(volume.answers, "the server answers")

    async with Postgres(volume.server(), owner="shop/shop-db") as provider:
        assert await provider.ensure_database("orders") == []
    assert "cond" not in volume.log.read_text()


async def test_a_volume_with_other_files_is_left_alone(volume: Volume) -> None:
    volume.data.mkdir()
    precious = volume.write("volume/pgdata/precious", "text")

    volume.start()

    assert "holds files and is no PostgreSQL cluster: empty it" in volume.failure()
    assert precious.read_text() == "text"


async def test_a_cluster_of_another_major_version_is_named_and_left_alone(volume: Volume) -> None:
    volume.data.mkdir()
    volume.write("volume/pgdata/PG_VERSION", "9\n")

    volume.start()

    assert "the volume holds PostgreSQL 9 and the image is PostgreSQL" in volume.failure()


async def test_a_missing_file_is_named(volume: Volume) -> None:
    (volume.folder / "tls" / "tls.key").unlink()

    volume.start()

    assert f"can't read {volume.folder}/tls/tls.key: see the pod's volumes" in volume.failure()
