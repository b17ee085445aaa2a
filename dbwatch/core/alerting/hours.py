"""Times of the day and of the week in a place's own time: quiet hours, the daily and the weekly letter.

Days on which clocks change have 23 or 25 hours; a letter leaves once on each all the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from dbwatch.core.alerting.model import Severity

EVERY_DAY = frozenset(range(7))


@dataclass(frozen=True, slots=True)
class QuietHours:
    """When these severities wait. An end that is not after the start is of the next day."""

    starts_at: time
    ends_at: time
    days: frozenset[int] = EVERY_DAY  # on which it starts: 0 is Monday
    timezone: tzinfo = UTC
    severities: frozenset[Severity] = frozenset({Severity.WARNING})

    def until(self, now: float) -> float | None:
        """When it ends, if it is quiet now."""
        today = local_date(now, self.timezone)
        spans = [self._span(day) for day in (today - timedelta(days=1), today) if day.weekday() in self.days]
        return max((end for start, end in spans if start <= now < end), default=None)

    def _span(self, day: date) -> tuple[float, float]:
        end_day = day + timedelta(days=1) if self.ends_at <= self.starts_at else day
        return moment(day, self.starts_at, self.timezone), moment(end_day, self.ends_at, self.timezone)


@dataclass(frozen=True, slots=True)
class Calendar:
    """A letter of each day, or of one day of the week."""

    at: time
    timezone: tzinfo = UTC
    weekday: int | None = None  # 0 is Monday; None: each day

    def due_on(self, now: float) -> date | None:
        """Today, if its hour has come and it has a letter."""
        today = local_date(now, self.timezone)
        return today if self._has(today) and now >= moment(today, self.at, self.timezone) else None

    def next_after(self, now: float) -> float:
        """The next time at which a letter gets due, whatever was sent."""
        today = local_date(now, self.timezone)
        days = (today + timedelta(days=ahead) for ahead in range(9))
        return min(at for day in days if self._has(day) and (at := moment(day, self.at, self.timezone)) > now)

    def _has(self, day: date) -> bool:
        return self.weekday is None or day.weekday() == self.weekday


def moment(day: date, at: time, timezone: tzinfo) -> float:
    """That time on that day; what the clock skips is taken as if it had not, what it shows twice is the first."""
    return datetime.combine(day, at, timezone).timestamp()


def local_date(now: float, timezone: tzinfo) -> date:
    return datetime.fromtimestamp(now, timezone).date()
