"""From the daemon's push through a real Alertmanager to a French mail, while another replica is down."""

from __future__ import annotations

import asyncio
import re
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from dbwatch import rule_library
from dbwatch.alertmanager.push import Pusher
from dbwatch.core.alerting.model import Alert, AlertState, pairs
from dbwatch.files import alerting_root
from dbwatch.settings.alerting import AlertmanagerPush
from tests.fix_mailbox import Mailbox, text_of
from tests.fix_prometheus import SUITES, alertmanager

if TYPE_CHECKING:
    from email.message import EmailMessage

PATIENCE_SECONDS = 60.0
# An alert that is older than this when it comes is told at once by Alertmanager, in a race with what inhibits it.
GROUP_WAIT_SECONDS = 5
LABELS = {"db_instance": "pg-etatcivil", "engine": "postgres", "env": "prod", "service": "etat-civil", "team": "dba"}


def alert(name: str) -> Alert:
    """A rule that ships, firing."""
    (rule,) = (rule for rule in rule_library.load() if rule.name == name)
    labels = {**LABELS, "alertname": name, **{key: each.expand(LABELS, 0) for key, each in rule.labels.items()}}
    annotations = {key: each.expand(labels, 0) for key, each in rule.annotations.items()}
    now = time.time()
    return Alert(pairs(labels), pairs(annotations), AlertState.FIRING, 0.0, now - 60, now, now)


def ended(alert: Alert) -> Alert:
    return replace(alert, state=AlertState.RESOLVED, resolved_at=time.time())


def configuration(mailbox: Mailbox) -> str:
    """Ours, with the mail server of the test and with little of its patience."""
    text = (alerting_root() / "alertmanager.yml").read_text(encoding="utf-8")
    text = text.replace("smtp.example.org:587", f"127.0.0.1:{mailbox.port}")
    text = text.replace("smtp_require_tls: true", "smtp_require_tls: false")
    text = text.replace("- templates/", f"- {alerting_root()}/templates/")
    text = re.sub(r"group_wait: \S+", f"group_wait: {GROUP_WAIT_SECONDS}s", text)
    return re.sub(r"group_interval: \S+", "group_interval: 1s", text)


@pytest.mark.parametrize("suite", SUITES)
async def test_what_the_daemon_pushes_becomes_a_french_mail_and_its_end_another(suite: str, mailbox: Mailbox) -> None:
    with alertmanager(suite, configuration(mailbox)) as url:
        down, exhausted = alert("InstanceDown"), alert("ConnectionsExhausted")
        settings = AlertmanagerPush(urls=("http://127.0.0.1:1", url), interval=1.0)
        push = Pusher(settings, now=time.time, page_url="http://dbwatch.example.org:10432")
        async with asyncio.TaskGroup() as group:
            task = group.create_task(push.run(), name="push")
            push.tell([down, exhausted])
            began = await asyncio.to_thread(_mail, mailbox, "CRITIQUE")
            push.tell([ended(down), ended(exhausted)])
            over = await asyncio.to_thread(_mail, mailbox, "RÉSOLU")
            task.cancel()
    assert "[dbwatch] CRITIQUE pg-etatcivil : base injoignable (prod)" == began["Subject"]
    assert "[dbwatch] RÉSOLU pg-etatcivil : base injoignable (prod)" == over["Subject"]
    assert ("auto-generated", "<dbwatch.example.org>") == (began["Auto-Submitted"], began["List-Id"])
    _is_complete(began)
    assert not any("ConnectionsExhausted" in text_of(mail) for mail in mailbox.mails)  # what is down inhibits the rest
    gone, reached = push.figures
    assert (True, None) == (gone.failures_total > 0, gone.last_success_at)
    assert reached.last_success_at


def _mail(mailbox: Mailbox, word: str) -> EmailMessage:
    return mailbox.wait_for(lambda mail: f"] {word} " in str(mail["Subject"]), PATIENCE_SECONDS)


def _is_complete(mail: EmailMessage) -> None:
    text = text_of(mail)
    html = mail.get_body(("html",))
    assert html is not None
    for part in (text, str(html.get_content())):
        assert "pg-etatcivil" in part
        assert "Que faire" in part
        assert "docs/runbooks/InstanceDown.md" in part
    assert "<img" not in str(html.get_content())
