"""The machine under the server: proven to be its own, compared with what the kernel says through another path."""

from __future__ import annotations

import asyncio
import errno
import os
import time
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from dbwatch.core.model import Rows
from dbwatch.errors import EngineError, Reason
from dbwatch.host.machine import Machine
from dbwatch.host.places import room as really
from tests import mysql_asking, postgres_asking
from tests.fix_process import eventually
from tests.postgres_watching import page_with

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
    from pathlib import Path

    from dbwatch.core.model import Answer
    from tests.fix_daemon import NewDaemon
    from tests.fix_mariadb import Mariadb, NewMariadb
    from tests.fix_postgres import NewPostgres, Postgres

pytestmark = pytest.mark.engine

CPU = "dbwatch_server_process_cpu_seconds_total"
RESIDENT = "dbwatch_server_process_resident_bytes"
MEBIBYTE = 1 << 20
BIG = "CREATE TABLE IF NOT EXISTS big AS SELECT repeat('x', 1000) FROM generate_series(1, 12000)"
Seen = dict[str, float]


def free(mount: str, purpose: str) -> str:
    return f"dbwatch_disk_free_bytes{{mount={mount},purpose={purpose}}}"


def purposes(seen: Mapping[str, float]) -> set[str]:
    return {name.partition("purpose=")[2].rstrip("}") for name in seen if name.startswith("dbwatch_disk_size_bytes")}


def mount_of(path: Path) -> str:
    while not os.path.ismount(path):
        path = path.parent
    return str(path)


def of_family(pid: int, told: Callable[[psutil.Process], float]) -> float:
    """From the process table itself, summed over the tree; again where one of it ended while we looked."""
    for _ in range(50):
        root = psutil.Process(pid)
        with suppress(psutil.NoSuchProcess):
            return sum(told(each) for each in (root, *root.children(recursive=True)))
    pytest.fail(f"the processes of {pid} come and go too fast to be looked at")


def family_cpu_seconds(pid: int) -> float:
    """User and system time, and what its dead left behind."""
    return of_family(pid, lambda process: sum(process.cpu_times()[:4]))


@asynccontextmanager
async def told(server: Postgres | Mariadb) -> AsyncIterator[Rows]:
    """What the server says, before anybody looks; its session stays open meanwhile."""
    asking: Any = postgres_asking if server.instance()["engine"] == "postgres" else mysql_asking
    collector = asking.ours().collectors[asking.ENGINE, "host"]
    async with asking.session(server.instance()) as opened:
        known = await asking.facts(opened)
        yield await opened.fetch(asking.asking.query(collector, known))


def changed(rows: Rows, change: Callable[[str, str], str]) -> Rows:
    """The same answer with other values: `change(fact, value)`."""
    fact, purpose, value = (rows.column(name) for name in ("fact", "purpose", "value"))
    other = [change(str(of), str(one)) for of, one in zip(fact, value, strict=True)]
    return Rows(("fact", "purpose", "value"), (fact, purpose, other))


def only(given: Answer, column: str) -> float:
    """The one value of a column."""
    (value,) = [one for one in given.rows.column(column) if one is not None]
    return float(str(value))


def saying(rows: Rows, name: str, text: str) -> Rows:
    return changed(rows, lambda fact, value: text if fact == name else value)


async def test_room_processes_and_load_of_a_postgresql_are_those_that_the_kernel_tells(postgres_18: Postgres) -> None:
    seen = await postgres_asking.see(postgres_18.instance(), "host")
    data = postgres_18.data_directory
    inside = os.statvfs(data)

    assert {"data", "wal"} == purposes(seen)
    size = seen[f"dbwatch_disk_size_bytes{{mount={mount_of(data)},purpose=data}}"]
    assert inside.f_blocks * inside.f_frsize == size
    assert inside.f_bavail * inside.f_frsize == pytest.approx(seen[free(mount_of(data), "data")], rel=0.2)
    assert psutil.virtual_memory().total == seen["dbwatch_host_memory_bytes{state=total}"]
    assert os.cpu_count() == seen["dbwatch_host_cpus"]
    assert psutil.cpu_times().idle == pytest.approx(seen["dbwatch_host_cpu_seconds_total{mode=idle}"], rel=0.05)
    assert family_cpu_seconds(postgres_18.pid) == pytest.approx(seen[CPU], abs=0.3)


