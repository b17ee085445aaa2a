"""Everything that stands in a repository: what an index is rebuilt from, and what nobody of us put there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import structlog

from dbwatch.archive import disk, names, partial, sets
from dbwatch.archive.faults import told
from dbwatch.archive.sets import Place, Trashed
from dbwatch.core.backups.model import BackupKind
from dbwatch.errors import JobError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from os import DirEntry
    from pathlib import Path

    from dbwatch.core.backups.model import BackupRecord

log = structlog.get_logger()
OF_FILE_SYSTEMS = frozenset({"lost+found", ".snapshot"})
OURS = frozenset({names.TRASH, names.LOCK})


@dataclass(frozen=True, slots=True)
class Scan:
    """By instance. One whose directory cannot be read is not one without backups."""

    records: Mapping[str, tuple[BackupRecord, ...]] = field(default_factory=dict)
    trashed: tuple[Trashed, ...] = ()
    unreadable: Mapping[str, str] = field(default_factory=dict)  # instance, why
    unknown: tuple[Path, ...] = ()  # left alone


def scan(root: Path) -> Scan:
    """Raise JobError where the directory itself cannot be read."""
    records: dict[str, tuple[BackupRecord, ...]] = {}
    trashed: list[Trashed] = []
    unreadable: dict[str, str] = {}
    unknown = [root / entry.name for entry in _entries(root) if not _is_instance(entry)]
    for instance in instances(root):
        try:
            records[instance] = records_of(root, instance)
            trashed += trashed_of(root, instance)
            unknown += _unknown(root, instance)
        except JobError as error:
            unreadable[instance] = error.message
    return Scan(records, tuple(trashed), unreadable, tuple(unknown))


def instances(root: Path) -> list[str]:
    """Raise JobError where the root is not there: that is not the same as empty."""
    return [entry.name for entry in _entries(root) if _is_instance(entry)]


def places(root: Path) -> list[Place]:
    return [Place(root, instance, kind) for instance in instances(root) for kind in BackupKind]


def records_of(root: Path, instance: str) -> tuple[BackupRecord, ...]:
    """By sequence. Raise JobError."""
    _entries(root)
    sets.listed(root / names.checked_instance(instance))
    found = [record for kind in BackupKind for record in sets.read_all(Place(root, instance, kind))]
    return tuple(sorted(found, key=sets.order))


def trashed_of(root: Path, instance: str) -> tuple[Trashed, ...]:
    return tuple(
        each for kind in BackupKind for each in sets.trashed(Place(root, names.checked_instance(instance), kind))
    )


def swept(root: Path) -> tuple[Path, ...]:
    """Remove the unfinished sets of dead processes, never one whose lock is held: the paths. Raise JobError."""
    return tuple(path for place in places(root) if place.directory.is_dir() for path in _cleaned(place))


def _cleaned(place: Place) -> list[Path]:
    """One that cannot be cleaned does not keep the others from it."""
    held = None
    try:
        if not partial.left(place):
            return []
        held = partial.locked(place)
        with told(f"clean {place.directory}"):
            return partial.clean(place) if held else []
    except JobError as error:
        log.warning("backup_partial_left", path=str(place.directory), error=error.message)
        return []
    finally:
        if held:
            held.close()


def _entries(root: Path) -> list[DirEntry[str]]:
    with told(f"read backups.directory {root}"):
        return [entry for entry in disk.entries(root) if entry.name not in OF_FILE_SYSTEMS]


def _is_instance(entry: DirEntry[str]) -> bool:
    return bool(names.INSTANCE.fullmatch(entry.name)) and entry.is_dir(follow_symlinks=False)


def _unknown(root: Path, instance: str) -> Iterator[Path]:
    for entry in sets.listed(root / instance):
        if not names.is_kind(entry.name):
            yield root / instance / entry.name
    for kind in BackupKind:
        directory = Place(root, instance, kind).directory
        others = (entry.name for entry in sets.listed(directory) if entry.name not in OURS)
        yield from (directory / name for name in others if not names.sequence_of(name))
