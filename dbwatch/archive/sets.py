"""What stands in a repository, read from it. One bad set never hides the others: it is a record with a problem."""

from __future__ import annotations

import hashlib
import stat
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dbwatch.archive import disk, names
from dbwatch.archive.faults import told, why
from dbwatch.core.backups import manifest as words
from dbwatch.core.backups.folding import unreadable
from dbwatch.core.backups.model import BackupKind, BackupRecord, JobReason, Manifest, Proof
from dbwatch.errors import JobError

if TYPE_CHECKING:
    from os import DirEntry
    from pathlib import Path

LARGEST_BYTES = 256 * 1024 * 1024  # of a manifest: a million tables have less


@dataclass(frozen=True, slots=True)
class Place:
    """Where the sets of one kind of one instance stand."""

    root: Path
    instance: str
    kind: BackupKind

    @property
    def directory(self) -> Path:
        return self.root / self.instance / self.kind.value

    @property
    def trash(self) -> Path:
        return self.directory / names.TRASH

    def set_directory(self, backup_id: str) -> Path:
        return self.directory / names.checked_id(backup_id)


def placeholder(place: Place, backup_id: str) -> Manifest:
    sequence, at = names.sequence_of(backup_id), names.time_of(backup_id)
    return unreadable(place.instance, place.kind, backup_id, sequence=sequence, started_at=at)


def read_all(place: Place) -> list[BackupRecord]:
    """By sequence. Raise JobError where the directory itself cannot be read: that is not the same as empty."""
    found = (entry.name for entry in listed(place.directory) if names.ID.fullmatch(entry.name))
    return sorted((read(place, name) for name in found), key=order)


def order(record: BackupRecord) -> tuple[int, str]:
    return record.manifest.sequence, record.id


def listed(directory: Path) -> list[DirEntry[str]]:
    """The entries of a directory below the root, which may not be there yet. Raise JobError."""
    with told(f"read {directory}"):
        try:
            return disk.entries(disk.directory(directory))
        except FileNotFoundError:
            return []


def read(place: Place, backup_id: str) -> BackupRecord:
    """A record in any case; `problem` says why the set cannot be used."""
    return _read(place, backup_id, place.set_directory(backup_id))


def read_trashed(place: Place, backup_id: str) -> BackupRecord:
    """The same of one that was deleted."""
    return _read(place, backup_id, place.trash / names.checked_id(backup_id))


def _read(place: Place, backup_id: str, directory: Path) -> BackupRecord:
    try:
        found, checksum = _manifest(directory)
        _belongs(found, place, backup_id)
        return BackupRecord(found, _proofs(directory, backup_id), checksum, _is_pinned(directory))
    except JobError as error:
        problem = error.message
    except OSError as error:
        problem = f"it cannot be read: {why(error)}"
    return BackupRecord(placeholder(place, backup_id), pinned=_is_pinned(directory), problem=problem)


def read_good(place: Place, backup_id: str) -> BackupRecord:
    """Raise JobError: REPOSITORY where there is no such set, CORRUPT where it cannot be used."""
    directory = place.set_directory(backup_id)
    with told(f"read {directory}"):
        disk.directory(directory)
    record = read(place, backup_id)
    if record.problem:
        raise JobError(JobReason.CORRUPT, f"{backup_id} cannot be used: {record.problem}")
    return record


def _manifest(directory: Path) -> tuple[Manifest, str]:
    """With the sum of its file."""
    try:
        body = disk.read(disk.directory(directory) / names.MANIFEST, LARGEST_BYTES)
    except FileNotFoundError:
        raise JobError(JobReason.CORRUPT, "it has no manifest: it is no backup") from None
    return words.parse(body), hashlib.sha256(body).hexdigest()


def _belongs(found: Manifest, place: Place, backup_id: str) -> None:
    if (found.instance, found.kind, found.id) != (place.instance, place.kind, backup_id):
        what = f"its manifest is that of {found.id} of {found.instance}: it was moved or copied here"
        raise JobError(JobReason.CORRUPT, what)


def _is_pinned(directory: Path) -> bool:
    with suppress(OSError):
        return stat.S_ISREG((directory / names.PIN).lstat().st_mode)
    return False


def proof_files(directory: Path) -> list[str]:
    """In the order in which they were written. Raise OSError."""
    with suppress(FileNotFoundError):
        found = disk.entries(disk.directory(directory / names.PROOFS))
        return [entry.name for entry in found if names.PROOF.fullmatch(entry.name)]
    return []


def _proofs(directory: Path, backup_id: str) -> tuple[Proof, ...]:
    """Those after the last that cannot be read: nobody knows whether it took away what was proven before it."""
    proofs: list[Proof] = []
    for name in proof_files(directory):
        try:
            proofs.append(words.proof_parse(disk.read(directory / names.PROOFS / name, LARGEST_BYTES), backup_id))
        except (JobError, OSError):
            proofs.clear()
    return tuple(proofs)


@dataclass(frozen=True, slots=True)
class Trashed:
    """A set that was deleted and can still be had back."""

    instance: str
    kind: BackupKind
    id: str
    trashed_at: float


def trashed(place: Place) -> list[Trashed]:
    """Raise JobError."""
    with told(f"read {place.trash}"):
        return [
            Trashed(place.instance, place.kind, entry.name, entry.stat(follow_symlinks=False).st_mtime)
            for entry in listed(place.trash)
            if names.ID.fullmatch(entry.name) and entry.is_dir(follow_symlinks=False)
        ]
