"""One process of a job: started without a shell, in a session of its own, watched, and reaped with what it used.

Who ends is found still a zombie: its number cannot be anybody else's yet, so that what it leaves in its process group
(the workers of a dump) can be ended before it is reaped.
"""

from __future__ import annotations

import asyncio
import os
import resource
import shutil
import signal
import sys
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from dbwatch.core.backups.model import JobReason
from dbwatch.errors import JobError
from dbwatch.jobs import proc
from dbwatch.jobs.failing import Ended, struck_out

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from dbwatch.engines.backing import Command

log = structlog.get_logger()
TAIL_BYTES = 64 * 1024
READ_BYTES = 64 * 1024
KILL_SECONDS = 5.0
REAP_SECONDS = 10.0  # a killed process that hangs in the disk cannot end
# The weight on the disk follows from it: what has no class of its own is served by its niceness.
NICE = 10
IGNORED_BY_PYTHON = (signal.SIGPIPE, signal.SIGXFSZ)
PATH = "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin"
LOCALE = "C.UTF-8"
STANDARD = (0, 1, 2)


class Tail:
    """The end of what was written, however much that was."""

    def __init__(self, limit_bytes: int = TAIL_BYTES) -> None:
        self._limit_bytes = limit_bytes
        self._parts: deque[bytes] = deque()
        self._size_bytes = 0

    def add(self, part: bytes) -> None:
        self._parts.append(part)
        self._size_bytes += len(part)
        while self._size_bytes - len(self._parts[0]) >= self._limit_bytes:
            self._size_bytes -= len(self._parts.popleft())

    def text(self, secrets: Collection[str] = ()) -> str:
        """Without secrets. A part may begin within a character, or within a secret: the first line of a cut goes."""
        kept = b"".join(self._parts)[-self._limit_bytes :]
        if self._size_bytes > self._limit_bytes:
            kept = kept.partition(b"\n")[2]
        return struck_out(kept.decode(errors="replace"), secrets)


class Listener:
    """Our end of a pipe that a process writes to."""

    def __init__(self, loop: asyncio.AbstractEventLoop, reading: int) -> None:
        self._loop = loop
        self._reading = reading
        self.tail = Tail()
        os.set_blocking(reading, False)
        loop.add_reader(reading, self._read)

    def _read(self) -> None:
        with suppress(BlockingIOError):
            part = os.read(self._reading, READ_BYTES)
            if part:
                self.tail.add(part)
            else:
                self._loop.remove_reader(self._reading)

    def close(self) -> None:
        """Take what is there; who still holds the other end is not waited for."""
        self._loop.remove_reader(self._reading)
        with suppress(BlockingIOError):
            while part := os.read(self._reading, READ_BYTES):
                self.tail.add(part)
        os.close(self._reading)


@dataclass(frozen=True, slots=True)
class Ends:
    """What a process reads and writes: descriptors of ours, closed by who made them."""

    stdin: int
    stdout: int
    stderr: int


@dataclass(slots=True, eq=False)
class Child:
    """A process that was started; `over` has its result once it was reaped."""

    program: str
    pid: int
    started_at: float
    secrets: frozenset[str]
    errors: Listener | None
    output: Listener | None
    watch: int  # a descriptor that becomes readable when it ends
    over: asyncio.Future[Ended]
    was_asked: bool = field(default=False)

    @property
    def is_alive(self) -> bool:
        return not self.over.done()

    def signal(self, number: int, *, whole_group: bool = True) -> None:
        """Until it is reaped its number is its own: nobody else can be hit."""
        if self.is_alive:
            with suppress(ProcessLookupError):
                (os.killpg if whole_group else os.kill)(self.pid, number)

    def ended(self) -> None:
        """It is a zombie now: end its group, then reap it."""
        loop = self.over.get_loop()
        loop.remove_reader(self.watch)
        os.close(self.watch)
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        _, status, used = os.wait4(self.pid, 0)
        cpu_seconds = used.ru_utime + used.ru_stime
        seconds = loop.time() - self.started_at
        code = os.waitstatus_to_exitcode(status)
        errors, output = self._heard(self.errors), self._heard(self.output)
        if not self.over.cancelled():
            self.over.set_result(Ended(self.program, code, errors, cpu_seconds, seconds, output, self.was_asked))

    def _heard(self, listener: Listener | None) -> str:
        if listener is None:
            return ""
        listener.close()
        return listener.tail.text(self.secrets)


