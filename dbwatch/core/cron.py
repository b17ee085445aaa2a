"""Schedules as crontab has them: five fields, read strictly. When they ring is the scheduler's to know. Pure.

0 and 7 are Sunday. A day of the month together with a day of the week is refused: cron itself rings on either, other
programs on both, and a backup must not depend on who reads it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
LONGEST_MONTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
PART = re.compile(r"(?P<first>\*|\w+)(?:-(?P<last>\w+))?(?:/(?P<step>\d+))?")
HOURS = 24


@dataclass(frozen=True, slots=True)
class Field:
    """One of the five: its name, its bounds, and the names that stand for numbers."""

    name: str
    lowest: int
    highest: int
    names: tuple[str, ...] = ()

    def number(self, word: str) -> int:
        """Raise ValueError."""
        lowered = word.lower()
        if lowered in self.names:
            return self.names.index(lowered) + self.lowest
        if not word.isdecimal() or not self.lowest <= int(word) <= self.highest:
            raise ValueError(f"the {self.name} is none of {self.lowest} to {self.highest}")
        return int(word)

    def numbers(self, text: str) -> frozenset[int]:
        """Raise ValueError."""
        return frozenset(number for part in text.split(",") for number in self._part(part))

    def _part(self, text: str) -> range:
        found = PART.fullmatch(text)
        if found is None:
            raise ValueError(f"the {self.name} is no number, range, list or step")
        first, last, step = found["first"], found["last"], int(found["step"] or 1)
        if not step or (first == "*" and last):
            raise ValueError(f"the {self.name} is no number, range, list or step")
        if first == "*":
            return range(self.lowest, self.highest + 1, step)
        start = self.number(first)
        end = self.number(last) if last else self.highest if found["step"] else start
        if end < start:
            raise ValueError(f"the {self.name} ends before it begins")
        return range(start, end + 1, step)


FIELDS = (
    Field("minute", 0, 59),
    Field("hour", 0, 23),
    Field("day of the month", 1, 31),
    Field("month", 1, 12, MONTHS),
    Field("day of the week", 0, 7, WEEKDAYS),
)


@dataclass(frozen=True, slots=True)
class Cron:
    """When it may ring, by the clock on the wall. `weekdays`: 0 is Sunday."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]

    @property
    def is_hourly(self) -> bool:
        """In every hour of the day: also in both of the hour that a change of the clocks doubles."""
        return len(self.hours) == HOURS

    @property
    def fields(self) -> dict[str, str]:
        """Each as a list without ranges, days of the week by name: read the same by everybody."""
        lists = {"minute": self.minutes, "hour": self.hours, "day": self.days, "month": self.months}
        texts = {name: ",".join(map(str, sorted(numbers))) for name, numbers in lists.items()}
        return texts | {"day_of_week": ",".join(WEEKDAYS[number] for number in sorted(self.weekdays))}


def parse(text: str) -> Cron:
    """Raise ValueError, in words for who wrote it."""
    words = text.split()
    if len(words) != len(FIELDS):
        raise ValueError("is no schedule: write five fields, as crontab has them: '30 1 * * *'")
    try:
        minutes, hours, days, months, weekdays = (
            field.numbers(word) for field, word in zip(FIELDS, words, strict=True)
        )
    except ValueError as error:
        raise ValueError(f"is no schedule: {error}") from None
    cron = Cron(minutes, hours, days, months, frozenset(number % len(WEEKDAYS) for number in weekdays))
    _refuse_unclear(cron, words)
    return cron


def _refuse_unclear(cron: Cron, words: list[str]) -> None:
    if not (words[2].startswith("*") or words[4].startswith("*")):
        raise ValueError("names a day of the month and a day of the week: write one, and * for the other")
    if all(min(cron.days) > LONGEST_MONTHS[month - 1] for month in cron.months):
        raise ValueError("never rings: no such month has that day")
