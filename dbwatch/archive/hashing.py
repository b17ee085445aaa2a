"""Every byte of a set, read in threads of its own: the loop sees neither the bytes nor the time that they take."""

from __future__ import annotations

import asyncio
import hashlib
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Generic, TypeVar

from dbwatch.archive import disk
from dbwatch.archive.faults import job_error, told, why
from dbwatch.archive.names import OUR_FILES, is_member_path
from dbwatch.core.backups.folding import NO_SHA256
from dbwatch.core.backups.model import JobReason
from dbwatch.errors import JobError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from dbwatch.core.backups.model import Member

T = TypeVar("T")
CHUNK_BYTES = 1024 * 1024
AT_ONCE = 2
NICE = 10  # all else on the machine goes first, our own loop above all


@dataclass(frozen=True, slots=True)
class Hashed:
    """What a file is."""

    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Verified:
    """Every member is as it was. `unknown`: what else stands there; it hurts nobody."""

    size_bytes: int
    unknown: tuple[str, ...] = ()


async def sha256(path: Path) -> Hashed:
    """Of one file. Raise JobError."""
    return (await hashed([path]))[0]


async def hashed(paths: Sequence[Path]) -> list[Hashed]:
    """Of each, in order. Cancelled, the reading ends within a moment. Raise JobError."""

    def one(number: int, stop: threading.Event) -> Hashed:
        with told(f"read {paths[number]}"):
            return _hash(paths[number], stop)

    return await _each(one, len(paths))


async def members(directory: Path, templates: Iterable[Member]) -> tuple[Member, ...]:
    """Members with their sizes and sums; one that is a directory becomes one for each file in it. Raise JobError."""
    found = await asyncio.to_thread(_files, directory, tuple(templates))
    sums = await hashed([directory / member.path for member in found])
    return tuple(
        replace(member, size_bytes=each.size_bytes, sha256=each.sha256)
        for member, each in zip(found, sums, strict=True)
    )


def _files(directory: Path, templates: tuple[Member, ...]) -> list[Member]:
    found = [replace(each, path=path) for each in templates for path in _below(directory, each.path)]
    return sorted(found, key=lambda member: member.path)


def _below(directory: Path, path: str) -> Iterator[str]:
    if not is_member_path(path):
        raise JobError(JobReason.REPOSITORY, f"{path!r} cannot be the name of a file of a backup")
    with told(f"read {directory / path}"):
        if not (directory / path).is_dir():
            yield path
            return
        below = disk.tree(directory / path)
    if below.strange or not below.files:
        what = f"{below.strange[0]} there is no file" if below.strange else "it is empty"
        raise JobError(JobReason.INCOMPLETE, f"{path} cannot be part of a backup: {what}")
    yield from (f"{path}/{each}" for each in below.files)


async def verify(directory: Path, members: Sequence[Member]) -> Verified:
    """Read everything again. Raise JobError(CORRUPT), which names the first member that is not as it was."""
    unknown = await asyncio.to_thread(compare_sizes, directory, members)
    await _each(lambda number, stop: _same(directory, members[number], stop), len(members))
    return Verified(sum(member.size_bytes for member in members), unknown)


def compare_sizes(directory: Path, members: Sequence[Member]) -> tuple[str, ...]:
    """What the names and sizes alone tell; what is there beside the members. Raise JobError(CORRUPT)."""
    if not members or any(member.sha256 == NO_SHA256 for member in members):
        raise ValueError("what the index keeps of a manifest proves nothing: read it from the repository")
    with told(f"read {directory}"):
        tree = disk.tree(directory)
        sizes = {path: (directory / path).lstat().st_size for path in tree.files}
    for member in members:
        if member.path not in sizes:
            missing = "is not a file any more" if member.path in tree.strange else "is missing"
            raise corrupt(member.path, missing)
        _check_size(member, sizes[member.path])
    others = {*tree.files, *tree.strange} - {member.path for member in members}
    return tuple(sorted(path for path in others if path.partition("/")[0] not in OUR_FILES))


def _check_size(member: Member, size_bytes: int) -> None:
    if size_bytes != member.size_bytes:
        how = "is truncated" if size_bytes < member.size_bytes else "has grown"
        raise corrupt(member.path, f"{how}: {size_bytes} bytes, the manifest says {member.size_bytes}")


def _same(directory: Path, member: Member, stop: threading.Event) -> None:
    try:
        found = _hash(directory / member.path, stop)
    except PermissionError as error:
        raise job_error(f"read {directory / member.path}", error) from None
    except OSError as error:
        raise corrupt(member.path, f"cannot be read: {why(error)}") from None
    _check_size(member, found.size_bytes)
    if found.sha256 != member.sha256:
        raise corrupt(member.path, "differs from what was written: its sha256 is another")


def corrupt(path: str, what: str) -> JobError:
    return JobError(JobReason.CORRUPT, f"{path} {what}")


def _hash(path: Path, stop: threading.Event) -> Hashed:
    digest, size_bytes, buffer = hashlib.sha256(), 0, memoryview(bytearray(CHUNK_BYTES))
    with disk.opened(path) as file:
        while count := file.readinto(buffer):
            digest.update(buffer[:count])
            size_bytes += count
            if stop.is_set():
                raise InterruptedError
    return Hashed(size_bytes, digest.hexdigest())


async def _each(one: Callable[[int, threading.Event], T], count: int) -> list[T]:
    """Do `one` for 0 .. count-1 in a few threads of their own; the first failure by number is raised."""
    work, loop = _Work(one, count), asyncio.get_running_loop()
    pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="hashing", initializer=_go_last)
    is_done = False
    try:
        running = [loop.run_in_executor(pool, work.run) for _ in range(min(AT_ONCE, count))]
        for ended in running:
            await ended
        is_done = True
    finally:
        work.stop.set()
        pool.shutdown(wait=is_done)
    return work.results()


def _go_last() -> None:
    """Never further ahead than the daemon itself, which nobody but root may do."""
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), max(NICE, os.getpriority(os.PRIO_PROCESS, 0)))


class _Work(Generic[T]):
    """What a few threads share: numbers are handed out in order, none any more after a failure."""

    def __init__(self, one: Callable[[int, threading.Event], T], count: int) -> None:
        self.stop = threading.Event()
        self._one, self._count, self._next = one, count, 0
        self._lock = threading.Lock()
        self._done: dict[int, T] = {}
        self._failed: dict[int, JobError] = {}

    def run(self) -> None:
        while (number := self._take()) is not None:
            try:
                self._done[number] = self._one(number, self.stop)
            except JobError as error:
                self._failed[number] = error

    def _take(self) -> int | None:
        with self._lock:
            if self._failed or self.stop.is_set() or self._next >= self._count:
                return None
            self._next += 1
            return self._next - 1

    def results(self) -> list[T]:
        if self._failed:
            raise self._failed[min(self._failed)]
        return [self._done[number] for number in range(self._count)]
