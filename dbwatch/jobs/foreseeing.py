"""What of this machine a backup that began now would end at: asked as a run asks it, and nothing is left behind."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from dbwatch.archive.repository import Repository
from dbwatch.core.backups import sizes
from dbwatch.core.backups.model import BackupKind
from dbwatch.errors import JobError

if TYPE_CHECKING:
    from dbwatch.core.backups.model import BackupRecord
    from dbwatch.engines.preflight import Preflight
    from dbwatch.settings.backups import Backups
    from dbwatch.settings.models import Instance


async def in_the_repository(shared: Backups, instance: Instance, found: Preflight | None) -> tuple[JobError, ...]:
    """Why no set of the instance could be begun there; `found`: how large it would be, where that is known."""
    repository = Repository.configured(shared)
    try:
        await repository.tried(instance.name, BackupKind.LOGICAL)
        await repository.require(await _needed_bytes(repository, instance, found) if found else 0)
    except JobError as error:
        return (error,)
    return ()


async def _needed_bytes(repository: Repository, instance: Instance, found: Preflight) -> int:
    """By the sets that are there. What could be tried and has none to read is not there yet."""
    records: tuple[BackupRecord, ...] = ()
    with suppress(JobError):
        records = await repository.records(instance.name)
    return sizes.needed_bytes(found.size_bytes, [each.manifest for each in records], codec=found.codec)
