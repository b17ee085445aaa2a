"""Scenario 02: a new server, and the last full backup on it."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from dbwatch.core.backups.drills import DrillPhase

if TYPE_CHECKING:
    from dbwatch.jobs.drill_play import Play


async def play_full(play: Play) -> None:
    """Raise JobError or EngineError where it cannot go on."""
    play.notes += ["same_machine", "scratch_speed"]
    databases = [database.name for database in play.manifest.facts.databases]
    async with AsyncExitStack() as stack:
        play.strikes()
        with play.phase(DrillPhase.FETCH):
            await play.find_programs()
            await play.read_again(play.subject.repository, play.record)
        with play.phase(DrillPhase.INITIALISE):
            target = (await stack.enter_async_context(play.server())).target
        with play.phase(DrillPhase.RESTORE):
            await play.restore(play.manifest, play.directory, target)
        with play.phase(DrillPhase.CHECK):
            await play.compare(target, play.manifest)
            await play.look_at_every_page(target, databases)
        with play.phase(DrillPhase.READY):
            await play.serve(target, databases)
        await play.lost_since_the_set(target)
