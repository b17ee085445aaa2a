"""Where the password files of a dump stand: on this machine, for our own eyes, and no longer than the dump."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from dbwatch.jobs import scratch

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

SETTING = "state_directory"


@asynccontextmanager
async def passwords(directory: Path) -> AsyncIterator[Path]:
    """A directory of one dump; what a dump that was killed left goes before. Raise JobError where none can be made."""
    await remove_left(directory)
    async with scratch.credentials(directory, SETTING) as private:
        yield private


async def remove_left(directory: Path) -> None:
    """Those of dumps that run now are held by them, and stay."""
    for left in await asyncio.to_thread(scratch.abandoned, directory, (scratch.CREDENTIALS,)):
        await asyncio.to_thread(scratch.remove, left)
