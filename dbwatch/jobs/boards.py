"""What is told of one instance's backups: from the index, the runs and what the office has seen. Nothing is asked."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dbwatch.core.backups.drills import possible, standing
from dbwatch.core.backups.figures import DrillFigures, KindBoard, KindFigures
from dbwatch.core.backups.gathering import kind_figures, set_line
from dbwatch.core.backups.model import JobKind, JobReason, JobState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dbwatch.core.backups.drills import Scenario
    from dbwatch.core.backups.model import JobRun
    from dbwatch.history.job_words import DrillKept
    from dbwatch.history.jobs import JobBook
    from dbwatch.jobs.running import Run
    from dbwatch.jobs.subject import Subject
    from dbwatch.settings.backups import Drill

SHOWN_SETS = 10
NOT_WELL = frozenset({JobState.FAILED, JobState.ORPHANED})

Counts = tuple[tuple[JobState, JobReason | None, int], ...]


@dataclass(slots=True)
class Seen:
    """What the office found out of one instance since it began."""

    databases: tuple[str, ...] = ()  # to be backed up, by the last preflight
    preflight_at: float | None = None
    preflight_reason: JobReason | None = None
    preflight_detail: str = ""
    frozen: tuple[str, ...] = ()
    waiting: int | None = None
    needed_bytes: int | None = None


def kind_board(
    subject: Subject, seen: Seen, databases: Sequence[str], run: Run | None, next_at: float | None
) -> KindBoard:
    """One kind of backup, for the page and for metrics."""
    lines = [set_line(record) for record in subject.records]
    last, success = _last_runs(subject)
    runs = [each for each in (success, last) if each is not None]
    figures = kind_figures(subject.kind, databases, lines, runs, now=subject.clock.time())
    newest = list(reversed(lines))
    return KindBoard(
        figures=_completed(figures, subject, seen, run, next_at),
        schedule=subject.backup.schedule or "",
        sets=tuple(newest[:SHOWN_SETS]),
        more_sets=max(0, len(newest) - SHOWN_SETS),
        running=run.record if run is not None else None,
        last_failure=last if last is not None and last.state in NOT_WELL else None,
        preflight_detail=seen.preflight_detail,
    )


def _last_runs(subject: Subject) -> tuple[JobRun | None, JobRun | None]:
    """The last that ended, and the last that succeeded where that is another."""
    last = subject.book.last(JobKind.BACKUP, subject.name)
    success = subject.book.last_success(JobKind.BACKUP, subject.name)
    return last, success if last is None or success is None or success.id != last.id else None


def _completed(
    figures: KindFigures, subject: Subject, seen: Seen, run: Run | None, next_at: float | None
) -> KindFigures:
    return replace(
        figures,
        runs=_counts(subject.book, JobKind.BACKUP, subject.name),
        running_since=run.record.started_at if run is not None else None,
        progress=run.progress if run is not None else None,
        verification_failures=_failed_proofs(subject.book, subject.name),
        waiting=seen.waiting,
        frozen=seen.frozen,
        next_at=next_at,
        preflight_reason=seen.preflight_reason,
        preflight_at=seen.preflight_at,
        age_objective_seconds=subject.backup.max_age,
        deadline_seconds=subject.backup.deadline,
    )


def _counts(book: JobBook, kind: JobKind, instance: str) -> Counts:
    """Runs ever ended: they only grow, whatever history forgets."""
    return tuple(
        (state, reason, count)
        for (of, name, state, reason), count in book.counts.items()
        if (of, name) == (kind, instance)
    )


def _failed_proofs(book: JobBook, instance: str) -> tuple[tuple[JobReason, int], ...]:
    """Of runs of their own, and of those that made a set and proved it at once."""
    return tuple(
        (reason, count)
        for state, reason, count in _counts(book, JobKind.VERIFY, instance)
        if state is JobState.FAILED and reason is not None
    )


def drills_of(kept: Sequence[DrillKept], drill: Drill, next_at: float | None, engine: str) -> tuple[DrillFigures, ...]:
    """The last rehearsal of each scenario, and those that have a schedule and were never played."""
    played: dict[Scenario, list[DrillKept]] = {}
    for each in kept:
        played.setdefault(each.result.scenario, []).append(each)
    waiting = [each for each in possible(engine) if each not in played] if drill.schedule is not None else []
    return (
        *(drill_figures(each, drill, next_at) for each in played.values()),
        *(DrillFigures(each.value, age_objective_seconds=drill.max_age, next_at=next_at) for each in waiting),
    )


def drill_figures(kept: Sequence[DrillKept], drill: Drill, next_at: float | None) -> DrillFigures:
    """Of one scenario, of which the last of each table is kept: one that succeeds hides none that failed elsewhere."""
    result = standing([each.result for each in kept], drill.max_age)
    return DrillFigures(
        scenario=result.scenario.value,
        is_expected=drill.schedule is not None,
        last_at=max(each.result.ended_at for each in kept),
        last_success_at=max((each.result.ended_at for each in kept if each.result.succeeded), default=None),
        last_reason=result.reason,
        succeeded=result.succeeded,
        phases=tuple((str(phase), seconds) for phase, seconds in result.phases),
        rto_seconds=result.rto_seconds,
        rpo_seconds=result.rpo_seconds,
        rto_objective_seconds=drill.rto_target,
        rpo_objective_seconds=drill.rpo_target,
        age_objective_seconds=drill.max_age,
        next_at=next_at,
        report=next(each.report for each in kept if each.result is result),
        detail=": ".join(filter(None, (result.table, result.detail))) if not result.succeeded else "",
    )
