"""What `increase` and `changes` look back upon: a bounded memory of the series that rules name in a range.

It is written once at each step, as Prometheus scrapes; a range is left-open, as in Prometheus 3. All series share the
times of the steps, and a value that stays is kept once, with the step at which it began: most counters stand still,
and a series then costs less than half a KiB however often one looks.
"""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from dbwatch.core.promql.syntax import Window

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    from dbwatch.core.promql.syntax import Matcher, RangeSelector, Sample, Selector

    Instant: TypeAlias = Callable[[str, Sequence[Matcher]], Sequence[Sample]]

MAX_SERIES = 60_000
MAX_POINTS = 500  # of one series: half an hour at a step of four seconds
PLACE = "db_instance"  # series are kept by it, so that a few instances can be looked at alone
ABSENT = math.nan
RUN = 2  # numbers of one run: the step at which it began, and its value
Key: TypeAlias = tuple[tuple[str, ...], tuple[str, ...]]  # names and values of the labels


@dataclass(slots=True)
class _Series:
    """Runs of equal values, one after the other; NaN where the series was away."""

    runs: array[float] = field(default_factory=lambda: array("d"))
    last: int = -1  # the last step that it was there

    def add(self, step: int, value: float) -> None:
        if self.runs and self.last < step - 1:
            self.runs.extend((self.last + 1, ABSENT))
        if not self.runs or self.runs[-1] != value:
            self.runs.extend((step, value))
        self.last = step

    def forget_until(self, step: int) -> None:
        """Runs that ended before that step go."""
        gone = 0
        while len(self.runs) > gone + RUN and self.runs[gone + RUN] <= step:
            gone += RUN
        if gone:
            del self.runs[:gone]

    def forget_from(self, step: int) -> None:
        """Runs that began at that step or later go."""
        while self.runs and self.runs[-RUN] >= step:
            del self.runs[-RUN:]
        self.last = min(self.last, step - 1)

    def between(self, first: int, end: int) -> Iterator[tuple[int, int, float]]:
        """The runs within these steps: from, to (not included), value."""
        starts, values = self.runs[::RUN], self.runs[1::RUN]
        for start, stop, value in zip(starts, [*starts[1:], self.last + 1], values, strict=True):
            low, high = max(int(start), first), min(int(stop), end)
            if low < high and not math.isnan(value):
                yield low, high, value


class Ring:
    """The last points of every series that these ranges select."""

    def __init__(
        self, ranges: Iterable[RangeSelector], max_series: int = MAX_SERIES, max_points: int = MAX_POINTS
    ) -> None:
        self._seconds: dict[Selector, float] = {}
        for each in ranges:
            self._seconds[each.selector] = max(each.seconds, self._seconds.get(each.selector, 0.0))
        self._kept: dict[Selector, dict[str, dict[Key, _Series]]] = {each: {} for each in self._seconds}
        self._names: dict[tuple[str, ...], tuple[str, ...]] = {}
        self._max_series, self._max_points = max_series, max_points
        self._times = array("d")  # of the steps that are remembered
        self._first = 0  # the number of the first of them
        self.series = 0
        self.dropped_series = 0  # those of the last step that there was no room for
        self.dropped_points = 0  # since the start, of series with more points than a range may have

    @property
    def selectors(self) -> tuple[Selector, ...]:
        """What it is fed with."""
        return tuple(self._seconds)

    def adopt(self, other: Ring) -> None:
        """Go on with what another has of the same selectors: a reload of the rules forgets nothing."""
        for selector in self._kept.keys() & other._kept.keys():
            self._kept[selector] = other._kept[selector]
        self._times, self._first = other._times, other._first
        self._names = other._names
        self._count()

    def record(self, now: float, instant: Instant) -> None:
        """Add the present values; forget what no range reaches any more."""
        self.begin(now)
        self.add(instant)
        self.end()

    def begin(self, now: float) -> None:
        """A new step; where the clock was set back, what is of the future goes, for it would never grow old."""
        if self._times and now <= self._times[-1]:
            self._forget_from(bisect_left(self._times, now - 0.001))
        self._times.append(now)
        self.dropped_series = 0

    def add(self, instant: Instant) -> None:
        """Values of this step; several times, where they come from several places."""
        step = self._first + len(self._times) - 1
        for selector, places in self._kept.items():
            for labels, value in instant(selector.name, selector.matchers):
                names = tuple(labels)
                key = (self._names.setdefault(names, names), tuple(labels.values()))
                kept = places.setdefault(labels.get(PLACE, ""), {})
                series = kept.get(key)
                if series is None:
                    if self.series >= self._max_series:
                        self.dropped_series += 1
                        continue
                    series = kept[key] = _Series()
                    self.series += 1
                series.add(step, value)

    def end(self) -> None:
        """The step is over."""
        excess = len(self._times) - self._max_points
        if excess > 0:
            self.dropped_points += excess * self.series
        now = self._times[-1]
        oldest = max(0, excess)
        for selector, places in self._kept.items():
            start = max(oldest, bisect_right(self._times, now - self._seconds[selector]))
            self._forget_until(places, self._first + start)
        longest = max(self._seconds.values(), default=0.0)
        self._forget_times(max(oldest, bisect_right(self._times, now - longest)))
        self._count()

    def window(self, selector: RangeSelector, now: float, places: Collection[str] | None = None) -> list[Window]:
        """Every series that has a point in (now - range, now], of all places or of these."""
        first = self._first + bisect_right(self._times, now - selector.seconds)
        end = self._first + bisect_right(self._times, now)
        kept = self._kept.get(selector.selector, {})
        chosen = kept if places is None else [place for place in places if place in kept]
        found = (self._window(key, series, first, end) for place in chosen for key, series in kept[place].items())
        return [window for window in found if window.times]

    def _window(self, key: Key, series: _Series, first: int, end: int) -> Window:
        labels = dict(zip(*key, strict=True))
        if len(series.runs) == RUN and not math.isnan(
            series.runs[1]
        ):  # nearly all: a value that never changed while it was there
            low, high = max(int(series.runs[0]), first), min(series.last + 1, end)
            times = self._times[low - self._first : max(low, high) - self._first]
            return Window(labels, times, array("d", (series.runs[1],)) * len(times))
        times, values = array("d"), array("d")
        for low, high, value in series.between(first, end):
            times.extend(self._times[low - self._first : high - self._first])
            values.extend(array("d", (value,)) * (high - low))
        return Window(labels, times, values)

    def _forget_until(self, places: dict[str, dict[Key, _Series]], step: int) -> None:
        for place, kept in list(places.items()):
            for key, series in list(kept.items()):
                if series.last < step:
                    del kept[key]
                else:
                    series.forget_until(step)
            if not kept:
                del places[place]

    def _forget_times(self, count: int) -> None:
        del self._times[:count]
        self._first += count

    def _forget_from(self, index: int) -> None:
        step = self._first + index
        del self._times[index:]
        for places in self._kept.values():
            for kept in places.values():
                for key, series in list(kept.items()):
                    series.forget_from(step)
                    if not series.runs:
                        del kept[key]
        self._count()

    def _count(self) -> None:
        self.series = sum(len(kept) for places in self._kept.values() for kept in places.values())
