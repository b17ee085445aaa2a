"""A scratch server that stays after us: for a person who wants to look at what was restored."""

from __future__ import annotations

import asyncio
import os
import shlex
import signal
from contextlib import AsyncExitStack, ExitStack, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dbwatch.core.backups.model import JobReason
from dbwatch.core.quoting import connection
from dbwatch.errors import JobError
from dbwatch.jobs import leftovers, room
from dbwatch.jobs.disk import whole
from dbwatch.jobs.faults import disk_error
from dbwatch.jobs.launching import LOCALE, PATH
from dbwatch.jobs.scratch import LOCK, PREFIX, READY_SECONDS, abandoned, remove, scratch_server
from dbwatch.settings.models import PostgresInstance

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence
    from pathlib import Path

    from dbwatch.engines.backing import BackupEngine, Program, Scratch, Target
    from dbwatch.jobs.hands import Hands
    from dbwatch.jobs.scratch import Workshop
    from dbwatch.settings.models import Instance

DIES_WITH_US = "--pdeathsig="


@dataclass(frozen=True, slots=True)
class Staying:
    """A server that runs on by itself."""

    pid: int
    scratch: Scratch

    def lines(self, databases: Sequence[str]) -> tuple[str, ...]:
        """How to reach it and what was made there, and how to be rid of it."""
        ending = signal.Signals(self.scratch.stop_signal).name.removeprefix("SIG")
        return (
            f"the server runs on (process {self.pid}): {reach(self.scratch.instance, databases)}",
            f"to end it:    kill -{ending} {self.pid}",
            to_remove(self.scratch.log.parent.parent),
        )


def reach(instance: Instance, databases: Sequence[str]) -> str:
    """PostgreSQL's sessions are of one database: the first of those that were made."""
    user = (instance.backup or instance.monitor).user
    if isinstance(instance, PostgresInstance):
        database = _word(connection(databases[0] if databases else instance.database))
        return f"psql --host={instance.host} --port={instance.port} --username={user} --dbname={database}"
    return f"mariadb --socket={instance.socket} --user={user}"


def _word(text: str) -> str:
    """For a shell. What a terminal is not shown stands as bash, ksh and zsh read it again."""
    if text.isprintable():
        return shlex.quote(text)
    plain = (each.isprintable() and each not in "\\'" for each in text)
    escaped = ("".join(f"\\x{byte:02x}" for byte in each.encode()) for each in text)
    letters = (each if is_plain else other for each, is_plain, other in zip(text, plain, escaped, strict=True))
    return f"$'{''.join(letters)}'"


def to_remove(*directories: Path) -> str:
    return f"to remove it: rm -rf {shlex.join(map(str, directories))}"


async def staying(
    hands: Hands,
    engine: BackupEngine,
    programs: Sequence[Program],
    workshop: Workshop,
    fill: Callable[[Target], Awaitable[object]],
) -> Staying:
    """A server in a directory that stays, once `fill` has restored into it; else nothing of it does.

    Raise JobError where the directory is not empty.
    """
    await asyncio.to_thread(_refuse_full, workshop.directory)
    not_there_yet = await asyncio.to_thread(_absent, workshop.directory)
    async with AsyncExitStack() as undone:
        undone.push_async_callback(_remove_what_is_left, workshop.directory, not_there_yet)
        async with scratch_server(hands, engine, programs, workshop, keep=True) as server, room.guarded(workshop):
            await fill(server.target)
        made = await _stay(engine, server.scratch)
        undone.pop_all()
    return made


def _absent(directory: Path) -> list[Path]:
    """What has to be made for it, the innermost first."""
    return [each for each in (directory, *directory.parents) if not each.exists()]


async def _remove_what_is_left(directory: Path, made: Iterable[Path]) -> None:
    """`made`: directories of ours, that go where nobody put anything in."""
    for left in abandoned(directory, (PREFIX,)):
        await leftovers.sweep_directory(left)
        await whole(remove, left)
    for each in made:
        with suppress(OSError):
            await whole(each.rmdir)


def interrupted(directory: Path) -> str:
    """What is true of a directory after Ctrl-C, in one line."""
    left = abandoned(directory, (PREFIX,))
    if left:
        return f"interrupted: a part of what was restored is left -> {to_remove(*left)}"
    return f"interrupted: what was made in {directory} is removed; nothing else was touched"


def in_the_way(directory: Path) -> tuple[str, ...]:
    """Why no server can be made there, as a plan tells it."""
    try:
        _refuse_full(directory)
    except JobError as error:
        return (error.message,)
    return ()


def _refuse_full(directory: Path) -> None:
    try:
        if left := abandoned(directory, (PREFIX,)):
            what = f"{directory} is not empty: what a restore that was killed left is there"
            raise JobError(JobReason.OTHER, f"{what} -> {to_remove(*left)}")
        if directory.exists() and any(directory.iterdir()):
            raise JobError(
                JobReason.OTHER, f"{directory} is not empty -> name a directory that is, or is not there yet"
            )
    except OSError as error:
        raise disk_error(error, directory) from None


async def _stay(engine: BackupEngine, scratch: Scratch) -> Staying:
    """Start it once more, as nobody's child. Raise JobError, EngineError.

    Its lock goes, so that nobody takes what is to stay for what was left behind.
    """
    pid = _spawned(scratch)
    with ExitStack() as undone:
        undone.callback(_end, pid, scratch)
        await engine.wait_ready(scratch.instance, READY_SECONDS)
        (scratch.log.parent.parent / LOCK).unlink(missing_ok=True)
        undone.pop_all()
    return Staying(pid, scratch)


def _end(pid: int, scratch: Scratch) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, scratch.stop_signal)


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
