"""Runs jobs: one at a time of a kind and an instance, a few at once, each to an end that is known and written down."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Protocol

import structlog

from dbwatch.core.backups.model import JobReason, JobState
from dbwatch.core.showing.humanise import duration
from dbwatch.errors import DbwatchError, JobError
from dbwatch.jobs.faults import disk_error, job_error, only, reason_of
from dbwatch.jobs.process import Care
from dbwatch.jobs.running import NOT_PROVEN, Run
from dbwatch.jobs.turns import Turns
from dbwatch.tasks import supervise

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

    from dbwatch.clock import Clock
    from dbwatch.core.backups.model import JobRun
    from dbwatch.jobs.leftovers import Mark
    from dbwatch.jobs.running import Job, Verdict

log = structlog.get_logger()
KEPT_ENDED = 50
END_SECONDS = 30.0  # for what was cancelled: its processes get a few seconds, its files are removed
STOPPING = "dbwatch is being stopped"
BUG = "an error that nobody foresaw: the log of dbwatch has it with its traceback; please report it"


class Book(Protocol):
    """What remembers runs and their processes when we do not."""

    async def started(self, run: JobRun, application: str = "") -> None: ...

    async def update(self, run: JobRun) -> None: ...

    async def ended(self, run: JobRun) -> None: ...

    async def remember(self, mark: Mark) -> None: ...

    async def forget(self, mark: Mark) -> None: ...


class Runner:
    """Of one process. What it starts lives while `running` is open."""

    def __init__(
        self,
        book: Book,
        clock: Clock,
        *,
        max_concurrent: int = 2,
        on_change: Callable[[Run], None] | None = None,
        on_crash: Callable[[str], None] | None = None,
    ) -> None:
        self._book = book
        self._clock = clock
        self._turns = Turns(max_concurrent)
        self._on_change = on_change
        self._on_crash = on_crash
        self._group: asyncio.TaskGroup | None = None
        self._runs: dict[str, Run] = {}
        self._unwritten: dict[str, Run] = {}
        self._to_write = asyncio.Event()

    # --- who asks ---

    @property
    def runs(self) -> Mapping[str, Run]:
        """Those that wait or run, and the last ones that ended."""
        return self._runs

    @property
    def active(self) -> list[Run]:
        return [run for run in self._runs.values() if not run.is_over]

    @property
    def max_concurrent(self) -> int:
        return self._turns.count

    @max_concurrent.setter
    def max_concurrent(self, count: int) -> None:
        self._turns.count = count

    def start(self, job: Job) -> Run:
        """Raise JobError where it runs already, or where nothing is started any more."""
        if self._group is None:
            raise JobError(JobReason.CANCELLED, STOPPING)
        for run in self.active:
            if (run.kind, run.instance) == (job.kind, job.instance):
                what = f"a {job.kind} of {job.instance} is under way already"
                raise JobError(JobReason.BUSY, f"{what} -> see `dbwatch jobs`, or end it: dbwatch jobs cancel {run.id}")
        run = Run(job, self._clock, self._changed, Care(remember=self._remember, forget=self._forget))
        self._runs[run.id] = run
        name = f"{job.kind} of {job.instance}"
        work = supervise(name, partial(self._attempt, run), partial(self._crashed, run))
        run.task = self._group.create_task(work, name=name)
        return run

    async def wait(self, run: Run) -> JobRun:
        """Its record, once it is over and written down."""
        if run.task is not None:
            await asyncio.wait({run.task})
        return run.record

    def cancel(self, run_id: str, who: str = "") -> bool:
        """End it by a person's order: False where it does not run."""
        run = self._runs.get(run_id)
        return run is not None and run.cancel(JobReason.CANCELLED, f"cancelled by {who or 'somebody'}")

    # --- its life ---

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Runner]:
        """Jobs can be started while this is open; what still runs at its end is cancelled."""
        fault: DbwatchError | None = None
        async with asyncio.TaskGroup() as group:
            self._group = group
            scribe = group.create_task(self._write_down(), name="job book")
            try:
                yield self
            except DbwatchError as error:  # of who opened it, and not of a task: no group of errors
                fault = error
            finally:
                await self.stop(0)
                scribe.cancel()
        if fault is not None:
            raise fault

    async def stop(self, grace_seconds: float) -> None:
        """Start nothing more, wait for what runs, then end it."""
        self._group = None
        for run in self.active:
            if run.is_waiting:
                run.cancel(JobReason.CANCELLED, STOPPING)
        if grace_seconds:
            await self._gone(grace_seconds)
        for run in self.active:
            run.cancel(JobReason.CANCELLED, STOPPING)
        if not await self._gone(END_SECONDS):
            log.warning("jobs_left", jobs=[run.id for run in self.active])

    async def _gone(self, seconds: float) -> bool:
        tasks = {run.task for run in self._runs.values() if run.task is not None and not run.task.done()}
        return not tasks or not (await asyncio.wait(tasks, timeout=seconds))[1]

    # --- one run ---

    async def _attempt(self, run: Run) -> None:
        """Called again after a bug: to say so, not to try again."""
        if run.begin():
            await self._written(self._book.started(run.record, run.application))
            verdict = run.verdict or await self._verdict(run)
        else:
            verdict = (JobState.FAILED, JobReason.OTHER, BUG)
        run.end(verdict)
        _tell(run)
        await self._written(self._book.ended(run.record))
        self._prune()

    async def _verdict(self, run: Run) -> Verdict:
        """Run it: how it ended. What is not a fault of the world is raised: a bug."""
        deadline = asyncio.timeout(run.job.deadline_seconds)
        run.goes_to_work()
        try:
            return (JobState.SUCCEEDED, None, await self._worked(run, deadline))
        except asyncio.CancelledError:
            return self._cancelled(run)
        except (DbwatchError, OSError) as error:  # a TimeoutError is an OSError
            return _verdict_of(error, run, deadline)
        except BaseExceptionGroup as several:
            one = only(several)
            if not isinstance(one, DbwatchError | OSError):
                raise
            return _verdict_of(one, run, deadline)

    async def _worked(self, run: Run, deadline: asyncio.Timeout) -> str:
        await self._turns.take()
        try:
            run.turn()
            async with deadline:
                return await run.job.work(run)
        finally:
            self._turns.give()

    def _cancelled(self, run: Run) -> Verdict:
        """By a person, by a watch of its own, or because everything ends."""
        _hear_it_out()
        return run.verdict or (JobState.CANCELLED, JobReason.CANCELLED, STOPPING)

    def _crashed(self, run: Run, task: str) -> None:
        """Also on its way out: its end is still to be written, or it would be under way for ever."""
        _hear_it_out()
        run.verdict = (JobState.FAILED, JobReason.OTHER, BUG)
        if self._on_crash is not None:
            self._on_crash(task)

    def _prune(self) -> None:
        ended = [run.id for run in self._runs.values() if run.is_over]
        for run_id in ended[:-KEPT_ENDED]:
            del self._runs[run_id]

    # --- what is written down ---

    def _changed(self, run: Run) -> None:
        """Phases and sets are written, figures of progress are not."""
        if run.has_moved_on():
            self._unwritten[run.id] = run
            self._to_write.set()
        if self._on_change is not None:
            self._on_change(run)

    async def _write_down(self) -> None:
        while True:
            await self._to_write.wait()
            self._to_write.clear()
            while self._unwritten:
                _, run = self._unwritten.popitem()
                if not run.is_over:
                    await self._written(self._book.update(run.record))

    async def _remember(self, mark: Mark) -> None:
        await self._written(self._book.remember(mark))

    async def _forget(self, mark: Mark) -> None:
        await self._written(self._book.forget(mark))

    async def _written(self, writing: Awaitable[None]) -> None:
        """A history that cannot be written is told, and is no reason for a backup to fail."""
        try:
            await writing
        except DbwatchError as error:
            log.warning("job_not_noted", error=str(error))


