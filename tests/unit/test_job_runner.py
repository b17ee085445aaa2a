"""Runs: one of a kind and an instance, a few at once, each to an end that is known, told and written down."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
import structlog
from structlog.testing import capture_logs

from dbwatch import tasks
from dbwatch.clock import SystemClock
from dbwatch.core.backups.model import JobKind, JobReason, JobState, Progress, Proof, ProofName
from dbwatch.errors import DbwatchError, EngineError, JobError, Reason
from dbwatch.jobs import errands
from dbwatch.jobs.runner import Runner
from dbwatch.jobs.running import Job, Run

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from dbwatch.core.backups.model import JobRun
    from dbwatch.jobs.leftovers import Mark

    Work = Callable[[Run], Awaitable[str]]


@dataclass
class FakeBook:
    """A history in memory; `broken`: a disk that refuses."""

    begun: list[JobRun] = field(default_factory=list)
    phases: list[str] = field(default_factory=list)
    over: list[JobRun] = field(default_factory=list)
    broken: bool = False

    def _refuse(self) -> None:
        if self.broken:
            raise DbwatchError("cannot write history.sqlite: the disk is full")

    async def started(self, run: JobRun, application: str = "") -> None:
        assert application == f"dbwatch/bk/{run.id}"
        self._refuse()
        self.begun.append(run)

    async def update(self, run: JobRun) -> None:
        self._refuse()
        self.phases.append(run.phase)

    async def ended(self, run: JobRun) -> None:
        self._refuse()
        self.over.append(run)

    async def remember(self, mark: Mark) -> None: ...

    async def forget(self, mark: Mark) -> None: ...


async def nothing(_run: Run) -> str:
    return "done"


async def for_ever(_run: Run) -> str:
    await asyncio.Event().wait()
    return "never"


def job(work: Work = nothing, instance: str = "pg1", deadline_seconds: float | None = 60) -> Job:
    return Job(JobKind.BACKUP, instance, work, deadline_seconds, asked_by="ada")


@pytest.fixture
def book() -> FakeBook:
    return FakeBook()


@asynccontextmanager
async def runs(book: FakeBook, max_concurrent: int = 2) -> AsyncIterator[Runner]:
    async with Runner(book, SystemClock(), max_concurrent=max_concurrent).running() as runner:
        yield runner


async def outcome(book: FakeBook, asked: Job) -> JobRun:
    async with runs(book) as runner:
        record = await runner.wait(runner.start(asked))
    assert [record] == book.over
    return record


async def test_a_run_is_written_down_before_it_begins_and_after_it_ended(book: FakeBook) -> None:
    async def work(run: Run) -> str:
        assert [JobState.RUNNING] == [each.state for each in book.begun]
        run.phase("dumping")
        run.made("20261121T193201Z-000042-1a2b3c4d")
        await asyncio.sleep(0)
        return "restored, and equal to the source"

    record = await outcome(book, job(work))

    assert (JobState.SUCCEEDED, None, "ada") == (record.state, record.reason, record.asked_by)
    assert "restored, and equal to the source" == record.detail
    assert "20261121T193201Z-000042-1a2b3c4d" == record.backup
    assert ["waiting", "preparing", "dumping"] == [name for name, _ in record.phases]
    assert book.begun[0].id == record.id


async def test_what_was_not_proven_is_no_success_to_who_reads_the_log(book: FakeBook) -> None:
    async def work(_run: Run) -> str:
        return errands.said(Proof(ProofName.RESTORED, 1.0, 1.0, JobReason.DISK_FULL, "no room"))

    structlog.reset_defaults()  # another test may have set a level
    with capture_logs() as logged:
        await outcome(book, job(work))
        await outcome(FakeBook(), job(nothing))

    assert [("job_ended_unproven", "warning"), ("job_succeeded", "info")] == [
        (each["event"], each["log_level"]) for each in logged
    ]


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (JobError(JobReason.DISK_FULL, "no room"), JobReason.DISK_FULL),
        (EngineError(Reason.AUTH, "wrong password", "change it"), JobReason.AUTH),
        (OSError(28, "No space left on device"), JobReason.DISK_FULL),
        (DbwatchError("whatever"), JobReason.OTHER),
        (ExceptionGroup("of tasks", [JobError(JobReason.LOCK, "locked")]), JobReason.LOCK),
    ],
)
async def test_what_goes_wrong_in_the_world_is_a_reason(error: Exception, reason: JobReason, book: FakeBook) -> None:
    async def work(_run: Run) -> str:
        raise error

    record = await outcome(book, job(work))

    assert (JobState.FAILED, reason) == (record.state, record.reason)
    assert record.detail


async def test_a_bug_is_told_with_its_traceback_and_ends_that_run_alone(
    book: FakeBook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "RESTART_FIRST_SECONDS", 0.0)

    async def bug(_run: Run) -> str:
        raise ZeroDivisionError

    crashed: list[str] = []
    runner = Runner(book, SystemClock(), on_crash=crashed.append)
    async with runner.running():
        first, second = runner.start(job(bug)), runner.start(job(instance="pg2"))
        await runner.wait(first)
        await runner.wait(second)

    assert (JobState.FAILED, JobReason.OTHER) == (first.record.state, first.record.reason)
    assert JobState.SUCCEEDED == second.record.state
    assert ["backup of pg1"] == crashed


async def test_a_second_one_of_the_same_kind_and_instance_is_refused(book: FakeBook) -> None:
    async with runs(book) as runner:
        first = runner.start(job(for_ever))

        with pytest.raises(JobError, match="under way already") as caught:
            runner.start(job())

        assert JobReason.BUSY == caught.value.reason
        assert first.id in str(caught.value)
        runner.start(Job(JobKind.VERIFY, "pg1", nothing))
        runner.start(job(instance="pg2"))


async def test_so_many_run_at_once_and_the_others_wait_in_their_order(book: FakeBook) -> None:
    at_work: list[str] = []
    go = asyncio.Event()

    async def work(run: Run) -> str:
        at_work.append(run.instance)
        await go.wait()
        return ""

    async with runs(book) as runner:
        all_runs = [runner.start(job(work, f"pg{number}")) for number in range(5)]
        await asyncio.sleep(0.02)
        assert ["pg0", "pg1"] == at_work
        assert [False, False, True, True, True] == [run.is_waiting for run in all_runs]

        runner.max_concurrent = 3
        await asyncio.sleep(0.02)
        assert ["pg0", "pg1", "pg2"] == at_work
        assert runner.cancel(all_runs[3].id, "ada")
        go.set()
        for run in all_runs:
            await runner.wait(run)

    assert ["pg0", "pg1", "pg2", "pg4"] == at_work
    assert JobState.CANCELLED == all_runs[3].record.state
    assert "cancelled by ada" == all_runs[3].record.detail


async def test_who_waits_too_long_in_the_queue_has_not_missed_its_deadline(book: FakeBook) -> None:
    async def slow(_run: Run) -> str:
        await asyncio.sleep(0.2)
        return ""

    async with runs(book, max_concurrent=1) as runner:
        runner.start(job(slow, "pg1"))
        second = runner.start(job(nothing, "pg2", deadline_seconds=0.1))
        await runner.wait(second)

    assert JobState.SUCCEEDED == second.record.state


async def test_a_deadline_ends_it_even_where_the_work_calls_it_something_else(book: FakeBook) -> None:
    async def work(_run: Run) -> str:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise JobError(JobReason.TOOL, "pg_dump ended with code 1") from None
        return ""

    record = await outcome(book, job(work, deadline_seconds=0.05))

    assert (JobState.FAILED, JobReason.DEADLINE) == (record.state, record.reason)
    assert "it was not done within 50 ms" == record.detail


async def test_a_watch_of_its_own_ends_a_run_with_its_reason(book: FakeBook) -> None:
    async def work(run: Run) -> str:
        run.blocked(3)
        run.cancel(JobReason.BLOCKED_OTHERS, "3 sessions waited for 6 s")
        return await for_ever(run)

    record = await outcome(book, job(work))

    assert (JobState.FAILED, JobReason.BLOCKED_OTHERS) == (record.state, record.reason)
    assert "3 sessions waited for 6 s" == record.detail


async def test_a_time_out_of_the_work_itself_is_no_deadline(book: FakeBook) -> None:
    async def work(_run: Run) -> str:
        raise TimeoutError

    record = await outcome(book, job(work))

    assert JobReason.DEADLINE != record.reason
    assert JobState.FAILED == record.state


async def test_who_cancels_a_run_while_its_beginning_is_written_down_can_start_another() -> None:
    class SlowBook(FakeBook):
        async def started(self, run: JobRun, application: str = "") -> None:
            await may_go_on.wait()
            await super().started(run, application)

    book, may_go_on = SlowBook(), asyncio.Event()
    async with runs(book) as runner:
        run = runner.start(job(for_ever))
        await asyncio.sleep(0)
        assert runner.cancel(run.id, "ada")
        may_go_on.set()
        record = await asyncio.wait_for(runner.wait(run), 5)

        assert (JobState.CANCELLED, "cancelled by ada") == (record.state, record.detail)
        assert [record] == book.over
        assert JobState.SUCCEEDED == (await runner.wait(runner.start(job()))).state


async def test_a_bug_on_the_way_out_of_a_cancelled_run_leaves_room_for_the_next(
    book: FakeBook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else it is under way for ever, and its instance not backed up any more until the daemon is restarted."""
    monkeypatch.setattr(tasks, "RESTART_FIRST_SECONDS", 0)

    at_work = asyncio.Event()

    async def clumsy(_run: Run) -> str:
        at_work.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise ZeroDivisionError from None
        return "never"

    async with runs(book) as runner:
        run = runner.start(job(clumsy))
        await at_work.wait()
        assert runner.cancel(run.id, "ada")
        record = await asyncio.wait_for(runner.wait(run), 5)

        assert (JobState.FAILED, JobReason.OTHER) == (record.state, record.reason)
        assert [record] == book.over
        assert JobState.SUCCEEDED == (await runner.wait(runner.start(job()))).state