async def test_what_postgresql_processes_share_counts_once(new_postgres: NewPostgres) -> None:
    server = new_postgres("shared_buffers = 64MB")
    sessions = [await server.admin() for _ in range(3)]
    try:
        for session in sessions:  # each of them touches the same 12 MB of buffers: little enough to be kept there
            await session.execute(BIG)
            await session.fetchval("SELECT count(*) FROM big")
        seen = await postgres_asking.see(server.instance(), "host")
        together = of_family(server.pid, lambda process: process.memory_info().rss)
    finally:
        for session in sessions:
            await session.close()

    assert 12 * MEBIBYTE < seen[RESIDENT] < together - 2 * 12 * MEBIBYTE


async def test_processor_time_grows_with_the_work_and_does_not_fall_when_its_process_ends(
    new_postgres: NewPostgres,
) -> None:
    server = new_postgres()
    machine = Machine()

    async def spent() -> float:
        async with told(server) as rows:
            return only(await machine.look(rows, 1.0), "process_cpu_seconds")

    before = await spent()
    worker = await server.admin()
    await worker.execute("SELECT count(*) FROM generate_series(1, 2000000)")
    busy, pid = await spent(), worker.get_server_pid()
    await worker.close()
    await asyncio.to_thread(eventually, lambda: not psutil.pid_exists(pid))
    after = await spent()

    assert before + 0.1 < busy <= after


async def test_a_tablespace_a_linked_wal_and_temporary_files_are_found_where_they_really_are(
    new_postgres: NewPostgres,
) -> None:
    server = new_postgres()
    for name in ("archive", "scratch"):
        (server.directory / name).mkdir(mode=0o700)
        os.chown(server.directory / name, *_owner(server.data_directory))
        server.psql(f"CREATE TABLESPACE {name} LOCATION '{server.directory / name}'")
    server.psql("ALTER SYSTEM SET temp_tablespaces = 'scratch'")
    server.stop()
    elsewhere = server.directory / "wal"
    (server.data_directory / "pg_wal").rename(elsewhere)
    (server.data_directory / "pg_wal").symlink_to(elsewhere)
    server.start()
    assert {"data", "wal", "tablespace", "temp"} == purposes(await postgres_asking.see(server.instance(), "host"))

    async with told(server) as rows:
        given = await Machine().look(changed(rows, lambda _, value: value.replace("pg_wal", "/proc/self/fd")), 1.0)
    assert "/proc" in given.rows.column("mount")  # links are followed, and it is their end that counts


def _owner(path: Path) -> tuple[int, int]:
    return path.stat().st_uid, path.stat().st_gid


@pytest.fixture
def alone(mariadb: Mariadb, monkeypatch: pytest.MonkeyPatch) -> Mariadb:
    """As on a machine with one server: other tests start theirs whenever they like."""
    processes = [psutil.Process(), psutil.Process(mariadb.pid)]
    monkeypatch.setattr("dbwatch.host.processes.psutil.process_iter", lambda: processes)
    return mariadb


async def test_a_mariadb_is_found_by_its_start_and_its_pid_file(mariadb: Mariadb) -> None:
    seen = await mysql_asking.see(mariadb.instance(), "host")

    assert {"data", "binlog", "redo", "temp"} == purposes(seen)
    assert psutil.Process(mariadb.pid).memory_info().rss == pytest.approx(seen[RESIDENT], rel=0.1)
    assert family_cpu_seconds(mariadb.pid) == pytest.approx(seen[CPU], abs=0.3)


async def test_without_a_readable_pid_file_its_name_and_start_are_enough(alone: Mariadb) -> None:
    async with told(alone) as rows:
        given = await Machine().look(saying(rows, "pid_file", "/nowhere"), 1.0)

    assert family_cpu_seconds(alone.pid) == pytest.approx(only(given, "process_cpu_seconds"), abs=0.3)


async def test_without_binary_log_there_is_no_place_for_it(new_mariadb: NewMariadb) -> None:
    server = new_mariadb("--skip-log-bin")

    assert {"data", "redo", "temp"} == purposes(await mysql_asking.see(server.instance(), "host"))


async def refusal(rows: Rows) -> EngineError:
    with pytest.raises(EngineError) as caught:
        await Machine().look(rows, 1.0)
    return caught.value


async def test_a_pid_that_is_somebody_elses_here_gives_nothing_and_says_why(postgres_18: Postgres) -> None:
    """As through a tunnel: the same number is another process on this machine, or none."""
    for pid in (os.getpid(), 1, 2**22 - 1, postgres_18.pid):
        async with told(postgres_18) as rows:
            error = await refusal(saying(rows, "backend_pid", str(pid)))

        assert Reason.MISSING is error.reason
        assert "not on this machine" in error.message
        assert "host: local" in error.remedy


