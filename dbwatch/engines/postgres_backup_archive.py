"""The files of a PostgreSQL set, and the processes that read them to their end."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from dbwatch.core.backups import toc
from dbwatch.core.backups.model import Codec, JobReason, MemberRole
from dbwatch.engines import postgres_backup_commands as commands
from dbwatch.engines.backing import Command, Pipeline
from dbwatch.engines.postgres_backup_programs import ZSTD
from dbwatch.engines.programs import ENVIRONMENT
from dbwatch.errors import JobError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from dbwatch.core.backups.model import Manifest
    from dbwatch.engines.backing import Program

GLOBALS_PROGRAM = "dbwatch.engines.postgres_backup_globals"
CONTENTS = "toc.dat"
LIST_SECONDS = 600.0
ALONE_SECONDS = 2.0
FILES_AT_ONCE = 500  # far below what a command line may hold
CUT_SHORT = frozenset({1, -signal.SIGPIPE})


@dataclass(frozen=True, slots=True)
class Archive:
    """One database's dump, a file or a directory; or the roles."""

    path: Path
    database: str = ""

    @property
    def is_sealed(self) -> bool:
        return self.path.suffix == commands.SEALED

    @property
    def is_squeezed(self) -> bool:
        return commands.SQUEEZED in self.path.suffixes[-2:]

    @property
    def is_stream(self) -> bool:
        """It must be opened or decompressed first: read from the beginning, by one process."""
        return self.is_sealed or self.is_squeezed


def archives(manifest: Manifest, directory: Path) -> tuple[Archive, ...]:
    """One for each database, in the order of the manifest. A directory is known by its table of contents."""
    found = []
    for member in manifest.members:
        path = Path(member.path)
        if member.role is MemberRole.DUMP and (path.name == CONTENTS or len(path.parts) == 1):
            found.append(Archive(directory / (path.parent if path.name == CONTENTS else path), member.database))
    return tuple(found)


def compressed_inside(manifest: Manifest) -> Codec:
    """By pg_dump itself: what stands beside is decompressed by zstd(1) before pg_restore sees it."""
    found = (
        member.codec
        for member in manifest.members
        if member.role is MemberRole.DUMP and commands.SQUEEZED not in Path(member.path).suffixes[-2:]
    )
    return next((codec for codec in found if codec is not Codec.NONE), Codec.NONE)


def roles(manifest: Manifest, directory: Path) -> Archive | None:
    members = (member for member in manifest.members if member.role is MemberRole.GLOBALS)
    return next((Archive(directory / member.path) for member in members), None)


def opening(archive: Archive, opener: Command | None, programs: Sequence[Program]) -> tuple[Command, ...]:
    """What stands in front of whoever reads the archive."""
    front = []
    if archive.is_sealed:
        if opener is None:
            raise JobError(JobReason.NO_KEY, f"{archive.path.name} is encrypted: set backups.encryption.identity_file")
        front.append(opener)
    if archive.is_squeezed:
        front.append(commands.decompressing(commands.named(tuple(programs), ZSTD)))
    return tuple(front)


def reading(
    name: str,
    archive: Archive,
    opener: Command | None,
    programs: Sequence[Program],
    last: Command,
    *,
    to_its_end: bool = True,
) -> Pipeline:
    """The archive read by `last`: as a file where it can be, else as a stream.

    Who wants a part only stops reading: what stands before it may be cut short, and its own word decides.
    """
    if not archive.is_stream and archive.database:
        with_path = Command((*last.argv, str(archive.path)), last.environment, last.accepted)
        return Pipeline(name, (with_path,), database=archive.database)
    front = opening(archive, opener, programs)
    if not to_its_end:
        front = tuple(replace(command, accepted=command.accepted | CUT_SHORT) for command in front)
    stream = (*front, last)
    return Pipeline(name, stream, stdin=archive.path, database=archive.database)


def making_roles(how: str, environment: Mapping[str, str] | None = None) -> Command:
    return Command((sys.executable, "-m", GLOBALS_PROGRAM, how), environment or {})


