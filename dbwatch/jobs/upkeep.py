"""What is to be done beside the bells: look ahead, prove what waits, let go of what is old, see the disk."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import structlog

from dbwatch.core.backups import due
from dbwatch.core.backups.figures import RepositoryFigures
from dbwatch.core.backups.model import JobReason
from dbwatch.errors import DbwatchError, EngineError, JobError
from dbwatch.jobs.backup import needed_bytes, refuse
from dbwatch.jobs.boards import Seen
from dbwatch.jobs.faults import job_error, reason_of
from dbwatch.jobs.retaining import planned, retain

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from dbwatch.core.backups.model import BackupRecord, JobRun
    from dbwatch.core.backups.retention import Plan
    from dbwatch.jobs.roster import Roster
    from dbwatch.jobs.subject import Subject

log = structlog.get_logger()
DAY_SECONDS = 86400.0
PREFLIGHT_RETRY_SECONDS = 900.0
IN_THE_WAY = frozenset(
    {
        JobReason.UNREACHABLE,
        JobReason.AUTH,
        JobReason.PERMISSION,
        JobReason.CLIENT_MISSING,
        JobReason.CLIENT_OLDER,
        JobReason.INCOMPLETE,
    }
)
NIGHT_HOURS = 4  # retention passes at four in the morning


class Upkeep:
    """Its findings are what pages and metrics tell beside the sets themselves."""

    def __init__(self, roster: Callable[[], Roster]) -> None:
        self._roster = roster
        self._seen: dict[str, Seen] = {}
        self._nights: dict[str, date] = {}
        self.repository = RepositoryFigures()

    def seen(self, name: str) -> Seen:
        return self._seen.setdefault(name, Seen())

    def forget(self, names: set[str]) -> None:
        """Of these everything is to be found out anew."""
        for name in names:
            self._seen.pop(name, None)

    # --- look ahead ---

    def to_look_at(self, now: float) -> list[Subject]:
        """Whose way is to be tried: at first, every day, and soon again while something stands in it."""
        return [subject for name, subject in self._roster().subjects.items() if self._is_old(self.seen(name), now)]

    @staticmethod
    def _is_old(seen: Seen, now: float) -> bool:
        if seen.preflight_at is None:
            return True
        wait = PREFLIGHT_RETRY_SECONDS if seen.preflight_reason is not None else DAY_SECONDS
        return not 0 <= now - seen.preflight_at < wait  # also where the clock went back

    async def look_ahead(self, subject: Subject) -> None:
        """Whether a backup could begin now: known by day, not at two in the morning."""
        seen, now = self.seen(subject.name), subject.clock.time()
        try:
            preflight = await subject.engine.preflight(subject.instance, subject.options)
            seen.databases = tuple(sorted(name for name, _ in preflight.databases))
            refuse(preflight)
            seen.needed_bytes = needed_bytes(subject, preflight)
            seen.preflight_reason, seen.preflight_detail = None, ""
        except (EngineError, JobError) as error:
            told = job_error(error)
            if seen.preflight_detail != told.message:
                log.warning("backup_would_fail", instance=subject.name, reason=told.reason, detail=told.message)
            seen.preflight_reason, seen.preflight_detail = reason_of(told), told.message
        seen.preflight_at = now

    def learn(self, run: JobRun, now: float) -> bool:
        """A backup tells more than a look: it got past what stood in the way, or something new does. True: look now."""
        seen = self.seen(run.instance)
        if run.reason in IN_THE_WAY:
            seen.preflight_at = None
        elif run.backup:  # it was begun
            seen.preflight_at, seen.preflight_reason, seen.preflight_detail = now, None, ""
        return seen.preflight_at is None

    # --- the repository ---

    async def look_at_repository(self) -> None:
        """Told once when it cannot be used, and once when it can be again."""
        roster = self._roster()
        needed = [seen.needed_bytes for seen in map(self.seen, roster.subjects) if seen.needed_bytes]
        try:
            await roster.repository.prepare()
            space = await roster.repository.space()
            self.repository = RepositoryFigures(
                str(roster.repository.directory),
                size_bytes=space.total_bytes,
                free_bytes=space.free_bytes,
                reserve_bytes=space.reserve_bytes,
                needed_bytes=sum(needed) if needed else None,
            )
        except JobError as error:
            if self.repository.is_usable or self.repository.detail != error.message:
                log.warning("repository_unusable", reason=error.reason, detail=error.message)
            directory = str(roster.repository.directory)
            self.repository = RepositoryFigures(
                directory, is_usable=False, reason=reason_of(error), detail=error.message
            )

    # --- proofs that wait ---

    def to_prove(self, now: float) -> BackupRecord | None:
        """The set whose turn it is, of all instances; how many wait is kept."""
        subjects = self._roster().subjects
        limits = {name: subject.backup.verify.limits for name, subject in subjects.items()}
        turn = due.to_restore((record for subject in subjects.values() for record in subject.records), limits, now)
        waiting = Counter(each.manifest.instance for each in turn.now)
        waiting.update(each.record.manifest.instance for each in turn.waiting)
        for name in subjects:
            self.seen(name).waiting = waiting[name]
        return turn.now[0] if turn.now else None

    # --- retention ---

    async def retain(self, subject: Subject, *, dry_run: bool = False) -> Plan:
        """Raise JobError."""
        plan = await planned(subject) if dry_run else await retain(subject)
        self.seen(subject.name).frozen = tuple(str(each.reason) for each in plan.frozen)
        return plan

    async def retain_quietly(self, subject: Subject) -> None:
        """What cannot be deleted now is tried again the next time."""
        try:
            await self.retain(subject)
        except DbwatchError as error:
            log.warning("retention_failed", instance=subject.name, error=str(error))

    async def nightly(self, now: float) -> None:
        for name, subject in self._roster().subjects.items():
            night = _night(now, subject.backup.retention.timezone)
            if self._nights.get(name) != night:
                self._nights[name] = night
                await self.retain_quietly(subject)


def _night(now: float, timezone: str) -> date:
    return (datetime.fromtimestamp(now, ZoneInfo(timezone)) - timedelta(hours=NIGHT_HOURS)).date()
