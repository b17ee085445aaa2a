"""The messages that a server wrote to its log since we first looked, by severity."""

from __future__ import annotations

import asyncio
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING

from dbwatch.errors import EngineError, Reason
from dbwatch.host.errands import sent
from dbwatch.host.log_file import Reading, Source, read_on
from dbwatch.host.log_messages import READERS, SEVERITIES, is_known
from dbwatch.host.processes import proven

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dbwatch.host.log_file import Bookmark
    from dbwatch.host.told import Told

    Row = Mapping[str, object]
    Looked = Reading | OSError | EngineError

# What a head of `source: host` may name, where its SQL tells log_destination.
COLUMNS = ("severity", "messages", "skipped_bytes")
REMEDY = "A log_directory outside of the data directory, log_file_mode = 0640 and the server's group would let it."


class ServerLog:
    """Remembers how far it has read, and what it counted: a counter of our own."""

    def __init__(self) -> None:
        self._bookmark: Bookmark | None = None
        self._messages = Counter(dict.fromkeys(SEVERITIES, 0))
        self._skipped_bytes = 0
        self._looking: asyncio.Future[Looked] | None = None

    async def look(self, told: Told, seconds: float) -> tuple[list[Row], str]:
        """The rows, or none and why. Raise EngineError where the server is not here, or the file does not answer."""
        source = source_of(told)
        if isinstance(source, str):
            return [], source
        looked = await self._read(told, source, seconds)
        if isinstance(looked, EngineError):
            raise looked
        if isinstance(looked, OSError):
            return [], _why(looked, source)
        self._bookmark = looked.bookmark
        self._messages.update(looked.messages)
        self._skipped_bytes += looked.skipped_bytes
        return self._rows(), ""

    async def _read(self, told: Told, source: Source, seconds: float) -> Looked:
        """In one thread at most: what came too late the last time is taken now."""
        if self._looking is None:
            self._looking = sent("dbwatch-log", partial(_look, told, source, self._bookmark))
        await asyncio.wait([self._looking], timeout=seconds)
        if not self._looking.done():
            why = f"no answer from the file system of {source.path}"
            raise EngineError(Reason.TIMEOUT, why, "Does a network mount hang?")
        looked, self._looking = self._looking.result(), None
        return looked

    def _rows(self) -> list[Row]:
        counts: list[Row] = [{"severity": name, "messages": count} for name, count in self._messages.items()]
        return [*counts, {"skipped_bytes": self._skipped_bytes}]


def source_of(told: Told) -> Source | str:
    """The file to read, in the most exact of its formats; else why there is none."""
    language = told.fact("lc_messages")
    if not is_known(language):
        return f"lc_messages is {language}: how the server calls its severities then is not known here"
    files = {purpose: told.path_of(value) for fact, purpose, value in told.rows if fact == "log"}
    written = [Source(files[name], name) for name in READERS if name in files]
    return written[0] if written else f"log_destination is {told.fact('log_destination')}: no file of the log is known"


def _look(told: Told, source: Source, before: Bookmark | None) -> Looked:
    """The same path may be another server's: nothing is read before ours is proven to be here."""
    try:
        return proven(told) or read_on(source, before)
    except OSError as error:
        return error


def _why(error: OSError, source: Source) -> str:
    if isinstance(error, PermissionError):
        return f"the account of dbwatch may not read {source.path}\n{REMEDY}"
    return f"{source.path}: {error.strerror}"
