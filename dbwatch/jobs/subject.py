"""Whose backups a job makes, proves or restores: all that it needs to know, as one value."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import structlog

from dbwatch.core.backups.model import BackupKind
from dbwatch.engines.backing import Command
from dbwatch.errors import DbwatchError, JobError
from dbwatch.jobs.faults import reason_of
from dbwatch.jobs.options import backup_of, dump_options, passwords_directory, program_directories, scratch_directory
from dbwatch.jobs.scratch import Workshop

if TYPE_CHECKING:
    from collections.abc import Awaitable
    from pathlib import Path

    from dbwatch.archive.repository import Repository
    from dbwatch.clock import Clock
    from dbwatch.core.backups.model import BackupRecord, Proof
    from dbwatch.engines.backing import BackupEngine, DumpOptions
    from dbwatch.history.jobs import JobBook
    from dbwatch.settings.backups import Backups, LogicalBackup
    from dbwatch.settings.models import Instance, Settings

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Subject:
    """One instance with its engine, its settings, and where its sets lie."""

    instance: Instance
    backup: LogicalBackup
    shared: Backups
    engine: BackupEngine
    repository: Repository
    book: JobBook
    clock: Clock
    workshop: Workshop
    passwords: Path  # where directories for password files are made
    kind: BackupKind = BackupKind.LOGICAL

    @property
    def name(self) -> str:
        return self.instance.name

    @property
    def options(self) -> DumpOptions:
        """As the engine is told them."""
        return dump_options(self.backup, self.shared, self.instance.identity.engine)

    @property
    def program_directories(self) -> tuple[Path, ...]:
        return program_directories(self.shared, self.instance.identity.engine)

    @property
    def opener(self) -> Command | None:
        """What decrypts a stream; None: no key is here."""
        identity = self.shared.encryption.identity_file
        return _opener(identity) if identity is not None else None

    @property
    def records(self) -> tuple[BackupRecord, ...]:
        """What the index knows of its sets: sizes and proofs, not the facts of each table."""
        return tuple(self.book.sets.records(self.name, self.kind))

    async def note(self, backup_id: str, proof: Proof) -> None:
        """Beside the manifest first: that is the truth."""
        await self.repository.add_proof(self.name, self.kind, backup_id, proof)
        await self.remembered(self.book.sets.prove(self.name, self.kind, backup_id, proof))

    async def remembered(self, writing: Awaitable[None]) -> None:
        """Memory and the sets' own disk have it: a history that cannot be written is told, and fails no job."""
        try:
            await writing
        except DbwatchError as error:
            log.warning("job_not_noted", instance=self.name, error=str(error))

    async def kept(self, backup_id: str, proof: Proof) -> Proof:
        """As it was written down: a proof that could not be is none. What was found bad is bad all the same."""
        try:
            await self.note(backup_id, proof)
        except JobError as error:
            return replace(proof, reason=reason_of(error), detail=error.message) if proof.holds else proof
        return proof


def _opener(identity: Path) -> Command:
    from dbwatch.archive import sealing  # its library is for those who encrypt

    return Command(tuple(sealing.open_command(identity)))


def subject_of(
    settings: Settings, instance: Instance, *, engine: BackupEngine, repository: Repository, book: JobBook, clock: Clock
) -> Subject | None:
    """None: it is not to be backed up."""
    backup = backup_of(instance)
    if backup is None:
        return None
    shared = settings.backups
    workshop = replace(Workshop.of(scratch_directory(settings), shared), parallel=backup.parallel)
    passwords = passwords_directory(settings)
    return Subject(instance, backup, shared, engine, repository, book, clock, workshop, passwords)
