"""Daemons that alert quickly: rules of their own, waits of a second, and what their pages say of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from tests.fix_mailbox import READER
from tests.fix_process import eventually

if TYPE_CHECKING:
    from pathlib import Path

    from tests.fix_daemon import Daemon
    from tests.fix_mailbox import Mailbox

OTHERS = "dba@marseille.example"
EVALUATION_SECONDS = 0.5
QUICK = {
    "notify": "direct",
    "language": "en",
    "evaluation_interval": f"{EVALUATION_SECONDS}s",
    "first_critical_wait": "0.5s",
    "group_wait": "1s",
    "group_interval": "2s",
    "daily_digest": False,
    "weekly_test": False,
}
SHORT_DOWN = 'max without (job, instance) (dbwatch_up{db_instance=~"%s"} == 0)'


def rule(
    name: str, expression: str, severity: str = "critical", wait: str = "0s", **annotations: str
) -> dict[str, Any]:
    """One alert of a rule file."""
    return {
        "alert": name,
        "expr": expression,
        "for": wait,
        "labels": {"severity": severity, "category": "test"},
        "annotations": {
            "summary": "{{ $labels.db_instance }} does not answer",
            "runbook_url": "docs/runbooks/InstanceDown.md",
            **annotations,
        },
    }


def rules(directory: Path, *alerts: dict[str, Any]) -> str:
    """A directory with these rules, for `rules_dir`."""
    directory.mkdir(exist_ok=True)
    (directory / "own.yml").write_text(yaml.safe_dump({"groups": [{"name": "own", "rules": list(alerts)}]}))
    return str(directory)


def alerting(mailbox: Mailbox, rules_dir: str, **changes: object) -> dict[str, object]:
    """What a configuration needs to mail the test's own alerts; those that ship are true too, and go to others."""
    mailbox.reader = READER
    routes = [{"match": {"category": "test"}, "to": READER}]
    return {
        "alerting": {**QUICK, "rules_dir": rules_dir, **changes},
        "mail": {"from": "dbwatch@marseille.example", "to": OTHERS, "routes": routes, "relays": [mailbox.relay()]},
    }


def alerts_of(daemon: Daemon, name: str) -> list[dict[str, Any]]:
    """The active alerts of that name, as the API tells them."""
    found = yaml.safe_load(daemon.get("/api/v1/alerts").text)["alerts"]
    return [alert for alert in found if alert["name"] == name]


def wait_for_alert(daemon: Daemon, name: str, state: str = "firing", timeout_seconds: float = 60.0) -> dict[str, Any]:
    """The first alert of that name in that state."""
    return eventually(
        lambda: [alert for alert in alerts_of(daemon, name) if alert["state"] == state],
        timeout_seconds=timeout_seconds,
    )[0]
