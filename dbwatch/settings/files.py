"""Whether a file that the settings name can be used, told as what is wrong with it."""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from pathlib import Path

MAX_SECRET_BYTES = 64 * 1024


def opened(path: Path) -> BinaryIO:
    """The file, for reading. Raise OSError or ValueError; a pipe or a device, which might never end, is refused."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISREG(mode):
        return os.fdopen(descriptor, "rb")
    os.close(descriptor)
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    raise OSError(errno.EINVAL, "It is a pipe or a device, not a file")


def read_error(path: Path, *, may_be_empty: bool = False) -> str:
    """Why the file cannot be read, or an empty text."""
    try:
        with opened(path) as file:
            empty = not file.read(1)
    except (OSError, ValueError) as error:
        return f"cannot be read: {why(error)}"
    return "is empty" if empty and not may_be_empty else ""


def directory_error(path: Path) -> str:
    try:
        next(path.iterdir(), None)
    except (OSError, ValueError) as error:
        return f"cannot be read: {why(error)}"
    return ""


def is_directory(path: Path) -> bool:
    try:
        return stat.S_ISDIR(path.stat().st_mode)
    except (OSError, ValueError):
        return False


def why(error: OSError | ValueError) -> str:
    """The system's words, without the path: it was told already, and may hold anything."""
    return (error.strerror if isinstance(error, OSError) else None) or "not a path"


def is_open_to_all(path: Path) -> bool:
    try:
        return bool(path.stat().st_mode & stat.S_IROTH)
    except (OSError, ValueError):
        return False
