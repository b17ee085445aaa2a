"""Boards of alerts made by hand, for the tests of pages and of the API."""

from __future__ import annotations

from typing import Any

from dbwatch.core.alerting.model import Acknowledgement, Alert, AlertState, Severity, Silence, pairs
from dbwatch.core.alerting.view import AlertBoard, AlertEvent, BoardAlert, MailStatus, Mute, RulesStatus

RUNBOOK = "docs/runbooks/{}.md"


def an_alert(
    name: str,
    instance: str,
    since: float,
    *,
    severity: Severity = Severity.CRITICAL,
    state: AlertState = AlertState.FIRING,
    texts: dict[str, str] | None = None,
    **labels: Any,
) -> Alert:
    """`value` and `picture` may be among the labels' keywords."""
    known = {"value": labels.pop("value", 0.0), "picture": labels.pop("picture", "")}
    words = {
        "summary": f"{instance}: something is wrong",
        "summary_fr": f"{instance} : quelque chose ne va pas",
        "description": "The server refused the last 4 logins.",
        "description_fr": "Le serveur a refusé les 4 dernières connexions.",
        "impact": "Citizens cannot book appointments.",
        "impact_fr": "Les usagers ne peuvent plus prendre rendez-vous.",
        "action": f"Look with `dbwatch doctor {instance}`; then start the server.",
        "action_fr": f"Regarder avec `dbwatch doctor {instance}`, puis démarrer le serveur.",
        "runbook_url": RUNBOOK.format(name),
    }
    whole = {"alertname": name, "severity": severity.value, "category": "availability", "db_instance": instance}
    return Alert(
        pairs({**whole, "engine": "postgres", "env": "prod", "service": "etat-civil", "team": "dba", **labels}),
        pairs({**words, **(texts or {})}),
        state,
        active_at=since,
        last_true_at=since,
        fired_at=since if state is AlertState.FIRING else None,
        **known,
    )


def a_full_board(now: float) -> AlertBoard:
    """Something of everything."""
    down = an_alert("InstanceDown", "citoyens", now - 190, texts={"summary": "citoyens: the server does not answer"})
    blocked = an_alert(
        "SessionsBlocked",
        "rdv",
        now - 1500,
        severity=Severity.WARNING,
        value=7.0,
        picture="/var/lib/dbwatch/pictures/2026-11-22T04-03-10_rdv_locks.txt",
        database="rdv",
        texts={"summary": "rdv: 7 sessions wait for a lock", "summary_fr": "rdv : 7 sessions attendent un verrou"},
    )
    lag = an_alert("ReplicationLagHigh", "citoyens", now - 100, severity=Severity.WARNING, value=412.5)
    near = an_alert("ConnectionsNearLimit", "rdv", now - 20, severity=Severity.WARNING, state=AlertState.PENDING)
    return AlertBoard(
        is_started=True,
        alerts=(
            BoardAlert(near),
            BoardAlert(lag, mute=Mute("inhibited", "InstanceDown of citoyens")),
            BoardAlert(blocked, Acknowledgement(blocked.fingerprint, now - 600, "anne", "I look at it")),
            BoardAlert(down),
        ),
        events=(
            AlertEvent(now - 190, "fired", "InstanceDown", Severity.CRITICAL, "citoyens", "the server does not answer"),
            AlertEvent(now - 7000, "resolved", "DiskAlmostFull", Severity.WARNING, "rdv", "5 % left"),
            AlertEvent(now - 600, "acknowledged", "SessionsBlocked", Severity.WARNING, "rdv", who="anne"),
            AlertEvent(now - 90_000, "fired", "TooLongAgo", Severity.INFO, "rdv"),
        ),
        silences=(Silence(3, pairs({"db_instance": "archives"}), now - 60, now + 7200, "paul", "move to a new disk"),),
        mail=MailStatus("direct", queued=2, oldest_queued_at=now - 75, last_success_at=now - 180),
        rules=RulesStatus(61, now - 4, 0.012, 15.0),
    )
