"""Real MariaDB servers: Debian's mariadbd, as an unprivileged user, installed once and copied."""

from __future__ import annotations

import signal
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Any, Protocol

import aiomysql
import pytest

from tests.fix_process import ServerProcess, free_port, program, run, workspace
from tests.fix_tls import make_certificates

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.fix_tls import Certificates

MONITOR, BARE, PASSWORD = "dbwatch", "dbwatch_bare", "monitor-pass"

OPTIONS = (
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-flush-method=nosync",
    "--innodb-doublewrite=0",
    "--innodb-buffer-pool-size=32M",
    "--innodb-log-file-size=8M",
    "--sync-binlog=0",
    "--log-bin=binlog",
    "--gtid-strict-mode=1",
    "--skip-name-resolve",
)
ROLES = f"""
CREATE USER '{MONITOR}'@'127.0.0.1' IDENTIFIED BY '{PASSWORD}' WITH MAX_USER_CONNECTIONS 4;
GRANT PROCESS, BINLOG MONITOR, SLAVE MONITOR ON *.* TO '{MONITOR}'@'127.0.0.1';
GRANT SELECT ON performance_schema.* TO '{MONITOR}'@'127.0.0.1';
CREATE USER '{BARE}'@'127.0.0.1' IDENTIFIED BY '{PASSWORD}';
CREATE USER 'replicator'@'127.0.0.1' IDENTIFIED BY '{PASSWORD}';
GRANT REPLICATION SLAVE ON *.* TO 'replicator'@'127.0.0.1';
"""


class Mariadb(ServerProcess):
    """One server that a test may start, stop, crash and configure as it likes."""

    quick_options: tuple[str, ...] = OPTIONS

    def __init__(self, directory: Path, *options: str) -> None:
        super().__init__(directory)
        self.data_directory = directory / "data"
        self.socket = directory / "mariadb.sock"
        self.host, self.port = "127.0.0.1", free_port()
        self.user, self.password = MONITOR, PASSWORD
        self.options = [*self.quick_options, *options]

    def server_program(self) -> list[Path]:
        return [program("mariadbd", want="mariadb-server-core")]

    def client_program(self) -> list[Path]:
        return [program("mariadb", want="mariadb-client-core")]

    def instance(self, *, user: str = MONITOR, **overrides: object) -> dict[str, object]:
        """This server as an entry of dbwatch's `instances`."""
        monitor = {"user": user, "password": PASSWORD}
        return {"engine": "mysql", "host": self.host, "port": self.port, "monitor": monitor} | overrides

    def start(self, timeout_seconds: float = 60.0) -> Mariadb:
        """Start, and come back when it takes connections."""
        self.launch()
        self.wait_ready(self._accepts, timeout_seconds)
        return self

    def launch(self) -> None:
        """Start and do not wait. Options given twice: the last one wins."""
        where = [f"--datadir={self.data_directory}", f"--socket={self.socket}", f"--tmpdir={self.directory}"]
        network = ["--bind-address=127.0.0.1", f"--port={self.port}", f"--server-id={self.port}"]
        self.spawn([*self.server_program(), "--no-defaults", *where, *network, *self.options])

    def stop(self) -> None:
        self.end(signal.SIGTERM)

    def restart(self) -> None:
        self.stop()
        self.start()

    def sql(self, statements: str, database: str = "mysql") -> str:
        """Run statements as root through the client: rows by line, columns by tab."""
        options = ["--no-defaults", "--batch", "--skip-column-names", f"--socket={self.socket}", "--user=root"]
        return run([*self.client_program(), *options, database], self.directory, stdin=statements).strip()

    async def connect(self, user: str = MONITOR, *, password: str = PASSWORD, **options: Any) -> aiomysql.Connection:
        """Log in over TCP as anybody; the caller closes."""
        where = {"host": self.host, "port": self.port} | options
        return await aiomysql.connect(user=user, password=password, autocommit=True, **where)

    async def admin(self, database: str = "mysql") -> aiomysql.Connection:
        """A session of root, over the unix socket; the caller closes."""
        return await self.connect("root", password="", unix_socket=str(self.socket), db=database)

    def backends(self, user: str = MONITOR) -> int:
        """How many client sessions an account holds now."""
        return int(self.sql(f"SELECT count(*) FROM information_schema.processlist WHERE user = '{user}'"))

    def follow(self, primary: Mariadb) -> None:
        """Become a replica, from the primary's first binary log on."""
        self.sql(
            f"CHANGE MASTER TO master_host='{primary.host}', master_port={primary.port}, master_user='replicator',"
            f" master_password='{PASSWORD}', master_use_gtid=slave_pos, master_connect_retry=1; START SLAVE;"
        )

    def _accepts(self) -> bool:
        if not self.socket.exists():
            return False
        with suppress(RuntimeError):
            return self.sql("SELECT 1") == "1"
        return False


