"""Alerts and letters as tests of the history and the mails need them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dbwatch.core.alerting.model import Alert, AlertState, Change, Item, Letter, LetterKind, pairs
from dbwatch.history import Outgoing

if TYPE_CHECKING:
    from collections.abc import Iterable

NOW = 1_790_000_000.0  # a Monday in September 2026, 14:13 UTC

LABELS = {
    "alertname": "InstanceDown",
    "db_instance": "pg-etatcivil",
    "engine": "postgres",
    "env": "prod",
    "service": "etat-civil",
    "team": "dba",
    "severity": "critical",
    "category": "availability",
}
ANNOTATIONS = {
    "summary": "pg-etatcivil: the instance does not answer",
    "summary_fr": "pg-etatcivil : l'instance ne répond plus",
    "description": "No login has succeeded for 2m; the last reason was: refused.",
    "description_fr": "Aucune connexion n'a abouti depuis 2m ; dernière raison : refused.",
    "impact": "The services that use this database are down.",
    "impact_fr": "L'état civil en ligne et les guichets ne peuvent plus délivrer d'actes.",
    "action": "1. `dbwatch check pg-etatcivil`\n2. `systemctl status postgresql`\n3. Read the server's log.",
    "action_fr": "1. `dbwatch check pg-etatcivil`\n2. `systemctl status postgresql`\n3. Lire le journal du serveur.",
    "runbook_url": "docs/runbooks/InstanceDown.md",
}


def alert(
    state: AlertState = AlertState.FIRING, *, annotations: Iterable[tuple[str, str]] = (), **labels: str
) -> Alert:
    """One that began two minutes before NOW."""
    fired_at = None if state is AlertState.PENDING else NOW
    resolved_at = NOW + 252 if state is AlertState.RESOLVED else None
    return Alert(
        pairs({**LABELS, **labels}),
        pairs({**ANNOTATIONS, **dict(annotations)}),
        state,
        0.0,
        NOW - 120,
        NOW,
        fired_at,
        resolved_at,
    )


def letter(*alerts: Alert, sequence: int = 0, change: Change = Change.FIRING, thread: str = "thread-1") -> Letter:
    shown = alerts or (alert(),)
    return Letter(
        LetterKind.ALERT,
        thread,
        sequence,
        ("astreinte@marseille.example",),
        "fr",
        NOW + 5,
        tuple(Item(each, change) for each in shown),
        pairs({"service": "etat-civil", "category": "availability"}),
    )


def outgoing(one: Letter | None = None, *, thread: str = "", sequence: int | None = None) -> Outgoing:
    """A letter with words that nobody has to read."""
    chosen = one or letter()
    chosen = replace(chosen, thread=thread or chosen.thread, sequence=chosen.sequence if sequence is None else sequence)
    message_id = f"<{chosen.thread}.{chosen.sequence}@db.example>"
    head = f"Message-ID: {message_id}\r\nFrom: dbwatch@marseille.example\r\nSubject: {chosen.thread}\r\n"
    return Outgoing(chosen, message_id, f"{head}\r\n{chosen.sequence}\r\n".encode())
