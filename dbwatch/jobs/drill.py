"""Rehearse a disaster: `rehearse` plays one scenario for one instance and tells how it went, whatever happened."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import structlog

from dbwatch.core.backups.drills import DrillCheck, DrillResult, Scenario
from dbwatch.core.backups.model import JobReason, ProofLevel, ProofName
from dbwatch.core.showing import humanise
from dbwatch.errors import DbwatchError, JobError
from dbwatch.jobs import backup
from dbwatch.jobs.drill_full import play_full
from dbwatch.jobs.drill_loss import play_loss
from dbwatch.jobs.drill_play import Play
from dbwatch.jobs.drill_reports import write
from dbwatch.jobs.drill_table import play_table
from dbwatch.jobs.faults import job_error, only, reason_of
from dbwatch.jobs.verifying import read

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
    from pathlib import Path

    from dbwatch.core.backups.model import BackupRecord
    from dbwatch.core.backups.reporting import Language
    from dbwatch.jobs.hands import Hands
    from dbwatch.jobs.subject import Subject

log = structlog.get_logger()
PLAYS: dict[Scenario, Callable[[Play], Awaitable[None]]] = {
    Scenario.LOSS: play_loss,
    Scenario.FULL: play_full,
    Scenario.TABLE: play_table,
}


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be rehearsed, and where the report goes."""

    scenario: Scenario
    reports: Path
    language: Language = "fr"
    take: bool = False  # a set, where there is no proven one
    keep: bool = False  # the directories of the scratch servers
    table: str = ""  # of scenario 03


@dataclass(slots=True)
class _Stand:
    """How far it came: a drill that fails tells all that was known by then."""

    play: Play | None = None
    notes: list[str] = field(default_factory=list)
    checks: list[DrillCheck] = field(default_factory=list)  # before there was a play
    reason: JobReason | None = None
    detail: str = ""

    def stopped(self, error: DbwatchError) -> None:
        told = job_error(error)
        self.reason, self.detail = reason_of(told), told.message


def _expected(group: BaseExceptionGroup[BaseException]) -> DbwatchError:
    """What a group of tasks ended by; whatever nobody foresaw goes on up."""
    error = only(group)
    if isinstance(error, DbwatchError):
        return error
    raise error from group


def last_usable(records: Iterable[BackupRecord]) -> BackupRecord | None:
    """The newest set that is proven to be readable; the clock has no say in it."""
    usable = [record for record in records if record.level >= ProofLevel.L2 and not record.problem]
    return max(usable, key=lambda record: record.manifest.sequence, default=None)


async def rehearse(
    hands: Hands, subject: Subject, order: Order, within_seconds: float | None = None
) -> tuple[DrillResult, tuple[Path, ...]]:
    """Play it, write the report, remember it. What servers and programs do is in the result, and that it took too long.

    Raise JobError where the report cannot be written: the result is remembered all the same.
    """
    started_at = subject.clock.time()
    stand, deadline = _Stand(), asyncio.timeout(within_seconds)
    try:
        async with deadline:
            await _played_out(hands, subject, order, stand)
    except TimeoutError:
        if not deadline.expired():
            raise
    if deadline.expired():
        what = f"it was not done within {humanise.duration(within_seconds or 0.0)}"
        stand.stopped(JobError(JobReason.DEADLINE, what))
    result = _result(subject, order, stand, started_at)
    paths: tuple[Path, ...] = ()
    try:
        paths = write(result, order.reports, order.language, subject.shared.drills.timezone)
    finally:
        await subject.remembered(subject.book.drilled(result, str(paths[0]) if paths else ""))
        _tell(result)
    return result, paths


async def _played_out(hands: Hands, subject: Subject, order: Order, stand: _Stand) -> None:
    try:
        async with _prepared(hands, subject, order, stand) as play:
            await PLAYS[order.scenario](play)
    except DbwatchError as error:
        stand.stopped(error)
    except BaseExceptionGroup as group:
        stand.stopped(_expected(group))


@asynccontextmanager
async def _prepared(hands: Hands, subject: Subject, order: Order, stand: _Stand) -> AsyncIterator[Play]:
    """The set to restore, held so that retention leaves it alone."""
    record = last_usable(subject.records)
    if record is None and order.take:
        record, _ = await backup.take(hands, subject)
        stand.notes.append("taken")
    if record is None:
        stand.checks.append(DrillCheck("usable", holds=False, values=(("instance", subject.name),)))
        what = f"{subject.name} has no backup that is proven readable"
        raise JobError(JobReason.OTHER, f"{what} -> dbwatch backup {subject.name}, or let the drill --take one")
    if record.proof is None or record.proof.name.rank < ProofName.RESTORED.rank:
        stand.notes.append("unproven")
    hands.made(record.id)
    async with subject.repository.holding(subject.name, subject.kind, record.id) as directory:
        whole = await read(subject, record.id)
        stand.play = Play(hands, subject, whole, directory, table=order.table, keep=order.keep)
        yield stand.play


def _result(subject: Subject, order: Order, stand: _Stand, started_at: float) -> DrillResult:
    drills = subject.shared.drills
    base = DrillResult(
        scenario=order.scenario,
        instance=subject.name,
        engine=subject.instance.identity.engine,
        started_at=started_at,
        ended_at=subject.clock.time(),
        rto_target_seconds=drills.rto_target,
        rpo_target_seconds=drills.rpo_target,
        reason=stand.reason,
        detail=stand.detail,
        table=order.table,
        checks=tuple(stand.checks),
        notes=tuple(stand.notes),
    )
    return base if stand.play is None else _played(base, stand.play)


def _played(base: DrillResult, play: Play) -> DrillResult:
    manifest = play.manifest
    kept = ("kept",) if play.keep else ()
    return replace(
        base,
        phases=tuple(play.phases.items()),
        backup=manifest.id,
        backup_at=manifest.started_at,
        backup_level=int(play.record.level),
        backup_proof=None if play.record.proof is None or play.record.problem else play.record.proof.name,
        backup_bytes=manifest.size_bytes,
        database_bytes=manifest.plain_bytes,
        server=f"{manifest.server.flavour} {manifest.server.version_text}",
        restored_with=play.server_version,
        table=play.table,
        lost_seconds=play.lost_seconds,
        rpo_evidence=play.rpo_evidence,
        exposure_seconds=play.exposure_seconds,
        checks=tuple(play.checks),
        notes=(*base.notes, *play.notes, *kept),
        beat_seconds=play.beat_seconds,
        tools=play.tools,
    )


def summary(result: DrillResult) -> str:
    """One line for a list of runs."""
    if result.reason is not None:
        return f"{result.scenario}: stopped: {result.detail}"
    if not result.succeeded:
        return f"{result.scenario}: not proven: {', '.join(check.name for check in result.failed_checks)}"
    told = [f"RTO {humanise.duration(result.rto_seconds or 0.0)}"]
    if result.rpo_seconds is not None:
        told.append(f"RPO {humanise.duration(result.rpo_seconds)}")
    return f"{result.scenario}: {', '.join(told)}"


def _tell(result: DrillResult) -> None:
    if result.succeeded:
        log.info("drill_succeeded", instance=result.instance, scenario=result.scenario.value, told=summary(result))
    else:
        log.warning("drill_failed", instance=result.instance, scenario=result.scenario.value, told=summary(result))
