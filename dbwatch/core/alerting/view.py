"""What a person is shown of alerting: the application fills one board, the page and the API read it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dbwatch.core.alerting.model import AlertState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from dbwatch.core.alerting.model import Acknowledgement, Alert, Severity, Silence

MAILING = frozenset({"direct", "both"})
STUCK_SECONDS = 900.0


@dataclass(frozen=True, slots=True)
class Mute:
    """Why nobody is told of an alert now: maintenance, silence, inhibited, quiet_hours, flapping ..."""

    reason: str
    detail: str = ""  # by which alert, by whom and why
    until: float | None = None


@dataclass(frozen=True, slots=True)
class BoardAlert:
    """One active alert, with what people and the configuration say of it."""

    alert: Alert
    acknowledgement: Acknowledgement | None = None
    mute: Mute | None = None

    @property
    def is_firing(self) -> bool:
        return self.alert.state is AlertState.FIRING

    @property
    def since(self) -> float:
        """Since when the rule is true: what a person asks first."""
        return self.alert.active_at


@dataclass(frozen=True, slots=True)
class AlertEvent:
    """Something that happened to an alert: fired, resolved, unmeasured, acknowledged, silenced ..."""

    at: float
    what: str
    name: str
    severity: Severity
    db_instance: str = ""
    summary: str = ""
    who: str = ""  # empty: nobody did it
    fingerprint: str = ""


@dataclass(frozen=True, slots=True)
class ReplicaStatus:
    """One Alertmanager that alerts are pushed to. `url` without credentials."""

    url: str
    last_success_at: float | None = None
    last_error: str = ""


@dataclass(frozen=True, slots=True)
class MailStatus:
    """Whether a letter would arrive."""

    notify: str = "off"  # off, direct, alertmanager, both
    queued: int = 0
    dead: int = 0  # refused for good
    oldest_queued_at: float | None = None
    last_success_at: float | None = None
    last_error: str = ""  # without secrets; "" when the last attempt went well
    last_error_at: float | None = None
    is_persisted: bool = True  # False: the outbox cannot be written, letters leave from memory
    replicas: tuple[ReplicaStatus, ...] = ()

    def is_stuck(self, now: float) -> bool:
        """No letter leaves, for longer than a relay that is busy makes one wait."""
        waits_since = now if self.oldest_queued_at is None else self.oldest_queued_at
        return self.notify in MAILING and bool(self.last_error) and now - waits_since > STUCK_SECONDS


@dataclass(frozen=True, slots=True)
class RulesStatus:
    """Whether silence means that all is well."""

    count: int = 0
    evaluated_at: float | None = None  # None: not yet
    took_seconds: float = 0.0
    interval_seconds: float = 15.0
    failing: tuple[tuple[str, str], ...] = ()  # rules that could not be evaluated the last time: name, why
    left_out: tuple[tuple[str, str], ...] = ()  # rules that cannot run here at all: name, why
    reload_error: str = ""  # why the files on disk are not in use: those before them are


@dataclass(frozen=True, slots=True)
class AlertBoard:
    """Everything at one moment. `is_started` False: rules are not evaluated in this process (yet)."""

    is_started: bool = False
    alerts: tuple[BoardAlert, ...] = ()  # pending and firing, in any order
    events: tuple[AlertEvent, ...] = ()  # of the last 24 hours, in any order
    silences: tuple[Silence, ...] = ()  # open ones and those to come
    mail: MailStatus = field(default_factory=MailStatus)
    rules: RulesStatus = field(default_factory=RulesStatus)

    def narrowed(self, keep: Callable[[BoardAlert], bool]) -> tuple[BoardAlert, ...]:
        """Those to keep, the worst first."""
        return tuple(worst_first(filter(keep, self.alerts)))

    def of(self, db_instance: str) -> tuple[BoardAlert, ...]:
        return self.narrowed(lambda each: each.alert.label("db_instance") == db_instance)


def worst_first(alerts: Iterable[BoardAlert]) -> list[BoardAlert]:
    """Firing before pending, then by severity, what nobody has in hand before what somebody has, then the newest."""

    def weight(each: BoardAlert) -> tuple[bool, int, bool, float, str]:
        is_in_hand = each.acknowledgement is not None or each.mute is not None
        return (not each.is_firing, each.alert.severity.rank, is_in_hand, -each.since, each.alert.fingerprint)

    return sorted(alerts, key=weight)


NOT_STARTED = AlertBoard()
