"""The one thread that owns the connection: every read and every transaction goes through it, in order."""

from __future__ import annotations

import asyncio
import functools
import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from dbwatch.errors import DbwatchError

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor

QUERIES = Path(__file__).with_name("queries")
T = TypeVar("T")


@functools.cache
def query(name: str) -> str:
    return (QUERIES / f"{name}.sql").read_text(encoding="utf-8")


class Writer:
    """Runs work on the connection, in its thread. Raise DbwatchError, in one line, where the disk or file refuses."""

    def __init__(self, connection: sqlite3.Connection, thread: Executor) -> None:
        self._connection = connection
        self._thread = thread

    async def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._told, work)

    async def write(self, work: Callable[[sqlite3.Connection], T], *, survives_power_cut: bool = False) -> T:
        """Run `work` as one transaction: all of it counts, or nothing."""
        return await self.read(lambda connection: _transaction(connection, work, survives_power_cut=survives_power_cut))

    def _told(self, work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            return work(self._connection)
        except sqlite3.Error as error:
            raise DbwatchError(f"cannot use the history {self._file()}: {error} -> {_mend(error)}") from None

    def _file(self) -> str:
        """Where it is: SQLite knows."""
        with suppress(sqlite3.Error):
            return str(next(path for _, _, path in self._connection.execute("PRAGMA database_list")))
        return ""


def _mend(error: sqlite3.Error) -> str:
    if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL:
        return "free space there; nothing was changed"
    return "mend the disk or its permissions; nothing was changed"


def _transaction(
    connection: sqlite3.Connection, work: Callable[[sqlite3.Connection], T], *, survives_power_cut: bool
) -> T:
    if not survives_power_cut:
        return _committed(connection, work)
    connection.execute("PRAGMA synchronous = FULL")
    try:
        return _committed(connection, work)
    finally:
        connection.execute("PRAGMA synchronous = NORMAL")


def _committed(connection: sqlite3.Connection, work: Callable[[sqlite3.Connection], T]) -> T:
    with connection:
        connection.execute("BEGIN IMMEDIATE")
        return work(connection)
