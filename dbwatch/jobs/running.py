"""One run of one job: what its work is given, what others may see of it, and how it is ended early."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from dbwatch.core.backups.model import JobKind, JobReason, JobRun, JobState, Progress
from dbwatch.jobs import process
from dbwatch.jobs.serving import Served, serving

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from dbwatch.clock import Clock
    from dbwatch.engines.backing import Command, Pipeline
    from dbwatch.jobs.failing import Ended
    from dbwatch.jobs.process import Care

    Hook = Callable[[], Awaitable[None]]
    Work = Callable[["Run"], Awaitable[str]]
    Verdict = tuple[JobState, JobReason | None, str]

APPLICATION = "dbwatch/bk/"  # what our sessions on a server are named by: they can be swept
WAITING = "waiting"
NOT_PROVEN = "NOT PROVEN"  # how the line of a run begins that ended well, and lacks a proof that was due


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be run. `work` returns one line for people, or raises JobError or EngineError."""

    kind: JobKind
    instance: str
    work: Work
    deadline_seconds: float | None = None
    stalled_after_seconds: float | None = None
    asked_by: str = ""


def new_id(now: float) -> str:
    """As they sort; and never given twice: processes are known by it."""
    return f"{datetime.fromtimestamp(now, UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"


class Run:
    """What is in memory of a run; `record` is what outlives it."""

    def __init__(self, job: Job, clock: Clock, on_change: Callable[[Run], None], care: Care) -> None:
        now = clock.time()
        self.job = job
        self.record = JobRun(new_id(now), job.kind, job.instance, now, phase=WAITING, asked_by=job.asked_by)
        self.cpu_seconds = 0.0
        self.verdict: Verdict | None = None  # set by who ends it early
        self.task: asyncio.Task[None] | None = None
        self.over = asyncio.Event()
        self._clock = clock
        self._on_change = on_change
        self._care = care
        self._progress = Progress()
        self._bytes_before = 0
        self._phase_at = self._begun_at = clock.monotonic()
        self._phases: dict[str, float] = {}
        self._has_begun = self._is_at_work = False
        self._written = (WAITING, "")
        care.token = self.id
        care.stalled_after_seconds = job.stalled_after_seconds
        care.on_bytes = self._grew

    # --- what others see ---

    @property
    def id(self) -> str:
        return self.record.id

    @property
    def kind(self) -> JobKind:
        return self.record.kind

    @property
    def instance(self) -> str:
        return self.record.instance

    @property
    def application(self) -> str:
        return f"{APPLICATION}{self.id}"

    @property
    def is_over(self) -> bool:
        return self.record.state is not JobState.RUNNING

    @property
    def is_waiting(self) -> bool:
        """For its turn."""
        return not self.is_over and self.record.phase == WAITING

    @property
    def progress(self) -> Progress:
        return replace(self._progress, phase=self.record.phase)

    @property
    def seconds(self) -> float:
        """Since its turn came."""
        return self.record.seconds if self.record.seconds is not None else self._clock.monotonic() - self._begun_at

    def cancel(self, reason: JobReason = JobReason.CANCELLED, detail: str = "") -> bool:
        """End it for this reason: False where it has one already. Its work is told by CancelledError."""
        if self.is_over or self.verdict is not None:
            return False
        state = JobState.CANCELLED if reason is JobReason.CANCELLED else JobState.FAILED
        self.verdict = (state, reason, detail)
        if self.task is not None and self._is_at_work:
            self.task.cancel()
        return True

    # --- what its work does ---

    def phase(self, name: str) -> None:
        """A phase begins, and counts anew; the one before has taken its time."""
        self._count_phase()
        self._progress, self._bytes_before = Progress(), 0
        self.record = replace(self.record, phase=name, phases=tuple(self._phases.items()))
        self._on_change(self)

    def show(self, progress: Progress) -> None:
        """What it knows; the bytes that its pipelines write are counted without it."""
        done = max(progress.bytes_done, self._progress.bytes_done)
        self._progress = replace(progress, bytes_done=done)
        self._on_change(self)

    def blocked(self, sessions: int) -> None:
        """So many wait for us."""
        if sessions != self._progress.blocked_sessions:
            self.show(replace(self._progress, blocked_sessions=sessions))

    def made(self, backup_id: str) -> None:
        """The set that it makes or looks at."""
        self.record = replace(self.record, backup=backup_id)
        self._on_change(self)

    async def run(self, pipeline: Pipeline, *, on_started: Hook | None = None, keep_output: bool = False) -> float:
        """Run it to its end: the CPU seconds it took. Raise JobError where any process failed."""
        ended = await self.ran(pipeline, on_started=on_started, keep_output=keep_output)
        return sum(each.cpu_seconds for each in ended)

    async def ran(
        self, pipeline: Pipeline, *, on_started: Hook | None = None, keep_output: bool = False
    ) -> list[Ended]:
        """The same, with how each process ended, and what the last one printed."""
        self._bytes_before = self._progress.bytes_done
        ended = await process.run(pipeline, self._care, on_started=on_started, keep_output=keep_output)
        self.cpu_seconds += sum(each.cpu_seconds for each in ended)
        return ended

    def serving(
        self, command: Command, *, name: str, log: Path, stop_signal: int
    ) -> AbstractAsyncContextManager[Served]:
        """A server that runs while the context is open, and never longer."""
        return serving(command, log=log, stop_signal=stop_signal, name=name, care=self._care)

    # --- what the runner does ---

    def begin(self) -> bool:
        """False: it had begun."""
        had_begun, self._has_begun = self._has_begun, True
        return not had_begun

    def goes_to_work(self) -> None:
        """From now on its task is cancelled with it; before, there is nothing to tidy, and an end to be written."""
        self._is_at_work = True

    def has_moved_on(self) -> bool:
        """To another phase or set since this was asked last."""
        before, self._written = self._written, (self.record.phase, self.record.backup)
        return not self.is_over and before != self._written

    def turn(self) -> None:
        """It is its turn."""
        self._begun_at = self._clock.monotonic()
        self.phase("preparing")

    def end(self, verdict: Verdict) -> None:
        state, reason, detail = verdict
        self._count_phase()
        self.record = replace(
            self.record,
            state=state,
            reason=reason,
            detail=detail,
            ended_at=self._clock.time(),
            seconds=self._clock.monotonic() - self._begun_at,
            phases=tuple(self._phases.items()),
        )
        self.over.set()
        self._on_change(self)

    def _count_phase(self) -> None:
        now, name = self._clock.monotonic(), self.record.phase
        self._phases[name] = self._phases.get(name, 0.0) + now - self._phase_at
        self._phase_at = now

    def _grew(self, size_bytes: int) -> None:
        self._progress = replace(self._progress, bytes_done=self._bytes_before + size_bytes)
        self._on_change(self)
