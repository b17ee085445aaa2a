"""Pending, firing, resolved: as Prometheus does it, and what a daemon that restarts needs beyond it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from dbwatch.core.alerting.model import Alert, AlertState
from dbwatch.core.alerting.states import advance, removed, restored, shifted
from dbwatch.errors import EvaluationError

if TYPE_CHECKING:
    from collections.abc import Mapping

PG1 = {"db_instance": "pg1", "env": ""}


@dataclass(frozen=True)
class Rule:
    name: str = "TooMany"
    for_seconds: float = 0.0
    keep_firing_for_seconds: float = 0.0
    labels: Mapping[str, str] = field(default_factory=lambda: {"severity": "warning", "where": "{db_instance}"})
    annotations: Mapping[str, str] = field(default_factory=lambda: {"summary": "{db_instance}: {value}"})


def expand(template: str, labels: Mapping[str, str], value: float) -> str:
    return template.format(**labels, value=value)


def step(rule: Rule, known: Mapping[str, Alert], value: float | None, now: float, **judges: bool) -> dict[str, Alert]:
    return advance(
        rule,
        known,
        [] if value is None else [(PG1, value)],
        now,
        expand=expand,
        can_judge=lambda _: judges.get("can_judge", True),
        can_measure=lambda _: judges.get("can_measure", True),
    )


def run(rule: Rule, *steps: tuple[float, float | None]) -> list[str]:
    """The states after each step of (time, value)."""
    known: dict[str, Alert] = {}
    states = []
    for now, value in steps:
        known = step(rule, known, value, now)
        states.append(" ".join(alert.state for alert in known.values()))
    return states


def only(alerts: Mapping[str, Alert]) -> Alert:
    (alert,) = alerts.values()
    return alert


def test_without_for_it_fires_at_once_and_with_it_when_the_time_has_passed() -> None:
    assert ["firing"] == run(Rule(), (0, 1))
    assert ["pending", "pending", "firing"] == run(Rule(for_seconds=30), (0, 1), (15, 1), (30, 1))


def test_a_pending_alert_vanishes_and_a_firing_one_resolves() -> None:
    assert ["pending", ""] == run(Rule(for_seconds=30), (0, 1), (15, None))
    assert ["firing", "resolved", "resolved"] == run(Rule(), (0, 1), (15, None), (30, None))


def test_a_pending_alert_starts_anew_after_a_false_step() -> None:
    steps = [(0, 1), (15, None), (30, 1), (45, 1), (60, 1)]

    assert ["pending", "", "pending", "pending", "firing"] == run(Rule(for_seconds=30), *steps)


def test_it_is_kept_firing_from_the_first_false_step_and_a_true_one_starts_that_anew() -> None:
    rule = Rule(keep_firing_for_seconds=30)

    assert ["firing"] * 3 + ["resolved"] == run(rule, (0, 1), (15, None), (30, None), (45, None))
    assert ["firing"] * 5 + ["resolved"] == run(rule, (0, 1), (15, None), (30, 1), (45, None), (60, None), (75, None))


def test_labels_are_those_of_the_result_and_of_the_rule_without_empty_ones() -> None:
    alert = only(step(Rule(), {}, 3.0, 10.0))

    assert {"alertname": "TooMany", "db_instance": "pg1", "severity": "warning", "where": "pg1"} == dict(alert.labels)
    assert (3.0, 10.0, 10.0) == (alert.value, alert.active_at, alert.fired_at)


def test_annotations_follow_the_value_and_stay_while_it_is_kept_firing() -> None:
    rule = Rule(keep_firing_for_seconds=60)
    first = step(rule, {}, 3.0, 0.0)
    second = step(rule, first, 4.0, 15.0)
    third = step(rule, second, None, 30.0)

    assert ["pg1: 3.0", "pg1: 4.0", "pg1: 4.0"] == [only(each).annotation("summary") for each in (first, second, third)]
    assert [0.0, 15.0, 15.0] == [only(each).last_true_at for each in (first, second, third)]


def test_two_results_with_the_same_labels_are_refused() -> None:
    rule = Rule(labels={"db_instance": "all"})
    with pytest.raises(EvaluationError, match="TooMany: two results"):
        advance(rule, {}, [({"db_instance": "a"}, 1), ({"db_instance": "b"}, 1)], 0.0, expand=expand)


def test_what_cannot_be_judged_stays_as_it_is_and_its_waiting_does_not_count() -> None:
    rule = Rule(for_seconds=60)
    pending = step(rule, step(rule, {}, 1, 0.0), 1, 30.0)
    held = step(rule, pending, None, 1000.0, can_judge=False)
    still = step(rule, held, 1, 1015.0)
    assert AlertState.PENDING is only(still).state
    assert AlertState.FIRING is only(step(rule, still, 1, 1030.0)).state

    firing = step(Rule(), {}, 1, 0.0)
    assert firing == step(Rule(), firing, None, 1000.0, can_judge=False)


def test_an_end_without_values_is_told_from_a_measured_one() -> None:
    firing = step(Rule(), {}, 1, 0.0)

    assert only(step(Rule(), firing, None, 15.0)).is_measured
    assert not only(step(Rule(), firing, None, 15.0, can_measure=False)).is_measured


def test_the_time_between_two_lives_of_the_daemon_does_not_count() -> None:
    rule = Rule(for_seconds=60, keep_firing_for_seconds=60)
    pending = restored(step(rule, step(rule, {}, 1, 0.0), 1, 30.0), 30.0, 5000.0)
    assert 30.0 == 5000.0 - only(pending).active_at
    assert AlertState.PENDING is only(step(rule, pending, 1, 5015.0)).state
    assert AlertState.FIRING is only(step(rule, pending, 1, 5030.0)).state

    firing = step(Rule(), {}, 1, 0.0)
    kept = step(rule, firing, None, 15.0)
    assert AlertState.FIRING is only(step(rule, restored(kept, 15.0, 5000.0), None, 5015.0)).state
    assert AlertState.RESOLVED is only(step(rule, restored(kept, 15.0, 5000.0), None, 5060.0)).state


def test_a_restart_after_the_clock_was_set_back_keeps_what_has_passed() -> None:
    rule = Rule(for_seconds=60)
    pending = restored(step(rule, step(rule, {}, 1, 9000.0), 1, 9030.0), 9030.0, 500.0)

    assert 470.0 == only(pending).active_at


def test_a_clock_that_jumps_changes_no_duration() -> None:
    rule = Rule(for_seconds=60)
    pending = shifted(step(rule, {}, 1, 0.0), 3600.0)

    assert AlertState.PENDING is only(step(rule, pending, 1, 3615.0)).state
    assert AlertState.FIRING is only(step(rule, pending, 1, 3660.0)).state


def test_a_clock_that_was_set_back_unnoticed_makes_nobody_wait_longer_than_for() -> None:
    rule = Rule(for_seconds=60)
    pending = step(rule, step(rule, {}, 1, 9000.0), 1, 100.0)

    assert AlertState.FIRING is only(step(rule, pending, 1, 160.0)).state


def test_a_resolved_alert_that_waits_to_fire_again_keeps_its_former_end() -> None:
    rule = Rule(for_seconds=30)
    ended = step(rule, step(Rule(), {}, 1, 0.0), None, 15.0)
    pending = step(rule, ended, 1, 30.0)
    assert (AlertState.PENDING, 0.0, 15.0) == (only(pending).state, only(pending).fired_at, only(pending).resolved_at)
    rested = only(step(rule, pending, None, 45.0))
    assert (AlertState.RESOLVED, 0.0, 15.0) == (rested.state, rested.fired_at, rested.resolved_at)

    again = only(step(rule, pending, 1, 60.0))
    assert (AlertState.FIRING, 60.0, None) == (again.state, again.fired_at, again.resolved_at)


def test_alerts_of_a_rule_that_was_removed_end_unmeasured_and_pending_ones_vanish() -> None:
    assert {} == removed(step(Rule(for_seconds=60), {}, 1, 0.0), 10.0)
    ended = only(removed(step(Rule(), {}, 1, 0.0), 10.0))
    assert (AlertState.RESOLVED, 10.0, False) == (ended.state, ended.resolved_at, ended.is_measured)
