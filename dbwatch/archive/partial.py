"""A set on its way: written beside the others under a name that no reader takes for a set, then renamed at once."""

from __future__ import annotations

import hashlib
import os
import secrets
import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from dbwatch.archive import disk, hashing, names
from dbwatch.archive.faults import told, why
from dbwatch.archive.sets import listed
from dbwatch.archive.threads import whole
from dbwatch.core.backups import manifest as words
from dbwatch.core.backups.model import BackupRecord, JobReason
from dbwatch.errors import JobError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from dbwatch.archive.sets import Place
    from dbwatch.core.backups.model import Manifest, Member

TOKEN_BYTES = 4

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Held:
    """What nobody else may do meanwhile; the file is held until its descriptor is closed."""

    place: Place
    descriptor: int

    def close(self) -> None:
        os.close(self.descriptor)


class Partial:
    """One set that is being made, in `path`. Until `publish` has ended well there is no set."""

    def __init__(self, held: Held, backup_id: str) -> None:
        self._held = held
        self._stop = threading.Event()
        self._is_kept = False
        self.id = backup_id
        self.sequence = names.sequence_of(backup_id)
        self.path = held.place.directory / names.partial_name(backup_id)

    async def members(self, templates: Iterable[Member]) -> tuple[Member, ...]:
        """Sizes and sums of what was written; a template whose path is a directory gives a member for each file in it.

        Raise JobError.
        """
        return await hashing.members(self.path, templates)

    async def publish(self, manifest: Manifest) -> BackupRecord:
        """Make it a set: all of it is on the disk, then the manifest, then the name. Raise JobError: there is none."""
        record = await whole(lambda: self._published(manifest), self._stop)
        self._is_kept = True
        return record

    def _published(self, manifest: Manifest) -> BackupRecord:
        text = words.dump(manifest)
        with told(f"publish {self.path}"):
            self._check(manifest)
            self._settle()
            disk.write(self.path / names.MANIFEST, text)
            self._go_on()
            disk.rename(self.path, self._target)
        return BackupRecord(manifest, checksum=hashlib.sha256(text.encode()).hexdigest())

    @property
    def _target(self) -> Path:
        return self._held.place.directory / self.id

    def _check(self, manifest: Manifest) -> None:
        """Exactly what the manifest names is there: a file too many may hold a secret, one too few is no backup."""
        place = self._held.place
        if (manifest.id, manifest.sequence) != (self.id, self.sequence) or (manifest.instance, manifest.kind) != (
            place.instance,
            place.kind,
        ):
            raise ValueError(f"the manifest of {manifest.id} is not that of {self.id}")
        sizes = {member.path: member.size_bytes for member in manifest.members}
        tree = disk.tree(self.path)
        found = {path: (self.path / path).lstat().st_size for path in tree.files}
        if tree.strange or found != sizes:
            odd = sorted({*tree.strange, *(path for path, _ in found.items() ^ sizes.items())})
            what = f"{odd[0]} is not as the manifest says"
            raise JobError(JobReason.INCOMPLETE, f"the set is not published: {what}")
        if not manifest.size_bytes:
            raise JobError(JobReason.INCOMPLETE, "the set is not published: it is empty")

    def _settle(self) -> None:
        """Every byte is on the disk, for our own eyes alone."""
        tree = disk.tree(self.path)
        for paths, mode in ((tree.files, disk.FILE), ((*tree.directories, ""), disk.PRIVATE)):
            for path in paths:
                self._go_on()
                (self.path / path).chmod(mode)
                disk.sync(self.path / path)

    def _go_on(self) -> None:
        if self._stop.is_set():
            raise JobError(JobReason.CANCELLED, "the set is not published: it was cancelled")

    async def close(self) -> None:
        """Let go of it; what was not published is gone, however that came."""
        await whole(self._closed)

    def _closed(self) -> None:
        try:
            if not self._is_kept:
                with suppress(FileNotFoundError):
                    disk.rename(self._target, self.path)  # its name stood already when something failed
                with suppress(FileNotFoundError):
                    disk.remove_tree(self.path)
        except OSError as error:
            log.warning("backup_partial_left", path=str(self.path), error=why(error))  # swept by the next run
        finally:
            self._held.close()


def begun(place: Place, now: float, after: int) -> Partial:
    """Alone on the instance and kind. Raise JobError: BUSY where somebody else is at it."""
    with told(f"write in {place.directory}"):
        for directory in (place.root / place.instance, place.directory):
            disk.make_directory(directory, disk.SHARED)
    held = locked(place)
    if held is None:
        what = f"another dbwatch makes a {place.kind} backup of {place.instance} in {place.root} right now"
        raise JobError(JobReason.BUSY, f"{what} -> wait for it, or stop it")
    try:
        with told(f"write in {place.directory}"):
            sequence = 1 + max(after, *_sequences(place), 0)
            clean(place)
            partial = Partial(held, names.new_id(now, sequence, secrets.token_hex(TOKEN_BYTES)))
            disk.make_directory(partial.path, disk.PRIVATE)
    except JobError:
        held.close()
        raise
    return partial


def locked(place: Place) -> Held | None:
    with told(f"lock {place.directory}"):
        descriptor = disk.locked(place.directory / names.LOCK)
    return None if descriptor is None else Held(place, descriptor)


def _sequences(place: Place) -> list[int]:
    return [names.sequence_of(entry.name) for each in (place.directory, place.trash) for entry in listed(each)]


def clean(place: Place) -> list[Path]:
    """Remove what dead processes left: only while the lock is held. Raise OSError."""
    found = left(place)
    for path in found:
        disk.remove_tree(path)
    return found


def left(place: Place) -> list[Path]:
    """What is unfinished there; without the lock: by whomever. Raise JobError."""
    return [
        each / entry.name
        for each in (place.directory, place.trash)
        for entry in listed(each)
        if (names.PARTIAL.fullmatch(entry.name) or names.REMOVED.fullmatch(entry.name))
        and entry.is_dir(follow_symlinks=False)
    ]
