"""What one look at the rules changed: which alerts go to the disk, and what people read of it later. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from dbwatch.core.alerting.model import Alert, AlertState, Pairs

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# Values change at each look. On the disk they may be this old: after a restart the next look mends them.
REWRITE_AFTER_SECONDS = 60.0


class EventKind(StrEnum):
    """What happened to an alert."""

    FIRED = "fired"
    RESOLVED = "resolved"
    UNMEASURED = "unmeasured"  # ended: nothing to judge it by any more
    REMOVED = "removed"  # its rule or its instance went from the configuration
    ACKNOWLEDGED = "acknowledged"
    SILENCED = "silenced"
    UNSILENCED = "unsilenced"


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the history. Of a silence, `fingerprint` is empty and `labels` are those it names."""

    at: float
    kind: EventKind
    fingerprint: str
    labels: Pairs
    value: float | None = None
    summary: str = ""
    who: str = ""  # empty: nobody did it
    comment: str = ""


@dataclass(frozen=True)
class Changes:
    """From what is on the disk to what is true now."""

    written: tuple[Alert, ...]
    gone: tuple[str, ...]
    events: tuple[Event, ...]
    ended: tuple[str, ...]  # nobody has these in hand any more


def changes(old: Mapping[str, Alert], new: Mapping[str, Alert], now: float) -> Changes:
    written = [alert for mark, alert in new.items() if _must_be_written(old.get(mark), alert)]
    gone = [alert for mark, alert in old.items() if mark not in new]
    events = [event for alert in written for event in _events(old.get(alert.fingerprint), alert)]
    removed = [_event(alert, EventKind.REMOVED, now) for alert in gone if alert.state is AlertState.FIRING]
    ended = [alert for alert in written if alert.state is AlertState.RESOLVED] + gone
    return Changes(
        tuple(written),
        tuple(alert.fingerprint for alert in gone),
        (*events, *removed),
        tuple(alert.fingerprint for alert in ended),
    )


def _must_be_written(old: Alert | None, new: Alert) -> bool:
    if old is None or _essence(old) != _essence(new):
        return True
    return abs(new.last_true_at - old.last_true_at) >= REWRITE_AFTER_SECONDS


def _essence(alert: Alert) -> tuple[object, ...]:
    return alert.state, alert.active_at, alert.fired_at, alert.resolved_at, alert.is_measured, alert.picture


def _events(old: Alert | None, new: Alert) -> Iterator[Event]:
    """Firing and resolved within one look are two events."""
    fired_before = old.fired_at if old else None
    if new.fired_at is not None and new.fired_at != fired_before:
        yield _event(new, EventKind.FIRED, new.fired_at)
    if new.resolved_at is not None and new.resolved_at != (old.resolved_at if old else None):
        kind = EventKind.RESOLVED if new.is_measured else EventKind.UNMEASURED
        yield _event(new, kind, new.resolved_at)


def _event(alert: Alert, kind: EventKind, at: float) -> Event:
    return Event(at, kind, alert.fingerprint, alert.labels, alert.value, alert.annotation("summary"))
