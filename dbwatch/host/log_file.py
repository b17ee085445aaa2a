"""Follow a log from file to file: what was written since the last look, each byte once, and no more than a bound.

Nothing stays open between two looks: a file that was renamed meanwhile is found again in its directory.
"""

from __future__ import annotations

import errno
import os
import stat
import zlib
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

from dbwatch.host.log_messages import READERS

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator, Mapping
    from pathlib import Path

MOST_BYTES = 8 << 20
MOST_FILES = 10_000
MARK_BYTES = 128


@dataclass(frozen=True, slots=True)
class Source:
    """The file that the server writes now, and its format."""

    path: Path
    format: str

    def continues(self, other: Source) -> bool:
        return (self.path.parent, self.format) == (other.path.parent, other.format)


@dataclass(frozen=True, slots=True)
class Mark:
    """What tells a file from any other that has its place on the disk: the beginning of it does not change."""

    device: int
    inode: int
    length: int
    checksum: int


@dataclass(frozen=True, slots=True)
class Bookmark:
    """Up to where we have read, and how long each file beside was then."""

    source: Source
    mark: Mark
    offset: int
    sizes: Mapping[tuple[str, int], int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reading:
    """What one look gave. Skipped: bytes that nobody read, for there were too many."""

    bookmark: Bookmark
    messages: Mapping[str, int] = field(default_factory=dict)
    skipped_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Opened:
    """A file as it was when it was opened."""

    descriptor: int
    device: int
    inode: int
    size: int

    def read(self, begin: int, end: int) -> bytes:
        return os.pread(self.descriptor, end - begin, begin)

    def mark(self, length: int = MARK_BYTES) -> Mark:
        head = self.read(0, min(length, self.size))
        return Mark(self.device, self.inode, len(head), zlib.crc32(head))

    def has(self, mark: Mark) -> bool:
        return self.mark(mark.length) == mark


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a file that nobody has read."""

    file: Opened
    begin: int
    end: int


@contextmanager
def opened(path: Path) -> Iterator[Opened]:
    """Open what must be a file: a pipe would make us wait. Raise OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "Not a file")
        yield Opened(descriptor, status.st_dev, status.st_ino, status.st_size)
    finally:
        os.close(descriptor)


def read_on(source: Source, before: Bookmark | None, most: int = MOST_BYTES) -> Reading:
    """What was written since the last look; the first one begins at the end. Raise OSError."""
    with ExitStack() as stack:
        current = stack.enter_context(opened(source.path))
        beside = sizes(source.path.parent)
        if before is None or not source.continues(before.source):
            return Reading(Bookmark(source, current.mark(), current.size, beside))
        unread = list(_unread(source, current, before, _left_behind(stack, before, beside)))
        spans, skipped = bounded(unread, most)
        messages, left = _counted(source, spans)
        # One message that is longer than a look: it will not get shorter.
        stuck = left if left >= most else 0
        bookmark = Bookmark(source, current.mark(), current.size - left + stuck, beside)
        return Reading(bookmark, messages, skipped + stuck)


def sizes(directory: Path) -> dict[tuple[str, int], int]:
    """The files of a directory by name and inode; none where we may not list it."""
    found: dict[tuple[str, int], int] = {}
    with suppress(OSError), os.scandir(directory) as entries:
        for entry in islice(entries, MOST_FILES):
            with suppress(FileNotFoundError):
                status = entry.stat(follow_symlinks=False)
                found[entry.name, status.st_ino] = status.st_size
    return found


def _unread(source: Source, current: Opened, before: Bookmark, old: Opened | None) -> Iterator[Span]:
    if current.has(before.mark):
        yield Span(current, min(before.offset, current.size), current.size)
        return
    if old is not None:
        yield Span(old, min(before.offset, old.size), old.size)
    # A name may come back (postgresql-%a.log) with what it held a week ago; a file that was emptied holds nothing old.
    known = 0 if _place(current) == _place(before.mark) else before.sizes.get((source.path.name, current.inode), 0)
    yield Span(current, known if known <= current.size else 0, current.size)


def _place(file: Opened | Mark) -> tuple[int, int]:
    return file.device, file.inode


def _left_behind(stack: ExitStack, before: Bookmark, beside: Mapping[tuple[str, int], int]) -> Opened | None:
    """The file of the last look under the name that it has now, if any."""
    for name, inode in beside or {(before.source.path.name, before.mark.inode): 0}:
        if inode == before.mark.inode:
            with suppress(OSError):
                file = stack.enter_context(opened(before.source.path.with_name(name)))
                if file.has(before.mark):
                    return file
    return None


def bounded(spans: list[Span], most: int) -> tuple[list[Span], int]:
    """The newest of it, and how much was left out."""
    skipped = over = max(0, sum(span.end - span.begin for span in spans) - most)
    kept = []
    for span in spans:
        cut = min(over, span.end - span.begin)
        over -= cut
        kept.append(Span(span.file, span.begin + cut, span.end))
    return kept, skipped


def _counted(source: Source, spans: list[Span]) -> tuple[Counter[str], int]:
    """The messages of all spans, and how many bytes of the last one are the beginning of a message."""
    count = READERS[source.format]
    total, left = count(b"")
    for span in spans:
        data = span.file.read(span.begin, span.end)
        messages, used = count(data)
        total += messages
        left = span.end - span.begin - used
    return total, left
