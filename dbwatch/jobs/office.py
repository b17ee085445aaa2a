"""All that concerns backups, as one value: the application holds it, and a command makes its own where none runs."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from dbwatch.core.backups.model import JobKind, JobState
from dbwatch.errors import DbwatchError, JobError, UsageError
from dbwatch.jobs import passwords, tidying
from dbwatch.jobs.desk import Desk
from dbwatch.jobs.drill_wishes import Wish
from dbwatch.jobs.errands import verify_job
from dbwatch.jobs.roster import EVERY_INSTANCE, Roster
from dbwatch.jobs.runner import Runner
from dbwatch.jobs.scheduler import Bells, missed
from dbwatch.jobs.telling import Telling
from dbwatch.jobs.upkeep import Upkeep
from dbwatch.tasks import supervise

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Collection

    from dbwatch.clock import Clock
    from dbwatch.core.backups.figures import BackupBoard, RepositoryFigures
    from dbwatch.core.backups.model import JobRun
    from dbwatch.core.catalogue import Catalogue
    from dbwatch.history import History
    from dbwatch.history.job_words import Interrupted
    from dbwatch.jobs.running import Run
    from dbwatch.jobs.scheduler import Bell
    from dbwatch.settings.models import Settings
    from dbwatch.store import Store

log = structlog.get_logger()
SCHEDULE = "schedule"
LOOK_SECONDS = 60.0
PUBLISH_SECONDS = 1.0


def _nobody(_task: str) -> None: ...


def _unknown(_instance: str) -> Collection[str]:
    return ()


@dataclass(frozen=True, slots=True)
class Lent:
    """What the application lends. `databases`: those that the pollers see of an instance."""

    past: History
    clock: Clock
    store: Store | None = None
    databases: Callable[[str], Collection[str]] = _unknown
    on_crash: Callable[[str], None] = _nobody


class JobOffice:
    """`run` it as a task, `become` another configuration at a reload, `stop` it with grace."""

    def __init__(self, settings: Settings, catalogue: Catalogue, lent: Lent) -> None:
        self._lent = lent
        self.book = lent.past.jobs
        self._clock = lent.clock
        self._roster = Roster(settings, catalogue, self.book, lent.clock)
        self._upkeep = Upkeep(lambda: self._roster)
        self._runner = Runner(
            self.book,
            lent.clock,
            max_concurrent=settings.backups.max_concurrent,
            on_change=self._changed,
            on_crash=lent.on_crash,
        )
        self._bells = Bells(self._ring, lent.clock)
        self._ready = asyncio.Event()
        self._telling = Telling(
            lambda: self._roster,
            self._runner,
            self._bells,
            self._upkeep,
            self.book,
            lent.clock,
            lent.store,
            lent.databases,
        )
        self.desk = Desk(
            lambda: self._roster,
            self._runner,
            self._bells,
            self._upkeep,
            self.book,
            lent.clock,
            self._ready,
            self._changed_by_hand,
        )
        self._ended: list[JobRun] = []
        self._to_sweep: tuple[Interrupted, ...] = ()
        self._to_rehearse: list[str] = []
        self._woken, self._dirty, self._curious = asyncio.Event(), asyncio.Event(), asyncio.Event()

    # --- life ---

    async def run(self) -> None:
        """Until cancelled."""
        async with self._runner.running(), asyncio.TaskGroup() as group:
            await self._begin()
            self._bells.become(self._roster.bells)
            self._ring_what_was_missed()
            group.create_task(self._bells.run(), name="bells")
            for name, work in (("upkeep", self._keep_up), ("look ahead", self._look_ahead), ("tell", self._tell)):
                group.create_task(supervise(f"backups {name}", work, self._lent.on_crash), name=f"backups {name}")

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[JobOffice]:
        """For one command: no bells, and what follows a run is done before the context is left."""
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._runner.running())
            await self._begin()
            yield self
            await self._follow_up()

    async def _begin(self) -> None:
        roster = self._roster
        await self._upkeep.look_at_repository()
        left = await tidying.tidy(self.book, roster.repository, roster.scratch_directory, self._clock)
        await passwords.remove_left(roster.passwords_directory)
        self._to_sweep = await tidying.end_sessions(left, roster.subjects)
        await self._rebuild_where_needed()
        self._ready.set()
        self._telling.publish()

    async def _rebuild_where_needed(self) -> None:
        """Manifests are the truth: an index that was lost, or that missed a set, is made anew from them."""
        if self._upkeep.repository.is_usable:
            try:
                await tidying.rescan(self.book, self._roster.repository)
            except DbwatchError as error:
                log.warning("repository_not_read", error=str(error))

    def become(self, settings: Settings, catalogue: Catalogue) -> None:
        """From now on; what runs goes on as it began."""
        before, self._roster = self._roster, Roster(settings, catalogue, self.book, self._clock)
        after = self._roster.subjects
        self._upkeep.forget(
            {name for name, one in before.subjects.items() if name not in after or after[name].instance != one.instance}
        )
        self._runner.max_concurrent = settings.backups.max_concurrent
        if self._ready.is_set():
            self._bells.become(self._roster.bells)
        self.wake()
        self._telling.publish()

    async def stop(self) -> None:
        """No new runs; those under way get their grace, then they are ended and nothing of them is left."""
        self._bells.stop()
        await self._runner.stop(self.stop_seconds)

    @property
    def stop_seconds(self) -> float:
        return self._roster.settings.backups.stop_grace

    @property
    def is_busy(self) -> bool:
        return bool(self._runner.active)

    def board(self) -> BackupBoard:
        """For a page, from memory."""
        return self._telling.board()

    def repository_figures(self) -> RepositoryFigures:
        """For the process's own metrics."""
        return self._telling.repository_figures()

    def _changed_by_hand(self) -> None:
        self._dirty.set()

    def wake(self) -> None:
        for each in (self._woken, self._dirty, self._curious):
            each.set()

    # --- what happens by itself ---

    def _ring(self, bell: Bell) -> None:
        """A bell that rings while the last run goes on is told, and not queued behind it."""
        try:
            if bell.kind is JobKind.BACKUP:
                self.desk.start_backup(bell.instance, SCHEDULE)
            else:
                self._to_rehearse = sorted(self._roster.subjects)
                self._start_next_drill()
        except (JobError, UsageError) as error:
            log.warning("bell_without_effect", kind=bell.kind.value, instance=bell.instance, why=str(error))

    def _start_next_drill(self) -> None:
        """One instance after the other: a rehearsal must not keep the backups of others waiting."""
        if any(run.kind is JobKind.DRILL for run in self._runner.active):
            return
        while self._to_rehearse:
            name = self._to_rehearse.pop(0)
            if name in self._roster.subjects:
                try:
                    self.desk.start_drill(name, Wish(), SCHEDULE)
                except (JobError, UsageError) as error:  # dbwatch ends, for one
                    log.warning("bell_without_effect", kind=JobKind.DRILL.value, instance=name, why=str(error))
                    continue
                return

    def _ring_what_was_missed(self) -> None:
        for bell in self._roster.bells:
            names = self._roster.subjects if bell.instance == EVERY_INSTANCE else (bell.instance,)
            last = (run.started_at for name in names if (run := self.book.last(bell.kind, name)) is not None)
            if missed(bell, max(last, default=None), self._clock.time()):
                log.info("bell_made_up_for", kind=bell.kind.value, instance=bell.instance)
                self._ring(bell)

    def _changed(self, run: Run) -> None:
        """Called by the runner; what follows is done by the upkeep."""
        if run.record.state is not JobState.RUNNING:
            self._ended.append(run.record)
            self._woken.set()
            if run.kind is JobKind.BACKUP and self._upkeep.learn(run.record, self._clock.time()):
                self._curious.set()
        self._dirty.set()

    async def _keep_up(self) -> None:
        while True:
            self._woken.clear()
            await self._follow_up()
            await self._each_minute()
            self._dirty.set()
            await _until(self._woken)

    async def _follow_up(self) -> None:
        """Retention after every backup that ended."""
        ended, self._ended = self._ended, []
        for name in dict.fromkeys(run.instance for run in ended if run.kind is JobKind.BACKUP):
            if name in self._roster.subjects:
                await self._upkeep.retain_quietly(self._roster.subjects[name])

    async def _each_minute(self) -> None:
        now = self._clock.time()
        await self._upkeep.nightly(now)  # before the beat: it tells whether the clock went back
        with suppress(DbwatchError):  # told by the history itself
            await self.book.beat(now, self._clock.monotonic())
        await self._upkeep.look_at_repository()
        if self._to_sweep:
            self._to_sweep = await tidying.end_sessions(self._to_sweep, self._roster.subjects)
        self._start_next_drill()
        self._prove_what_waits(now)

    def _prove_what_waits(self, now: float) -> None:
        """One at a time, and none while its instance is dumped."""
        if self.is_busy:
            return
        following = self._upkeep.to_prove(now)
        if following is not None:
            subject = self._roster.subjects[following.manifest.instance]
            with suppress(JobError):  # another run was quicker
                self._runner.start(verify_job(subject, following, SCHEDULE))

    async def _look_ahead(self) -> None:
        while True:
            self._curious.clear()
            for subject in self._upkeep.to_look_at(self._clock.time()):
                await self._upkeep.look_ahead(subject)
                self._dirty.set()
            await _until(self._curious)

    async def _tell(self) -> None:
        while True:
            await self._dirty.wait()
            self._dirty.clear()
            self._telling.publish()
            await asyncio.sleep(PUBLISH_SECONDS)


async def _until(event: asyncio.Event) -> None:
    """Something happened, or it is time to look."""
    with suppress(TimeoutError):
        async with asyncio.timeout(LOOK_SECONDS):
            await event.wait()


@asynccontextmanager
async def in_process(settings: Settings, catalogue: Catalogue, past: History, clock: Clock) -> AsyncIterator[Desk]:
    """For a command, where no daemon runs; the history is the command's alone meanwhile."""
    async with JobOffice(settings, catalogue, Lent(past, clock)).at_work() as office:
        yield office.desk