async def test_a_mysql_that_began_at_another_time_is_not_ours(alone: Mariadb) -> None:
    began = psutil.Process(alone.pid).create_time()
    async with told(alone) as rows:
        error = await refusal(saying(saying(rows, "started_at", str(began - 60)), "pid_file", "/nowhere"))
        assert error.message == (await refusal(saying(rows, "started_at", str(began - 60)))).message

    assert "no mariadbd or mysqld of this machine began when this server did" == error.message


async def test_twins_that_began_together_are_told_apart_by_their_pid_files_only(new_mariadb: NewMariadb) -> None:
    first, second = new_mariadb(), new_mariadb()
    began = {one.pid: psutil.Process(one.pid).create_time() for one in (first, second)}
    same = str(sum(began.values()) / 2)  # within five seconds of both
    async with told(first) as rows:
        alike = saying(rows, "started_at", same)
        given = await Machine().look(alike, 1.0)
        error = await refusal(saying(alike, "pid_file", "/nowhere"))

    assert psutil.Process(first.pid).cpu_times().user == pytest.approx(only(given, "process_cpu_seconds"), abs=0.3)
    assert "servers of this machine began when this one did, and /nowhere cannot be read" in error.message


async def test_a_directory_that_is_not_here_or_closed_is_told_and_the_others_are_seen(postgres_18: Postgres) -> None:
    async with told(postgres_18) as rows:
        lost = changed(rows, lambda _, value: "/no/such/wal" if value == "pg_wal" else value)
        given = await Machine().look(lost, 1.0)

    assert "wal: /no/such/wal: No such file or directory" == given.note
    assert given.error is None
    assert {"data"} == {purpose for purpose in given.rows.column("purpose") if purpose}


async def test_a_directory_that_our_account_may_not_look_into_is_told(
    postgres_18: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tests may run as root, to whom nothing is closed: the kernel's answer to anybody else."""
    refused = PermissionError(errno.EACCES, "Permission denied")
    monkeypatch.setattr("dbwatch.host.machine.room", lambda place: refused if place.purpose == "wal" else really(place))
    async with told(postgres_18) as rows:
        given = await Machine().look(rows, 1.0)

    wal = postgres_18.data_directory / "pg_wal"
    assert (f"wal: the account of dbwatch may not look into {wal}", None) == (given.note, given.error)


async def test_a_mount_that_hangs_costs_its_own_value_and_no_second_thread(
    postgres_18: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """statvfs on a dead network mount does not come back: here a pipe that nobody writes to stands for it."""
    reading, writing = os.pipe()
    hung: list[float] = []

    def room(place: Any) -> Any:
        if place.purpose == "wal":
            hung.append(time.monotonic())
            os.read(reading, 1)
        return really(place)

    monkeypatch.setattr("dbwatch.host.machine.room", room)
    machine = Machine()
    async with told(postgres_18) as rows:
        for _ in range(3):
            given = await machine.look(rows, 1.0)
            assert given.error is not None
            assert Reason.TIMEOUT is given.error.reason
            assert str(postgres_18.data_directory / "pg_wal") in given.error.message
            assert {"data"} == {purpose for purpose in given.rows.column("purpose") if purpose}
        assert 1 == len(hung)
        os.write(writing, b"!!")  # the mount is back
        assert (await machine.look(rows, 5.0)).error is None
    os.close(reading)
    os.close(writing)


def test_a_daemon_beside_its_server_shows_the_machine_and_elsewhere_says_why_not(
    postgres_18: Postgres, daemon: NewDaemon
) -> None:
    instances = {"here": postgres_18.instance(host="local"), "tunnel": postgres_18.instance()}
    running = daemon({"instances": instances})

    page = running.wait_for("dbwatch_collector_success", 1, db_instance="here", collector="host")
    assert page.value("dbwatch_disk_free_bytes", db_instance="here", purpose="data")
    left_out = {"db_instance": "tunnel", "collector": "host", "reason": "remote"}
    page = page_with(running, lambda page: page.value("dbwatch_collector_skipped_total", **left_out))
    assert {} == page.where("dbwatch_disk_free_bytes", db_instance="tunnel")
    assert f"127.0.0.1:{postgres_18.port}" in running.get("/instances/here").text
    assert "left out: remote" in running.get("/instances/tunnel").text


async def test_an_answer_of_other_columns_is_a_shape_error() -> None:
    with pytest.raises(EngineError, match="no column 'fact'"):
        await Machine().look(Rows(("value",), (["1"],)), 1.0)
