"""How far a restore is: how much of the set its first process has read, as the kernel counts it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from dbwatch.core.backups.model import Progress
from dbwatch.engines.backing import LOOKING_THROUGH
from dbwatch.jobs import proc

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from dbwatch.jobs.process import Care
    from dbwatch.jobs.running import Run

LOOK_SECONDS = 0.5
READ = "rchar:"


@asynccontextmanager
async def shown(run: Run, care: Care, expected_bytes: int) -> AsyncIterator[None]:
    """As long as the context is open. What runs already is no part of it: a scratch server, for one."""
    others = frozenset(care.leaders)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(_look(run, care, others, expected_bytes), name="progress of a restore")
        try:
            yield
        finally:
            task.cancel()


async def _look(run: Run, care: Care, others: frozenset[int], expected_bytes: int) -> None:
    read: dict[int, int] = {}
    while True:
        first = min(care.leaders - others, default=None)
        if first is not None and not run.progress.phase.startswith(LOOKING_THROUGH):
            read[first] = max(read.get(first, 0), await asyncio.to_thread(read_bytes, first))
        done = min(sum(read.values()), expected_bytes)
        run.show(Progress(bytes_done=done, bytes_expected=expected_bytes))
        await asyncio.sleep(LOOK_SECONDS)


def read_bytes(leader: int) -> int:
    """By a process and those that it started; programs and libraries are read otherwise, and not counted."""
    return sum(map(_read_by, proc.family({leader}, proc.table())))


def _read_by(pid: int) -> int:
    with suppress(OSError, ValueError):
        lines = (proc.ROOT / str(pid) / "io").read_text().splitlines()
        return next((int(line.split()[1]) for line in lines if line.startswith(READ)), 0)
    return 0
