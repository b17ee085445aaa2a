"""Room for what is restored on this machine: asked for before, and watched while a scratch server is filled."""

from __future__ import annotations

import asyncio
import shutil
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from dbwatch.core.backups.model import JobReason
from dbwatch.core.showing.humanise import size
from dbwatch.errors import JobError
from dbwatch.jobs.faults import disk_error, only

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from dbwatch.jobs.scratch import Workshop

LOOK_SECONDS = 1.0  # a restore writes a hundred MB in it, and the reserve is more
RESERVE_BYTES = 256 * 1024**2  # others write there too: a database perhaps


async def require(workshop: Workshop, needed_bytes: int) -> None:
    """Raise JobError(DISK_FULL) where so much does not fit beside the reserve."""
    free = await free_bytes(workshop.directory)
    if free < needed_bytes + RESERVE_BYTES:
        what = f"restoring takes about {size(needed_bytes)} below {workshop.directory}, where {size(free)} are free"
        raise JobError(JobReason.DISK_FULL, f"{what} -> {_mend(workshop)}")


@asynccontextmanager
async def guarded(workshop: Workshop) -> AsyncIterator[None]:
    """As long as the context is open, what is done in it is given up before the disk is full. Raise JobError."""
    try:
        async with asyncio.TaskGroup() as group:
            guard = group.create_task(_guard(workshop), name=f"room below {workshop.directory}")
            try:
                yield
            finally:
                guard.cancel()
    except BaseExceptionGroup as raised:
        raise only(raised) from raised


async def _guard(workshop: Workshop) -> None:
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        if await free_bytes(workshop.directory) < RESERVE_BYTES:
            what = f"the file system of {workshop.directory} fills up while a backup is restored there"
            raise JobError(JobReason.DISK_FULL, f"{what} -> {_mend(workshop)}")


def _mend(workshop: Workshop) -> str:
    return f"make room, or change {workshop.named_by}"


async def free_bytes(directory: Path) -> int:
    """On its file system, or on that of the nearest above it that is there. Raise JobError."""
    return await asyncio.to_thread(_free_bytes, directory)


def _free_bytes(directory: Path) -> int:
    try:
        return shutil.disk_usage(next(each for each in (directory, *directory.parents) if each.exists())).free
    except OSError as error:
        raise disk_error(error, directory) from None
