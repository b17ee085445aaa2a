"""The few things that are done to files, each durable and none through a symbolic link. They block: call in threads."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import stat
from contextlib import suppress
from dataclasses import dataclass
from io import FileIO
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

PRIVATE, SHARED, FILE = 0o700, 0o750, 0o600
FLAGS = os.O_CLOEXEC | os.O_NOFOLLOW


@dataclass(frozen=True, slots=True)
class Tree:
    """All that stands below a directory, as relative paths in order. `strange`: links, pipes, devices."""

    files: tuple[str, ...]
    directories: tuple[str, ...]
    strange: tuple[str, ...]


def tree(directory: Path) -> Tree:
    """Nothing is followed."""
    files: list[str] = []
    directories: list[str] = []
    strange: list[str] = []
    waiting = [""]
    while waiting:
        below = waiting.pop()
        for entry in entries(directory / below):
            path = f"{below}/{entry.name}" if below else entry.name
            if entry.is_dir(follow_symlinks=False):
                directories.append(path)
                waiting.append(path)
            else:
                (files if entry.is_file(follow_symlinks=False) else strange).append(path)
    return Tree(tuple(sorted(files)), tuple(sorted(directories)), tuple(sorted(strange)))


def entries(directory: Path) -> list[os.DirEntry[str]]:
    with os.scandir(directory) as found:
        return sorted(found, key=lambda entry: entry.name)


def opened(path: Path) -> FileIO:
    """A regular file, for reading: a link or a device in its place is refused."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | FLAGS)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is not a file")
    return FileIO(descriptor)


def read(path: Path, largest_bytes: int) -> bytes:
    with opened(path) as file:
        if os.fstat(file.fileno()).st_size > largest_bytes:
            raise OSError(errno.EFBIG, "it is too large to be one of ours")
        return file.read()


def directory(path: Path) -> Path:
    """The same, proven to be a directory and no link to one."""
    if not stat.S_ISDIR(path.lstat().st_mode):
        raise NotADirectoryError(errno.ENOTDIR, "it is not a directory, or a link to one")
    return path


def sync(path: Path) -> None:
    """What was written of this file or directory survives a power cut."""
    descriptor = os.open(path, os.O_RDONLY | FLAGS)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write(path: Path, text: str) -> None:
    """Whole or not at all, also when the power fails."""
    temporary = path.with_name(f".{path.name}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | FLAGS, FILE)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        with suppress(OSError):
            temporary.unlink()
        raise
    sync(path.parent)


def make_directory(path: Path, mode: int) -> None:
    """It is there afterwards, and is a directory. A new one survives a power cut."""
    try:
        path.mkdir(mode)
    except FileExistsError:
        directory(path)
        return
    path.chmod(mode)  # whatever the umask is
    sync(path.parent)


def rename(old: Path, new: Path) -> None:
    """A name for another, durably. A directory that moves is told in both of its parents."""
    old.rename(new)
    sync(new.parent)
    if old.parent != new.parent:
        sync(old.parent)


def remove_tree(path: Path) -> None:
    """Links in it are removed, never followed."""
    shutil.rmtree(path)


def locked(path: Path) -> int | None:
    """Hold the file until the descriptor is closed; None: somebody else does."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | FLAGS, FILE)
    return _flocked(descriptor, fcntl.LOCK_EX)


def held(directory: Path, *, alone: bool) -> int | None:
    """Hold a directory, with others who read it or alone, until the descriptor is closed."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | FLAGS)
    return _flocked(descriptor, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)


def _flocked(descriptor: int, how: int) -> int | None:
    try:
        fcntl.flock(descriptor, how | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    except OSError:
        os.close(descriptor)
        raise
    return descriptor
