"""Whether a set could be begun: asked of the file system, which alone knows, and nothing of it stays."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from dbwatch.archive import disk
from dbwatch.archive.faults import told

if TYPE_CHECKING:
    from pathlib import Path

    from dbwatch.archive.sets import Place


def usable(root: Path) -> None:
    """The repository's own directory can be written and read. Raise JobError."""
    with told(f"use backups.directory {root}"):
        _written(root)
        disk.entries(root)


def begun(place: Place) -> None:
    """Raise JobError where no set could be begun there. What is missing would be made: so it is tried in what is."""
    with told(f"use backups.directory {place.root}"):
        if not place.root.exists():
            _written(next(each for each in place.root.parents if each.exists()))
            return
    usable(place.root)
    with told(f"write in {place.directory}"):
        for directory in (place.root / place.instance, place.directory):
            if not os.path.lexists(directory):
                return
            _written(disk.directory(directory))


def _written(directory: Path) -> None:
    probe = directory / f".probe-{os.getpid()}"
    disk.write(probe, "")
    probe.unlink()
