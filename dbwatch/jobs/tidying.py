"""What a daemon that died has left: processes, sessions, half-made sets, scratch servers go; its runs are told."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import structlog

from dbwatch.core.backups.model import JobKind, JobReason, JobState
from dbwatch.errors import DbwatchError, EngineError, JobError
from dbwatch.jobs import leftovers, scratch

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from dbwatch.archive.repository import Repository
    from dbwatch.clock import Clock
    from dbwatch.core.backups.model import JobRun
    from dbwatch.history.job_words import Interrupted
    from dbwatch.history.jobs import JobBook
    from dbwatch.jobs.subject import Subject

log = structlog.get_logger()
DIED = "dbwatch ended while it ran"
REMOVED = f"{DIED}; its processes and files were removed"
PUBLISHED = f"{DIED}; the backup {{}} was published and stays; its proof was not finished"
UNKNOWN = f"{DIED}; whether it had published the backup {{}} cannot be told: {{}}"


async def tidy(book: JobBook, repository: Repository, scratch_directory: Path, clock: Clock) -> tuple[Interrupted, ...]:
    """Processes first, so that nothing writes any more; what they did on their servers is the caller's to end."""
    left = tuple(book.interrupted)
    marks = [
        leftovers.Mark(mark.token, mark.pid, mark.started_ticks, mark.boot_id, mark.program)
        for each in left
        for mark in each.marks
    ]
    killed = await leftovers.sweep(marks, [each.run.id for each in left])
    for directory in await asyncio.to_thread(scratch.abandoned, scratch_directory):
        killed += await leftovers.sweep_directory(directory)
        await asyncio.to_thread(scratch.remove, directory)
    swept = await _partials(repository)
    for each in left:
        await _orphaned(book, each, await _detail(repository, each.run), clock)
    if killed or swept or left:
        log.warning("leftovers_removed", runs=len(left), processes=len(killed), partial_sets=len(swept))
    return left


async def _partials(repository: Repository) -> Sequence[Path]:
    try:
        return await repository.sweep()
    except JobError as error:
        log.warning("leftovers_not_removed", error=error.message)
        return ()


async def _detail(repository: Repository, run: JobRun) -> str:
    """What is left of it: a set is published whole, and then proven."""
    if run.kind is not JobKind.BACKUP or not run.backup:
        return REMOVED
    try:
        published = {record.id for record in await repository.records(run.instance)}
    except JobError as error:
        return UNKNOWN.format(run.backup, error.message)
    return PUBLISHED.format(run.backup) if run.backup in published else REMOVED


async def _orphaned(book: JobBook, left: Interrupted, detail: str, clock: Clock) -> None:
    now = clock.time()
    ended = replace(
        left.run,
        state=JobState.ORPHANED,
        reason=JobReason.ORPHANED,
        detail=detail,
        ended_at=now,
        seconds=max(0.0, now - left.run.started_at),
    )
    try:
        await book.ended(ended)
    except DbwatchError as error:
        log.warning("history_not_written", error=str(error))


async def end_sessions(left: Sequence[Interrupted], subjects: Mapping[str, Subject]) -> tuple[Interrupted, ...]:
    """End what dead runs still have on their servers; those that could not be asked now are given back."""
    later = []
    for each in left:
        subject = subjects.get(each.run.instance)
        if subject is None or not each.application:
            continue
        try:
            ended = await subject.engine.sweep(subject.instance, each.application, ())
        except (EngineError, JobError) as error:
            log.warning("sessions_not_swept", instance=subject.name, error=str(error))
            later.append(each)
            continue
        if ended:
            log.warning("sessions_swept", instance=subject.name, sessions=ended)
    return tuple(later)


async def rescan(book: JobBook, repository: Repository, instance: str = "") -> list[str]:
    """Make the index anew from the manifests: what differed, a line each. Raise JobError."""
    known = book.sets.ids
    scan = await repository.rescan()
    found = await book.sets.rebuild(scan.records, scan.trashed, unreadable=scan.unreadable, known=known)
    unreadable = [f"{name}: {why}" for name, why in scan.unreadable.items()]
    unknown = [f"{path}: not of dbwatch, left alone" for path in scan.unknown]
    differing = [f"{each.instance} {each.id}: {each.what}" for each in found if instance in ("", each.instance)]
    return [*differing, *unreadable, *unknown]