async def test_stopping_waits_as_long_as_the_grace_and_then_cancels(book: FakeBook) -> None:
    ended: list[str] = []

    async def quick(run: Run) -> str:
        await asyncio.sleep(0.05)
        ended.append(run.instance)
        return ""

    async def tidy(run: Run) -> str:
        try:
            return await for_ever(run)
        finally:
            ended.append(f"{run.instance} tidied")

    async with runs(book) as runner:
        started = [runner.start(job(quick, "pg1")), runner.start(job(tidy, "pg2")), runner.start(job(quick, "pg3"))]
        await asyncio.sleep(0.01)
        await runner.stop(0.3)

        with pytest.raises(JobError, match="being stopped"):
            runner.start(job())

    assert ["pg1", "pg2 tidied"] == ended
    assert [JobState.SUCCEEDED, JobState.CANCELLED, JobState.CANCELLED] == [run.record.state for run in started]
    assert 3 == len(book.over)


async def test_a_history_that_cannot_be_written_is_no_reason_to_fail(book: FakeBook) -> None:
    book.broken = True
    async with runs(book) as runner:
        record = await runner.wait(runner.start(job()))

    assert JobState.SUCCEEDED == record.state


async def test_progress_is_seen_and_a_phase_is_written_down(book: FakeBook) -> None:
    seen: list[Progress] = []
    changes: list[str] = []

    async def work(run: Run) -> str:
        run.phase("dumping")
        run.show(Progress(bytes_expected=1000, tables_done=3))
        run._grew(400)
        seen.append(run.progress)
        run.phase("hashing")
        run._grew(100)
        seen.append(run.progress)
        await asyncio.sleep(0.01)
        return ""

    runner = Runner(book, SystemClock(), on_change=lambda run: changes.append(run.record.phase))
    async with runner.running():
        await runner.wait(runner.start(job(work)))

    assert ("dumping", 400, 1000, 3) == (
        seen[0].phase,
        seen[0].bytes_done,
        seen[0].bytes_expected,
        seen[0].tables_done,
    )
    assert ("hashing", 100, None) == (seen[1].phase, seen[1].bytes_done, seen[1].bytes_expected)
    assert "hashing" in book.phases
    assert changes[-1] == "hashing"


async def test_what_was_ended_is_kept_for_who_asks_and_not_for_ever(book: FakeBook) -> None:
    async with runs(book) as runner:
        for _ in range(60):
            last = runner.start(job())
            await runner.wait(last)

        assert 50 == len(runner.runs)
        assert last.id in runner.runs
        assert not runner.cancel(last.id)
        assert not runner.cancel("nonsense")


async def test_what_goes_wrong_beside_the_runs_is_raised_as_it_is(book: FakeBook) -> None:
    async def asking() -> None:
        async with runs(book) as runner:
            runner.start(job(for_ever))
            await asyncio.sleep(0)
            raise DbwatchError("of the caller")

    with pytest.raises(DbwatchError, match="of the caller"):
        await asking()

    assert [JobState.CANCELLED] == [run.state for run in book.over]
