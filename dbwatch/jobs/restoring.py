"""Restores that a person asks for: planned first, refused where they could harm, carried out program by program."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dbwatch.archive import sealing
from dbwatch.core.backups import restore_plans, standing
from dbwatch.core.backups.model import JobReason
from dbwatch.core.backups.restore_plans import Danger, Part, RestorePlan
from dbwatch.core.backups.unread import emptied
from dbwatch.engines.backing import Command, Selection, Target
from dbwatch.errors import EngineError, JobError
from dbwatch.jobs import restoring_stays, scratch
from dbwatch.jobs.backup import joined
from dbwatch.jobs.options import program_directories

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from dbwatch.archive.repository import Repository
    from dbwatch.core.backups.model import BackupRecord
    from dbwatch.engines.backing import BackupEngine, Pipeline, Program
    from dbwatch.jobs.hands import Hands
    from dbwatch.settings.backups import Backups
    from dbwatch.settings.models import Instance

NOBODY = "-"  # no server's identifier
SEALED = "the set is encrypted"
NO_KEY = f"{SEALED} -> name a key in backups.encryption.identity_file"


@dataclass(frozen=True, slots=True)
class Source:
    """Where sets come from, and what restores them."""

    repository: Repository
    engine: BackupEngine
    shared: Backups

    @property
    def opener(self) -> Command | None:
        """What decrypts a stream; None: no key is here."""
        identity = self.shared.encryption.identity_file
        return Command(tuple(sealing.open_command(identity))) if identity is not None else None

    async def records(self, instance: str) -> tuple[BackupRecord, ...]:
        return await self.repository.records(instance)

    async def read(self, record: BackupRecord) -> BackupRecord:
        """All of it, from the disk."""
        return await self.repository.read(record.manifest.instance, record.manifest.kind, record.id)

    def directories(self, record: BackupRecord) -> tuple[Path, ...]:
        return program_directories(self.shared, record.manifest.engine)


def selection(part: Part) -> Selection:
    return Selection(part.database, part.schema, part.table, part.into)


def makes(record: BackupRecord, part: Part) -> tuple[str, ...]:
    """The databases that there will be."""
    if part.into:
        return (part.into,)
    return (part.database,) if part.database else tuple(each.name for each in record.manifest.facts.databases)


def refuse_unknown(record: BackupRecord, part: Part) -> None:
    """Raise JobError where the set does not hold what is wanted, as far as it tells."""
    names = [each.name for each in record.manifest.facts.databases]
    if part.database and part.database not in names:
        known = ", ".join(names)
        raise JobError(JobReason.OTHER, f"the set {record.id} holds no database {part.database}: it holds {known}")
    if part.into and not part.database and len(names) != 1:
        raise JobError(JobReason.OTHER, "another name is for one database -> name the database")


async def refuse_no_table(source: Source, record: BackupRecord, part: Part, programs: tuple[Program, ...]) -> None:
    """Raise JobError where the set holds no such table, with what it is instead, as far as the set tells."""
    manifest = record.manifest
    if told := restore_plans.indistinct(record, part) or restore_plans.inseparable(record, part):
        raise JobError(JobReason.OTHER, told)
    tables = {each.key for each in manifest.facts.tables}
    is_known = (part.database, part.schema, part.table) in tables
    if not part.table or record.problem or is_known or await without_key(source, record):
        return
    async with source.repository.holding(manifest.instance, manifest.kind, record.id) as directory:
        kind = await source.engine.kind(manifest, directory, programs, selection(part), source.opener)
    # A partitioned table has no rows of its own: it is not among those that were counted.
    if kind != "table" and (kind or tables):
        raise JobError(JobReason.OTHER, restore_plans.no_table(record, part, kind))


async def plan(
    source: Source,
    record: BackupRecord,
    part: Part,
    target: Target | None,
    *,
    told: str,
    known: Sequence[BackupRecord],
    in_the_way: Sequence[str] = (),
) -> RestorePlan:
    """`target` None: a server that is made for it; `in_the_way`: of the place where. Raise JobError, EngineError."""
    refuse_unknown(record, part)
    programs: tuple[Program, ...]
    if target is None:
        programs = await source.engine.scratch_programs(record.manifest, source.directories(record))
        found: list[tuple[Danger, str]] = []
    else:
        programs = target.programs
        found = await dangers(source.engine, record, target, selection(part))
    await refuse_no_table(source, record, part, programs)
    obstacles = (*in_the_way, *await without_key(source, record))
    if target is not None:
        obstacles += await in_its_way(source, record, target, selection(part))
    if why := restore_plans.unproven(record):
        found.insert(0, (Danger.UNPROVEN, why))
    return RestorePlan(
        record=record,
        part=part,
        target=told,
        makes=makes(record, part),
        size_bytes=restore_plans.size_of(record, part),
        expected_seconds=restore_plans.expected_seconds(record, known, part),
        programs=tuple((program.name, ".".join(map(str, program.version))) for program in programs),
        dangers=tuple(found),
        obstacles=obstacles,
        notes=await notes(source, record, part, target),
    )


async def notes(source: Source, record: BackupRecord, part: Part, target: Target | None) -> tuple[str, ...]:
    """What will be otherwise there than in the source, though nothing fails."""
    if target is not None:
        return tuple(await source.engine.kept(record.manifest, target, selection(part)))
    return emptied(each for each in record.manifest.facts.tables if part.database in ("", each.database))


async def without_key(source: Source, record: BackupRecord) -> tuple[str, ...]:
    """Why nobody can read the set here; empty: it can be read, or what it is damaged by is told by who reads it."""
    manifest, identity = record.manifest, source.shared.encryption.identity_file
    if record.problem or not standing.is_sealed(manifest):
        return ()
    if identity is None:
        return (NO_KEY,)
    sealed = next(member.path for member in manifest.members if member.sealed)
    async with source.repository.holding(manifest.instance, manifest.kind, record.id) as directory:
        why = await asyncio.to_thread(sealing.refused, identity, directory / sealed)
    return (f"{SEALED}: {why}",) if why else ()


async def in_its_way(source: Source, record: BackupRecord, target: Target, wanted: Selection) -> tuple[str, ...]:
    """What the account may not do there. A set that cannot be read is refused by what is known of it."""
    manifest = record.manifest
    if record.problem:
        return ()
    async with source.repository.holding(manifest.instance, manifest.kind, record.id) as directory:
        return tuple(await source.engine.obstacles(manifest, directory, target, wanted, source.opener))


async def dangers(
    engine: BackupEngine, record: BackupRecord, target: Target, wanted: Selection
) -> list[tuple[Danger, str]]:
    """The engine tells one reason at a time: asked as if the set came from elsewhere, it tells of what is there."""
    manifest = record.manifest
    elsewhere = replace(manifest, server=replace(manifest.server, identifier=NOBODY))
    in_the_way = await engine.occupied(target, wanted, elsewhere)
    told = await engine.occupied(target, wanted, manifest)
    found = [(Danger.SOURCE, told)] if told and told != in_the_way else []
    return [*found, (Danger.NON_EMPTY, in_the_way)] if in_the_way else found


def refuse(planned: RestorePlan, allowed: frozenset[Danger]) -> None:
    """Raise JobError with what no word helps against; else with every danger that nobody took upon himself."""
    if planned.obstacles:
        is_locked = any(obstacle.startswith(SEALED) for obstacle in planned.obstacles)
        reason = JobReason.NO_KEY if is_locked else JobReason.PERMISSION
        raise JobError(reason, f"refused: {joined(planned.obstacles)}")
    if refused := planned.refused(allowed):
        flags = " ".join(danger.value for danger, _ in refused)
        raise JobError(
            JobReason.OTHER, f"refused: {'; '.join(why for _, why in refused)} -> to do it all the same: {flags}"
        )


@asynccontextmanager
async def real_target(
    source: Source, record: BackupRecord, instance: Instance, *, workshop: Path, parallel: int
) -> AsyncIterator[Target]:
    """A configured instance, with a private directory for password files. Raise JobError.

    It lies in `workshop`, where what a killed restore left is looked for: by us, and by whoever tidies up.
    """
    if instance.identity.engine != record.manifest.engine:
        raise JobError(JobReason.OTHER, f"{instance.name} is no {record.manifest.engine} server")
    programs = await source.engine.client_programs(record.manifest, source.directories(record))
    await asyncio.to_thread(_remove_passwords_left, workshop)
    async with scratch.credentials(workshop) as directory:
        yield Target(instance, directory, programs, parallel=parallel)


def _remove_passwords_left(workshop: Path) -> None:
    """Nothing else of theirs: a scratch server that a drill was told to keep is not ours to remove."""
    for directory in scratch.abandoned(workshop, (scratch.CREDENTIALS,)):
        scratch.remove(directory)


async def carry_out(hands: Hands, source: Source, planned: RestorePlan, target: Target) -> int:
    """Restore it: how many programs ran. What was restored up to an error stays, for a person to look at."""
    record, manifest = planned.record, planned.record.manifest
    opener = source.opener
    if why := await without_key(source, record):
        raise JobError(JobReason.NO_KEY, joined(why))
    async with source.repository.holding(manifest.instance, manifest.kind, record.id) as directory:
        hands.phase("reading again")
        await source.repository.verify(manifest.instance, manifest.kind, record.id, record.checksum)
        wanted = selection(planned.part)
        before = await source.engine.present(target)
        pipelines = await source.engine.restoring(manifest, directory, target, wanted, opener)
        for number, pipeline in enumerate(pipelines):
            begun = pipelines[: number + 1]
            async with restoring_stays.told(source.engine, planned, target, before, begun):
                await _step(hands, pipeline, number, len(pipelines))
    return len(pipelines)


async def afterwards(source: Source, planned: RestorePlan, target: Target) -> tuple[str, ...]:
    """What a person must know of it. The restore is done: what cannot be asked is told, and fails nothing."""
    try:
        manifest = planned.record.manifest
        return tuple(await source.engine.afterwards(manifest, target, selection(planned.part)))
    except (EngineError, JobError) as error:
        return (f"whether there is something to mend could not be asked: {error}",)


async def _step(hands: Hands, pipeline: Pipeline, number: int, count: int) -> None:
    hands.phase(f"{pipeline.name} ({number + 1} of {count})")
    await hands.run(pipeline)
