"""Backups as the daemon holds them: nothing of it is loaded before an instance is backed up, or somebody asks."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dbwatch.core.backups.figures import NO_BACKUPS
from dbwatch.errors import ControlError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Mapping

    from dbwatch.app.world import World
    from dbwatch.clock import Clock
    from dbwatch.core.backups.figures import BackupBoard, RepositoryFigures
    from dbwatch.history import History
    from dbwatch.http.own_metrics import OwnMetrics
    from dbwatch.jobs.office import JobOffice
    from dbwatch.store import Store

    Command = Callable[[dict[str, object]], Awaitable[object]]

# As dbwatch.jobs.commands answers them; a test holds the two together.
COMMANDS = (
    "backup_start", "backup_verify", "backup_list", "backup_rescan", "backup_retention", "backup_pin",
    "backup_trash", "backup_trust_clock",
    "job_status", "job_cancel", "jobs_list", "drill_start", "drill_list",
)  # fmt: skip
AGAIN = "ask again in a moment"
END_JOBS_SECONDS = 25.0  # with the default grace: less than systemd's ninety seconds


@dataclass(frozen=True, slots=True)
class Lent:
    """What the daemon lends."""

    store: Store
    own: OwnMetrics
    clock: Clock


class Backing:
    """`open` it in the daemon's group; `become` another world at a reload; `stop` it first of all."""

    def __init__(self, world: World, lent: Lent) -> None:
        self._world = world
        self._lent = lent
        self._past: History | None = None
        self._office: JobOffice | None = None
        self._group: asyncio.TaskGroup | None = None
        self._task: asyncio.Task[None] | None = None
        self._commands: Mapping[str, Command] = {}
        self._is_stopping = False
        lent.own.backups.figures = self.figures

    async def open(self, group: asyncio.TaskGroup, past: History) -> None:
        """Tasks are born in this group, now or when a reload asks for them."""
        self._group, self._past = group, past
        if self._world.settings.backs_up:
            await self._ensure()

    async def become(self, world: World) -> None:
        """From now on."""
        self._world = world
        if self._office is not None:
            self._office.become(world.settings, world.catalogue)
        elif world.settings.backs_up:
            await self._ensure()

    async def stop(self) -> None:
        """Jobs get their grace, then nothing of them is left; and nothing begins any more."""
        self._is_stopping = True
        if self._office is not None:
            await self._office.stop()
        if self._task is not None:
            self._task.cancel()

    @property
    def stop_seconds(self) -> float:
        """What it may take: nothing where no job runs, else its grace and the time to leave nothing behind."""
        if self._office is None or not self._office.is_busy:
            return 0.0
        return self._office.stop_seconds + END_JOBS_SECONDS

    def commands(self) -> Mapping[str, Command]:
        """Of the control socket; the first one that is used loads what answers."""
        return {name: self._handler(name) for name in COMMANDS}

    def _handler(self, name: str) -> Command:
        async def handle(arguments: dict[str, object]) -> object:
            await self._ensure()
            if name not in self._commands:
                raise ControlError(f"dbwatch is {'stopping' if self._is_stopping else 'starting'}: {AGAIN}")
            return await self._commands[name](arguments)

        return handle

    async def _ensure(self) -> None:
        if self._group is None or self._past is None or not self._may_begin():
            return
        office = await asyncio.to_thread(_loaded)  # what it imports must not hold up the event loop
        if self._may_begin():
            self._office = office(self._world, self._lent, self._past, self._databases)
            self._commands = _commands(self._office)
            self._task = self._group.create_task(self._office.run(), name="backups")

    def _may_begin(self) -> bool:
        return self._office is None and not self._is_stopping

    def _databases(self, name: str) -> Collection[str]:
        """As the poller saw them last."""
        states = {state.identity.db_instance: state for state in self._lent.store.states()}
        facts = states[name].facts if name in states else None
        return facts.databases if facts is not None else ()

    def board(self) -> BackupBoard:
        """For every page, from memory."""
        return self._office.board() if self._office is not None else NO_BACKUPS

    def figures(self) -> RepositoryFigures | None:
        """For the process's own metrics; None: nothing is backed up."""
        if self._office is None or not self._world.settings.backs_up:
            return None
        return self._office.repository_figures()


def _loaded() -> Callable[[World, Lent, History, Callable[[str], Collection[str]]], JobOffice]:
    from dbwatch.jobs import commands, office, scheduler

    scheduler.load()
    del commands  # loaded here too, in this thread

    def made(world: World, lent: Lent, past: History, databases: Callable[[str], Collection[str]]) -> JobOffice:
        def crashed(task: str) -> None:
            lent.own.crashed(task.partition(" ")[0])

        borrowed = office.Lent(past, lent.clock, lent.store, databases, crashed)
        return office.JobOffice(world.settings, world.catalogue, borrowed)

    return made


def _commands(office: JobOffice) -> Mapping[str, Command]:
    from dbwatch.jobs.commands import commands

    return commands(lambda: office.desk)
