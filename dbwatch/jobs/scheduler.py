"""Bells: APScheduler knows when they ring, and does nothing but ring them.

Days on which clocks change, in the time zone of a bell: a time that the clocks leave out rings so much later (02:30
at 03:30), a time that comes twice rings the first time only. A schedule of every hour rings in both, an hour apart.
A bell that could not ring (the loop was held up, the machine slept, dbwatch was not running) rings once, within its
grace; several that were missed ring as one.
"""

from __future__ import annotations

import asyncio
import importlib
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import structlog

from dbwatch.core import cron
from dbwatch.errors import JobError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from apscheduler.job import Job
    from apscheduler.schedulers.asyncio import AsyncIOScheduler

    from dbwatch.clock import Clock
    from dbwatch.core.backups.model import JobKind

log = structlog.get_logger()
LOOK_SECONDS = 20.0  # timers count what the processor was awake, bells the clock on the wall
JUMP_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Bell:
    """Rings for one kind of job of one instance."""

    kind: JobKind
    instance: str
    schedule: str
    timezone: str = "UTC"
    misfire_grace_seconds: float = 0.0

    @property
    def key(self) -> tuple[JobKind, str]:
        return (self.kind, self.instance)


class Bells:
    """All bells. APScheduler is imported once there is one."""

    def __init__(self, ring: Callable[[Bell], None], clock: Clock) -> None:
        self._ring = ring
        self._clock = clock
        self._bells: dict[tuple[JobKind, str], Bell] = {}
        self._scheduler: AsyncIOScheduler | None = None
        self._rung: asyncio.Queue[Bell] = asyncio.Queue()
        self._ahead = clock.time() - clock.monotonic()

    @property
    def bells(self) -> Mapping[tuple[JobKind, str], Bell]:
        return self._bells

    def become(self, bells: Iterable[Bell]) -> None:
        """Hang up what is new or changed, take down what is gone; the others do not notice. In the event loop."""
        wanted = {bell.key: bell for bell in bells}
        scheduler = self._started() if wanted else self._scheduler
        for key in [key for key, bell in self._bells.items() if wanted.get(key) != bell]:
            self._remove(key)
        for bell in wanted.values():
            if scheduler is not None and bell.key not in self._bells:
                self._add(scheduler, bell)

    def next_at(self, kind: JobKind, instance: str) -> float | None:
        """When it rings next; None: it has no bell."""
        job = self._job(kind, instance)
        return job.next_run_time.timestamp() if job is not None and job.next_run_time is not None else None

    def _job(self, kind: JobKind, instance: str) -> Job | None:
        """What APScheduler holds of a bell."""
        return self._scheduler.get_job(_name((kind, instance))) if self._scheduler is not None else None

    async def run(self) -> None:
        """Pass on what rings, and follow a clock that was set, until it is cancelled."""
        try:
            while True:
                with suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_SECONDS):
                        self._pass_on(await self._rung.get())
                self._look_at_the_clock()
        finally:
            self.stop()

    def stop(self) -> None:
        """No bell rings any more."""
        scheduler, self._scheduler = self._scheduler, None
        self._bells.clear()
        if scheduler is not None:
            scheduler.shutdown(wait=False)

    def _pass_on(self, bell: Bell) -> None:
        log.info("bell", kind=bell.kind, instance=bell.instance, schedule=bell.schedule)
        try:
            self._ring(bell)
        except JobError as error:
            log.warning("bell_unheard", kind=bell.kind, instance=bell.instance, reason=error.reason, error=str(error))

    def _look_at_the_clock(self) -> None:
        """Where it was set back, what was to ring at the old time is found anew."""
        ahead = self._clock.time() - self._clock.monotonic()
        jumped, self._ahead = ahead - self._ahead, ahead
        if self._scheduler is None:
            return
        if jumped < -JUMP_SECONDS:
            log.warning("clock_set_back", seconds=-jumped)
            for bell in self._bells.values():
                self._add(self._scheduler, bell)
        self._scheduler.wakeup()

    def _started(self) -> AsyncIOScheduler:
        if self._scheduler is None:
            self._scheduler = made()
            self._scheduler.start()
        return self._scheduler

    def _remove(self, key: tuple[JobKind, str]) -> None:
        del self._bells[key]
        if self._scheduler is not None:
            self._scheduler.remove_job(_name(key))

    def _add(self, scheduler: AsyncIOScheduler, bell: Bell) -> None:
        self._bells[bell.key] = bell
        scheduler.add_job(
            self._heard,
            trigger_of(bell),
            (bell,),
            id=_name(bell.key),
            replace_existing=True,
            coalesce=True,
            misfire_grace_time=max(round(bell.misfire_grace_seconds), 1),
            max_instances=1,
        )

    async def _heard(self, bell: Bell) -> None:
        self._rung.put_nowait(bell)


def missed(bell: Bell, last_at: float | None, now: float) -> bool:
    """Whether it should have rung since the last run began, within its grace. Who never ran has missed nothing."""
    if last_at is None:
        return False
    since = max(last_at, now - bell.misfire_grace_seconds)
    following = next_after(bell, since)
    return following is not None and following <= now


def next_after(bell: Bell, moment: float) -> float | None:
    """The first time that it rings later than this."""
    start = datetime.fromtimestamp(moment + 1e-3, UTC)
    found = trigger_of(bell).get_next_fire_time(None, start)
    return None if found is None else found.timestamp()


def _name(key: tuple[JobKind, str]) -> str:
    return f"{key[0]} {key[1]}"


def load() -> None:
    """Import what bells need: to be called in a thread, where an event loop must not be held up."""
    importlib.import_module("apscheduler.schedulers.asyncio")
    importlib.import_module("apscheduler.executors.asyncio")
    importlib.import_module("apscheduler.triggers.cron")


def made() -> AsyncIOScheduler:
    from apscheduler.schedulers.asyncio import AsyncIOScheduler

    return AsyncIOScheduler(timezone=UTC)


def trigger_of(bell: Bell) -> WallClock:
    return WallClock(cron.parse(bell.schedule), ZoneInfo(bell.timezone))


class WallClock:
    """A cron trigger of APScheduler's that rings once at a time that comes twice."""

    def __init__(self, schedule: cron.Cron, zone: ZoneInfo) -> None:
        from apscheduler.triggers.base import BaseTrigger
        from apscheduler.triggers.cron import CronTrigger

        BaseTrigger.register(WallClock)
        self._skips_repeated = not schedule.is_hourly
        self._zone = zone
        self._next = CronTrigger(**schedule.fields, timezone=zone).get_next_fire_time

    def get_next_fire_time(self, previous: datetime | None, now: datetime) -> datetime | None:
        """As APScheduler calls it."""
        found: datetime | None = self._next(previous, now)
        while found is not None and self._skips_repeated and is_repeated(found):
            found = self._next(found, found)
        return None if found is None else found.astimezone(UTC).astimezone(self._zone)


def is_repeated(moment: datetime) -> bool:
    """The second of two moments that a clock on the wall shows alike."""
    first, second = moment.replace(fold=0).utcoffset(), moment.replace(fold=1).utcoffset()
    return bool(moment.fold) and first is not None and second is not None and first > second
