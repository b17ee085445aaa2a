"""The sticky top-N: few series, the same ones for hours, and totals that stay exact. Pure: time is an argument.

A LIMIT in the query brings other items at each poll, so that the number of series ever seen grows without bound.
Here an item once admitted stays until it is absent; places are given anew at most once an hour (and once five minutes
after the start, where growth decides); all others add up in `_other`. For counters `_other` is a counter of our own:
the sum of non-negative steps of the items outside, so its rate is exact and does not jump when an item is admitted,
evicted or reset.
"""

from __future__ import annotations

import heapq
from operator import sub
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    Key = tuple[str, ...]

OTHER = "_other"
REVIEW_SECONDS = 3600.0
FIRST_REVIEW_SECONDS = 300.0  # the first choice, by totals since whenever, is soon made again by what grows now
ABSENT_POLLS = 3


class Sticky:
    """Which items have a place."""

    def __init__(self, limit: int, *, growth: bool = False) -> None:
        self.limit = limit
        self._growth = growth
        self._absent: dict[Key, int] = {}  # the admitted items, and how many polls in a row each was missing
        self._at_review: dict[Key, float] = {}
        self._reviewed_at: float | None = None
        self._review_seconds = REVIEW_SECONDS

    @property
    def admitted(self) -> frozenset[Key]:
        return frozenset(self._absent)

    def update(self, keys: Sequence[Key], weights: Sequence[float], now: float) -> frozenset[Key]:
        """The items that have a place after this poll."""
        present = dict(zip(keys, weights, strict=True))
        if self._reviewed_at is None or now - self._reviewed_at >= self._review_seconds:
            is_first = self._reviewed_at is None
            self._review(present, now)
            self._review_seconds = FIRST_REVIEW_SECONDS if is_first and self._growth else REVIEW_SECONDS
        self._expel(present)
        self._fill(present)
        return self.admitted

    def _rank(self, present: dict[Key, float]) -> dict[Key, float]:
        """By value, or by what the value grew since the last review; a reset counts from zero."""
        if not self._growth or not self._at_review:
            return present
        before = self._at_review
        return {
            key: weight - before.get(key, 0.0) if weight >= before.get(key, 0.0) else weight
            for key, weight in present.items()
        }

    def _review(self, present: dict[Key, float], now: float) -> None:
        rank = self._rank(present)
        best = heapq.nlargest(self.limit, rank, key=lambda key: (rank[key], key))
        self._absent = dict.fromkeys(best, 0)
        self._at_review = present if self._growth else {}
        self._reviewed_at = now

    def _expel(self, present: dict[Key, float]) -> None:
        missing = {key: polls + 1 for key, polls in self._absent.items() if key not in present}
        kept = {key: missing.get(key, 0) for key in self._absent}
        self._absent = {key: polls for key, polls in kept.items() if polls < ABSENT_POLLS}

    def _fill(self, present: dict[Key, float]) -> None:
        free = self.limit - len(self._absent)
        outside = present.keys() - self._absent.keys()
        if free > 0 and outside:
            rank = self._rank(present)
            best = heapq.nlargest(free, outside, key=lambda key: (rank[key], key))
            self._absent.update(dict.fromkeys(best, 0))


class Remainder:
    """The `_other` counter of one counter column."""

    def __init__(self) -> None:
        self.total = 0.0
        self._keys: Sequence[Key] = ()
        self._values: Sequence[float] = ()

    def rebase(self) -> None:
        """What is said next is said by another server: its values are no steps from those of before."""
        self._keys, self._values = (), ()

    def told(
        self, keys: Sequence[Key], values: Sequence[float | None], outside: Sequence[int]
    ) -> tuple[Sequence[Key], Sequence[float], Sequence[int]]:
        """Without NULLs. What an item said last holds: its step is counted once it is told again, and is no spike."""
        known = [value for value in values if value is not None]
        if len(known) == len(values):
            return keys, known, outside
        before = dict(zip(self._keys, self._values, strict=True))
        filled = [before.get(key) if value is None else value for key, value in zip(keys, values, strict=True)]
        kept = {at: value for at, value in enumerate(filled) if value is not None}
        position = {at: number for number, at in enumerate(kept)}
        return [keys[at] for at in kept], list(kept.values()), [position[at] for at in outside if at in position]

    def update(self, keys: Sequence[Key], values: Sequence[float], outside: Sequence[int]) -> float:
        """Add what the items at the positions `outside` grew since the last poll; return the running total."""
        if keys == self._keys:
            steps = list(map(sub, values, self._values))
            grown = sum(steps[position] if steps[position] >= 0 else values[position] for position in outside)
        else:
            before = dict(zip(self._keys, self._values, strict=True))
            grown = sum(_step(before.get(keys[position]), values[position]) for position in outside)
        self.total += grown
        self._keys, self._values = keys, values
        return self.total


def _step(before: float | None, now: float) -> float:
    """An item first seen has no baseline and adds nothing: it may be an old acquaintance with a long past."""
    if before is None:
        return 0.0
    return now - before if now >= before else now
