"""What the settings say of one instance's backups, in the words that engines are told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dbwatch.core.backups.model import Codec
from dbwatch.engines.backing import Command, DumpOptions

if TYPE_CHECKING:
    from pathlib import Path

    from dbwatch.settings.backups import Backups, LogicalBackup
    from dbwatch.settings.models import Instance, Settings

SCRATCH, REPORTS, PASSWORDS = "scratch", "reports", "passwords"


def dump_options(backup: LogicalBackup, shared: Backups, engine: str) -> DumpOptions:
    """Everything of a dump that a person may choose."""
    recipients = shared.encryption.recipients
    return DumpOptions(
        include=backup.include,
        exclude=backup.exclude,
        parallel=backup.parallel,
        codec=None if backup.codec == "auto" else Codec(backup.codec),
        facts=backup.verify.facts,
        facts_seconds=backup.verify.facts_seconds,
        lock_wait_seconds=backup.lock_wait,
        max_blocking_seconds=backup.max_blocking,
        accept_non_transactional=backup.non_transactional == "accept",
        seal=_seal(recipients) if recipients else None,
        program_directories=program_directories(shared, engine),
    )


def _seal(recipients: tuple[str, ...]) -> Command:
    from dbwatch.archive import sealing  # its library is for those who encrypt

    return Command(tuple(sealing.seal_command(recipients)))


def program_directories(shared: Backups, engine: str) -> tuple[Path, ...]:
    return shared.postgres_programs if engine == "postgres" else shared.mysql_programs


def scratch_directory(settings: Settings) -> Path:
    return settings.backups.scratch_directory or settings.state_directory / SCRATCH


def reports_directory(settings: Settings) -> Path:
    return settings.backups.reports_directory or settings.state_directory / REPORTS


def passwords_directory(settings: Settings) -> Path:
    """Of dumps: never in the repository, which may be a file system of others, with snapshots."""
    return settings.state_directory / PASSWORDS


def backup_of(instance: Instance) -> LogicalBackup | None:
    """How it is backed up; None: it is not."""
    backup = instance.backups.logical
    return backup if backup is not None and backup.enabled else None
