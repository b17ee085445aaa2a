"""promtool's own test files, read so that our evaluator can be given the same input."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

from dbwatch.core import durations, strict_yaml
from dbwatch.core.promql import Sample, Selector, Window, parse

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from dbwatch.core.promql import Matcher, RangeSelector

NUMBER = r"[-+]?(?:[0-9.]+(?:e[-+]?[0-9]+)?|inf|nan)"
RUN = re.compile(
    rf"(?P<start>{NUMBER})(?:(?P<sign>[-+])(?P<step>[0-9.]+(?:e[-+]?[0-9]+)?))?x(?P<times>[0-9]+)", re.IGNORECASE
)
LOOKBACK_SECONDS = 300.0
STALE = None


@dataclass(frozen=True)
class Series:
    """One input series; a value of None is a stale marker."""

    name: str
    labels: Mapping[str, str]
    times: Sequence[float]
    values: Sequence[float | None]

    def at(self, now: float, *, is_closed: bool) -> float | None:
        """The value that a query sees: the last one, unless it is stale or too old."""
        last = bisect_right(self.times, now) - 1
        if last < 0:
            return None
        age = now - self.times[last]
        return self.values[last] if age < LOOKBACK_SECONDS or (is_closed and age == LOOKBACK_SECONDS) else None

    def points(self, start: float, now: float, *, is_closed: bool) -> list[tuple[float, float]]:
        first = bisect_left(self.times, start) if is_closed else bisect_right(self.times, start)
        pairs = zip(self.times[first:], self.values[first:], strict=True)
        return [(time, value) for time, value in pairs if value is not None and time <= now]

    def window(self, start: float, now: float, *, is_closed: bool) -> Window:
        points = self.points(start, now, is_closed=is_closed)
        return Window(self.labels, [time for time, _ in points], [value for _, value in points])


@dataclass
class SeriesSource:
    """Input series as a source of values. `is_closed`: a range has its left end too, as before Prometheus 3."""

    series: Iterable[Series]
    is_closed: bool = True
    now: float = 0.0
    _by_name: dict[str, list[Series]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        for each in self.series:
            self._by_name.setdefault(each.name, []).append(each)

    def instant(self, name: str, matchers: Sequence[Matcher]) -> list[Sample]:
        found = ((each.labels, each.at(self.now, is_closed=self.is_closed)) for each in self._chosen(name, matchers))
        return [Sample(labels, value) for labels, value in found if value is not None]

    def window(self, selector: RangeSelector, now: float) -> list[Window]:
        start = now - selector.seconds
        chosen = self._chosen(selector.selector.name, selector.selector.matchers)
        windows = [each.window(start, now, is_closed=self.is_closed) for each in chosen]
        return [each for each in windows if each.times]

    def _chosen(self, name: str, matchers: Sequence[Matcher]) -> list[Series]:
        series = self._by_name.get(name, [])
        return [each for each in series if all(matcher.matches(each.labels) for matcher in matchers)]


@dataclass(frozen=True)
class AlertTest:
    """Which alerts of one name fire at one moment."""

    seconds: float
    name: str
    expected: tuple[tuple[tuple[tuple[str, str], ...], tuple[tuple[str, str], ...]], ...]  # (labels, annotations)


@dataclass(frozen=True)
class Case:
    """One entry of `tests:`."""

    name: str
    series: tuple[Series, ...]
    alert_tests: tuple[AlertTest, ...]


@dataclass(frozen=True)
class File:
    """A whole test file."""

    path: Path
    rule_files: tuple[Path, ...]
    step_seconds: float
    cases: tuple[Case, ...]


@cache
def read(path: Path) -> File:
    document = strict_yaml.load(path.read_text(encoding="utf-8"))
    assert isinstance(document, dict)
    step = _seconds(document.get("evaluation_interval", "1m"))
    rule_files = tuple((path.parent / each).resolve() for each in document["rule_files"])
    return File(path, rule_files, step, tuple(_case(each, step) for each in document["tests"]))


def _case(entry: Mapping[str, object], step: float) -> Case:
    interval = _seconds(entry.get("interval") or step)
    inputs, tests = entry.get("input_series") or [], entry.get("alert_rule_test") or []
    assert isinstance(inputs, list)
    assert isinstance(tests, list)
    series = tuple(series_of(each["series"], str(each["values"]), interval) for each in inputs)
    return Case(str(entry.get("name", "")), series, tuple(map(_alert_test, tests)))


def _alert_test(entry: Mapping[str, object]) -> AlertTest:
    name, alerts = str(entry["alertname"]), entry.get("exp_alerts") or []
    assert isinstance(alerts, list)
    expected = [
        (pairs((each.get("exp_labels") or {}) | {"alertname": name}), pairs(each.get("exp_annotations") or {}))
        for each in alerts
    ]
    return AlertTest(_seconds(entry["eval_time"]), name, tuple(sorted(expected)))


def pairs(mapping: Mapping[str, object]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((name, str(value)) for name, value in mapping.items()))


def _seconds(value: object) -> float:
    found = durations.seconds(value)
    assert isinstance(found, int | float)
    return float(found)


def series_of(selector: str, values: str, interval: float) -> Series:
    """`name{label="value"}` and promtool's notation of values."""
    parsed = parse(selector, selector)
    assert isinstance(parsed, Selector)
    labels = {matcher.label: matcher.value for matcher in parsed.matchers if matcher.value}
    steps = list(expanded(values))
    there = [(number * interval, value) for number, value in enumerate(steps) if value != "_"]
    return Series(
        parsed.name,
        labels,
        [time for time, _ in there],
        [STALE if value == "stale" else float(value) for _, value in there],
    )


def expanded(values: str) -> list[str | float]:
    """`1+2x3` is 1 3 5 7, `4x2` is 4 4 4, `_x2` is two gaps, `stale` ends a series."""
    return [value for word in values.split() for value in _expanded(word)]


def _expanded(word: str) -> list[str | float]:
    if word.startswith("_"):
        return ["_"] * int(word[2:] or 1)
    if word == "stale":
        return ["stale"]
    if run := RUN.fullmatch(word):
        step = float(f"{run['sign'] or '+'}{run['step'] or 0}")
        return [float(run["start"]) + step * number for number in range(int(run["times"]) + 1)]
    return [float(word)]
