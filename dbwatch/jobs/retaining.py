"""Retention carried out: what the pure plan lets go passes through the trash, and nothing else is touched."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from dbwatch.core.backups import retention
from dbwatch.core.backups.model import JobKind, JobReason
from dbwatch.core.backups.retention import Circumstances
from dbwatch.errors import JobError
from dbwatch.jobs import tidying

if TYPE_CHECKING:
    from dbwatch.core.backups.model import BackupRecord
    from dbwatch.core.backups.retention import Plan
    from dbwatch.jobs.subject import Subject

log = structlog.get_logger()
DAY_SECONDS = 86400.0


async def planned(subject: Subject) -> Plan:
    """What would be kept and what would go, each with its reasons; nothing is touched.

    A set that somebody cut or emptied of a member counts for nothing, whatever was proven of it once.
    """
    clock, verify = subject.book.clock, subject.backup.verify
    circumstances = Circumstances(
        last_run=subject.book.last(JobKind.BACKUP, subject.name),
        clock_seen=clock.latest_at or None,
        clock_jumped=clock.jump_seconds or None,
        clock_accepted=clock.is_accepted,
        restored_within=verify.rotation + DAY_SECONDS if verify.restore else None,
    )
    records = await subject.repository.looked_at(subject.records)
    return retention.plan(records, subject.backup.retention.policy, subject.clock.time(), circumstances)


async def retain(subject: Subject) -> Plan:
    """Carry the plan out. A set that is being read stays until the next pass. Raise JobError."""
    plan = await planned(subject)
    if (plan.delete or plan.frozen) and not await _is_index_right(subject):
        plan = await planned(subject)
    for frozen in plan.frozen:
        log.warning("retention_frozen", instance=subject.name, reason=str(frozen.reason), detail=frozen.detail)
    for record in plan.delete:
        await _trash(subject, record)
    if not plan.frozen:
        await _empty(subject)
    return plan


async def _is_index_right(subject: Subject) -> bool:
    """Nothing is deleted by what memory says alone: where the disk has other sets or pins, the index is made anew."""
    found = {(record.id, record.pinned) for record in await subject.repository.records(subject.name)}
    if found == {(record.id, record.pinned) for record in subject.records}:
        return True
    log.warning("index_differs", instance=subject.name)
    await tidying.rescan(subject.book, subject.repository)
    return False


async def _trash(subject: Subject, record: BackupRecord) -> None:
    now = subject.clock.time()
    try:
        await subject.repository.trash(subject.name, subject.kind, record.id, now)
    except JobError as error:
        if error.reason != JobReason.BUSY:
            raise
        return
    await subject.book.sets.trash(subject.name, subject.kind, record.id, now)
    log.info("backup_trashed", instance=subject.name, backup=record.id)


async def _empty(subject: Subject) -> None:
    """Unlink what was long enough in the trash."""
    emptied = await subject.repository.empty_trash(
        subject.clock.time(), subject.backup.retention.trash_for, instance=subject.name
    )
    for each in emptied:
        await subject.book.sets.forget(subject.name, subject.kind, each)
        log.info("backup_removed", instance=subject.name, backup=each)
