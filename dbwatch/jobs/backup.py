"""A backup from the first question to the published set; in every failure nothing is published."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import structlog

from dbwatch.core.backups import sizes
from dbwatch.core.backups.model import DatabaseFacts, JobReason, Manifest, Member, Proof, ProofName
from dbwatch.core.showing import humanise
from dbwatch.errors import JobError
from dbwatch.jobs.dumping import DUMPING, Bounds, Dumped, Meter, dump, merged
from dbwatch.jobs.faults import disk_error, only
from dbwatch.jobs.passwords import passwords

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from pathlib import Path

    from dbwatch.archive.partial import Partial
    from dbwatch.archive.repository import Repository
    from dbwatch.core.backups.model import BackupRecord, Facts
    from dbwatch.engines.backing import DumpOptions, Output
    from dbwatch.engines.preflight import Preflight
    from dbwatch.jobs.hands import Hands
    from dbwatch.jobs.subject import Subject

log = structlog.get_logger()
PREPARING, HASHING, PUBLISHING = "preparing", "hashing", "publishing"
ROOM_SECONDS = 5.0
MAX_TOLD = 3


async def take(hands: Hands, subject: Subject) -> tuple[BackupRecord, Preflight]:
    """Make one set and publish it. Raise JobError or EngineError; earlier sets are not touched."""
    hands.phase(PREPARING)
    options = subject.options
    preflight = await subject.engine.preflight(subject.instance, options)
    refuse(preflight)
    beginning = subject.repository.begin(
        subject.name,
        subject.kind,
        now=subject.clock.time(),
        after=subject.book.sets.last_sequence(subject.name, subject.kind),
        needed_bytes=needed_bytes(subject, preflight),
    )
    async with passwords(subject.passwords) as private, beginning as partial:
        hands.made(partial.id)
        await subject.remembered(subject.book.note_partial(hands.id, str(partial.path)))
        taking = Taking(hands, subject, options, preflight, partial, private)
        record = await taking.taken()
    await _published(subject, record)
    return record, preflight


def refuse(preflight: Preflight) -> None:
    """Raise JobError with what stands in the way: the first fault's reason, every fault's line."""
    if preflight.faults:
        reason = preflight.faults[0].reason
        lines = [each.line for each in preflight.faults]
        more = f" (and {len(lines) - MAX_TOLD} more)" if len(lines) > MAX_TOLD else ""
        raise JobError(reason, joined(lines[:MAX_TOLD]) + more)
    if not preflight.databases:
        raise JobError(JobReason.INCOMPLETE, "no database is to be backed up -> look at include and exclude")


def joined(lines: Sequence[str]) -> str:
    """Where a statement ends one, its semicolon parts it from the next."""
    return "; ".join([*(line.removesuffix(";") for line in lines[:-1]), *lines[-1:]])


def needed_bytes(subject: Subject, preflight: Preflight) -> int:
    history = [record.manifest for record in subject.records]
    return sizes.needed_bytes(preflight.size_bytes, history, codec=preflight.codec)


def expected_bytes(subject: Subject, preflight: Preflight) -> int:
    """How large the set will be, as far as earlier ones tell."""
    history = [record.manifest for record in subject.records]
    return int(preflight.size_bytes * sizes.learned_ratio(history, codec=preflight.codec))


@dataclass(slots=True)
class Taking:
    """One set while it is made."""

    hands: Hands
    subject: Subject
    options: DumpOptions
    preflight: Preflight
    partial: Partial
    private: Path  # of this machine, and not of the repository: for password files
    started_at: float = 0.0
    _began: float = 0.0
    _warnings: list[str] = field(default_factory=list)

    async def taken(self) -> BackupRecord:
        self.started_at = self.subject.clock.time()
        self._began = self.subject.clock.monotonic()
        self.hands.phase(DUMPING)
        steps = await self._dumped()
        self.hands.phase(HASHING)
        outputs = [output for step in steps for output in step.outputs]
        members = await self.partial.members(await asyncio.to_thread(_templates, outputs, self.partial.path))
        self.hands.phase(PUBLISHING)
        return await self.partial.publish(self._manifest(steps, members))

    async def _dumped(self) -> list[Dumped]:
        """Every step, as long as there is room."""
        try:
            async with asyncio.TaskGroup() as group:
                guard = group.create_task(guard_room(self.subject.repository), name=f"room of {self.subject.name}")
                done = await self._steps()
                guard.cancel()
        except BaseExceptionGroup as raised:
            raise only(raised) from raised
        return done

    async def _steps(self) -> list[Dumped]:
        bounds = Bounds(
            self.options.max_blocking_seconds,
            self.options.facts_seconds,
            bytes_done=sized(self.partial.path),
            bytes_expected=expected_bytes(self.subject, self.preflight),
        )
        meter = Meter(self.hands, bounds)
        steps = self.subject.engine.steps(
            self.subject.instance,
            self.preflight,
            self.options,
            self.partial.path,
            private=self.private,
            application=self.hands.application,
        )
        return [await dump(self.hands, step, meter) for step in steps]

    def _manifest(self, steps: Sequence[Dumped], members: tuple[Member, ...]) -> Manifest:
        subject, preflight = self.subject, self.preflight
        return Manifest(
            id=self.partial.id,
            sequence=self.partial.sequence,
            kind=subject.kind,
            instance=subject.name,
            engine=subject.instance.identity.engine,
            server=preflight.server,
            started_at=self.started_at,
            ended_at=subject.clock.time(),
            seconds=subject.clock.monotonic() - self._began,
            members=members,
            facts=self._facts(steps),
            coordinates=tuple(pair for step in steps for pair in step.coordinates),
            tools=tuple((program.name, program.version_text) for program in preflight.programs),
            commands=tuple(command for step in steps for command in step.commands),
            recipients=subject.shared.encryption.recipients,
            warnings=(*preflight.warnings, *(warning for step in steps for warning in step.warnings)),
            format=preflight.format,
        )

    def _facts(self, steps: Sequence[Dumped]) -> Facts:
        """A database of which nothing could be read is still in the set, and named in it."""
        facts = merged([step.facts for step in steps], self.options.facts)
        known = {database.name for database in facts.databases}
        unread = (DatabaseFacts(name, size) for name, size in self.preflight.databases if name not in known)
        return replace(facts, databases=(*facts.databases, *unread))


def _templates(outputs: Sequence[Output], directory: Path) -> list[Member]:
    """What members are made of. Raise JobError for a file that is not there, or in which nothing is."""
    for output in outputs:
        if not output.path.exists() or not tree_bytes(output.path):
            raise JobError(JobReason.INCOMPLETE, f"the dump left nothing in {output.path.relative_to(directory)}")
    return [
        Member(
            str(output.path.relative_to(directory)), 0, "", output.role, output.codec, output.database, output.sealed
        )
        for output in outputs
    ]


async def _published(subject: Subject, record: BackupRecord) -> None:
    await subject.remembered(subject.book.sets.put(record))
    await subject.kept(record.id, Proof(ProofName.PUBLISHED, subject.clock.time(), record.manifest.seconds))
    log.info("backup_published", instance=subject.name, backup=record.id, bytes=record.manifest.size_bytes)


async def guard_room(repository: Repository, every_seconds: float = ROOM_SECONDS) -> None:
    """The host's disk is not ours alone: give up before it is full. Raise JobError."""
    while True:
        space = await repository.space()
        if space.is_low:
            free, reserve = humanise.size(space.free_bytes), humanise.size(space.reserve_bytes)
            what = f"{free} are left for backups, and {reserve} are kept free"
            raise JobError(JobReason.DISK_FULL, f"{what} -> make room, or lower backups.reserve_bytes")
        await asyncio.sleep(every_seconds)


def sized(directory: Path) -> Callable[[], Awaitable[int]]:
    """How many bytes are below it now; asked outside of the event loop."""
    return lambda: asyncio.to_thread(tree_bytes, directory)


def tree_bytes(path: Path) -> int:
    try:
        if not path.is_dir():
            return path.stat().st_size
        return sum(each.stat().st_size for each in path.rglob("*") if each.is_file())
    except FileNotFoundError:  # a file that comes and goes
        return 0
    except OSError as error:
        raise disk_error(error, path) from None
