"""The repository as jobs use it: all of it off the loop, every refusal a JobError in one line."""

from __future__ import annotations

import json
import os
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from dbwatch.archive import disk, glance, hashing, names, partial, scan, sets, space, trash, trying
from dbwatch.archive.faults import told
from dbwatch.archive.sets import Place
from dbwatch.archive.threads import whole
from dbwatch.core.backups import manifest as words

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable
    from pathlib import Path

    from dbwatch.archive.hashing import Verified
    from dbwatch.archive.partial import Partial
    from dbwatch.archive.scan import Scan
    from dbwatch.archive.sets import Trashed
    from dbwatch.archive.space import Space
    from dbwatch.core.backups.model import BackupKind, BackupRecord, Proof
    from dbwatch.settings.backups import Backups

RESERVE_RATIO, RESERVE_BYTES = 0.05, 2 * 1024**3


class Repository:
    """`<directory>/<instance>/<kind>/<id>/`: sets that are whole. Times are given; nothing here reads a clock.

    Every method raises JobError (REPOSITORY, DISK_FULL) where the file system refuses.
    """

    def __init__(
        self, directory: Path, *, reserve_ratio: float = RESERVE_RATIO, reserve_bytes: int = RESERVE_BYTES
    ) -> None:
        self.directory = directory
        self._reserve = reserve_ratio, reserve_bytes

    @classmethod
    def configured(cls, backups: Backups) -> Repository:
        return cls(backups.directory, reserve_ratio=backups.reserve_ratio, reserve_bytes=backups.reserve_bytes)

    async def prepare(self) -> None:
        """The directory is there, and can be read and written."""
        await whole(lambda: _prepared(self.directory))

    async def tried(self, instance: str, kind: BackupKind) -> None:
        """JobError where `begin` would end. Nothing is made, the directory neither."""
        await whole(lambda: trying.begun(self._place(instance, kind)))

    @asynccontextmanager
    async def begin(
        self, instance: str, kind: BackupKind, *, now: float, after: int = 0, needed_bytes: int = 0
    ) -> AsyncIterator[Partial]:
        """A new set, whose number is larger than `after` and than all on the disk. Not published, it leaves nothing.

        JobError(BUSY) where somebody else is at it; JobError(DISK_FULL) where so much does not fit.
        """
        place = self._place(instance, kind)
        await self.require(needed_bytes)
        begun: list[Partial] = []
        try:
            await whole(lambda: begun.append(partial.begun(place, now, after)))
            yield begun[0]
        finally:
            for each in begun:
                await each.close()

    async def records(self, instance: str) -> tuple[BackupRecord, ...]:
        """Every set of an instance by sequence, those that cannot be used with their problem."""
        return await whole(lambda: scan.records_of(self.directory, instance))

    async def read(self, instance: str, kind: BackupKind, backup_id: str) -> BackupRecord:
        """With its whole manifest. JobError(CORRUPT) where it cannot be used."""
        return await whole(lambda: sets.read_good(self._place(instance, kind), backup_id))

    async def instances(self) -> list[str]:
        """Whose backups stand here, configured or not."""
        return await whole(lambda: scan.instances(self.directory))

    async def looked_at(self, records: Iterable[BackupRecord]) -> list[BackupRecord]:
        """With the problem of each that a look at the disk shows: no byte of a set is read."""
        return await whole(lambda: [glance.looked_at(self.directory, record) for record in records])

    @asynccontextmanager
    async def holding(self, instance: str, kind: BackupKind, backup_id: str) -> AsyncIterator[Path]:
        """The set's directory, to be read: meanwhile nobody deletes it."""
        directory = self._place(instance, kind).set_directory(backup_id)
        held: list[int] = []
        try:
            await whole(lambda: held.append(trash.hold(directory, alone=False)))
            yield directory
        finally:
            for descriptor in held:
                os.close(descriptor)

    async def verify(self, instance: str, kind: BackupKind, backup_id: str, checksum: str = "") -> Verified:
        """Read every byte of a set again. `checksum`: the manifest's, as the index has it. Raise JobError(CORRUPT)."""
        async with self.holding(instance, kind, backup_id) as directory:
            record = await self.read(instance, kind, backup_id)
            if checksum not in ("", record.checksum):
                raise hashing.corrupt(names.MANIFEST, "was edited after it was published")
            return await hashing.verify(directory, record.manifest.members)

    async def add_proof(self, instance: str, kind: BackupKind, backup_id: str, proof: Proof) -> None:
        """Beside the set, where it is found again without an index."""
        await whole(lambda: _proven(self._place(instance, kind).set_directory(backup_id), proof))

    async def pin(
        self, instance: str, kind: BackupKind, backup_id: str, *, pinned: bool, now: float, who: str = ""
    ) -> None:
        """Keep it whatever retention says, or no longer."""
        directory = self._place(instance, kind).set_directory(backup_id)
        note = json.dumps({"at": now, "who": who}) + "\n"
        await whole(lambda: _pinned(directory, note) if pinned else _unpinned(directory))

    async def trash(self, instance: str, kind: BackupKind, backup_id: str, now: float) -> None:
        """Delete a set: it can be had back until the trash is emptied. JobError(BUSY) while somebody reads it."""
        await whole(lambda: trash.trash(self._place(instance, kind), backup_id, now))

    async def untrash(self, instance: str, kind: BackupKind, backup_id: str) -> None:
        """Bring back what was deleted."""
        await whole(lambda: trash.untrash(self._place(instance, kind), backup_id))

    async def trashed(self, instance: str) -> tuple[Trashed, ...]:
        """What can still be had back."""
        return await whole(lambda: scan.trashed_of(self.directory, instance))

    async def empty_trash(self, now: float, grace_seconds: float, instance: str = "") -> tuple[str, ...]:
        """Remove for good what was deleted longer ago, of one instance or of all: the ids."""
        return await whole(lambda: tuple(
            gone
            for place in scan.places(self.directory)
            if instance in ("", place.instance)
            for gone in trash.empty(place, now, grace_seconds)
        ))  # fmt: skip

    async def sweep(self) -> tuple[Path, ...]:
        """Remove the unfinished sets of processes that died, never one whose lock is held: the paths."""
        return await whole(lambda: scan.swept(self.directory))

    async def space(self) -> Space:
        return await whole(lambda: space.space(self.directory, *self._reserve))

    async def free_bytes(self) -> int:
        return (await self.space()).free_bytes

    async def require(self, needed_bytes: int) -> None:
        """JobError(DISK_FULL) where so much does not fit beside the reserve."""
        space.require(self.directory, await self.space(), needed_bytes)

    async def rescan(self) -> Scan:
        """Read everything: what an index is rebuilt from. JobError only where the directory itself cannot be read."""
        return await whole(lambda: scan.scan(self.directory))

    def _place(self, instance: str, kind: BackupKind) -> Place:
        return Place(self.directory, names.checked_instance(instance), kind)


def _prepared(directory: Path) -> None:
    with told(f"use backups.directory {directory}"):
        if not directory.is_dir():
            directory.mkdir(mode=disk.SHARED, parents=True)
    trying.usable(directory)


def _proven(directory: Path, proof: Proof) -> None:
    text = words.proof_dump(proof, directory.name)
    with trash.held(directory, alone=False), told(f"write a proof into {directory}"):
        disk.make_directory(directory / names.PROOFS, disk.PRIVATE)
        last = max((int(name.partition("-")[0]) for name in sets.proof_files(directory)), default=0)
        disk.write(directory / names.PROOFS / f"{last + 1:04d}-{proof.name}.json", text)


def _pinned(directory: Path, text: str) -> None:
    with trash.held(directory, alone=False), told(f"pin {directory}"):
        disk.write(directory / names.PIN, text)


def _unpinned(directory: Path) -> None:
    with trash.held(directory, alone=False), told(f"unpin {directory}"):
        with suppress(FileNotFoundError):
            (directory / names.PIN).unlink()
        disk.sync(directory)
