from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dbwatch.core import durations, schedule


def test_everything_is_due_at_the_start() -> None:
    plans = [schedule.first(name, 10.0, now=100.0, spread=name) for name in ("a", "b")]

    assert plans != schedule.due(plans, 80.0)
    assert {"a", "b"} == {plan.name for plan in schedule.due(plans, 100.0)}


def test_the_next_turn_lies_ahead_and_on_the_grid() -> None:
    plan = schedule.Plan("a", 10.0, due_at=100.0)

    assert schedule.after(plan, 100.5, 0.1).due_at == 110.0
    assert schedule.after(plan, 137.0, 0.1).due_at == 140.0


@given(st.floats(0.5, 3600), st.floats(0, 1e6), st.floats(0, 1e4))
def test_a_turn_is_never_in_the_past(interval: float, due_at: float, late: float) -> None:
    plan = schedule.Plan("a", interval, due_at)
    now = due_at + late

    assert schedule.after(plan, now, 0.0).due_at > now - 1e-6


def test_what_costs_over_a_twentieth_of_its_interval_is_stretched_and_shrinks_back() -> None:
    plan = schedule.after(schedule.Plan("a", 10.0, 0.0), 0.0, 1.2)
    assert plan.interval_seconds == 30.0

    for _ in range(10):
        plan = schedule.after(plan, plan.due_at, 0.01)
    assert plan.interval_seconds == 10.0


def test_what_costs_little_is_not_stretched() -> None:
    assert schedule.after(schedule.Plan("a", 10.0, 0.0), 0.0, 0.5).interval_seconds == 10.0


def test_two_hundred_instances_do_not_poll_in_step() -> None:
    phases = {round(schedule.phase(f"pg{number}/fast", 15.0)) for number in range(200)}

    assert len(phases) >= 15


@given(st.integers(1, 1000), st.floats(0, 1))
def test_backoff_is_jittered_and_bounded(attempt: int, jitter: float) -> None:
    assert 0.5 <= schedule.backoff(attempt, jitter) <= schedule.BACKOFF_MAX_SECONDS


def test_durations_read_as_people_write_them() -> None:
    assert [0.5, 15.0, 5400.0, 90.0] == [durations.seconds(text) for text in ("500ms", "15s", "1h30m", "1m 30s")]
    assert ["250ms", "4.2s", "4m 12s", "1d 2h"] == [durations.text(value) for value in (0.25, 4.2, 252, 93600)]


def test_what_comes_seldom_falls_on_what_comes_each_minute() -> None:
    for instance in ("a/slow", "b/slow", "hotel-de-ville/slow"):
        minute, seldom = (schedule.first("any", base, 1000.0, instance) for base in (60.0, 900.0))

        apart = (minute.due_at - seldom.due_at) / 60.0
        assert abs(apart - round(apart)) < 1e-9
        assert 1000.0 - 450.0 <= seldom.due_at <= 1000.0
