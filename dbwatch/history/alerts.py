"""Alerts, what was told of them, who has them in hand and which are silenced; and what happened, for people."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeVar

from dbwatch.core.alerting.model import Acknowledgement, Alert, Silence
from dbwatch.history import outbox, words
from dbwatch.history.events import Changes, Event, EventKind, changes
from dbwatch.history.writing import query

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Mapping

    from dbwatch.history.outbox import Outbox, Outgoing
    from dbwatch.history.writing import Writer

T = TypeVar("T")
EVENTS_KEPT_SECONDS, EVENTS_KEPT = 90 * 86400.0, 100_000
RECENT_SECONDS, RECENT = 86400.0, 300
PRUNE_EVERY_SECONDS = 3600.0


@dataclass(frozen=True)
class Record:
    """Everything that one look at the rules changed: it counts as a whole, or not at all."""

    now: float
    alerts: Mapping[str, Alert]  # all there are, by fingerprint
    memory: Mapping[str, object]  # what recipients were told, as JSON
    outgoing: tuple[Outgoing, ...] = ()
    superseded: tuple[int, ...] = ()  # letters in the outbox whose place the outgoing ones take


@dataclass(frozen=True)
class _Known:
    """What is answered from memory."""

    acknowledgements: Mapping[str, Acknowledgement] = field(default_factory=dict)
    silences: tuple[Silence, ...] = ()
    recent: tuple[Event, ...] = ()


class AlertBook:
    """Reads are answered from memory, but for `events`. Every write raises DbwatchError where the disk refuses."""

    def __init__(self, writer: Writer, letters: Outbox) -> None:
        self._writer = writer
        self._outbox = letters
        self._known = _Known()
        self._pruned_at = 0.0
        self.alerts: dict[str, Alert] = {}  # as they are on the disk, by fingerprint
        self.current: Mapping[str, Alert] = {}  # as they are: also while the disk refuses them
        self.memory: Mapping[str, object] = {}
        self.looked_at: float | None = None  # when the rules were last looked at

    @property
    def acknowledgements(self) -> Mapping[str, Acknowledgement]:
        """Who has which alert in hand, by fingerprint."""
        return self._known.acknowledgements

    def silences(self, now: float) -> list[Silence]:
        """Those that have not ended."""
        return [silence for silence in self._known.silences if silence.ends_at > now]

    @property
    def recent(self) -> tuple[Event, ...]:
        """What happened in the last day, the newest first: as much of it as a page shows."""
        return self._known.recent

    async def load(self, now: float) -> None:
        bodies, state, self._known = await self._writer.read(lambda connection: (
            connection.execute(query("alerts")).fetchall(),
            dict(connection.execute(query("alerting")).fetchall()),
            _known(connection, now),
        ))  # fmt: skip
        alerts = [words.alert_from(body) for (body,) in bodies]
        self.current = self.alerts = {alert.fingerprint: alert for alert in alerts}
        self.memory = json.loads(state.get("memory", "{}"))
        self.looked_at = json.loads(state["looked_at"]) if "looked_at" in state else None

    async def commit(self, record: Record) -> None:
        """Alerts, their history, what was told and the letters that tell it, in one transaction.

        With letters in it, it survives a power cut.
        """
        self.current, self.looked_at = dict(record.alerts), record.now
        found = changes(self.alerts, record.alerts, record.now)
        memory = None if record.memory == self.memory else record.memory
        is_pruning = abs(record.now - self._pruned_at) >= PRUNE_EVERY_SECONDS

        def work(connection: sqlite3.Connection) -> None:
            _write(connection, found)
            _put(connection, "looked_at", record.now)
            if memory is not None:
                _put(connection, "memory", memory)
            outbox.add(connection, record.outgoing, record.superseded, record.now)
            if is_pruning:
                _prune(connection, record.now)

        await self._changed(work, record.now, survives_power_cut=bool(record.outgoing))
        self._remember(found, record)
        self._pruned_at = record.now if is_pruning else self._pruned_at

    def _remember(self, found: Changes, record: Record) -> None:
        self.alerts |= {alert.fingerprint: alert for alert in found.written}
        for mark in found.gone:
            del self.alerts[mark]
        self.memory = record.memory

    async def acknowledge(self, acknowledgement: Acknowledgement) -> None:
        """Somebody has it in hand, until it resolves."""
        alert = self.current.get(acknowledgement.fingerprint)
        event = Event(
            acknowledgement.at,
            EventKind.ACKNOWLEDGED,
            acknowledgement.fingerprint,
            alert.labels if alert else (),
            summary=alert.annotation("summary") if alert else "",
            who=acknowledgement.who,
            comment=acknowledgement.comment,
        )

        def work(connection: sqlite3.Connection) -> None:
            values = {name: getattr(acknowledgement, name) for name in ("fingerprint", "at", "who", "comment")}
            connection.execute(query("acknowledgement_put"), values)
            connection.execute(query("event_add"), _event_row(event))

        await self._changed(work, acknowledgement.at)

    async def silence(self, silence: Silence) -> Silence:
        """Its number is given here."""

        def work(connection: sqlite3.Connection) -> int:
            cursor = connection.execute(query("silence_add"), _silence_row(silence))
            who, comment = silence.who, silence.comment
            event = Event(silence.starts_at, EventKind.SILENCED, "", silence.labels, who=who, comment=comment)
            connection.execute(query("event_add"), _event_row(event))
            return int(cursor.lastrowid or 0)

        return replace(silence, id=await self._changed(work, silence.starts_at))

    async def unsilence(self, number: int, now: float, who: str = "") -> bool:
        """Whether there was such a silence."""
        labels = next((each.labels for each in self.silences(now) if each.id == number), ())

        def work(connection: sqlite3.Connection) -> bool:
            if not connection.execute(query("silence_end"), {"id": number, "now": now}).rowcount:
                return False
            connection.execute(query("event_add"), _event_row(Event(now, EventKind.UNSILENCED, "", labels, who=who)))
            return True

        return await self._changed(work, now)

    async def events(self, since: float, limit: int = 1000, db_instance: str = "") -> list[Event]:
        """What happened since then, the newest first."""
        values = {"since": since, "limit": limit, "db_instance": db_instance}
        return list(await self._writer.read(lambda connection: _told(connection, values)))

    async def _changed(
        self, work: Callable[[sqlite3.Connection], T], now: float, *, survives_power_cut: bool = False
    ) -> T:
        def both(connection: sqlite3.Connection) -> tuple[T, _Known, outbox.Counts]:
            return work(connection), _known(connection, now), outbox.counted(connection)

        result, self._known, self._outbox.counts = await self._writer.write(both, survives_power_cut=survives_power_cut)
        return result


def _row(alert: Alert) -> dict[str, object]:
    return {"fingerprint": alert.fingerprint, "state": alert.state, "body": words.alert_text(alert)}


def _event_row(event: Event) -> dict[str, object]:
    return {
        "at": event.at,
        "kind": event.kind,
        "fingerprint": event.fingerprint,
        "db_instance": dict(event.labels).get("db_instance", ""),
        "labels": words.pairs_text(event.labels),
        "value": event.value,
        "summary": event.summary,
        "who": event.who,
        "comment": event.comment,
    }


def _silence_row(silence: Silence) -> dict[str, object]:
    return {
        "labels": words.pairs_text(silence.labels),
        "starts_at": silence.starts_at,
        "ends_at": silence.ends_at,
        "who": silence.who,
        "comment": silence.comment,
    }


def _write(connection: sqlite3.Connection, found: Changes) -> None:
    connection.executemany(query("alert_put"), map(_row, found.written))
    connection.executemany(query("alert_remove"), [{"fingerprint": each} for each in found.gone])
    connection.executemany(query("acknowledgement_remove"), [{"fingerprint": each} for each in found.ended])
    connection.executemany(query("event_add"), map(_event_row, found.events))


def _put(connection: sqlite3.Connection, name: str, value: object) -> None:
    connection.execute(query("alerting_put"), {"name": name, "value": json.dumps(value, separators=(",", ":"))})


def _told(connection: sqlite3.Connection, values: Mapping[str, object]) -> tuple[Event, ...]:
    rows = connection.execute(query("events"), values).fetchall()
    return tuple(
        Event(at, EventKind(kind), mark, words.pairs_from(labels), *rest) for at, kind, mark, labels, *rest in rows
    )


def _known(connection: sqlite3.Connection, now: float) -> _Known:
    held = [Acknowledgement(*row) for row in connection.execute(query("acknowledgements"))]
    silences = connection.execute(query("silences"), {"now": now}).fetchall()
    return _Known(
        {each.fingerprint: each for each in held},
        tuple(Silence(number, words.pairs_from(labels), *rest) for number, labels, *rest in silences),
        _told(connection, {"since": now - RECENT_SECONDS, "limit": RECENT, "db_instance": ""}),
    )


def _prune(connection: sqlite3.Connection, now: float) -> None:
    connection.execute(query("events_prune_age"), {"before": now - EVENTS_KEPT_SECONDS})
    connection.execute(query("events_prune_number"), {"keep": EVENTS_KEPT})
    connection.execute(query("silences_prune"), {"before": now - EVENTS_KEPT_SECONDS})
    outbox.prune(connection, now)
