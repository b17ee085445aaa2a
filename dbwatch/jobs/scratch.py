"""Throw-away servers: made for one restore, reached by nobody but us, and gone afterwards whatever happens."""

from __future__ import annotations

import asyncio
import fcntl
import os
import pwd
import shutil
import stat
import tempfile
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING

import structlog

from dbwatch.core.backups.model import JobReason
from dbwatch.engines.backing import Target
from dbwatch.errors import EngineError, JobError
from dbwatch.jobs.faults import disk_error

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from dbwatch.engines.backing import BackupEngine, Program, Scratch
    from dbwatch.jobs.hands import Hands, Serving
    from dbwatch.settings.backups import Backups

log = structlog.get_logger()
PREFIX, LOCK, SERVER, PRIVATE = "dbwatch-scratch-", "lock", "server", "private"
CREDENTIALS = "dbwatch-restore-"
UNPRIVILEGED = "nobody"
READY_SECONDS = 90.0
SOCKET_PATH_LIMIT_BYTES = 107
SETTING = "backups.scratch_directory"
UNADDRESSABLE = " \t\n[]"  # what no host name holds, and a host is what a socket's directory stands for
LONGEST_SOCKET_NAME = "12345678/server/.s.PGSQL.65535"


@dataclass(frozen=True, slots=True)
class Workshop:
    """Where scratch servers may be made, and who runs them."""

    directory: Path
    account: str | None = None  # None: we ourselves
    parallel: int = 2
    named_by: str = SETTING  # what to change where the directory does not suit

    @classmethod
    def of(cls, directory: Path, shared: Backups, named_by: str = SETTING) -> Workshop:
        account = (shared.scratch_account or UNPRIVILEGED) if os.geteuid() == 0 else None
        return cls(directory, account, named_by=named_by)


@dataclass(slots=True)
class Place:
    """A directory of one scratch server; its lock is held as long as its maker lives."""

    directory: Path
    lock: IO[str]

    @property
    def server(self) -> Path:
        return self.directory / SERVER

    @property
    def private(self) -> Path:
        return self.directory / PRIVATE


@dataclass(slots=True)
class ScratchServer:
    """One that runs; `kill`, `stop` and `start` are for rehearsals."""

    engine: BackupEngine
    scratch: Scratch
    target: Target
    hands: Hands
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    _process: Serving | None = None

    async def start(self) -> None:
        """Start it, and wait until it answers. Raise JobError."""
        serving = self.hands.serving(
            self.scratch.serve, name="scratch server", log=self.scratch.log, stop_signal=self.scratch.stop_signal
        )
        self._process = await self._stack.enter_async_context(serving)
        try:
            await self.engine.wait_ready(self.scratch.instance, READY_SECONDS)
        except EngineError as error:
            said = await asyncio.to_thread(_last_line, self.scratch.log)
            raise JobError(JobReason.TOOL, f"the scratch server does not answer: {said or error.message}") from None

    async def stop(self) -> None:
        """Ask it to end, and wait until it has."""
        await self._stack.aclose()

    async def kill(self) -> None:
        """End it as a power cut would."""
        if self._process is not None:
            await self._process.kill()
        await self._stack.aclose()


@asynccontextmanager
async def scratch_server(
    hands: Hands, engine: BackupEngine, programs: Sequence[Program], workshop: Workshop, *, keep: bool = False
) -> AsyncIterator[ScratchServer]:
    """A new server, empty and answering; it is ended and removed however the context is left."""
    async with place(workshop, keep=keep) as here:
        try:
            scratch = await _made(hands, engine, programs, workshop, here)
        except OSError as error:
            raise disk_error(error, here.directory) from None
        target = Target(scratch.instance, here.private, tuple(programs), is_scratch=True, parallel=workshop.parallel)
        server = ScratchServer(engine, scratch, target, hands)
        try:
            await server.start()
            yield server
        finally:
            await server.stop()


async def _made(
    hands: Hands, engine: BackupEngine, programs: Sequence[Program], workshop: Workshop, here: Place
) -> Scratch:
    scratch = engine.scratch(here.server, programs, workshop.account)
    for pipeline in scratch.initialise:
        await hands.run(pipeline)
    await asyncio.to_thread(_write, scratch, workshop.account)
    return scratch


def _write(scratch: Scratch, account: str | None) -> None:
    for path, text in scratch.files.items():
        path.write_text(text)
        _give(path, account)


@asynccontextmanager
async def place(workshop: Workshop, *, keep: bool = False) -> AsyncIterator[Place]:
    """A directory for one scratch server, removed at the end. Raise JobError where none can be made."""
    here = await asyncio.to_thread(_prepared, workshop)
    try:
        yield here
    finally:
        if not keep:
            await asyncio.shield(asyncio.to_thread(remove, here.directory))
        here.lock.close()


