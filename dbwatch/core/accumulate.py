"""Counters of our own over rows that a server forgets: statements that it evicts, statistics that somebody resets.

Several raw rows may make one series (every person's account is `_other`). When one of them goes, their sum falls: to
Prometheus a reset, and a spike that never was. So we add up what each raw row grew by since the last poll. A row first
seen later was born since, and all of it counts; one that fell was reset, and what it has now counts.

Each step is given once, to the series that has a place (topn.Sticky) or else to `_other`. A series begins with what its
rows say, as the server's own numbers would; one that had a place before goes on from where it stood. Pure.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from dbwatch.core import columns
from dbwatch.core.model import Column
from dbwatch.core.topn import OTHER, Sticky
from dbwatch.errors import EngineError, Reason

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dbwatch.core.model import TopN
    from dbwatch.core.topn import Key

    Identity = tuple[object, ...]
    Row = tuple[object, ...]
    Labels = tuple[tuple[str, ...], ...]

RETAINED_PER_PLACE = 10  # how many of those that lost their place are remembered, so that they go on if they come back


class Running:
    """The running sums of one collector's columns; the last column is the weight that ranks the items.

    Of thousands of rows few change between two polls, and only those become numbers.
    """

    def __init__(self, top: TopN, metrics: tuple[Column, ...]) -> None:
        self.key = top.key
        self._columns = (*metrics, Column("", top.weight))
        self._sticky = Sticky(top.limit, growth=top.growth)
        self._remembered = top.limit * (1 + RETAINED_PER_PLACE)
        self._rest = (OTHER,) * len(top.key)  # what the server itself has already added up
        self._is_base = True
        self._rows: dict[Identity, Row] = {}
        self._raw: Sequence[Sequence[object]] = ()
        self._weights: dict[Key, float] = {}
        self._members: dict[Key, list[int]] = {}
        self._shown: dict[Key, list[float | None]] = {}
        self._others: list[float] = []
        self._given: list[bool] = []

    def rebase(self) -> None:
        """Another server may answer from now on: its numbers are a new beginning, not a step from these."""
        self._is_base = True

    def update(
        self, identities: Sequence[Identity], keys: Sequence[Key], raw: Sequence[Sequence[object]], now: float
    ) -> None:
        """Take in one result: which row each is, the series that it is part of, and its value in each column."""
        rows = list(zip(*raw, strict=True))
        current = dict(zip(identities, rows, strict=True))
        if len(current) < len(rows):
            raise EngineError(Reason.SHAPE, "two rows have the same identity (accumulate)")
        before = {} if self._is_base else self._rows
        changed = [at for at, row in enumerate(rows) if before.get(identities[at]) != row]
        old = [before.get(identities[at]) for at in changed]
        steps = self._steps([rows[at] for at in changed], old)
        known, stayed = self._weights.keys(), self._sticky.admitted
        self._weigh(keys, [(keys[at], step[-1] or 0) for at, step in zip(changed, steps, strict=True)], now)
        takers = set() if self._is_base else {key for key in self._members if key in stayed or key not in known}
        self._grow([(keys[at], step) for at, step in zip(changed, steps, strict=True)], takers, raw)
        for at, then in zip(changed, old, strict=True):
            current[identities[at]] = _filled(rows[at], then)
        self._rows, self._raw, self._is_base = current, raw, False

    def _steps(self, rows: list[Row], old: list[Row | None]) -> list[tuple[float | None, ...]]:
        """What each row grew by, column by column. A row that was not there before had nothing."""
        if not rows:
            return []
        nothing = (None,) * len(rows[0])
        pairs = zip(zip(*rows, strict=True), zip(*(row or nothing for row in old), strict=True), strict=True)
        steps = [
            [_step(*pair) for pair in zip(self._numbers(position, now), self._numbers(position, then), strict=True)]
            for position, (now, then) in enumerate(pairs)
        ]
        return list(zip(*steps, strict=True))

    def _weigh(self, keys: Sequence[Key], steps: list[tuple[Key, float]], now: float) -> None:
        """Rank the series by what they grew, and note the rows of those that have a place."""
        before = {} if self._is_base else self._weights
        self._weights = {key: before.get(key, 0) for key in keys}
        for key, step in steps:
            self._weights[key] += step
        self._weights.pop(self._rest, None)
        inside = self._sticky.update(list(self._weights), list(self._weights.values()), now)
        self._members = {key: [] for key in sorted(inside)}
        for position, key in enumerate(keys):
            if key in self._members:
                self._members[key].append(position)

    def _grow(
        self, steps: list[tuple[Key, tuple[float | None, ...]]], takers: set[Key], raw: Sequence[Sequence[object]]
    ) -> None:
        """Give each step to the series that has a place, or to `_other`; a new series holds its own already."""
        old = set(self._shown)
        for key, rows in self._members.items():
            # Shown last, it is forgotten last.
            self._shown[key] = self._shown.pop(key) if key in old else self._sums(rows, raw)
        self._others = self._others or [0] * len(raw)
        for key, step in [] if self._is_base else steps:
            if key not in takers:
                self._others = [total + (each or 0) for total, each in zip(self._others, step, strict=True)]
            elif key in old:
                self._shown[key] = [_added(*pair) for pair in zip(self._shown[key], step, strict=True)]
        if not self._given or len(raw[0]):
            self._given = [values.count(None) < len(values) for values in raw]
        for key in list(self._shown)[: max(0, len(self._shown) - self._remembered)]:
            del self._shown[key]

    def _sums(self, rows: list[int], raw: Sequence[Sequence[object]]) -> list[float | None]:
        """What the rows of a series say together, column by column."""
        numbers = (self._numbers(position, [values[row] for row in rows]) for position, values in enumerate(raw))
        known = ([value for value in column if value is not None] for column in numbers)
        return [sum(values) if values else None for values in known]

    def samples(self, position: int, *, is_counter: bool) -> tuple[Labels, list[float]]:
        """The labels and the values of a column: of each series that has a place, and of the rest of a counter."""
        column = self._columns[position]
        if not any(source in self.key for _, source in column.labels):
            return tuple((source[1:],) for _, source in column.labels), [self._total(position)]
        keys, values = list(self._members), self._sums_of(position) if is_counter else self._gauges(position)
        if is_counter and self._given[position]:
            keys, values = [*keys, self._rest], [*values, self._others[position]]
        given = [key for key, value in zip(keys, values, strict=True) if value is not None]
        at = {source: place for place, source in enumerate(self.key)}
        labels = (
            tuple(key[at[source]] if source in at else source[1:] for key in given) for _, source in column.labels
        )
        return tuple(labels), [value for value in values if value is not None]

    @property
    def sources(self) -> list[str]:
        """The columns of the result that are wanted, in the order of update()."""
        return [column.value for column in self._columns]

    def _numbers(self, position: int, values: Sequence[object]) -> Sequence[float | None]:
        return columns.numbers(values, self._columns[position])

    def _sums_of(self, position: int) -> list[float | None]:
        return [self._shown[key][position] if self._given[position] else None for key in self._members]

    def _gauges(self, position: int) -> list[float | None]:
        """What the one row of a series says. Those of several rows do not add up."""
        raw = self._raw[position]
        return list(self._numbers(position, [raw[at[0]] if len(at) == 1 else None for at in self._members.values()]))

    def _total(self, position: int) -> float:
        """A gauge without the labels of an item: added up over all rows."""
        counts = Counter(self._raw[position])
        values = self._numbers(position, list(counts))
        return sum((value or 0) * count for value, count in zip(values, counts.values(), strict=True))


def _step(now: float | None, then: float | None) -> float | None:
    """One that fell was reset: what it has now, it has since."""
    if now is None or then is None:
        return now
    return now - then if now >= then else now


def _added(total: float | None, step: float | None) -> float | None:
    return total if step is None else step + (total or 0)


def _filled(row: Row, then: Row | None) -> Row:
    """NULL tells nothing: as before."""
    if then is None or None not in row:
        return row
    return tuple(before if value is None else value for value, before in zip(row, then, strict=True))
