"""Real damage to a table's file of a scratch server that is stopped: a few pages, in the middle of their bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dbwatch.core.backups.model import JobReason
from dbwatch.errors import JobError
from dbwatch.jobs.faults import disk_error

if TYPE_CHECKING:
    from pathlib import Path

PAGES = 3
SPOILED_BYTES = 64
FLIPPED = 0xA5


def damage(path: Path, pages: int, page_bytes: int) -> tuple[int, ...]:
    """Spoil a few pages of the file: which ones. Raise JobError."""
    chosen = spread(pages)
    if not chosen:
        raise JobError(JobReason.OTHER, "the table has no page on disk: name a larger one with --table")
    try:
        with path.open("r+b") as file:
            for page in chosen:
                at = page * page_bytes + page_bytes // 2
                file.seek(at)
                spoiled = bytes(byte ^ FLIPPED for byte in file.read(SPOILED_BYTES))
                file.seek(at)
                file.write(spoiled)
    except OSError as error:
        raise disk_error(error, path) from None
    return chosen


def spread(pages: int, count: int = PAGES) -> tuple[int, ...]:
    """So many different pages, spread over the file; fewer where there are not so many."""
    wanted = min(pages, count)
    return tuple(pages * (2 * number + 1) // (2 * wanted) for number in range(wanted))
