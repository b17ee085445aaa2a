"""Crontab's five fields, read strictly, and as APScheduler understands them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from apscheduler.triggers.cron import CronTrigger
from hypothesis import given, settings
from hypothesis import strategies as st

from dbwatch.core import cron


def test_a_schedule_is_read() -> None:
    read = cron.parse("*/15 1-3,22 * jan,Jul mon-fri")

    assert {0, 15, 30, 45} == read.minutes
    assert {1, 2, 3, 22} == read.hours
    assert {1, 7} == read.months
    assert {1, 2, 3, 4, 5} == read.weekdays


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("0", {"sun"}),
        ("7", {"sun"}),
        ("1", {"mon"}),
        ("5-7", {"fri", "sat", "sun"}),
        ("sun-tue", {"sun", "mon", "tue"}),
    ],
)
def test_days_of_the_week_are_crontabs_and_not_apschedulers(text: str, days: set[str]) -> None:
    assert days == set(cron.parse(f"0 1 * * {text}").fields["day_of_week"].split(","))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("30 1 * *", "write five fields"),
        ("@daily", "write five fields"),
        ("60 1 * * *", "the minute is none of 0 to 59"),
        ("0 24 * * *", "the hour is none of 0 to 23"),
        ("0 1 0 * *", "the day of the month"),
        ("0 1 * * 8", "the day of the week"),
        ("0 1 * foo *", "the month"),
        ("0 1 * * mon-", "the day of the week is no number, range, list or step"),
        ("*/0 1 * * *", "the minute"),
        ("*-3 1 * * *", "the minute"),
        ("50-10 1 * * *", "the minute ends before it begins"),
        ("0 1 1 * mon", "a day of the month and a day of the week"),
        ("0 1 31 2,4 *", "never rings"),
        ("0 1 * * ,", "the day of the week"),
    ],
)
def test_what_is_no_schedule_is_told_in_words(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=re.escape(why)):
        cron.parse(text)


def _field(lowest: int, highest: int) -> st.SearchStrategy[str]:
    number = st.integers(lowest, highest)
    spans = st.tuples(number, number).map(lambda pair: f"{min(pair)}-{max(pair)}")
    steps = st.integers(1, 9).map(lambda step: f"*/{step}")  # it refuses a step that is wider than its range
    return st.just("*") | st.lists(number.map(str) | spans | steps, min_size=1, max_size=3).map(",".join)


@settings(max_examples=60, deadline=None)
@given(_field(0, 59), _field(0, 23), _field(1, 28), st.integers(0, 40_000_000))
def test_apscheduler_reads_the_same_times(minute: str, hour: str, day: str, start_minutes: int) -> None:
    text = f"{minute} {hour} {day} * *"
    now = datetime(1999, 12, 31, tzinfo=UTC) + timedelta(minutes=start_minutes)
    read = cron.parse(text)

    theirs = CronTrigger.from_crontab(text, timezone=UTC).get_next_fire_time(None, now)

    assert theirs == CronTrigger(**read.fields, timezone=UTC).get_next_fire_time(None, now)
    assert (theirs.minute in read.minutes, theirs.hour in read.hours, theirs.day in read.days) == (True, True, True)
