"""How much may still be written."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dbwatch.archive.faults import told
from dbwatch.core.backups.model import JobReason
from dbwatch.core.showing.humanise import size
from dbwatch.errors import JobError

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Space:
    """Of the file system that holds the backups. The reserve is never written to: it is the machine's own."""

    free_bytes: int
    total_bytes: int
    reserve_bytes: int

    @property
    def usable_bytes(self) -> int:
        return max(0, self.free_bytes - self.reserve_bytes)

    @property
    def is_low(self) -> bool:
        """Nothing more may be written: a dump that runs must end before the machine is full."""
        return self.free_bytes <= self.reserve_bytes


def space(directory: Path, reserve_ratio: float, reserve_bytes: int) -> Space:
    """Raise JobError. What is not there yet will be made on the file system of what is."""
    with told(f"look at the space of {directory}"):
        found = os.statvfs(next(each for each in (directory, *directory.parents) if each.exists()))
    total = found.f_blocks * found.f_frsize
    return Space(found.f_bavail * found.f_frsize, total, max(int(total * reserve_ratio), reserve_bytes))


def require(directory: Path, space: Space, needed_bytes: int) -> None:
    """Raise JobError(DISK_FULL) where a set of that size does not fit beside the reserve."""
    if needed_bytes > space.usable_bytes or space.is_low:
        free, reserve = size(space.free_bytes), size(space.reserve_bytes)
        what = f"{size(needed_bytes)} are needed in {directory}: {free} are free, of which {reserve} stay reserved"
        mend = "free space there, choose another backups.directory, or lower backups.reserve_bytes and reserve_ratio"
        raise JobError(JobReason.DISK_FULL, f"{what} -> {mend}")
