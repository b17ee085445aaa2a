"""Maintenance windows: announced, remembered, and known without asking the disk."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from dbwatch.history.alerts import AlertBook
from dbwatch.history.jobs import JobBook
from dbwatch.history.outbox import Outbox
from dbwatch.history.writing import Writer, query

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Mapping
    from concurrent.futures import Executor


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


class History:
    """What outlives a restart: maintenance windows (answered from memory), `alerts`, `outbox` and `jobs`."""

    def __init__(
        self, connection: sqlite3.Connection, thread: Executor, clock: Callable[[], float] = time.time
    ) -> None:
        self._writer = Writer(connection, thread)
        self._clock = clock
        self._windows: tuple[Window, ...] = ()
        self.outbox = Outbox(self._writer)
        self.alerts = AlertBook(self._writer, self.outbox)
        self.jobs = JobBook(self._writer)

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
        """Read everything that is answered from memory again."""
        self._windows = await self._writer.read(self._open)
        await self.outbox.recover()
        await self.alerts.load(self._clock())
        await self.jobs.load()

    async def _write(self, *statements: tuple[str, Mapping[str, object]]) -> int:
        """Run statements as one transaction; the rows that the last one touched."""

        def work(connection: sqlite3.Connection) -> tuple[int, tuple[Window, ...]]:
            touched = [connection.execute(query(name), values).rowcount for name, values in statements][-1]
            return touched, self._open(connection)

        touched, self._windows = await self._writer.write(work)
        return touched

    def _open(self, connection: sqlite3.Connection) -> tuple[Window, ...]:
        rows = connection.execute(query("open"), {"now": self._clock()}).fetchall()
        return tuple(Window(*row) for row in rows)
