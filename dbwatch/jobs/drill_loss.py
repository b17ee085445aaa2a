"""Scenario 01: an instance is lost with its data directory, and comes back on a new server from its last backup.

The instance that is lost is a scratch one, restored from the last proven set and written to until it is lost.
"""

from __future__ import annotations

import asyncio
import shutil
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dbwatch import history
from dbwatch.archive.repository import Repository
from dbwatch.core.backups.drills import DrillPhase, RpoEvidence
from dbwatch.core.backups.model import JobKind, JobReason, JobRun
from dbwatch.engines.drilling import stage
from dbwatch.errors import EngineError, JobError
from dbwatch.jobs import backup
from dbwatch.jobs.drill_heartbeat import PACE_SECONDS, Heartbeat, kept_by_source
from dbwatch.jobs.faults import disk_error
from dbwatch.jobs.scratch import place
from dbwatch.settings.backups import Encryption

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from dbwatch.core.backups.model import BackupRecord
    from dbwatch.engines.backing import Target
    from dbwatch.jobs.drill_play import Play
    from dbwatch.jobs.scratch import ScratchServer
    from dbwatch.jobs.subject import Subject

MORE_BEATS_SECONDS = 1.0  # written after the backup, and lost with the server
PROBE_SECONDS, PROBES = 0.1, 300


@dataclass(frozen=True, slots=True)
class LastSet:
    """What there is to come back from."""

    repository: Repository
    record: BackupRecord
    directory: Path


async def play_loss(play: Play) -> None:
    """Raise JobError or EngineError where it cannot go on."""
    play.notes += ["same_machine", "scratch_speed", "detection"]
    heart = Heartbeat(play.engine_name)
    async with AsyncExitStack() as stack:
        with play.phase(DrillPhase.PREPARE):
            await play.find_programs()
            production = await stack.enter_async_context(play.server())
            await play.restore(play.manifest, play.directory, production.target)
            last = await stack.enter_async_context(_prepared(play, production, heart))
            await lose(production)
            play.strikes()
        with play.phase(DrillPhase.DETECT):
            await _detect(play, production.target)
        target = await _recover(play, stack, last)
        if last.record is play.record:
            await play.lost_since_the_set(target)
        else:
            await read_back(play, heart, target)


async def _recover(play: Play, stack: AsyncExitStack, last: LastSet) -> Target:
    manifest = last.record.manifest
    databases = [database.name for database in manifest.facts.databases]
    with play.phase(DrillPhase.FETCH):
        await play.read_again(last.repository, last.record)
    with play.phase(DrillPhase.INITIALISE):
        target = (await stack.enter_async_context(play.server())).target
    with play.phase(DrillPhase.RESTORE):
        await play.restore(manifest, last.directory, target)
    with play.phase(DrillPhase.CHECK):
        await play.compare(target, manifest)
        await play.look_at_every_page(target, databases)
    with play.phase(DrillPhase.READY):
        await play.serve(target, databases)
    return target


async def read_back(play: Play, heart: Heartbeat, target: Target) -> None:
    """The drill's own heartbeat: how much of it did the restore bring back?"""
    count, last_at = await heart.found(target)
    play.check("heartbeat", holds=count > 0, found=count, lost=max(0, heart.acknowledged - count))
    if last_at is not None and heart.last_at is not None:
        play.lost(heart.last_at - last_at, RpoEvidence.HEARTBEAT, PACE_SECONDS)


@asynccontextmanager
async def _prepared(play: Play, production: ScratchServer, heart: Heartbeat) -> AsyncIterator[LastSet]:
    """The set to come back from: the source's own where it holds a heartbeat, else one of the scratch production."""
    if kept_by_source(play.manifest) is not None:
        yield LastSet(play.subject.repository, play.record, play.directory)
        return
    play.notes.insert(0, "heartbeat_rehearsed")
    await heart.prepare(production.target)
    async with _rehearsal(play, production.target) as subject:
        async with heart.beating(production.target):
            await asyncio.sleep(PACE_SECONDS)
            record, _ = await backup.take(play.hands, subject)
            play.hands.made(play.record.id)
            await asyncio.sleep(MORE_BEATS_SECONDS)
            await production.kill()
        async with subject.repository.holding(subject.name, subject.kind, record.id) as directory:
            yield LastSet(subject.repository, record, directory)


@asynccontextmanager
async def _rehearsal(play: Play, target: Target) -> AsyncIterator[Subject]:
    """The scratch production as something to back up: a repository and a memory of its own, gone with the drill."""
    subject = play.subject
    everything = {"include": ("*",), "exclude": (), "non_transactional": "accept"}
    async with place(subject.workshop) as here:
        repository = Repository(
            here.private / "sets",
            reserve_ratio=subject.shared.reserve_ratio,
            reserve_bytes=subject.shared.reserve_bytes,
        )
        await repository.prepare()
        async with history.opened(here.private) as past:
            await past.jobs.started(JobRun(play.hands.id, JobKind.DRILL, subject.name, subject.clock.time()))
            yield replace(
                subject,
                instance=target.instance,
                backup=subject.backup.model_copy(update=everything),
                shared=subject.shared.model_copy(update={"encryption": Encryption()}),
                repository=repository,
                book=past.jobs,
            )


async def lose(server: ScratchServer) -> None:
    """As a machine is lost: its processes are gone at once, and so is what was on its disk."""
    await server.kill()
    directory = server.scratch.log.parent
    try:
        await asyncio.to_thread(shutil.rmtree, directory)
    except OSError as error:
        raise disk_error(error, directory) from None


async def _detect(play: Play, target: Target) -> None:
    """What a probe does, without a pause between two looks."""
    for _ in range(PROBES):
        try:
            async with stage(play.engine_name, target):
                await asyncio.sleep(PROBE_SECONDS)
        except EngineError as error:
            play.check("gone", holds=True, reason=error.reason)
            return
    raise JobError(JobReason.OTHER, "the server that was killed still answers: this is a fault of dbwatch")
