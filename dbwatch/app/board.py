"""What the page, the API and the process's own metrics are told of alerting. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dbwatch.core.alerting.model import ALERTNAME, UNREACHABLE, Severity
from dbwatch.core.alerting.view import AlertBoard, AlertEvent, BoardAlert, MailStatus, ReplicaStatus, RulesStatus

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from dbwatch.alerts.office import Office
    from dbwatch.core.alerting.figures import PushFigures
    from dbwatch.core.alerting.model import Letter, Pairs
    from dbwatch.history import History
    from dbwatch.history.events import Event
    from dbwatch.mailer.sender import Sender
    from dbwatch.store import InstanceState


def unreachable(letter: Letter, states: Iterable[InstanceState]) -> Pairs:
    """Of the instances of a letter that cannot be reached: where they were looked for, and why not."""
    named = {item.alert.label("db_instance") for item in letter.items}
    down = [each for each in states if each.up is False and each.identity.db_instance in named]
    return tuple(
        (f"{UNREACHABLE}{each.identity.db_instance}", ", ".join(filter(None, (each.address, each.reason))))
        for each in down
    )


def board(office: Office, past: History, mail: MailStatus, *, rules: RulesStatus, now: float) -> AlertBoard:
    """All of it, from memory."""
    acknowledgements, muted = past.alerts.acknowledgements, office.muted.reasons
    alerts = (
        BoardAlert(alert, acknowledgements.get(alert.fingerprint), muted.get(alert.fingerprint))
        for alert in office.active()
    )
    events = tuple(map(_event, past.alerts.recent))
    return AlertBoard(
        is_started=True,
        alerts=tuple(alerts),
        events=events,
        silences=tuple(past.alerts.silences(now)),
        mail=mail,
        rules=rules,
    )


def _event(event: Event) -> AlertEvent:
    labels = dict(event.labels)
    severity = labels.get("severity", "")
    return AlertEvent(
        event.at,
        event.kind,
        labels.get(ALERTNAME, ""),
        Severity(severity) if severity in list(Severity) else Severity.INFO,
        labels.get("db_instance", ""),
        event.summary,
        event.who,
        event.fingerprint,
    )


def mail_status(notify: str, sender: Sender, replicas: Sequence[PushFigures], errors: Mapping[str, str]) -> MailStatus:
    """Whether a letter would arrive."""
    figures = sender.figures
    return MailStatus(
        notify=notify,
        queued=figures.queued,
        dead=figures.dead,
        oldest_queued_at=figures.oldest_queued_at,
        last_success_at=figures.last_success_at,
        last_error=sender.last_error,
        last_error_at=sender.last_error_at,
        is_persisted=figures.is_persisted,
        replicas=tuple(
            ReplicaStatus(each.replica, each.last_success_at, errors.get(each.replica, "")) for each in replicas
        ),
    )
