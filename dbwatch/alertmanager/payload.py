"""Alerts as Alertmanager's API v2 takes them. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from dbwatch.core.alerting.model import AlertState

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dbwatch.core.alerting.model import Alert

BATCH = 64  # as many as Prometheus sends at once
INTERVALS_UNTIL_STALE = 4  # who is not told anew for so long takes the alert for resolved
RESOLVED_SECONDS = 900.0  # a resolved alert is told again for so long, as Prometheus does: a replica may have been down

Told = dict[str, object]


def batches(alerts: Iterable[Alert], now: float, interval_seconds: float, page_url: str = "") -> list[tuple[Told, ...]]:
    """What is to be posted now: what fires, and what resolved not long ago."""
    told = [_told(alert, now, interval_seconds, page_url) for alert in alerts if is_told(alert, now)]
    return [tuple(told[start : start + BATCH]) for start in range(0, len(told), BATCH)]


def is_told(alert: Alert, now: float) -> bool:
    """Pending alerts are nobody's business yet."""
    if alert.state is AlertState.RESOLVED:
        return alert.resolved_at is not None and now - alert.resolved_at < RESOLVED_SECONDS
    return alert.state is AlertState.FIRING


def _told(alert: Alert, now: float, interval_seconds: float, page_url: str) -> Told:
    resolved_at = alert.resolved_at if alert.state is AlertState.RESOLVED else None
    ends_at = resolved_at if resolved_at is not None else now + INTERVALS_UNTIL_STALE * interval_seconds
    fired_at = alert.fired_at if alert.fired_at is not None else alert.active_at
    link = {"generatorURL": f"{page_url}/alerts"} if page_url else {}
    return {
        "labels": {name: value for name, value in alert.labels if value},
        "annotations": {name: value for name, value in alert.annotations if value},
        "startsAt": rfc3339(min(fired_at, ends_at)),  # a clock that was set back must not make it refuse the batch
        "endsAt": rfc3339(ends_at),
        **link,
    }


def rfc3339(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
