"""What `doctor` says to run is run as it stands, and the next one finds nothing: names may hold whatever they like."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.fix_backups import small_disk
from tests.fix_daemon import dbwatch_command
from tests.fix_postgres import PASSWORD
from tests.fix_process import environment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.fix_mariadb import Mariadb, MariadbServers
    from tests.fix_postgres import Binaries, Clusters, Postgres

pytestmark = [pytest.mark.system, pytest.mark.engine]
ACCOUNT = "dbwatch_backup"
TO_RUN = "What to run as an administrator:\n"
ODD_NAMES = ("x", "x: y", "a=b", 'q"uote', "it's", "back\\slash", "é", "postgresql://x/y")
BROKEN_NAME = "two\nlines"


@dataclass(frozen=True)
class Doctor:
    """A configuration, and what doctor says of it."""

    directory: Path
    shared: dict[str, Any]

    def __call__(self, instance: dict[str, object], *, code: int, **shared: object) -> str:
        own = {"state_directory": str(self.directory / "state"), "control_socket": str(self.directory / "socket")}
        backups = {"directory": str(self.directory / "repository"), "reserve_bytes": 0, "reserve_ratio": 0}
        told = {"instances": {"db": instance}, **own, "backups": backups | self.shared | shared}
        (self.directory / "dbwatch.yml").write_text(yaml.safe_dump(told))
        done = subprocess.run(
            [*dbwatch_command(), "doctor", "-c", str(self.directory / "dbwatch.yml")],
            env=environment(),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (code, "") == (done.returncode, done.stderr), done.stdout + done.stderr
        return done.stdout


def to_run(told: str) -> str:
    """Ready to paste."""
    return told.partition(TO_RUN)[2]


def of_backup(told: str, verdict: str = "ok") -> list[str]:
    start = f"  {verdict:<8} backup: "
    return [line.removeprefix(start) for line in told.splitlines() if line.startswith(start)]


@pytest.fixture(scope="module")
def server(clusters: Clusters, postgres_18_binaries: Binaries) -> Iterator[Postgres]:
    with clusters.new(postgres_18_binaries) as started:
        started.psql(f"CREATE ROLE {ACCOUNT} LOGIN PASSWORD '{PASSWORD}'")
        yield started


@pytest.fixture
def doctor(tmp_path: Path, postgres_18_binaries: Binaries) -> Doctor:
    return Doctor(tmp_path, {"postgres_programs": [str(postgres_18_binaries.directory)]})


def backed(server: Postgres | Mariadb, **logical: object) -> dict[str, object]:
    own = {"user": ACCOUNT, "password": PASSWORD}
    return server.instance(backup=own, backups={"logical": logical})


@pytest.fixture
def odd(server: Postgres) -> Iterator[tuple[str, ...]]:
    """Databases of odd names, each with a table and large objects that the account may not read."""
    names = (*ODD_NAMES, BROKEN_NAME)
    for name in names:
        quoted = name.replace('"', '""')
        server.psql(f'CREATE DATABASE "{quoted}"')
        conninfo = "dbname='" + name.replace("\\", "\\\\").replace("'", "\\'") + "'"
        server.psql("CREATE TABLE closed (); SELECT lo_create(0)", conninfo)
    yield names
    for name in names:
        quoted = name.replace('"', '""')
        server.psql(f'DROP DATABASE IF EXISTS "{quoted}"')
    server.psql(f"REVOKE pg_read_all_data FROM {ACCOUNT}; ALTER ROLE {ACCOUNT} INHERIT")


def test_each_statement_is_run_in_the_database_that_it_is_of_whatever_that_is_called(
    server: Postgres, odd: tuple[str, ...], doctor: Doctor
) -> None:
    server.psql(f"ALTER ROLE {ACCOUNT} NOINHERIT")  # so pg_read_all_data is no way: as before PostgreSQL 14
    told = doctor(backed(server), code=1)
    server.psql(to_run(told))
    mended = doctor(backed(server, exclude=[BROKEN_NAME]), code=0)
    left = doctor(backed(server), code=1)

    assert len(odd) == len(of_backup(told, "MISSING"))
    assert "\n\\connect x\nGRANT " in told
    assert "\n\\connect -reuse-previous=on \"dbname='a=b'\"\nGRANT " in told
    assert f"ok       backup: {len(ODD_NAMES) + 1} databases, " in mended
    (missing,) = of_backup(left, "MISSING")
    assert missing.startswith("permission: two?lines: the dump would lack ")
    (_, line, *_) = to_run(left).splitlines()
    assert line.startswith("-- in the database two?lines, whose name holds a line break or the like, so that psql")
    assert "-> connect to it by another program, and run there: DO $grant$" in " ".join(to_run(left).splitlines())


def test_one_statement_for_the_whole_server_is_given_once_where_it_is_enough(
    server: Postgres, odd: tuple[str, ...], doctor: Doctor
) -> None:
    everywhere = f"GRANT pg_read_all_data TO {ACCOUNT};"
    server.psql(f"ALTER ROLE {ACCOUNT} SET lo_compat_privileges = on")
    try:
        told = doctor(backed(server), code=1)
        server.psql(to_run(told))
        mended = doctor(backed(server), code=0)
    finally:
        server.psql(f"ALTER ROLE {ACCOUNT} RESET lo_compat_privileges")

    assert len(odd) == len(of_backup(told, "MISSING"))
    assert ["-- on db", everywhere] == to_run(told).splitlines()
    assert of_backup(mended)


def test_what_a_closed_database_hides_is_said_to_be_seen_in_the_next_round(server: Postgres, doctor: Doctor) -> None:
    server.psql("CREATE DATABASE shut; REVOKE CONNECT ON DATABASE shut FROM PUBLIC")
    server.psql("CREATE TABLE closed ()", "shut")
    try:
        first = doctor(backed(server, include=["shut"]), code=1)
        server.psql(to_run(first))
        second = doctor(backed(server, include=["shut"]), code=1)
        server.psql(to_run(second))
        third = doctor(backed(server, include=["shut"]), code=0)
    finally:
        server.psql(f"DROP DATABASE shut; REVOKE pg_read_all_data FROM {ACCOUNT}")

    last = "-- then `dbwatch doctor` once more, for only then can be seen: what a dump of shut would lack"
    assert [f"GRANT CONNECT ON DATABASE shut TO {ACCOUNT};", last] == to_run(first).splitlines()[-2:]
    assert ["-- on db", f"GRANT pg_read_all_data TO {ACCOUNT};"] == to_run(second).splitlines()
    assert of_backup(third)


SHOP = f"""
CREATE DATABASE shop; USE shop;
CREATE TABLE t (i INT PRIMARY KEY);
CREATE FUNCTION one() RETURNS INT DETERMINISTIC RETURN 1;
CREATE VIEW v AS SELECT one() AS n;
CREATE USER {ACCOUNT}@'%' IDENTIFIED BY '{PASSWORD}';
"""


def test_the_grants_of_mariadb_are_given_too_and_what_only_they_bring_to_light_is_announced(
    mariadb_servers: MariadbServers, tmp_path: Path
) -> None:
    doctor = Doctor(tmp_path, {})
    with mariadb_servers.new() as server:
        server.sql(SHOP)
        first = doctor(backed(server), code=1)
        server.sql(to_run(first))
        second = doctor(backed(server), code=1)
        server.sql(to_run(second))
        third = doctor(backed(server), code=0)

    granted = to_run(first).splitlines()
    assert f"GRANT SELECT, SHOW VIEW, TRIGGER, EVENT, LOCK TABLES ON *.* TO '{ACCOUNT}'@'%';" in granted
    assert f"GRANT BINLOG MONITOR ON *.* TO '{ACCOUNT}'@'%';" in granted
    assert granted[-1].startswith("-- then `dbwatch doctor` once more, for only then can be seen: ")
    assert granted[-1].endswith("; what else a dump of the databases would lack or end at")
    assert ["-- on db", f"GRANT EXECUTE ON FUNCTION `shop`.`one` TO '{ACCOUNT}'@'%';"] == to_run(second).splitlines()
    assert of_backup(third)


@pytest.fixture
def readable(server: Postgres) -> Iterator[dict[str, object]]:
    """An instance of which everything may be dumped."""
    server.psql("CREATE DATABASE town")
    yield backed(server, include=["town"])
    server.psql("DROP DATABASE town")


def test_a_repository_in_which_no_set_can_be_begun_is_a_failure_and_is_left_as_it_was(
    readable: dict[str, object], doctor: Doctor, tmp_path: Path
) -> None:
    whole = doctor(readable, code=0)
    assert of_backup(whole)
    assert not (tmp_path / "repository").exists()

    nowhere = doctor(readable, code=1, directory="/proc/dbwatch")
    (tmp_path / "file").touch()
    no_directory = doctor(readable, code=1, directory=str(tmp_path / "file"))
    full = doctor(readable, code=1, reserve_bytes=2**60)

    told = "repository: cannot use backups.directory"
    assert of_backup(nowhere, "FAILED")[0].startswith(f"{told} /proc/dbwatch: ")
    assert [f"{told} {tmp_path}/file: not a directory -> choose another backups.directory"] == of_backup(
        no_directory, "FAILED"
    )
    assert of_backup(full, "FAILED")[0].startswith("disk_full: ")
    assert not any(of_backup(each) for each in (nowhere, no_directory, full))
    assert not (tmp_path / "repository").exists()


def test_a_repository_that_is_read_only_is_a_failure(
    readable: dict[str, object], doctor: Doctor, tmp_path: Path
) -> None:
    place = tmp_path / "repository"
    with small_disk(place, "8m"):
        subprocess.run(["/bin/mount", "-o", "remount,ro", str(place)], check=True)
        told = doctor(readable, code=1)
    (failed,) = of_backup(told, "FAILED")

    assert "repository: cannot use backups.directory" in failed
    assert failed.endswith("read-only file system -> mount it for writing")


def test_a_key_that_is_not_there_is_a_failure(readable: dict[str, object], doctor: Doctor, tmp_path: Path) -> None:
    told = doctor(readable, code=1, encryption={"identity_file": str(tmp_path / "key")})
    (failed,) = of_backup(told, "FAILED")

    assert failed.startswith(
        f"no_key: backups.encryption.identity_file: cannot read the key in {tmp_path}/key: no such"
    )
    assert not of_backup(told)