async def end_all(children: Iterable[Child], grace_seconds: float = KILL_SECONDS) -> None:
    """Ask, wait, kill, and wait until they are reaped. Whatever happens meanwhile, they are killed."""
    alive = [child for child in children if child.is_alive]
    for child in alive:
        child.was_asked = True
        child.signal(signal.SIGTERM)
    try:
        await gone(alive, grace_seconds)
    finally:
        for child in alive:
            child.signal(signal.SIGKILL)
    if not await gone(alive, REAP_SECONDS):
        log.warning("process_cannot_be_killed", programs=[child.program for child in alive if child.is_alive])


async def gone(children: Iterable[Child], seconds: float | None = None) -> bool:
    """Wait until all have ended."""
    waiting = {child.over for child in children}
    if not waiting:
        return True
    return not (await asyncio.wait(waiting, timeout=seconds))[1]


def launch(command: Command, ends: Ends, token: str, *, secrets: Collection[str] = (), nice: int = NICE) -> Child:
    """Start it. What it writes is listened to where `ends` says -1. Raise JobError(CLIENT_MISSING)."""
    loop = asyncio.get_running_loop()
    output, writes_output = _listened(loop, ends.stdout)
    errors, writes_errors = _listened(loop, ends.stderr)
    try:
        pid = _spawned(command, (ends.stdin, writes_output, writes_errors), token)
    except OSError as error:
        for listener in filter(None, (output, errors)):
            listener.close()
        raise missing(command.argv[0], error) from None
    finally:
        for writes, asked in ((writes_output, ends.stdout), (writes_errors, ends.stderr)):
            if writes != asked:
                os.close(writes)
    _calm(pid, nice)
    watch = os.pidfd_open(pid)
    program = name_of(command.argv)
    child = Child(program, pid, loop.time(), frozenset(secrets), errors, output, watch, loop.create_future())
    loop.add_reader(watch, child.ended)
    return child


def _listened(loop: asyncio.AbstractEventLoop, asked: int) -> tuple[Listener | None, int]:
    if asked >= 0:
        return None, asked
    reading, writing = os.pipe()
    return Listener(loop, reading), writing


def _spawned(command: Command, standard: tuple[int, int, int], token: str) -> int:
    argv = [*_dies_with_us(), *command.argv]
    actions = [(os.POSIX_SPAWN_DUP2, ours, theirs) for ours, theirs in zip(standard, STANDARD, strict=True)]
    if shutil.which(command.argv[0], path=PATH) is None:
        raise FileNotFoundError
    before = os.umask(0o077)  # what it makes is nobody else's to read
    try:
        return os.posix_spawn(
            argv[0],
            argv,
            environment(command.environment, token),
            file_actions=actions,
            setsid=True,
            setsigmask=(),
            setsigdef=IGNORED_BY_PYTHON,
        )
    finally:
        os.umask(before)


def _dies_with_us() -> list[str]:
    """The kernel ends it should we be killed: a dump's leader then ends its workers and cancels its queries."""
    setpriv = shutil.which("setpriv", path=PATH)
    return [setpriv, "--pdeathsig=TERM", "--"] if setpriv else []


def environment(asked: Mapping[str, str], token: str) -> dict[str, str]:
    """Nothing of ours but where programs are: PGHOST or MYSQL_HOME must not leak into a dump, nor a password."""
    own = {"PATH": PATH, "HOME": "/", "LANG": LOCALE, "LC_ALL": LOCALE, "TZ": "UTC"}
    return own | dict(asked) | {proc.MARK: token}


def _calm(pid: int, nice: int) -> None:
    """What it handles must not end in a core file, and the application comes first."""
    with suppress(ProcessLookupError, PermissionError):
        resource.prlimit(pid, resource.RLIMIT_CORE, (0, 0))
        os.setpriority(os.PRIO_PROCESS, pid, max(nice, os.getpriority(os.PRIO_PROCESS, 0)))


def name_of(argv: Collection[str]) -> str:
    """What a person calls it: of `python -m dbwatch.archive.sealing seal`, sealing."""
    words = list(argv)
    if words[0] == sys.executable and words[1:2] == ["-m"]:
        return words[2].rpartition(".")[2]
    return Path(words[0]).name


def missing(program: str, error: OSError) -> JobError:
    if isinstance(error, FileNotFoundError | PermissionError):
        return JobError(JobReason.CLIENT_MISSING, f"cannot run {program}: it is not there, or may not be executed")
    return JobError(JobReason.OTHER, f"cannot start {program}: {(error.strerror or '').lower()}")
