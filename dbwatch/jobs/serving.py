"""Servers of our own that live as long as a context, and never longer."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

import structlog

from dbwatch.core.backups.model import JobReason
from dbwatch.errors import EngineError, JobError
from dbwatch.jobs import failing, proc
from dbwatch.jobs.disk import opened, whole
from dbwatch.jobs.faults import disk_error
from dbwatch.jobs.launching import Ends, gone, launch
from dbwatch.jobs.process import Care

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from dbwatch.engines.backing import Command
    from dbwatch.jobs.launching import Child

log = structlog.get_logger()
STOP_SECONDS = 20.0
TAIL_BYTES = 4096


class Served:
    """One server process, and what descends from it."""

    def __init__(self, child: Child, name: str, log_file: Path, stop_signal: int, stop_seconds: float) -> None:
        self._child = child
        self._name = name
        self._log = log_file
        self._stop_signal = stop_signal
        self._stop_seconds = stop_seconds

    @property
    def pid(self) -> int:
        return self._child.pid

    @property
    def is_running(self) -> bool:
        return self._child.is_alive

    async def stop(self) -> None:
        """Ask it to end, wait, then kill all that is left of it."""
        self._child.was_asked |= self._child.is_alive
        self._child.signal(self._stop_signal, whole_group=False)
        try:
            await gone([self._child], self._stop_seconds)
        finally:
            if self.is_running:
                log.warning("server_killed", server=self._name, after_seconds=self._stop_seconds)
                self._kill_all()
        await gone([self._child], self._stop_seconds)

    async def kill(self) -> None:
        """As a power cut would, and wait for it."""
        self._child.was_asked |= self._child.is_alive
        self._kill_all()
        await gone([self._child], self._stop_seconds)

    def _kill_all(self) -> None:
        """The processes of a database server may lead groups of their own: its group alone is not all of it."""
        for pid in proc.family({self.pid}, proc.table()) if self.is_running else ():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def fault(self) -> JobError | None:
        """Why it does not run, unless we ended it."""
        if self.is_running or self._child.was_asked:
            return None
        ended = self._child.over.result()
        said = failing.line(_end_of(self._log))
        reason = JobReason.KILLED if ended.returncode < 0 else failing.specific(said) or JobReason.TOOL
        return JobError(reason, f"{self._name}: {failing.sentence(ended)}" + (f": {said}" if said else ""))


def _end_of(path: Path) -> str:
    with suppress(OSError), path.open("rb") as file:
        file.seek(max(os.fstat(file.fileno()).st_size - TAIL_BYTES, 0))
        return file.read().decode(errors="replace")
    return ""


@asynccontextmanager
async def serving(
    command: Command,
    *,
    log: Path,
    stop_signal: int,
    name: str,
    care: Care | None = None,
    stop_seconds: float = STOP_SECONDS,
) -> AsyncIterator[Served]:
    """Run a server. Where it died by itself, what the body raises for it becomes a JobError that says so."""
    care = care or Care()
    child = await _started(command, log, care)
    served = Served(child, name, log, stop_signal, stop_seconds)
    try:
        async with care.noted([child]):
            try:
                yield served
            finally:
                await served.stop()
    except (JobError, EngineError) as error:
        fault = await asyncio.to_thread(served.fault)
        if fault is not None:
            raise fault from error
        raise


def _log_file(path: Path) -> int:
    """Of the owner of its directory: the server opens it by itself, too."""
    writing = opened(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    owner = path.parent.stat()
    if owner.st_uid != os.geteuid() == 0:
        os.fchown(writing, owner.st_uid, owner.st_gid)
    return writing


async def _started(command: Command, path: Path, care: Care) -> Child:
    try:
        writing = await whole(_log_file, path)
    except OSError as error:
        raise disk_error(error, path) from None
    nothing = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return launch(command, Ends(nothing, writing, writing), care.token, nice=care.nice)
    finally:
        os.close(writing)
        os.close(nothing)
