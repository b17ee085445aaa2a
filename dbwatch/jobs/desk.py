"""What may be asked of the office, by the control socket or by a command that makes its own (jobs.commands)."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dbwatch.core.backups import naming
from dbwatch.core.backups.model import JobKind, JobReason
from dbwatch.errors import JobError, UsageError
from dbwatch.jobs import tidying
from dbwatch.jobs.commands import Binned, JobLine
from dbwatch.jobs.drill_wishes import orders, refuse_unknown_table
from dbwatch.jobs.errands import backup_job, drill_job, verify_job
from dbwatch.jobs.roster import EVERY_INSTANCE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from dbwatch.clock import Clock
    from dbwatch.core.backups.model import BackupRecord, JobRun
    from dbwatch.core.backups.retention import Plan
    from dbwatch.history.job_words import DrillKept
    from dbwatch.history.jobs import JobBook
    from dbwatch.jobs.drill_wishes import Wish
    from dbwatch.jobs.roster import Roster
    from dbwatch.jobs.runner import Runner
    from dbwatch.jobs.running import Run
    from dbwatch.jobs.scheduler import Bells
    from dbwatch.jobs.upkeep import Upkeep

KNOWN_RUNS = 1000
TIDYING_SECONDS = 30.0  # more than it ever takes, unless sessions of the last run must be ended on servers far away


@dataclass(frozen=True, slots=True)
class Desk:
    """Its answers are from memory, the index and the repository; no server is asked."""

    roster: Callable[[], Roster]
    runner: Runner
    bells: Bells
    upkeep: Upkeep
    book: JobBook
    clock: Clock
    ready: asyncio.Event  # set once what the last daemon left is tidied up
    changed: Callable[[], None]

    @property
    def runs(self) -> Mapping[str, Run]:
        """Those that wait or run, and the last that ended."""
        return self.runner.runs

    def start_backup(self, instance: str, asked_by: str) -> Run:
        """Raise UsageError, JobError."""
        subject = self.roster().subject(instance)
        self._refuse_while_starting()
        return self.runner.start(backup_job(subject, asked_by))

    def start_verification(self, backup_id: str, asked_by: str) -> Run:
        """Climb the whole ladder with a set that is there. Raise UsageError, JobError."""
        record = self._record(backup_id)
        subject = self.roster().subject(record.manifest.instance)
        self._refuse_while_starting()
        return self.runner.start(verify_job(subject, record, asked_by, although_unwritten=True))

    async def refuse_unknown_table(self, instance: str, wish: Wish) -> None:
        """Raise UsageError."""
        await refuse_unknown_table(self.roster().subject(instance), wish)

    def start_drill(self, instance: str, wish: Wish, asked_by: str) -> Run:
        """Raise UsageError, JobError."""
        subject = self.roster().subject(instance)
        self._refuse_while_starting()
        return self.runner.start(drill_job(subject, orders(self.roster().settings, subject, wish), asked_by))

    @property
    def last_drills(self) -> Sequence[DrillKept]:
        """Of each scenario and instance."""
        return self.book.last_drills

    async def started(self) -> None:
        """Wait, but not for ever, until runs may be asked for: a daemon that has just begun tidies up first."""
        with suppress(TimeoutError):
            async with asyncio.timeout(TIDYING_SECONDS):
                await self.ready.wait()

    async def trust_clock(self) -> float:
        """Somebody says that it is right, after it jumped: retention goes on. What it says now."""
        now = self.clock.time()
        await self.book.accept_clock(now)
        self.changed()
        return now

    def _refuse_while_starting(self) -> None:
        if not self.ready.is_set():
            raise JobError(JobReason.BUSY, "dbwatch tidies up after its last run -> try again in a few seconds")

    def cancel(self, run_id: str, who: str) -> bool:
        return self.runner.cancel(run_id, who)

    async def jobs(self) -> list[JobLine]:
        """Every job that there is, when it ran and when it will."""
        drills = self.roster().settings.backups.drills
        lines = []
        for name, subject in sorted(self.roster().subjects.items()):
            backup = subject.backup
            lines.append(self._line(JobKind.BACKUP, name, backup.schedule, backup.timezone))
            lines.append(self._line(JobKind.VERIFY, name, None, backup.timezone))
            lines.append(self._line(JobKind.DRILL, name, drills.schedule, drills.timezone))
        return [line for line in lines if line.kind is JobKind.BACKUP or line.schedule or line.last or line.running]

    def _line(self, kind: JobKind, name: str, schedule: str | None, timezone: str) -> JobLine:
        return JobLine(
            kind=kind,
            instance=name,
            schedule=schedule or "",
            timezone=timezone,
            last=self.book.last(kind, name),
            next_at=self.bells.next_at(kind, EVERY_INSTANCE if kind is JobKind.DRILL else name),
            running=self._run_of(kind, name),
        )

    def _run_of(self, kind: JobKind, instance: str) -> Run | None:
        return next((run for run in self.runner.active if (run.kind, run.instance) == (kind, instance)), None)

    async def run_of(self, run_id: str) -> JobRun | None:
        if run_id in self.runs:
            return self.runs[run_id].record
        return next((run for run in await self.book.runs(KNOWN_RUNS) if run.id == run_id), None)

    async def records(self, instance: str = "") -> list[BackupRecord]:
        """As the index has them: without the facts of each table."""
        return list(self.book.sets.records(instance))

    async def looked_at(self, instance: str = "") -> list[BackupRecord]:
        """The same, each with what a look at the disk tells against it. Raise UsageError."""
        self._refuse_unknown(instance)
        return await self.roster().repository.looked_at(self.book.sets.records(instance))

    async def rescan(self, instance: str = "") -> list[str]:
        """Make the index anew from the manifests: what differed, a line each. Raise UsageError, JobError."""
        repository = self.roster().repository
        if instance:
            self._refuse_unknown(instance, await repository.instances())
        told = await tidying.rescan(self.book, repository, instance)
        self.changed()
        return told

    async def retention(self, instance: str = "", *, dry_run: bool) -> list[tuple[str, Plan]]:
        """Raise UsageError, JobError."""
        names = [self.roster().subject(instance).name] if instance else sorted(self.roster().subjects)
        self.changed()
        return [(name, await self.upkeep.retain(self.roster().subjects[name], dry_run=dry_run)) for name in names]

    async def trashed(self) -> list[Binned]:
        """What retention let go and can still be had back, as it lies there. Raise JobError."""
        subjects, repository = self.roster().subjects, self.roster().repository
        held = {name: subject.backup.retention.trash_for for name, subject in subjects.items()}
        found: list[Binned] = []
        for name in await repository.instances():
            grace = held.get(name)
            for each in await repository.trashed(name):
                until = None if grace is None else each.trashed_at + grace
                found.append(Binned(name, each.kind, each.id, each.trashed_at, until))
        return found

    async def pin(self, backup_id: str, *, pinned: bool, who: str) -> BackupRecord:
        """One in the trash comes back. Raise UsageError, JobError."""
        if pinned:
            await self._bring_back(backup_id)
        record = self._record(backup_id)
        where = (record.manifest.instance, record.manifest.kind, record.id)
        await self.roster().repository.pin(*where, pinned=pinned, now=self.clock.time(), who=who)
        await self.book.sets.pin(*where, pinned=pinned)
        self.changed()
        return replace(record, pinned=pinned)

    def _refuse_unknown(self, instance: str, others: Iterable[str] = ()) -> None:
        """One that is configured no more is known as long as it has backups."""
        kept = (record.manifest.instance for record in self.book.sets.records(instance))
        known = {*self.roster().settings.instances, *kept, *others}
        if instance and instance not in known:
            raise UsageError(f"no instance {instance!r}: known are {', '.join(sorted(known)) or 'none'}")

    async def _bring_back(self, backup_id: str) -> None:
        """The set on the disk is what counts: an index that was made anew knows of none in the trash."""
        sets, repository = self.book.sets, self.roster().repository
        if naming.matching(map(naming.name_of, sets.records()), backup_id):
            return
        binned = {(each.instance, each.id): each for each in await self.trashed()}
        found = naming.matching(binned, backup_id)
        if len(found) > 1:
            raise UsageError(naming.in_trash(binned, backup_id))
        if found:
            each = binned[found[0]]
            await repository.untrash(each.instance, each.kind, each.id)
            await sets.trash(each.instance, each.kind, each.id, None)
            await sets.put(await repository.read(each.instance, each.kind, each.id))

    def _record(self, backup_id: str) -> BackupRecord:
        sets = self.book.sets
        return naming.chosen(sets.records(), backup_id, map(naming.name_of, sets.trashed))
