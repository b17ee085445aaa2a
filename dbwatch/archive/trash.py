"""Deleting takes two steps: out of sight at once, gone after a grace. Nothing but sets is ever touched."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from dbwatch.archive import disk, names, sets
from dbwatch.archive.faults import told
from dbwatch.core.backups.model import JobReason
from dbwatch.errors import JobError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dbwatch.archive.sets import Place


def hold(directory: Path, *, alone: bool) -> int:
    """Readers hold a set together, who deletes it holds it alone: a descriptor to be closed. Raise JobError(BUSY)."""
    with told(f"read {directory}"):
        descriptor = disk.held(directory, alone=alone)
    if descriptor is None:
        who = "is being read" if alone else "is being deleted"
        raise JobError(JobReason.BUSY, f"{directory.name} {who} right now -> try again later")
    return descriptor


@contextmanager
def held(directory: Path, *, alone: bool) -> Iterator[None]:
    """While the context is open. Raise JobError(BUSY)."""
    descriptor = hold(directory, alone=alone)
    try:
        yield
    finally:
        os.close(descriptor)


def trash(place: Place, backup_id: str, now: float) -> None:
    """Out of sight; when, the directory's own time tells. Raise JobError."""
    directory = place.set_directory(backup_id)
    with held(directory, alone=True), told(f"delete {directory}"):
        disk.make_directory(place.trash, disk.PRIVATE)
        os.utime(directory, (now, now))
        disk.rename(directory, place.trash / backup_id)


def untrash(place: Place, backup_id: str) -> None:
    """Raise JobError; what cannot be used stays where it is."""
    directory = place.set_directory(backup_id)
    problem = sets.read_trashed(place, backup_id).problem
    if problem:
        what = f"{backup_id} cannot be used: {problem}"
        raise JobError(JobReason.CORRUPT, f"{what} -> it stays in the trash, {place.trash}")
    with told(f"bring {backup_id} back from {place.trash}"):
        disk.rename(place.trash / backup_id, directory)


def empty(place: Place, now: float, grace_seconds: float) -> list[str]:
    """Remove for good what lies there for longer: the ids. Raise JobError."""
    gone = [each.id for each in sets.trashed(place) if each.trashed_at + grace_seconds <= now]
    for backup_id in gone:
        doomed = place.trash / names.removed_name(backup_id)
        with told(f"delete {place.trash / backup_id}"), suppress(FileNotFoundError):
            disk.rename(place.trash / backup_id, doomed)
            disk.remove_tree(doomed)
    return gone