def encrypt(server: Mariadb) -> Certificates:
    """Give a running server a certificate for localhost and 127.0.0.1, as its twin does for PostgreSQL."""
    files = make_certificates(server.directory / "tls")
    server.options += [f"--ssl-cert={files.server_certificate}", f"--ssl-key={files.server_key}"]
    server.restart()
    return files


class MariadbServers:
    """Makes servers: mariadb-install-db once, then a copy."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._template: Path | None = None

    @contextmanager
    def new(self, *options: str) -> Iterator[Mariadb]:
        """A server with the monitoring accounts, started, removed at the end."""
        with workspace() as directory:
            run(["cp", "-a", self.installed(), directory / "data"], directory)
            server = Mariadb(directory, *options)
            try:
                yield server.start()
            finally:
                server.end(signal.SIGKILL)

    def installed(self) -> Path:
        """A data directory with the monitoring accounts, to be copied."""
        self._template = self._template or self._install()
        return self._template

    def _install(self) -> Path:
        install = program("mariadb-install-db", want="mariadb-server-core")
        server = Mariadb(self._directory)
        options = ["--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve", "--force"]
        run([install, "--no-defaults", f"--datadir={server.data_directory}", *options, *OPTIONS], self._directory)
        server.start()
        # Not in the binary log: a replica has these accounts already, from the same template.
        server.sql(f"SET sql_log_bin = 0; {ROLES}")
        server.stop()
        return server.data_directory


@pytest.fixture(scope="session")
def mariadb_servers() -> Iterator[MariadbServers]:
    program("mariadbd", want="mariadb-server-core")
    program("mariadb", want="mariadb-client-core")
    with workspace() as directory:
        yield MariadbServers(directory)


@pytest.fixture(scope="session")
def mariadb(mariadb_servers: MariadbServers) -> Iterator[Mariadb]:
    """One MariaDB with performance_schema, for all tests that leave it as they found it."""
    with mariadb_servers.new("--performance-schema=ON") as server:
        yield server


class NewMariadb(Protocol):
    """Make a server that belongs to this test alone: `new_mariadb("--max-connections=10")`."""

    def __call__(self, *options: str) -> Mariadb: ...


@pytest.fixture
def new_mariadb(mariadb_servers: MariadbServers) -> Iterator[NewMariadb]:
    """Servers that a test may break; performance_schema is off, as MariaDB ships it."""
    with ExitStack() as stack:
        yield lambda *options: stack.enter_context(mariadb_servers.new(*options))


class NewReplica(Protocol):
    """Make a replica of a server: `mariadb_replica(primary)`."""

    def __call__(self, primary: Mariadb, *options: str) -> Mariadb: ...


@pytest.fixture
def mariadb_replica(mariadb_servers: MariadbServers) -> Iterator[NewReplica]:
    with ExitStack() as stack:

        def make(primary: Mariadb, *options: str) -> Mariadb:
            server = stack.enter_context(mariadb_servers.new("--read-only=1", *options))
            server.follow(primary)
            return server

        yield make
