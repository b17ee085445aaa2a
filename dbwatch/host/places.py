"""How much room there is where the server keeps something."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import psutil


@dataclass(frozen=True, slots=True)
class Place:
    """A directory that the server named, and what it keeps there."""

    purpose: str
    path: str


@dataclass(frozen=True, slots=True)
class Room:
    """What the file system under a place holds. Free: for an account without privileges, as servers are."""

    purpose: str
    mount: str
    size_bytes: int
    free_bytes: int
    free_inodes: int | None  # None: a file system that does not count them


def room(place: Place) -> Room | OSError:
    """Follow links, then look; this may hang. The error is a result: it is told, not raised."""
    try:
        real = Path(os.path.realpath(place.path, strict=True))
        usage, inside = psutil.disk_usage(str(real)), os.statvfs(real)
        return Room(place.purpose, mount_of(real), usage.total, usage.free, inside.f_favail if inside.f_files else None)
    except OSError as error:
        return error


def mount_of(path: Path) -> str:
    return next((str(each) for each in (path, *path.parents) if each.is_mount()), path.anchor)
