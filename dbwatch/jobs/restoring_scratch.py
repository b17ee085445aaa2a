"""A scratch server that stays after us: for a person who wants to look at what was restored."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dbwatch.core.backups.model import JobReason
from dbwatch.errors import JobError
from dbwatch.jobs.faults import disk_error
from dbwatch.jobs.launching import LOCALE, PATH
from dbwatch.jobs.scratch import READY_SECONDS, scratch_server
from dbwatch.settings.models import PostgresInstance

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from dbwatch.engines.backing import BackupEngine, Program, Scratch
    from dbwatch.jobs.hands import Hands
    from dbwatch.jobs.scratch import ScratchServer, Workshop
    from dbwatch.settings.models import Instance

DIES_WITH_US = "--pdeathsig="


@dataclass(frozen=True, slots=True)
class Staying:
    """A server that runs on by itself."""

    pid: int
    scratch: Scratch

    @property
    def lines(self) -> tuple[str, ...]:
        """How to reach it, and how to be rid of it."""
        ending = signal.Signals(self.scratch.stop_signal).name.removeprefix("SIG")
        return (
            f"the server runs on (process {self.pid}): {reach(self.scratch.instance)}",
            f"to end it:    kill -{ending} {self.pid}",
            f"to remove it: rm -r {self.scratch.log.parent.parent}",
        )


def reach(instance: Instance) -> str:
    user = (instance.backup or instance.monitor).user
    if isinstance(instance, PostgresInstance):
        return f"psql --host={instance.host} --port={instance.port} --username={user} --dbname={instance.database}"
    return f"mariadb --socket={instance.socket} --user={user}"


@asynccontextmanager
async def made(
    hands: Hands, engine: BackupEngine, programs: Sequence[Program], workshop: Workshop
) -> AsyncIterator[ScratchServer]:
    """A server in a directory that stays. Raise JobError where the directory is not empty."""
    await asyncio.to_thread(_refuse_full, workshop.directory)
    async with scratch_server(hands, engine, programs, workshop, keep=True) as server:
        yield server


def _refuse_full(directory: Path) -> None:
    try:
        if directory.exists() and any(directory.iterdir()):
            raise JobError(
                JobReason.OTHER, f"{directory} is not empty -> name a directory that is, or is not there yet"
            )
    except OSError as error:
        raise disk_error(error, directory) from None


async def stay(engine: BackupEngine, scratch: Scratch) -> Staying:
    """Start it once more, as nobody's child. Raise JobError, EngineError."""
    pid = await asyncio.to_thread(_spawned, scratch)
    await engine.wait_ready(scratch.instance, READY_SECONDS)
    return Staying(pid, scratch)


def _spawned(scratch: Scratch) -> int:
    """A session of its own, and nothing of ours open in it."""
    argv = [word for word in scratch.serve.argv if not word.startswith(DIES_WITH_US)]
    log = str(scratch.log)
    environment = {"PATH": PATH, "HOME": str(scratch.log.parent), "LANG": LOCALE, "LC_ALL": LOCALE}
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    try:
        return os.posix_spawnp(
            argv[0], argv, {**environment, **scratch.serve.environment}, file_actions=actions, setsid=True
        )
    except OSError as error:
        raise disk_error(error, argv[0]) from None