def _hear_it_out() -> None:
    """The run was told that it ends, and its task goes on: how it ended is still to be written."""
    task = asyncio.current_task()
    while task is not None and task.cancelling():
        task.uncancel()


def _verdict_of(error: DbwatchError | OSError, run: Run, deadline: asyncio.Timeout) -> Verdict:
    """Who ended it early knows why; what broke then is a consequence."""
    if run.verdict is not None:
        return run.verdict
    if deadline.expired():
        limit = duration(run.job.deadline_seconds or 0.0)
        return (JobState.FAILED, JobReason.DEADLINE, f"it was not done within {limit}")
    if isinstance(error, OSError):
        fault = disk_error(error, error.filename or f"{run.kind} of {run.instance}")
    else:
        fault = job_error(error)
    reason = reason_of(fault)
    state = JobState.CANCELLED if reason is JobReason.CANCELLED else JobState.FAILED
    return (state, reason, fault.message)


def _tell(run: Run) -> None:
    record = run.record
    known = {"job": record.id, "kind": record.kind, "instance": record.instance, "detail": record.detail}
    if record.state is JobState.SUCCEEDED and record.detail.startswith(NOT_PROVEN):
        log.warning("job_ended_unproven", **known, seconds=run.seconds)
    elif record.state is JobState.SUCCEEDED:
        log.info("job_succeeded", **known, seconds=run.seconds)
    else:
        log.warning("job_ended_badly", **known, seconds=run.seconds, state=record.state, reason=record.reason)
