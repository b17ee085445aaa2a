"""Runs of jobs, the processes of those that run, backups that stand, drills, and what the clock did.

Memory is changed before the disk: where the disk refuses (DbwatchError), what is answered from memory is right anyway.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from dbwatch.core.backups import drills
from dbwatch.core.backups.model import JobKind, JobReason, JobState
from dbwatch.core.backups.standing import has_failed
from dbwatch.errors import JobError
from dbwatch.history import job_words as words
from dbwatch.history.backup_sets import SetIndex
from dbwatch.history.job_words import ClockSeen, DrillKept, Interrupted, ProcessMark
from dbwatch.history.writing import query

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping

    from dbwatch.core.backups.drills import DrillResult
    from dbwatch.core.backups.model import JobRun
    from dbwatch.history.job_words import Marked
    from dbwatch.history.writing import Writer

    Key = tuple[JobKind, str]
    Counts = dict[tuple[JobKind, str, JobState, JobReason | None], int]

RUNS_KEPT, RUNS_KEPT_SECONDS = 1000, 400 * 86400.0  # of each kind and instance
DRILLS_KEPT = 400  # of each scenario and instance
LISTED = 100


class JobBook:
    """What jobs must know after a restart. Properties and `last...` answer from memory."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self.sets = SetIndex(writer)
        self._running: dict[str, JobRun] = {}
        self._interrupted: dict[str, Interrupted] = {}
        self._last: dict[Key, JobRun] = {}
        self._successes: dict[Key, JobRun] = {}
        self._counts: Counts = {}
        self._drills: dict[tuple[str, str, str], DrillKept] = {}
        self._clock = ClockSeen()
        self._beaten_at: float | None = None  # by the monotonic clock of this process

    @property
    def interrupted(self) -> tuple[Interrupted, ...]:
        """Runs that another dbwatch left when it died: each is to be told as ended."""
        return tuple(self._interrupted.values())

    @property
    def running(self) -> tuple[JobRun, ...]:
        return tuple(self._running.values())

    @property
    def all_last(self) -> tuple[JobRun, ...]:
        """The last run of each kind and instance that ended."""
        return tuple(self._last.values())

    @property
    def counts(self) -> Mapping[tuple[JobKind, str, JobState, JobReason | None], int]:
        """How often runs ended how, ever, and of verifications how often proofs did: these only grow."""
        return self._counts

    @property
    def last_drills(self) -> tuple[DrillKept, ...]:
        """The last of each scenario and instance, and of each table that it was played on."""
        return tuple(self._drills.values())

    @property
    def clock(self) -> ClockSeen:
        return self._clock

    def last(self, kind: JobKind, instance: str) -> JobRun | None:
        """The last that ended."""
        return self._last.get((kind, instance))

    def last_success(self, kind: JobKind, instance: str) -> JobRun | None:
        return self._successes.get((kind, instance))

    async def load(self) -> None:
        rows, open_rows, processes, counts, drilled, clock = await self._writer.read(lambda connection: (
            connection.execute(query("job_last")).fetchall(),
            connection.execute(query("job_interrupted")).fetchall(),
            connection.execute(query("job_processes")).fetchall(),
            connection.execute(query("job_counts")).fetchall(),
            _drills(connection, "job_drills_last", {}),
            connection.execute(query("job_clock")).fetchone(),
        ))  # fmt: skip
        for run in map(words.run_from, rows):
            self._remember(run)
        marks = [ProcessMark(*row) for row in processes]
        self._interrupted = {each.run.id: each for each in (_interrupted(row, marks) for row in open_rows)}
        self._counts = {
            (JobKind(kind), instance, JobState(state), JobReason(reason) if reason else None): runs
            for kind, instance, state, reason, runs in counts
        }
        self._drills = {_played(each.result): each for each in drilled}
        self._clock = ClockSeen(*clock) if clock else ClockSeen()
        await self.sets.load()

    async def started(self, run: JobRun, application: str = "") -> None:
        """Before anything of it is begun. `application`: the name of its sessions on the server."""
        self._running[run.id] = run
        await self._run("job_put", [{**words.run_row(run), "application": application}])

    async def update(self, run: JobRun) -> None:
        """It goes on: another phase, a backup's id."""
        self._running[run.id] = run
        await self._run("job_put", [{**words.run_row(run), "application": ""}])

    async def note_partial(self, run_id: str, path: str) -> None:
        """The unfinished set that it writes."""
        await self._run("job_partial", [{"id": run_id, "partial": path}])

    async def remember(self, mark: Marked) -> None:
        """A process of it was started."""
        await self._run("job_process_put", [_mark_row(mark)])

    async def forget(self, mark: Marked) -> None:
        """It ended."""
        await self._run("job_process_remove", [_mark_row(mark)])

    async def ended(self, run: JobRun) -> None:
        """However it ended: nothing of it runs any more."""
        self._running.pop(run.id, None)
        self._interrupted.pop(run.id, None)
        self._remember(run)
        counted = [run, *self._failed_proof(run)]
        for each in counted:
            key = each.kind, each.instance, each.state, each.reason
            self._counts[key] = self._counts.get(key, 0) + 1
        await self._writer.write(lambda connection: _end(connection, run, counted))

    def _failed_proof(self, run: JobRun) -> list[JobRun]:
        """A backup proves its set at once: where that fails, it counts as a verification that failed, too."""
        record = self.sets.find(run.backup) if run.kind is JobKind.BACKUP else None
        proof = record.proofs[-1] if record is not None and record.proofs else None
        if proof is None or not has_failed(proof):
            return []
        return [replace(run, kind=JobKind.VERIFY, state=JobState.FAILED, reason=proof.reason)]

    def _remember(self, run: JobRun) -> None:
        self._last[run.kind, run.instance] = run
        if run.state is JobState.SUCCEEDED:
            self._successes[run.kind, run.instance] = run

    async def runs(
        self, limit: int = LISTED, instance: str = "", kind: JobKind | None = None, *, run_id: str = ""
    ) -> list[JobRun]:
        """From the disk, the newest first."""
        values = {"limit": limit, "instance": instance, "kind": kind or "", "id": run_id}
        rows = await self._writer.read(lambda connection: connection.execute(query("job_runs"), values).fetchall())
        return [words.run_from(row) for row in rows]

    async def drilled(self, result: DrillResult, report: str = "") -> None:
        """A rehearsal ended. `report`: the path of what was written of it."""
        self._drills[_played(result)] = DrillKept(result, report)
        row = {
            "scenario": result.scenario,
            "instance": result.instance,
            "ended_at": result.ended_at,
            "result": drills.dump(result),
            "report": report,
        }

        def work(connection: sqlite3.Connection) -> None:
            connection.execute(query("job_drill_add"), row)
            connection.execute(query("job_drills_prune"), {**row, "keep": DRILLS_KEPT})

        await self._writer.write(work)

    async def drills(self, limit: int = LISTED) -> list[DrillKept]:
        """From the disk, the newest first."""
        return await self._writer.read(lambda connection: _drills(connection, "job_drills", {"limit": limit}))

    async def beat(self, now: float, monotonic: float) -> None:
        """Look at the clock: each minute, so that a jump is noticed."""
        elapsed = None if self._beaten_at is None else monotonic - self._beaten_at
        self._beaten_at = monotonic
        await self._tell_clock(words.seen(self._clock, now, elapsed))

    async def accept_clock(self, now: float) -> None:
        """Somebody says that it is right now, whatever it told before."""
        await self._tell_clock(words.accepted(now))

    async def _tell_clock(self, clock: ClockSeen) -> None:
        self._clock = clock
        await self._run("job_clock_put", [asdict(clock)])

    async def _run(self, name: str, rows: Iterable[Mapping[str, object]]) -> None:
        await self._writer.write(lambda connection: connection.executemany(query(name), rows))


