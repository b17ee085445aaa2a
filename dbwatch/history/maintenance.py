"""Maintenance windows: announced, remembered, and known without asking the disk."""

from __future__ import annotations

import asyncio
import functools
import sqlite3
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from dbwatch.errors import DbwatchError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from concurrent.futures import Executor

QUERIES = Path(__file__).with_name("queries")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Window:
    """One window; without an end it is open until it is stopped."""

    instance: str
    starts_at: float
    ends_at: float | None = None
    reason: str = ""
    who: str = ""

    def is_open(self, now: float) -> bool:
        return self.starts_at <= now and (self.ends_at is None or now < self.ends_at)


@functools.cache
def query(name: str) -> str:
    return (QUERIES / f"{name}.sql").read_text(encoding="utf-8")


class History:
    """Reads and writes through the one thread that owns the connection; `in_maintenance` answers from memory."""

    def __init__(
        self, connection: sqlite3.Connection, thread: Executor, clock: Callable[[], float] = time.time
    ) -> None:
        self._connection = connection
        self._thread = thread
        self._clock = clock
        self._windows: tuple[Window, ...] = ()

    def in_maintenance(self, instance: str, now: float) -> bool:
        return any(window.instance == instance and window.is_open(now) for window in self._windows)

    def windows(self, now: float) -> list[Window]:
        """Those that have not ended, by instance."""
        return [window for window in self._windows if window.ends_at is None or window.ends_at > now]

    async def start(self, window: Window) -> Window:
        """Open a window; one that is open already for this instance ends. Raise DbwatchError."""
        await self._write(
            ("stop", {"instance": window.instance, "now": window.starts_at}),
            ("start", asdict(window)),
        )
        return window

    async def stop(self, instance: str, now: float) -> int:
        """End what is open for this instance: how many windows that was. Raise DbwatchError."""
        return await self._write(("stop", {"instance": instance, "now": now}))

    async def refresh(self) -> None:
        """Read the windows again."""
        await self._in_thread(lambda: None)

    async def _write(self, *statements: tuple[str, Mapping[str, object]]) -> int:
        """Run statements as one transaction; the rows that the last one touched."""

        def work() -> int:
            with self._connection:
                self._connection.execute("BEGIN IMMEDIATE")
                return [self._connection.execute(query(name), values).rowcount for name, values in statements][-1]

        return await self._in_thread(work)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        result, windows = await asyncio.get_running_loop().run_in_executor(self._thread, self._done, work)
        self._windows = windows
        return result

    def _done(self, work: Callable[[], T]) -> tuple[T, tuple[Window, ...]]:
        try:
            result = work()
            rows = self._connection.execute(query("open"), {"now": self._clock()}).fetchall()
        except sqlite3.Error as error:
            raise DbwatchError(f"cannot use the history: {error}") from None
        return result, tuple(Window(*row) for row in rows)