@asynccontextmanager
async def credentials(workshop: Path, named_by: str = SETTING) -> AsyncIterator[Path]:
    """A directory for password files, removed at the end; of one that dies, `abandoned` finds it. Raise JobError."""
    here = await asyncio.to_thread(_for_credentials, workshop, named_by)
    try:
        yield here.directory
    finally:
        await asyncio.shield(asyncio.to_thread(remove, here.directory))
        here.lock.close()


def _for_credentials(workshop: Path, named_by: str) -> Place:
    directory = _new(workshop, CREDENTIALS, named_by)
    try:
        return Place(directory, _locked(directory))
    except OSError as error:
        remove(directory)
        raise disk_error(error, directory) from None


def _new(workshop: Path, prefix: str, named_by: str = SETTING) -> Path:
    """Whoever makes the first one: the daemon, with its own account, has to be able to make the next."""
    try:
        if not workshop.exists():
            workshop.mkdir(mode=0o711, parents=True, exist_ok=True)
            owner = workshop.parent.stat()
            if os.geteuid() == 0:
                os.chown(workshop, owner.st_uid, owner.st_gid)
        return Path(tempfile.mkdtemp(prefix=prefix, dir=workshop.resolve()))
    except OSError as error:
        raise disk_error(error, f"{named_by} {workshop}") from None


def _prepared(workshop: Workshop) -> Place:
    directory = _new(workshop.directory, PREFIX, workshop.named_by)
    try:
        return _furnished(directory, workshop)
    except (OSError, JobError) as error:
        remove(directory)
        raise error if isinstance(error, JobError) else disk_error(error, directory) from None


def _furnished(directory: Path, workshop: Workshop) -> Place:
    account = workshop.account
    _refuse_unsuitable(directory, workshop)
    here = Place(directory, _locked(directory))
    for each in (here.server, here.private):
        each.mkdir(mode=0o700)
    _give(here.server, account)
    if account is not None:
        directory.chmod(0o711)  # its account has to get through to its own part, and sees nothing else
    return here


def _locked(directory: Path) -> IO[str]:
    """Held before it has its name: a lock of that name that nobody holds is one of a process that died."""
    unnamed = directory / f"{LOCK}.new"
    lock = unnamed.open("w")
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    unnamed.rename(directory / LOCK)
    return lock


def _refuse_unsuitable(directory: Path, workshop: Workshop) -> None:
    room = SOCKET_PATH_LIMIT_BYTES - len(os.fsencode(directory.parent)) - len(f"/{PREFIX}{LONGEST_SOCKET_NAME}")
    account, mend = workshop.account, f"give {workshop.named_by}"
    if room < 0:
        raise JobError(JobReason.OTHER, f"{directory.parent} is too long for a unix socket -> {mend} a shorter path")
    if set(str(directory)) & set(UNADDRESSABLE):
        what = f"a server in {directory.parent} cannot be reached: its path holds a blank or a bracket"
        raise JobError(JobReason.OTHER, f"{what} -> name another directory")
    closed = [each for each in directory.parents if account is not None and not _enters(each, account)]
    if closed:
        what = f"scratch servers run as {account}, who may not enter {closed[0]}"
        raise JobError(JobReason.OTHER, f"{what} -> {mend} a directory that this account can reach")


def _enters(directory: Path, account: str) -> bool:
    found, entry = directory.stat(), _entry(account)
    return bool(found.st_mode & stat.S_IXOTH) or found.st_uid == entry.pw_uid


def _entry(account: str) -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(account)
    except KeyError:
        what = f"no account {account!r} to run scratch servers"
        raise JobError(JobReason.OTHER, f"{what} -> name one in backups.scratch_account") from None


def _give(path: Path, account: str | None) -> None:
    if account is not None:
        entry = _entry(account)
        os.chown(path, entry.pw_uid, entry.pw_gid)


def remove(directory: Path) -> None:
    shutil.rmtree(directory, ignore_errors=True)
    if directory.exists():
        log.warning("scratch_not_removed", directory=str(directory))


def _last_line(path: Path) -> str:
    with suppress(OSError):
        lines = path.read_text(errors="replace").strip().splitlines()
        return lines[-1][-300:] if lines else ""
    return ""


def abandoned(directory: Path, prefixes: Sequence[str] = (PREFIX, CREDENTIALS)) -> list[Path]:
    """What scratch servers and restores of a process that died have left. What somebody holds is not ours."""
    with suppress(OSError):
        here = directory.resolve()
        found = sorted(each for prefix in prefixes for each in here.glob(f"{prefix}*") if each.is_dir())
        return [each for each in found if not each.is_symlink() and not _is_held(each)]
    return []


def _is_held(directory: Path) -> bool:
    try:
        with (directory / LOCK).open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except (FileNotFoundError, PermissionError):
        return True  # no mark of ours, or another account's: not ours to remove
    return False