def _end(connection: sqlite3.Connection, run: JobRun, counted: Iterable[JobRun]) -> None:
    row = words.run_row(run)
    state = connection.execute(query("job_state"), row).fetchone()
    connection.execute(query("job_put"), {**row, "application": ""})
    connection.execute(query("job_processes_remove"), {"run": run.id})
    if state in (None, (JobState.RUNNING.value,)):
        connection.executemany(query("job_count"), [words.run_row(each) for each in counted])
    pruning = {**row, "keep": RUNS_KEPT, "before": run.started_at - RUNS_KEPT_SECONDS}
    connection.execute(query("job_prune"), pruning)


def _mark_row(mark: Marked) -> dict[str, object]:
    row = {name: getattr(mark, name) for name in ("pid", "started_ticks", "boot_id", "program")}
    return {"run": mark.token, **row}


def _interrupted(row: tuple[object, ...], marks: Iterable[ProcessMark]) -> Interrupted:
    *of_run, application, partial = row
    run = words.run_from(tuple(of_run))
    own = tuple(mark for mark in marks if mark.token == run.id)
    return Interrupted(replace(run), str(application), str(partial), own)


def _played(result: DrillResult) -> tuple[str, str, str]:
    return result.scenario, result.instance, result.table


def _drills(connection: sqlite3.Connection, name: str, values: Mapping[str, object]) -> list[DrillKept]:
    """What an older dbwatch wrote and this one cannot read is left out."""
    found = []
    for result, report in connection.execute(query(name), values):
        with suppress(JobError):
            found.append(DrillKept(drills.parse(result), report))
    return found
