"""Which set a restore takes: a bad one is told as bad before anything else, and what is found is written beside it."""

from __future__ import annotations

from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from dbwatch.core.backups import naming, restore_plans, standing
from dbwatch.core.backups.model import JobReason, Proof, ProofName
from dbwatch.errors import DbwatchError, JobError, UsageError
from dbwatch.http import control_client

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Iterator, Sequence

    from dbwatch.archive.repository import Repository
    from dbwatch.cli.restore_wish import Wish
    from dbwatch.clock import Clock
    from dbwatch.core.backups.model import BackupRecord
    from dbwatch.settings.models import Settings


async def on_disk(repository: Repository, instance: str, configured: Collection[str]) -> list[BackupRecord]:
    """Of one instance or of all, each with what a look at its files tells. Raise UsageError, JobError."""
    if not instance:
        found = (await repository.rescan()).records.values()
        return await repository.looked_at(record for records in found for record in records)
    known = sorted({*configured, *await repository.instances()})
    if instance not in known:
        raise UsageError(f"no instance {instance!r}: known are {', '.join(known) or 'none'}")
    return await of_instance(repository, instance)


async def of_instance(repository: Repository, instance: str) -> list[BackupRecord]:
    return await repository.looked_at(await repository.records(instance))


async def chosen(repository: Repository, known: Sequence[BackupRecord], wish: Wish) -> BackupRecord:
    """Raise UsageError where there is none."""
    if wish.backup and naming.matching(map(naming.name_of, known), wish.backup):
        return naming.chosen(known, wish.backup)
    record = None if wish.backup else restore_plans.chosen(known, wish.instance)
    if record is None:
        raise UsageError(await _none(repository, wish))
    return record


async def _none(repository: Repository, wish: Wish) -> str:
    trashed = [(each.instance, each.id) for each in await repository.trashed(wish.instance)]
    what = f"no backup {wish.backup} of {wish.instance}" if wish.backup else f"no backup of {wish.instance}"
    nowhere = f"{what} is in {repository.directory} -> see `dbwatch restore list`"
    return (wish.backup and naming.in_trash(trashed, wish.backup)) or nowhere


def passed_over(known: Sequence[BackupRecord], record: BackupRecord) -> Iterator[str]:
    """Newer ones that are bad or not proven: who restores must know that there was something later."""
    for each in known:
        if each.manifest.sequence <= record.manifest.sequence:
            continue
        if bad := standing.badness(each):
            yield f"left out   {each.id}, which is newer, but bad: {bad}"
        elif not restore_plans.unproven(record) and (why := restore_plans.unproven(each)):
            yield f"left out   {each.id}, which is newer, but {why} -> dbwatch backup verify {each.id}"


def refuse_problem(record: BackupRecord) -> None:
    """Raise JobError(CORRUPT) with what makes it unusable."""
    if record.problem:
        what = f"backup {record.id} of {record.manifest.instance} cannot be used: {record.problem}"
        raise JobError(JobReason.CORRUPT, f"{what} -> `dbwatch restore list` names the others: take one with --backup")


@asynccontextmanager
async def noting_damage(
    settings: Settings, repository: Repository, record: BackupRecord, clock: Clock
) -> AsyncIterator[None]:
    """What a restore finds damaged is bad from then on in every list, as if `backup verify` had found it."""
    try:
        yield
    except JobError as error:
        if error.reason == JobReason.CORRUPT:
            detail = record.problem or error.message
            await _note(
                settings, repository, record, Proof(ProofName.HASHED, clock.time(), 0.0, JobReason.CORRUPT, detail)
            )
        raise


async def _note(settings: Settings, repository: Repository, record: BackupRecord, proof: Proof) -> None:
    """Where that cannot be, the restore's own error is what counts; a daemon that runs is told."""
    manifest = record.manifest
    with suppress(DbwatchError):
        await repository.add_proof(manifest.instance, manifest.kind, record.id, proof)
        await control_client.call(settings.control_socket, "backup_rescan", {"instance": manifest.instance})