def decoding(
    manifest: Manifest, directory: Path, opener: Command | None, programs: Sequence[Program]
) -> tuple[Pipeline, ...]:
    """Never --list, which reads the beginning only and finds nothing wrong with half an archive. Nor pg_restore alone:
    that of 17 takes a zstd member that ends too early for a whole one.
    """
    pg_restore = commands.named(tuple(programs), "pg_restore")
    whole = Command((str(pg_restore.path), "--file=/dev/null"))
    found = [
        reading(f"reading of {archive.database}", archive, opener, programs, whole)
        for archive in archives(manifest, directory)
    ]
    if not found:
        raise JobError(JobReason.CORRUPT, "the set holds no database")
    found += _testing(manifest, directory, programs)
    shared = roles(manifest, directory)
    if shared is None:
        return tuple(found)
    return (reading("reading of roles", shared, opener, programs, making_roles("check")), *found)


def _testing(manifest: Manifest, directory: Path, programs: Sequence[Program]) -> Iterator[Pipeline]:
    """zstd(1) over the members that pg_dump compressed so itself, where it is installed."""
    zstd = next((program for program in programs if program.name == ZSTD), None)
    inside = [
        str(directory / member.path)
        for member in manifest.members
        if member.path.endswith(commands.SQUEEZED) and len(Path(member.path).parts) > 1
    ]
    if zstd is not None:
        for first in range(0, len(inside), FILES_AT_ONCE):
            yield Pipeline("reading of members", (commands.testing(zstd, inside[first : first + FILES_AT_ONCE]),))


async def script(
    archive: Archive, use_list: Path, opener: Command | None, programs: Sequence[Program], *words: str
) -> str:
    """The statements of some entries that hold no rows."""
    return await _written(archive, opener, programs, "--file=-", f"--use-list={use_list}", *words)


async def _written(archive: Archive, opener: Command | None, programs: Sequence[Program], *words: str) -> str:
    pg_restore = commands.named(tuple(programs), "pg_restore")
    if not archive.is_stream:
        return await _output((Command((str(pg_restore.path), *words, str(archive.path))),), None)
    return await _output((*opening(archive, opener, programs), Command((str(pg_restore.path), *words))), archive.path)


async def contents(archive: Archive, opener: Command | None, programs: Sequence[Program]) -> tuple[toc.Entry, ...]:
    """The archive's list, with what depends on what."""
    return toc.parse(await _written(archive, opener, programs, "--list", "--verbose"))


async def _output(pipeline: Sequence[Command], source: Path | None) -> str:
    """What the last one writes. Those before it are ended with it: a list needs the beginning only."""
    started: list[asyncio.subprocess.Process] = []
    incoming = os.open(source or os.devnull, os.O_RDONLY)
    try:
        async with asyncio.timeout(LIST_SECONDS):
            for command in pipeline[:-1]:
                before, (incoming, outgoing) = incoming, os.pipe()
                try:
                    started.append(await _started(command, before, outgoing))
                finally:
                    os.close(outgoing)
                    os.close(before)
            last = await _started(pipeline[-1], incoming, asyncio.subprocess.PIPE)
            started.append(last)
            output, error = await last.communicate()
    except TimeoutError:
        text = f"the archive's list could not be read within {LIST_SECONDS:g} s: look at the disk that the set is on"
        raise JobError(JobReason.STALLED, text) from None
    finally:
        os.close(incoming)
        await _ended(started)
    if last.returncode:
        why = error.decode(errors="replace").strip().splitlines()
        raise JobError(JobReason.CORRUPT, f"the archive's list cannot be read: {why[-1] if why else 'no reason given'}")
    return output.decode(errors="replace")


async def _started(command: Command, stdin: int, stdout: int) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *command.argv,
        stdin=stdin,
        stdout=stdout,
        stderr=asyncio.subprocess.PIPE if stdout == asyncio.subprocess.PIPE else asyncio.subprocess.DEVNULL,
        env={**ENVIRONMENT, **command.environment},
    )


async def _ended(processes: Sequence[asyncio.subprocess.Process]) -> None:
    """Nobody reads them any more: they end by themselves, or are ended."""
    for process in processes:
        try:
            async with asyncio.timeout(ALONE_SECONDS):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
