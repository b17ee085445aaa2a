"""What the page of alerts says, as JSON. Pure.

`/api/v1/alerts?state=firing|pending&instance=NAME` (each may be left out) answers:

generated_at, started (rules are evaluated by this process), counts {firing, pending} of what was asked for,
alerts     worst first: fingerprint, name, state, severity, category, instance ("" for dbwatch's own), labels,
           annotations (all, in both languages), value (null where it is no number), active_at (the rule is true
           since), fired_at, runbook (address), picture (path or null), acknowledged {at, who, comment} or null,
           muted {reason, detail, until} or null
history    the last 24 hours, newest first: at, what, name, severity, instance, summary, who, fingerprint
silences   id, labels, starts_at, ends_at, who, comment
rules      count, evaluated_at, took_seconds, interval_seconds, failing [{rule, error}],
           left_out [{rule, why}] (they cannot run here), reload_error
mail       notify, queued, oldest_queued_at, dead, last_success_at, last_error, last_error_at, persisted,
           alertmanagers [{url, last_success_at, last_error}]

`instance` narrows history too. Times are ISO 8601 in UTC; what there is not is null.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING

from dbwatch.core.alerting.model import AlertState
from dbwatch.core.showing import humanise
from dbwatch.http.alert_list import runbook_link

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from dbwatch.core.alerting.model import Acknowledgement, Silence
    from dbwatch.core.alerting.view import AlertBoard, AlertEvent, BoardAlert, MailStatus, Mute, RulesStatus

Json = dict[str, object]
STATES = (AlertState.FIRING.value, AlertState.PENDING.value)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which alerts are asked for; empty: all."""

    state: str = ""
    instance: str = ""

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Wanted:
        return cls(query.get("state", ""), query.get("instance", ""))

    @property
    def fault(self) -> str:
        return "" if self.state in ("", *STATES) else "state can only be `firing` or `pending`"

    def is_unknown(self, board: AlertBoard, configured: Collection[str]) -> bool:
        """An instance that was removed may still have an alert."""
        return bool(self.instance) and self.instance not in configured and not board.of(self.instance)

    def takes(self, each: BoardAlert) -> bool:
        is_state = self.state in ("", each.alert.state.value)
        return is_state and self.instance in ("", each.alert.label("db_instance"))


def alerts_json(board: AlertBoard, wanted: Wanted, now: float) -> Json:
    alerts = board.narrowed(wanted.takes)
    firing = sum(each.is_firing for each in alerts)
    events = [each for each in board.events if wanted.instance in ("", each.db_instance)]
    return {
        "generated_at": humanise.iso(now),
        "started": board.is_started,
        "counts": {"firing": firing, "pending": len(alerts) - firing},
        "alerts": [_alert_json(each) for each in alerts],
        "history": [_event_json(each) for each in sorted(events, key=lambda each: -each.at)],
        "silences": [_silence_json(each) for each in board.silences],
        "rules": _rules_json(board.rules),
        "mail": _mail_json(board.mail),
    }


def _moment(unix_seconds: float | None) -> str | None:
    return humanise.iso(unix_seconds) if unix_seconds is not None else None


def _alert_json(each: BoardAlert) -> Json:
    alert = each.alert
    return {
        "fingerprint": alert.fingerprint,
        "name": alert.name,
        "state": alert.state.value,
        "severity": alert.severity.value,
        "category": alert.label("category"),
        "instance": alert.label("db_instance"),
        "labels": dict(alert.labels),
        "annotations": dict(alert.annotations),
        "value": alert.value if isfinite(alert.value) else None,
        "active_at": _moment(alert.active_at),
        "fired_at": _moment(alert.fired_at),
        "runbook": runbook_link(alert) or None,
        "picture": alert.picture or None,
        "acknowledged": _acknowledged_json(each.acknowledgement),
        "muted": _muted_json(each.mute),
    }


def _acknowledged_json(given: Acknowledgement | None) -> Json | None:
    return None if given is None else {"at": _moment(given.at), "who": given.who, "comment": given.comment}


def _muted_json(mute: Mute | None) -> Json | None:
    return None if mute is None else {"reason": mute.reason, "detail": mute.detail, "until": _moment(mute.until)}


def _event_json(each: AlertEvent) -> Json:
    return {
        "at": _moment(each.at),
        "what": each.what,
        "name": each.name,
        "severity": each.severity.value,
        "instance": each.db_instance,
        "summary": each.summary,
        "who": each.who,
        "fingerprint": each.fingerprint,
    }


def _silence_json(each: Silence) -> Json:
    return {
        "id": each.id,
        "labels": dict(each.labels),
        "starts_at": _moment(each.starts_at),
        "ends_at": _moment(each.ends_at),
        "who": each.who,
        "comment": each.comment,
    }


def _rules_json(rules: RulesStatus) -> Json:
    return {
        "count": rules.count,
        "evaluated_at": _moment(rules.evaluated_at),
        "took_seconds": rules.took_seconds,
        "interval_seconds": rules.interval_seconds,
        "failing": [{"rule": name, "error": why} for name, why in rules.failing],
        "left_out": [{"rule": name, "why": why} for name, why in rules.left_out],
        "reload_error": rules.reload_error or None,
    }


def _mail_json(mail: MailStatus) -> Json:
    return {
        "notify": mail.notify,
        "queued": mail.queued,
        "oldest_queued_at": _moment(mail.oldest_queued_at),
        "dead": mail.dead,
        "last_success_at": _moment(mail.last_success_at),
        "last_error": mail.last_error or None,
        "last_error_at": _moment(mail.last_error_at),
        "persisted": mail.is_persisted,
        "alertmanagers": [
            {"url": each.url, "last_success_at": _moment(each.last_success_at), "last_error": each.last_error or None}
            for each in mail.replicas
        ],
    }
