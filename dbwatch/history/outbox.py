"""Letters on their way. What was told as queued is on the disk, and leaves it only as sent, dead or superseded."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from dbwatch.history import words
from dbwatch.history.writing import query

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable

    from dbwatch.core.alerting.model import Letter
    from dbwatch.history.writing import Writer

T = TypeVar("T")
_Times = tuple[float | None, float | None, float | None]
LONGEST_PAUSE_SECONDS = 1800.0  # no letter is put off for longer: what is due further ahead lived through a clock jump
KEPT_SECONDS = 30 * 86400.0


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A letter with its words, ready to be sent."""

    letter: Letter
    message_id: str
    message: bytes


@dataclass(frozen=True, slots=True)
class Queued:
    """A letter in the outbox, as the one who sends it needs it. `recipients`: who still waits for it."""

    id: int
    message_id: str
    thread: str
    recipients: tuple[str, ...]
    message: bytes
    attempts: int  # those before this one
    created_at: float


@dataclass(frozen=True, slots=True)
class Counts:
    """The outbox in numbers."""

    queued: int = 0
    dead: int = 0
    oldest_at: float | None = None  # of those queued
    next_at: float | None = None  # when the next of them is due
    last_sent_at: float | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an attempt. `recipients`: who still waits for it, or was refused for good."""

    recipients: tuple[str, ...] = ()
    error: str = ""
    relay: str = ""
    is_touched: bool = False  # it reached, or may have reached, somebody


class Outbox:
    """`counts` answers from memory; everything else raises DbwatchError where the file cannot be used."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self.counts = Counts()

    async def due(self, now: float, limit: int) -> list[Queued]:
        """The next letters to send, in order within each thread."""
        values = {"now": now, "too_far": now + LONGEST_PAUSE_SECONDS, "limit": limit}
        rows = await self._writer.read(lambda connection: connection.execute(query("outbox_due"), values).fetchall())
        return [_queued(row) for row in rows]

    async def waiting(self, thread: str) -> list[tuple[int, Letter]]:
        """The letters of a thread that nobody can have seen yet: a newer one may take their place."""
        found = {"thread": thread}
        rows = await self._writer.read(lambda connection: connection.execute(query("outbox_waiting"), found).fetchall())
        return [(number, words.letter_from(text)) for number, text in rows]

    async def sending(self, ids: Iterable[int]) -> list[int]:
        """These are in hand now: those of them that were still queued."""

        def work(connection: sqlite3.Connection) -> list[int]:
            return [each for each in ids if connection.execute(query("outbox_sending"), {"id": each}).rowcount]

        return await self._changed(work)

    async def untried(self, ids: Iterable[int]) -> None:
        """These were not even tried."""
        await self._run("outbox_untried", [{"id": each} for each in ids])

    async def sent(self, letter_id: int, now: float, relay: str) -> None:
        await self._moved("outbox_sent", {"id": letter_id, "now": now, "relay": relay}, queued=-1)

    async def later(self, letter_id: int, next_at: float, outcome: Outcome) -> None:
        await self._moved("outbox_later", {"id": letter_id, "next_at": next_at, **_values(outcome)})

    async def dead(self, letter_id: int, now: float, outcome: Outcome) -> None:
        await self._moved("outbox_dead", {"id": letter_id, "now": now, **_values(outcome)}, queued=-1, dead=1)

    async def recover(self) -> None:
        """What was in hand when the process before us ended is queued again."""
        await self._run("outbox_recover", [{}])

    async def _run(self, name: str, rows: list[dict[str, object]]) -> None:
        def work(connection: sqlite3.Connection) -> None:
            connection.executemany(query(name), rows)

        await self._changed(work)

    async def _moved(self, name: str, values: dict[str, object], *, queued: int = 0, dead: int = 0) -> None:
        """One letter goes on: counting ten thousand others each time would take longer than sending it."""

        def work(connection: sqlite3.Connection) -> tuple[int, _Times]:
            return connection.execute(query(name), values).rowcount, _times(connection)

        touched, times = await self._writer.write(work)
        self.counts = Counts(self.counts.queued + touched * queued, self.counts.dead + touched * dead, *times)

    async def _changed(self, work: Callable[[sqlite3.Connection], T]) -> T:
        result, self.counts = await self._writer.write(lambda connection: (work(connection), counted(connection)))
        return result


def add(connection: sqlite3.Connection, outgoing: Iterable[Outgoing], superseded: Iterable[int], now: float) -> None:
    """Within the transaction of who calls: what is told and that it is to be told are one."""
    ended = [{"id": each, "now": now} for each in superseded]
    connection.executemany(query("outbox_supersede"), ended)
    connection.executemany(query("outbox_add"), [_row(each, now) for each in outgoing])


def prune(connection: sqlite3.Connection, now: float) -> None:
    connection.execute(query("outbox_prune"), {"before": now - KEPT_SECONDS})


def counted(connection: sqlite3.Connection) -> Counts:
    queued, dead = connection.execute(query("outbox_counts")).fetchone()
    return Counts(queued, dead, *_times(connection))


def _times(connection: sqlite3.Connection) -> _Times:
    oldest_at, next_at, last_sent_at = connection.execute(query("outbox_times")).fetchone()
    return oldest_at, next_at, last_sent_at


def _row(outgoing: Outgoing, now: float) -> dict[str, object]:
    letter = outgoing.letter
    return {
        "message_id": outgoing.message_id,
        "thread": letter.thread,
        "sequence": letter.sequence,
        "kind": letter.kind,
        "recipients": json.dumps(letter.recipients),
        "letter": words.letter_text(letter),
        "message": outgoing.message,
        "now": now,
    }


def _queued(row: tuple[int, str, str, str, bytes, int, float]) -> Queued:
    number, message_id, thread, recipients, message, attempts, created_at = row
    return Queued(number, message_id, thread, tuple(json.loads(recipients)), message, attempts, created_at)


def _values(outcome: Outcome) -> dict[str, object]:
    return {
        "recipients": json.dumps(outcome.recipients),
        "error": outcome.error,
        "relay": outcome.relay,
        "is_touched": outcome.is_touched,
    }
