"""Servers that no Debian package brings: older PostgreSQL majors and MySQL 9, fetched by `make test-matrix`."""

from __future__ import annotations

import os
import platform
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dbwatch.files import sql_root
from tests.fix_mariadb import BARE, PASSWORD, Mariadb
from tests.fix_postgres import Binaries, Clusters, Postgres
from tests.fix_process import missing, run, workspace

if TYPE_CHECKING:
    from collections.abc import Iterator

LAB = Path(__file__).resolve().parents[2] / ".cache" / "lab"
MAJORS = (13, 14, 15, 16, 17)

# Without the word of `make test-matrix` this directory has no tests: nothing here is installed by `make test`.
collect_ignore_glob = [] if os.environ.get("DBWATCH_LAB") == "1" else ["test_*.py"]

# The monitoring account is made by the script that the documentation names.
MYSQL_ROLES = f"""
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


class Mysql(Mariadb):
    """MySQL 9 of Debian sid, run by its own loader: this machine's C library is older than it wants."""

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

    def __init__(self, root: Path, directory: Path, *options: str) -> None:
        super().__init__(directory, *options)
        self.root = root

    def server_program(self) -> list[Path]:
        return self._loaded("usr/sbin/mysqld")

    def client_program(self) -> list[Path]:
        return self._loaded("usr/bin/mysql")

    def launch(self) -> None:
        share = [f"--basedir={self.root / 'usr'}", f"--lc-messages-dir={self.root / 'usr/share/mysql'}"]
        self.options = [*share, f"--pid-file={self.directory / 'mysqld.pid'}", *self.options]
        super().launch()

    def install(self) -> None:
        """An empty data directory, root without a password."""
        where = [f"--datadir={self.data_directory}", f"--basedir={self.root / 'usr'}"]
        run([*self.server_program(), "--no-defaults", "--initialize-insecure", *where], self.directory)

    def _loaded(self, program: str) -> list[Path]:
        loader = next((self.root / "usr").glob("lib*/ld-linux-*.so.*"), self.root / "usr/lib64/ld-linux-x86-64.so.2")
        libraries = self.root / "usr/lib" / f"{platform.machine()}-linux-gnu"
        return [loader, Path("--library-path"), libraries, self.root / program]


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


@pytest.fixture(scope="session", params=MAJORS)
def lab_postgres(request: pytest.FixtureRequest, clusters: Clusters) -> Iterator[Postgres]:
    """Each older major in turn, for tests that leave it as they found it."""
    with (
        readable(LAB / "postgres" / str(request.param)) as directory,
        clusters.new(Binaries(directory / "bin")) as server,
    ):
        yield server


@pytest.fixture(scope="session")
def mysql_root() -> Iterator[Path]:
    with readable(LAB / "mysql") as root:
        yield root


@contextmanager
def new_mysql(root: Path) -> Iterator[Mysql]:
    """A MySQL 9 with the monitoring accounts, removed at the end."""
    with workspace() as directory:
        server = Mysql(root, directory)
        server.install()
        try:
            server.start()
            server.sql(f"SET sql_log_bin = 0; {MYSQL_ROLES}")
            yield server
        finally:
            server.kill()


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
