"""Servers that this Debian does not bring, fetched by `make test-matrix`: the laboratory of versions."""

from __future__ import annotations

import os
import shutil
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from benchmarks.foreign import loading
from dbwatch.files import sql_root
from tests.fix_mariadb import BARE, MONITOR, OPTIONS, PASSWORD, Mariadb, MariadbServers
from tests.fix_postgres import Binaries, Clusters, Postgres, embedded_binaries
from tests.fix_process import missing, run, workspace

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

LAB = Path(__file__).resolve().parents[2] / ".cache" / "lab"
OLDER, NEWEST = (13, 14, 15, 16, 17), 18
HOST, MYSQL = "mariadb-of-this-debian", "mysql-9"
INSTALLED = (
    "mariadb_system_tables",
    "mariadb_performance_tables",
    "mariadb_system_tables_data",
    "fill_help_tables",
    "maria_add_gis_sp_bootstrap",
    "mariadb_sys_schema",
)

# Without the word of `make test-matrix` this directory has no tests: nothing here is installed by `make test`.
collect_ignore_glob = [] if os.environ.get("DBWATCH_LAB") == "1" else ["test_*.py"]

# The monitoring accounts are made by the scripts that the documentation names.
POSTGRES_SCRIPT = (sql_root() / "postgres" / "security" / "01_role_monitoring.sql").read_text()
MYSQL_ROLES = f"""
DROP USER IF EXISTS '{MONITOR}'@'127.0.0.1', '{BARE}'@'127.0.0.1', 'replicator'@'127.0.0.1';
SET @dbwatch_monitoring_password = '{PASSWORD}';
{(sql_root() / "mysql" / "security" / "01_user_monitoring.sql").read_text()}
CREATE USER '{BARE}'@'127.0.0.1' IDENTIFIED BY '{PASSWORD}';
CREATE USER 'replicator'@'127.0.0.1' IDENTIFIED BY '{PASSWORD}';
GRANT REPLICATION SLAVE ON *.* TO 'replicator'@'127.0.0.1';
"""
FOLLOW = f"""
RESET BINARY LOGS AND GTIDS;
CHANGE REPLICATION SOURCE TO source_host = '127.0.0.1', source_port = {{port}}, source_user = 'replicator',
    source_password = '{PASSWORD}', source_auto_position = 1, get_source_public_key = 1, source_connect_retry = 1;
START REPLICA; SET GLOBAL read_only = 1;
"""


class Installed(Mariadb, ABC):
    """A server that fills its data directory itself."""

    @abstractmethod
    def install(self) -> None:
        """Root without a password."""


class Foreign(Installed):
    """A server of another Debian, run by its own loader: this machine's C library is older than it wants."""

    server, client, shared = "mariadbd", "mariadb", "mariadb"

    def __init__(self, root: Path, directory: Path, *options: str) -> None:
        super().__init__(directory, *options)
        self.root = root

    def server_program(self) -> list[Path]:
        return self._loaded(f"usr/sbin/{self.server}")

    def client_program(self) -> list[Path]:
        return self._loaded(f"usr/bin/{self.client}")

    def launch(self) -> None:
        where = [f"--basedir={self.root / 'usr'}", f"--lc-messages-dir={self.root / 'usr/share' / self.shared}"]
        self.options = [*where, f"--pid-file={self.directory / 'server.pid'}", *self.options]
        super().launch()

    def _loaded(self, program: str) -> list[Path]:
        loader, options = loading(self.root)
        return [loader, *options, self.root / program]


class NewerMariadb(Foreign):
    """MariaDB 11.8 of Debian trixie."""

    def install(self) -> None:
        """What mariadb-install-db feeds to a server that reads it and ends."""
        share = self.root / "usr/share/mariadb"
        texts = [(share / f"{name}.sql").read_text() for name in INSTALLED]
        begin = "CREATE DATABASE IF NOT EXISTS mysql;\nUSE mysql;\nSET @auth_root_socket=NULL;\n"
        where = [f"--datadir={self.data_directory}", f"--basedir={self.root / 'usr'}", f"--lc-messages-dir={share}"]
        run(["mkdir", self.data_directory], self.directory)
        command: list[str | Path] = [*self.server_program(), "--no-defaults", "--bootstrap"]
        command += ["--enforce-storage-engine=", *where, *OPTIONS]
        run(command, self.directory, stdin=begin + "\n".join(texts))


class Mysql(Foreign):
    """MySQL 9 of Debian sid."""

    server, client, shared = "mysqld", "mysql", "mysql"
    quick_options = (
        "--innodb-flush-log-at-trx-commit=0",
        "--innodb-doublewrite=OFF",
        "--innodb-buffer-pool-size=32M",
        "--sync-binlog=0",
        "--log-bin=binlog",
        "--gtid-mode=ON",
        "--enforce-gtid-consistency=ON",
        "--skip-name-resolve",
        "--mysqlx=OFF",
        "--secure-file-priv=NULL",
    )

    def install(self) -> None:
        """An empty data directory, root without a password."""
        where = [f"--datadir={self.data_directory}", f"--basedir={self.root / 'usr'}"]
        run([*self.server_program(), "--no-defaults", "--initialize-insecure", *where], self.directory)


