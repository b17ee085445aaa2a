"""The ground a demonstration server stands on: a user that may run it, a directory it may use, a port, its guard.

PostgreSQL and MariaDB refuse to run as root. Started by root, they run as an unprivileged user who may not be able to
enter root's home, the virtual environment or a private TMPDIR: what they need is copied, no permission is ever widened.
"""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
import socket
import stat
import sys
import tempfile
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dbwatch.demo import guard
from dbwatch.errors import DbwatchError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

LOOPBACK = "127.0.0.1"
SOCKET_PATH_LIMIT_BYTES = 107
LONGEST_SOCKET_NAME = "/run/.s.PGSQL.65535"
PREFIX = "dbwatch-demo-"
FALLBACK_BASES = (Path("/", "tmp"), Path("/", "var", "tmp"), Path("/", "dev", "shm"))
UNPRIVILEGED = ("postgres", "nobody")
STOP_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Account:
    """Who runs the server; None: we ourselves."""

    uid: int
    gid: int

    @classmethod
    def unprivileged(cls) -> Account | None:
        if os.geteuid() != 0:
            return None
        for name in UNPRIVILEGED:
            with suppress(KeyError):
                entry = pwd.getpwnam(name)
                return cls(entry.pw_uid, entry.pw_gid)
        raise DbwatchError(f"the demo's servers cannot run as root, and no user {' or '.join(UNPRIVILEGED)} exists")


def is_usable(base: Path, account: Account | None) -> bool:
    """Writable by us, short enough for a unix socket, executable, and open to the account that will run in it."""
    room = SOCKET_PATH_LIMIT_BYTES - len(os.fsencode(base)) - len(f"/{PREFIX}12345678{LONGEST_SOCKET_NAME}")
    if room < 0 or not os.access(base, os.W_OK | os.X_OK):
        return False
    if os.statvfs(base).f_flag & os.ST_NOEXEC:
        return False
    return account is None or all(part.stat().st_mode & stat.S_IXOTH for part in (base, *base.parents))


def find_base(account: Account | None, candidates: Iterable[Path] | None = None) -> Path:
    for base in candidates if candidates is not None else (Path(tempfile.gettempdir()).resolve(), *FALLBACK_BASES):
        if is_usable(base, account):
            return base
    raise DbwatchError("no temporary directory suits the demo's servers -> set TMPDIR to a short path without noexec")


@dataclass(frozen=True, slots=True)
class Ground:
    """A private directory of one server, and who runs it."""

    directory: Path
    account: Account | None

    @property
    def log(self) -> Path:
        return self.directory / "server.log"

    @property
    def run(self) -> Path:
        return self.directory / "run"

    def give(self, *paths: Path) -> None:
        """Hand paths of ours over to the account that runs the server."""
        if self.account is not None:
            for path in paths:
                os.chown(path, self.account.uid, self.account.gid)

    def write(self, name: str, content: str) -> Path:
        """A file that only the server may read: there are passwords in it."""
        path = self.directory / name
        path.touch(mode=0o600)
        path.write_text(content, encoding="utf-8")
        self.give(path)
        return path

    def log_tail(self, lines: int = 3) -> str:
        with suppress(OSError):
            return " | ".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])
        return "no log"


@asynccontextmanager
async def private_ground() -> AsyncIterator[Ground]:
    """A fresh directory, gone afterwards."""
    account = Account.unprivileged()
    base = find_base(account)
    try:
        ground = Ground(Path(tempfile.mkdtemp(prefix=PREFIX, dir=base)), account)
        ground.run.mkdir(mode=0o700)
        ground.give(ground.directory, ground.run)
    except OSError as error:
        raise DbwatchError(f"the demo cannot use {base}: {error.strerror}") from error
    try:
        yield ground
    finally:
        shutil.rmtree(ground.directory, ignore_errors=True)


def free_port() -> int:
    """A port that is free right now. Two demonstrations may still pick the same one: the caller tries again."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


async def start_guarded(ground: Ground, command: tuple[str, ...], *, stop_signal: int, remove: bool) -> Guarded:
    account = ground.account
    plan = guard.Plan(
        command=command,
        directory=str(ground.directory),
        log=str(ground.log),
        uid=account.uid if account else None,
        gid=account.gid if account else None,
        stop_signal=int(stop_signal),
        remove=remove,
    )
    arguments = (sys.executable, "-I", "-S", str(Path(guard.__file__)), plan.to_json())
    # A session of its own: Ctrl-C in the terminal reaches the demo, and the demo stops its servers.
    process = await asyncio.create_subprocess_exec(*arguments, stdin=asyncio.subprocess.PIPE, start_new_session=True)
    return Guarded(process)


class Guarded:
    """A program under its guard."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @property
    def ended(self) -> bool:
        return self._process.returncode is not None

    async def wait(self) -> int:
        return await self._process.wait()

    async def stop(self) -> None:
        """Let go of the pipe: the guard does the rest, even if we are killed while waiting for it."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()


async def run_to_end(ground: Ground, command: tuple[str, ...], *, stop_signal: int) -> bool:
    """Run a program under guard until it ends by itself; whether it succeeded."""
    guarded = await start_guarded(ground, command, stop_signal=stop_signal, remove=True)
    try:
        return await guarded.wait() == 0
    finally:
        await guarded.stop()
