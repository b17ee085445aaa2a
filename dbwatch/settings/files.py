"""Whether a file that the settings name can be used, told as what is wrong with it."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

MAX_SECRET_BYTES = 64 * 1024


def read_error(path: Path, *, may_be_empty: bool = False) -> str:
    """Why the file cannot be read, or an empty text."""
    try:
        with path.open("rb") as file:
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
