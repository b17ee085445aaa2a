"""What must outlive a restart does, and a file that cannot be used is refused and kept."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import threading
from typing import TYPE_CHECKING

import pytest

from dbwatch import history
from dbwatch.errors import DbwatchError, UsageError
from dbwatch.history import Window
from dbwatch.settings.models import Settings

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS = Settings.model_validate({"instances": {"pg1": {"engine": "postgres", "monitor": {"user": "dbwatch"}}}})
NOW = 1_000_000.0
FAR = 4_000_000_000.0  # past the test machine's own clock


async def test_a_window_outlives_a_restart(tmp_path: Path) -> None:
    async with history.opened(tmp_path) as past:
        await past.start(Window("pg1", NOW, FAR, "upgrade", "dba"))
    async with history.opened(tmp_path) as past:
        assert [Window("pg1", NOW, FAR, "upgrade", "dba")] == past.windows(NOW)


async def test_a_window_begins_and_ends_by_the_clock(tmp_path: Path) -> None:
    async with history.opened(tmp_path) as past:
        await past.start(Window("pg1", NOW, FAR))

        seen = [past.in_maintenance("pg1", now) for now in (NOW - 1, NOW, FAR - 1, FAR)]

        assert [False, True, True, False] == seen
        assert not past.in_maintenance("pg2", NOW)


async def test_a_window_without_an_end_is_open_until_stopped(tmp_path: Path) -> None:
    async with history.opened(tmp_path) as past:
        await past.start(Window("pg1", NOW))

        assert past.in_maintenance("pg1", FAR)
        assert 1 == await past.stop("pg1", NOW + 1)
        assert not past.in_maintenance("pg1", NOW + 1)
        assert 0 == await past.stop("pg1", NOW + 2)


async def test_a_second_window_takes_the_place_of_the_first(tmp_path: Path) -> None:
    async with history.opened(tmp_path) as past:
        await past.start(Window("pg1", NOW))
        await past.start(Window("pg1", NOW + 5, FAR, "longer"))

        assert ["longer"] == [window.reason for window in past.windows(NOW + 5)]


async def test_commands_take_and_give_json(tmp_path: Path) -> None:
    async with history.opened(tmp_path) as past:
        doors = history.commands(past, lambda: SETTINGS, lambda: FAR)

        started = await doors["maintenance_start"]({"instance": "pg1", "seconds": 60, "reason": "r", "who": "w"})

        expected = {"instance": "pg1", "starts_at": FAR, "ends_at": FAR + 60, "reason": "r", "who": "w"}
        assert expected == started
        assert [expected] == await doors["maintenance_list"]({})
        assert [] == await doors["maintenance_list"]({"instance": "pg2"})
        assert {"instance": "pg1", "stopped": 1} == await doors["maintenance_stop"]({"instance": "pg1"})


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"instance": "pg2"},
        {"instance": ["pg1"]},
        {"instance": "pg1", "seconds": 0},
        {"instance": "pg1", "seconds": -5},
        {"instance": "pg1", "seconds": "60"},
        {"instance": "pg1", "seconds": True},
        {"instance": "pg1", "seconds": 1e12},
        {"instance": "pg1", "seconds": float("nan")},
        {"instance": "pg1", "reason": 5},
        {"instance": "pg1", "reason": "x" * 501},
    ],
)
async def test_a_window_that_makes_no_sense_is_refused(tmp_path: Path, arguments: dict[str, object]) -> None:
    async with history.opened(tmp_path) as past:
        with pytest.raises(UsageError):
            await history.commands(past, lambda: SETTINGS)["maintenance_start"](arguments)


async def test_stopping_what_is_not_open_is_told(tmp_path: Path) -> None:
    async with history.opened(tmp_path) as past:
        with pytest.raises(UsageError, match="no maintenance window is open"):
            await history.commands(past, lambda: SETTINGS)["maintenance_stop"]({"instance": "pg1"})


async def test_one_process_at_a_time(tmp_path: Path) -> None:
    async with history.opened(tmp_path):
        with pytest.raises(DbwatchError, match="in use: another dbwatch"):
            async with history.opened(tmp_path):
                pass


async def test_a_damaged_file_is_refused_and_kept(tmp_path: Path) -> None:
    (tmp_path / history.FILE).write_bytes(b"this is no database" * 1000)

    with pytest.raises(DbwatchError, match="is damaged -> move it"):
        async with history.opened(tmp_path):
            pass

    assert (tmp_path / history.FILE).read_bytes().startswith(b"this is no database")


async def test_a_file_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    async with history.opened(tmp_path):
        pass
    with sqlite3.connect(tmp_path / history.FILE) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()

    with pytest.raises(DbwatchError, match="newer dbwatch"):
        async with history.opened(tmp_path):
            pass


async def test_a_directory_that_cannot_be_used_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(DbwatchError, match="cannot use state_directory"):
        async with history.opened(tmp_path / "file" / "below"):
            pass


async def test_a_file_that_another_process_holds_does_not_block_the_loop(tmp_path: Path) -> None:
    async with history.opened(tmp_path) as past:
        other = sqlite3.connect(tmp_path / history.FILE, isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        async with asyncio.TaskGroup() as group:
            writing = group.create_task(past.start(Window("pg1", NOW)))
            await asyncio.sleep(0.1)
            assert not writing.done()
            other.execute("ROLLBACK")
        other.close()

        assert past.in_maintenance("pg1", NOW)


async def test_the_writers_thread_ends_with_it(tmp_path: Path) -> None:
    async with history.opened(tmp_path):
        assert 1 == len([thread for thread in threading.enumerate() if thread.name.startswith("history")])

    assert [] == [thread for thread in threading.enumerate() if thread.name.startswith("history")]


def test_the_schema_is_versioned_from_its_first_day(tmp_path: Path) -> None:
    connection = history.database.connect(tmp_path / "new.sqlite")

    assert (3,) == connection.execute("PRAGMA user_version").fetchone()
    assert ("wal",) == connection.execute("PRAGMA journal_mode").fetchone()
    connection.close()


async def test_a_file_of_an_older_version_keeps_what_it_holds(tmp_path: Path) -> None:
    older = tmp_path / "older"
    older.mkdir()
    for name in ("0001_maintenance.sql", "0002_alerts.sql"):
        shutil.copy(history.database.MIGRATIONS / name, older / name)
    connection = sqlite3.connect(tmp_path / history.FILE, isolation_level=None)
    history.database.migrate(connection, tmp_path / history.FILE, older)
    connection.execute("INSERT INTO maintenance (instance, starts_at, ends_at) VALUES ('pg1', ?, ?)", (NOW, FAR))
    connection.close()

    async with history.opened(tmp_path) as past:
        assert [Window("pg1", NOW, FAR)] == past.windows(NOW)
        assert () == past.jobs.all_last
        assert () == past.jobs.sets.records()


def test_a_migration_that_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    scripts = tmp_path / "scripts"
    scripts.mkdir()
    (scripts / "0001_good.sql").write_text("CREATE TABLE a (x);")
    (scripts / "0002_bad.sql").write_text("CREATE TABLE b (x); CREATE TABLE a (x);")
    connection = sqlite3.connect(tmp_path / "x.sqlite", isolation_level=None)

    with pytest.raises(sqlite3.OperationalError):
        history.database.migrate(connection, tmp_path / "x.sqlite", scripts)

    assert (1,) == connection.execute("PRAGMA user_version").fetchone()
    assert [("a",)] == connection.execute("SELECT name FROM sqlite_master").fetchall()
    connection.close()
