"""What a look at the disk tells of a set without reading it: names and sizes, by stat alone."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dbwatch.archive import disk, hashing, names, sets
from dbwatch.archive.faults import why
from dbwatch.archive.sets import Place
from dbwatch.core.backups.folding import is_folded
from dbwatch.errors import JobError

if TYPE_CHECKING:
    from pathlib import Path

    from dbwatch.core.backups.model import BackupRecord, Member


def looked_at(root: Path, record: BackupRecord) -> BackupRecord:
    """With the problem that shows, and with the proofs that were written meanwhile; the manifest stays as it was given.

    What the index keeps of a manifest is compared in sum; only where that differs is the manifest itself read.
    """
    if record.problem:
        return record
    place = Place(root, record.manifest.instance, record.manifest.kind)
    directory, found = place.set_directory(record.id), record
    if is_folded(record.manifest):
        if _is_as_kept(directory, record):
            return record
        found = sets.read(place, record.id)
    problem = found.problem or _damage(directory, found.manifest.members)
    if problem and not directory.exists():
        problem = "its directory is gone"
    return replace(record, proofs=record.proofs if found.problem else found.proofs, problem=problem)


def _is_as_kept(directory: Path, record: BackupRecord) -> bool:
    try:
        tree = disk.tree(directory)
        members = [path for path in tree.files if path.partition("/")[0] not in names.OUR_FILES]
        size_bytes = sum((directory / path).lstat().st_size for path in members)
        proofs = len(sets.proof_files(directory))
    except OSError:
        return False
    is_whole = names.MANIFEST in tree.files and size_bytes == record.manifest.size_bytes
    return is_whole and proofs == len(record.proofs)


def _damage(directory: Path, members: tuple[Member, ...]) -> str:
    try:
        hashing.compare_sizes(directory, members)
    except JobError as error:
        return error.message
    except OSError as error:
        return f"it cannot be read: {why(error)}"
    return ""
