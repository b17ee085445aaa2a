"""The file itself: who may write it, how it is opened, and how it grows from one version of dbwatch to the next.

A damaged file is refused and left where it is: dbwatch never deletes what it may be asked for.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from dbwatch.errors import DbwatchError
from dbwatch.history.maintenance import History

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

FILE, LOCK = "history.sqlite", "lock"
MIGRATIONS = Path(__file__).with_name("migrations")
BUSY_SECONDS = 5.0
MODE, BESIDE = 0o640, ("-wal", "-shm")
MEND = "create it for the account of dbwatch (systemd: StateDirectory=dbwatch), or choose another path"
SETTINGS = ("PRAGMA journal_mode = WAL", "PRAGMA synchronous = NORMAL", "PRAGMA foreign_keys = ON")


@asynccontextmanager
async def opened(directory: Path) -> AsyncIterator[History]:
    """The history in `directory`, for one process at a time. Raise DbwatchError, in one line, where it cannot be."""
    loop = asyncio.get_running_loop()
    with locked(directory), ThreadPoolExecutor(1, thread_name_prefix="history") as thread:
        connection = await loop.run_in_executor(thread, connect, directory / FILE)
        try:
            history = History(connection, thread)
            await history.refresh()
            yield history
        finally:
            await loop.run_in_executor(thread, connection.close)


@contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Hold the state directory while the context is open. Raise DbwatchError where another process does."""
    try:
        directory.mkdir(mode=0o750, parents=True, exist_ok=True)
        file = (directory / LOCK).open("w")
    except (FileExistsError, NotADirectoryError):
        what = f"cannot use state_directory {directory}: it is not a directory"
        raise DbwatchError(f"{what} -> choose another path") from None
    except OSError as error:
        why = (error.strerror or "").lower()
        raise DbwatchError(f"cannot use state_directory {directory}: {why} -> {MEND}") from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            what = f"state_directory {directory} is in use: another dbwatch runs on it"
            raise DbwatchError(f"{what} -> stop that one, or give this one a state_directory of its own") from None
        yield


def connect(path: Path) -> sqlite3.Connection:
    """Open the file and bring it up to date. Raise DbwatchError."""
    try:
        _closed_to_others(path)
        connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
    except (sqlite3.Error, OSError) as error:
        raise DbwatchError(f"cannot open {path}: {getattr(error, 'strerror', None) or error}") from None
    try:
        for statement in SETTINGS:
            connection.execute(statement)
        _check(connection, path)
        migrate(connection, path)
    except sqlite3.DatabaseError as error:
        connection.close()
        raise _unusable(path, error) from None
    except DbwatchError:
        connection.close()
        raise
    return connection


def _closed_to_others(path: Path) -> None:
    """It tells who silenced what and why: for our account and group. SQLite gives its -wal file the same mode."""
    path.touch(mode=MODE)
    if path.stat().st_mode & 0o007 and path.stat().st_uid == os.geteuid():
        for each in (path, *(path.with_name(path.name + end) for end in BESIDE)):
            with suppress(FileNotFoundError):
                each.chmod(MODE)


def _check(connection: sqlite3.Connection, path: Path) -> None:
    answer = connection.execute("PRAGMA quick_check(1)").fetchone()
    if answer != ("ok",):
        raise _damaged(path)


def _unusable(path: Path, error: sqlite3.DatabaseError) -> DbwatchError:
    """An operational error is the disk's or another process's; any other means that the file is no database."""
    if isinstance(error, sqlite3.OperationalError):
        return DbwatchError(f"cannot use {path}: {error}")
    return _damaged(path)


def _damaged(path: Path) -> DbwatchError:
    return DbwatchError(f"{path} is damaged -> move it and its -wal file aside, then start again: a new one is made")


def migrate(connection: sqlite3.Connection, path: Path, directory: Path = MIGRATIONS) -> None:
    """Apply the scripts that the file has not seen, each in a transaction with its number as `user_version`."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    scripts = {int(script.name.partition("_")[0]): script for script in sorted(directory.glob("*.sql"))}
    if version > max(scripts, default=0):
        raise DbwatchError(f"{path} was written by a newer dbwatch (version {version}): upgrade dbwatch")
    for number in (number for number in scripts if number > version):
        text = scripts[number].read_text(encoding="utf-8")
        try:
            connection.executescript(f"BEGIN IMMEDIATE;\n{text}\nPRAGMA user_version = {number};\nCOMMIT;")
        except sqlite3.Error:
            if connection.in_transaction:
                connection.rollback()
            raise
