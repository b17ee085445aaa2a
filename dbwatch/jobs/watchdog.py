"""Does a pipeline get on? Judged by what it leaves on the disk and by what its processes use, never by a lock."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

from dbwatch.core.backups.model import JobReason
from dbwatch.core.showing.humanise import duration
from dbwatch.errors import JobError
from dbwatch.jobs import proc
from dbwatch.jobs.disk import size_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

LOOK_SECONDS = 1.0
COST_RATIO = 0.01  # a directory of many thousand files is looked at less often
AT_WORK_RATIO = 0.02  # of a core: a server that is idle uses a little too
LOOKS_AT_CPU = 8  # before it is given up
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


class Watchdog:
    """Of one pipeline; `leaders` are the processes of its run, as they are at each look."""

    def __init__(
        self,
        name: str,
        grows: Collection[Path],
        leaders: Collection[int],
        stalled_after_seconds: float | None,
        on_bytes: Callable[[int], None],
    ) -> None:
        self._name = name
        self._grows = grows
        self._leaders = leaders
        self._stalled_after_seconds = stalled_after_seconds
        self._on_bytes = on_bytes
        self._size_bytes = 0
        self._cpu_ticks = 0
        self._moved_at = 0.0
        self._cpu_at = 0.0

    async def run(self) -> None:
        """Until it is cancelled. Raise JobError(STALLED)."""
        loop = asyncio.get_running_loop()
        self._moved_at = self._cpu_at = loop.time()
        while True:
            before = loop.time()
            await self.look()
            now = loop.time()
            await self._judge(now)
            await asyncio.sleep(max(LOOK_SECONDS, (now - before) / COST_RATIO))

    async def look(self) -> None:
        """At the disk."""
        found = await asyncio.to_thread(size_bytes, self._grows) if self._grows else 0
        if found != self._size_bytes:
            self._size_bytes = found
            self._moved_at = asyncio.get_running_loop().time()
            self._on_bytes(found)

    async def _judge(self, now: float) -> None:
        limit = self._stalled_after_seconds
        if limit is None or now - self._moved_at < limit / LOOKS_AT_CPU:
            return
        if now - self._cpu_at >= limit / LOOKS_AT_CPU and await self._is_at_work(now):
            self._moved_at = now
        if now - self._moved_at >= limit:
            what = f"{self._name}: no byte was written and no processor used for {duration(limit)}"
            raise JobError(JobReason.STALLED, what)

    async def _is_at_work(self, now: float) -> bool:
        used = await asyncio.to_thread(proc.cpu_ticks, frozenset(self._leaders))
        enough = AT_WORK_RATIO * TICKS_PER_SECOND * (now - self._cpu_at)
        is_at_work = abs(used - self._cpu_ticks) >= max(enough, 1.0)
        self._cpu_ticks, self._cpu_at = used, now
        return is_at_work