class HostMariadb(Installed):
    """The MariaDB of this Debian, from the fixtures' template."""

    def __init__(self, servers: MariadbServers, directory: Path, *options: str) -> None:
        super().__init__(directory, *options)
        self._servers = servers

    def install(self) -> None:
        run(["cp", "-a", self._servers.installed(), self.data_directory], self.directory)


FOREIGN: Mapping[str, tuple[type[Mysql | NewerMariadb], str]] = {
    MYSQL: (Mysql, "mysql"),
    "mariadb-11.8": (NewerMariadb, "mariadb"),
}


@contextmanager
def readable(source: Path) -> Iterator[Path]:
    """The fetched files where the unprivileged user may read them: as root our own home may be closed."""
    if not source.exists():
        missing(f"{source.name}: run make test-matrix")
    if os.getuid() != 0:
        yield source
        return
    with workspace() as directory:
        shutil.copytree(source, directory / source.name, symlinks=True, ignore=shutil.ignore_patterns("dev", "var"))
        yield directory / source.name


@contextmanager
def postgres_binaries(major: int) -> Iterator[Binaries]:
    """18 is the demo's own package; the older ones were fetched."""
    if major == NEWEST:
        with workspace() as directory:
            yield embedded_binaries(directory)
        return
    with readable(LAB / "postgres" / str(major)) as directory:
        yield Binaries(directory / "bin")


@pytest.fixture(scope="session", params=(*OLDER, NEWEST))
def lab_postgres(request: pytest.FixtureRequest, clusters: Clusters) -> Iterator[Postgres]:
    """Each major in turn, after a DBA ran the documented script, for tests that leave it as they found it."""
    with postgres_binaries(request.param) as binaries, clusters.new(binaries) as server:
        server.psql(f"SET dbwatch.monitoring_password = '{PASSWORD}'; {POSTGRES_SCRIPT} {POSTGRES_SCRIPT}")
        yield server


@pytest.fixture(scope="session")
def lab_standby(clusters: Clusters, lab_postgres: Postgres, postgres_18_binaries: Binaries) -> Iterator[Postgres]:
    """A standby of it."""
    with clusters.standby(lab_postgres, client=postgres_18_binaries) as server:
        yield server


@pytest.fixture(scope="session")
def mysql_root() -> Iterator[Path]:
    with readable(LAB / "mysql") as root:
        yield root


@contextmanager
def prepared(server: Installed) -> Iterator[Installed]:
    """Installed, started, given the monitoring accounts; removed at the end."""
    server.install()
    try:
        server.start()
        server.sql(f"SET sql_log_bin = 0; {MYSQL_ROLES}")
        yield server
    finally:
        server.kill()


@contextmanager
def new_mysql(root: Path) -> Iterator[Mysql]:
    """A MySQL 9 with the monitoring accounts, removed at the end."""
    with workspace() as directory:
        server = Mysql(root, directory)
        with prepared(server):
            yield server


@pytest.fixture(scope="session")
def lab_mysql(mysql_root: Path) -> Iterator[Mysql]:
    """One MySQL 9, for tests that leave it as they found it."""
    with new_mysql(mysql_root) as server:
        yield server


@pytest.fixture
def lab_replica(mysql_root: Path, lab_mysql: Mysql) -> Iterator[Mysql]:
    """A replica of it, for one test."""
    with new_mysql(mysql_root) as server:
        server.sql(FOLLOW.format(port=lab_mysql.port))
        yield server


NewServer = Callable[[Path], AbstractContextManager[Installed]]


@contextmanager
def making(kind: str, servers: MariadbServers) -> Iterator[NewServer]:
    """How a server of that kind is made in a directory."""
    if kind == HOST:
        yield lambda directory: prepared(HostMariadb(servers, directory, "--performance-schema=ON"))
        return
    made, fetched = FOREIGN[kind]
    with readable(LAB / fetched) as root:
        yield lambda directory: prepared(made(root, directory, "--performance-schema=ON"))


@dataclass(frozen=True)
class Linked:
    """A server and its replica."""

    source: Mariadb
    replica: Mariadb


@pytest.fixture(scope="session", params=(HOST, *FOREIGN))
def lab_pair(request: pytest.FixtureRequest, mariadb_servers: MariadbServers) -> Iterator[Linked]:
    """Each of them in turn with a replica, for tests that leave them as they found them."""
    with ExitStack() as stack:
        new = stack.enter_context(making(request.param, mariadb_servers))
        source, replica = (stack.enter_context(new(stack.enter_context(workspace()))) for _ in range(2))
        if request.param == MYSQL:
            replica.sql(FOLLOW.format(port=source.port))
        else:
            replica.follow(source)
            replica.sql("SET GLOBAL read_only = 1")
        yield Linked(source, replica)
