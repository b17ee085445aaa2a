"""What Alertmanager is told: firing alerts with an end ahead, resolved ones for a while, nothing of pending ones."""

from __future__ import annotations

from dataclasses import replace

from dbwatch.alertmanager.payload import BATCH, RESOLVED_SECONDS, batches, rfc3339
from dbwatch.core.alerting.model import Alert, AlertState, pairs

NOW = 1_800_000_000.0


def alert(name: str = "InstanceDown", state: AlertState = AlertState.FIRING, **labels: str) -> Alert:
    is_resolved = state is AlertState.RESOLVED
    return Alert(
        labels=pairs({"alertname": name, "db_instance": "pg1", **labels}),
        annotations=pairs({"summary": "pg1: down", "runbook_url": f"docs/runbooks/{name}.md"}),
        state=state,
        value=0.0,
        active_at=NOW - 300,
        last_true_at=NOW,
        fired_at=None if state is AlertState.PENDING else NOW - 240,
        resolved_at=NOW - 10 if is_resolved else None,
    )


def test_a_firing_alert_ends_four_intervals_ahead_and_began_when_it_fired() -> None:
    ((told,),) = batches([alert()], NOW, 60.0, "https://dbwatch.example.org")
    assert {
        "labels": {"alertname": "InstanceDown", "db_instance": "pg1"},
        "annotations": {"summary": "pg1: down", "runbook_url": "docs/runbooks/InstanceDown.md"},
        "startsAt": rfc3339(NOW - 240),
        "endsAt": rfc3339(NOW + 240),
        "generatorURL": "https://dbwatch.example.org/alerts",
    } == told


def test_without_an_address_of_the_page_there_is_no_link() -> None:
    ((told,),) = batches([alert()], NOW, 60.0)
    assert "generatorURL" not in told


def test_a_resolved_alert_is_told_with_its_end_and_again_for_a_while() -> None:
    resolved = alert(state=AlertState.RESOLVED)
    ((told,),) = batches([resolved], NOW, 60.0)
    assert rfc3339(NOW - 10) == told["endsAt"]
    assert [] != batches([resolved], NOW - 10 + RESOLVED_SECONDS - 1, 60.0)
    assert [] == batches([resolved], NOW - 10 + RESOLVED_SECONDS, 60.0)


def test_a_pending_alert_is_not_told() -> None:
    assert [] == batches([alert(state=AlertState.PENDING)], NOW, 60.0)


def test_a_label_without_a_value_is_left_out() -> None:
    ((told,),) = batches([alert(team="")], NOW, 60.0)
    assert {"alertname": "InstanceDown", "db_instance": "pg1"} == told["labels"]


def test_batches_are_bounded() -> None:
    many = [alert(f"A{number}") for number in range(BATCH * 2 + 1)]
    assert [BATCH, BATCH, 1] == [len(batch) for batch in batches(many, NOW, 60.0)]


def test_an_alert_never_ends_before_it_began() -> None:
    ((told,),) = batches([replace(alert(), fired_at=NOW + 7200)], NOW, 60.0)
    assert told["startsAt"] == told["endsAt"]


def test_times_are_rfc_3339_in_utc() -> None:
    assert "2027-01-15T08:00:00.000Z" == rfc3339(NOW)
