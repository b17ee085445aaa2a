"""The password of a dump stands on this machine alone, for as long as the dump: never in the repository."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from tests.fix_backups import BACKUP, CANARY, Backed, Ground, backup_ground
from tests.fix_process import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.fix_daemon import NewDaemon
    from tests.fix_mariadb import Mariadb, MariadbServers

pytestmark = [pytest.mark.system, pytest.mark.engine]
TOWN = f"""
CREATE DATABASE town;
CREATE TABLE town.citizen (id INT PRIMARY KEY, token CHAR(64));
INSERT INTO town.citizen SELECT seq, CONCAT(MD5(seq), MD5(seq * 7)) FROM town_numbers;
CREATE USER {BACKUP}@'%' IDENTIFIED BY '{CANARY}';
GRANT ALL ON *.* TO {BACKUP}@'%' WITH GRANT OPTION;
""".replace("town_numbers", "seq_1_to_200000")


@pytest.fixture(scope="module")
def town(mariadb_servers: MariadbServers) -> Iterator[Mariadb]:
    with mariadb_servers.new() as server:
        server.sql(TOWN)
        yield server


@pytest.fixture
def backed(daemon: NewDaemon, town: Mariadb) -> Iterator[Backed]:
    with backup_ground() as directory:
        ground = Ground(directory)
        logical = {"include": ["town"], "verify": {"restore": False}}
        own: dict[str, Any] = {"user": BACKUP, "password": CANARY}
        instance = town.instance(backup=own, backups={"logical": logical}, sampler_interval=None)
        yield Backed(daemon({"instances": {"my1": instance}, "backups": ground.settings()}, wait=False), ground, "my1")


def holding(directory: Path) -> list[Path]:
    """Files with the password in them, whatever goes meanwhile."""
    found = []
    for each in [Path(where, name) for where, _, names in os.walk(directory) for name in names]:
        with suppress(OSError):
            if each.is_file() and CANARY.encode() in each.read_bytes():
                found.append(each)
    return found


def of_state(backed: Backed) -> list[Path]:
    return holding(backed.daemon.directory / "state")


def test_at_no_time_of_a_dump_is_its_password_in_the_repository(backed: Backed) -> None:
    beside: set[tuple[str, ...]] = set()
    in_repository: list[Path] = []
    run = backed.start()

    def over() -> bool:
        in_repository.extend(holding(backed.ground.repository))
        for each in of_state(backed):
            with suppress(OSError):
                modes = (oct(path.stat().st_mode & 0o777) for path in (each, each.parent))
                beside.add((each.parent.parent.name, each.name, *modes))
        return bool(backed.ask("job_status", id=run)["state"] != "running")

    eventually(over, timeout_seconds=120, every_seconds=0.001)

    assert "succeeded" == backed.ended(run)["state"]
    assert [] == in_repository
    assert ("passwords", "dump.cnf", "0o600", "0o700") in beside
    assert beside <= {("passwords", name, "0o600", "0o700") for name in ("dump.cnf", "accounts.cnf")}
    assert ([], []) == (of_state(backed), list((backed.daemon.directory / "state" / "passwords").iterdir()))


def test_what_a_killed_daemon_left_of_it_is_swept_at_the_next_start(backed: Backed) -> None:
    def caught() -> list[psutil.Process]:
        found = []
        for each in backed.processes("mariadb-dump"):
            with suppress(psutil.NoSuchProcess):
                each.suspend()
                found.append(each)
        return found

    backed.start()
    eventually(caught, timeout_seconds=60, every_seconds=0.001)
    backed.daemon.kill()
    left = of_state(backed)
    in_repository = holding(backed.ground.repository)
    backed.daemon.start_again(90)
    backed.metric("runs_total", 1, result="orphaned")

    assert ["dump.cnf"] == [each.name for each in left]
    assert [] == in_repository
    assert ([], []) == (of_state(backed), list((backed.daemon.directory / "state" / "passwords").iterdir()))
    backed.daemon.send(signal.SIGTERM)
    assert 0 == backed.daemon.wait(60)
