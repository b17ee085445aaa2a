"""What alerting counts of itself since the start: the process's own metrics are made of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class RuleFigures:
    """Of the rules. Times are Unix seconds."""

    evaluated_at: float | None = None
    took_seconds: float | None = None
    failures: Mapping[str, int] = field(default_factory=dict)  # by rule
    dropped_range_series: int = 0
    left_out: int = 0  # rules that cannot run here
    alerts: Mapping[tuple[str, str], int] = field(default_factory=dict)  # by state and severity


@dataclass(frozen=True, slots=True)
class MailFigures:
    """Of the outbox and its loop."""

    queued: int = 0
    dead: int = 0
    oldest_queued_at: float | None = None
    sent_total: int = 0
    retries_total: int = 0
    dead_total: int = 0
    last_success_at: float | None = None
    is_persisted: bool = True


@dataclass(frozen=True, slots=True)
class PushFigures:
    """Of one Alertmanager replica."""

    replica: str
    failures_total: int = 0
    last_success_at: float | None = None


@dataclass(frozen=True, slots=True)
class HeartbeatFigures:
    """Of the dead man's switch."""

    failures_total: int = 0
    last_success_at: float | None = None


@dataclass(frozen=True, slots=True)
class AlertingFigures:
    """All of them; what is off is None or empty, so that its metrics are absent."""

    rules: RuleFigures | None = None
    mail: MailFigures | None = None
    replicas: tuple[PushFigures, ...] = ()
    heartbeat: HeartbeatFigures | None = None
