"""increase and changes as Prometheus 3 computes them, over a memory that is bounded."""

from __future__ import annotations

import math
from array import array
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbwatch.core.promql import RangeSelector, Ring, Sample, Selector, Window
from dbwatch.core.promql.functions import changes, increase

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dbwatch.core.promql import Matcher

MINUTE = RangeSelector(Selector("a"), 60.0)


def regular(*values: float, first: float = 15.0) -> list[tuple[float, float]]:
    return [(first + 15 * number, value) for number, value in enumerate(values)]


@pytest.mark.parametrize(
    ("points", "grown"),
    [
        (regular(100, 101, 102, 103), 4.0),  # the range has a quarter more than what the points span
        (regular(0, 1, 2, 3), 3.0),  # but a counter was never below zero
        (regular(1, 1, 1, 1), 0.0),
        (regular(10, 12, 1, 2), 5.333333333333333),  # reset: 2 + 1 + 1; from 10 on
        ([(30.0, 100.0), (45.0, 103.0)], 3 * 37.5 / 15),  # it began after the range did: half an interval before
        ([(15.0, 100.0)], None),
        ([], None),
    ],
)
def test_an_increase_is_extrapolated_to_the_ends_of_the_range(
    points: list[tuple[float, float]], grown: float | None
) -> None:
    found = increase([time for time, _ in points], [value for _, value in points], 0.0, 60.0)

    assert found == (None if grown is None else pytest.approx(grown))


@given(st.lists(st.integers(0, 1000), min_size=2, max_size=30))
def test_a_counter_never_shrinks(steps: list[int]) -> None:
    times = [15.0 * number for number in range(1, len(steps) + 1)]

    grown = increase(times, steps, 0.0, times[-1])

    assert grown is not None
    assert grown >= 0


@pytest.mark.parametrize(
    ("values", "count"), [((1, 1, 1), 0), ((1, 2, 1), 2), ((5,), 0), ((math.nan, math.nan, 1, math.nan), 2)]
)
def test_changes_are_counted_from_point_to_point(values: Sequence[float], count: int) -> None:
    assert count == changes(values)


def test_no_point_has_no_changes() -> None:
    assert changes([]) is None


class Values:
    """What is there now, by the label x."""

    def __init__(self, **values: float) -> None:
        self.values = values

    def __call__(self, name: str, matchers: Sequence[Matcher]) -> list[Sample]:
        assert "a" == name
        samples = [Sample({"x": text}, value) for text, value in self.values.items()]
        return [each for each in samples if all(matcher.matches(each.labels) for matcher in matchers)]


def test_a_range_lacks_its_left_end() -> None:
    ring = Ring([MINUTE])
    for step in range(6):
        ring.record(15.0 * step, Values(p=step))

    times, values = array("d", [30, 45, 60, 75]), array("d", [2, 3, 4, 5])
    assert [Window({"x": "p"}, times, values)] == ring.window(MINUTE, 75.0)


def test_ranges_of_the_same_series_share_one_memory() -> None:
    longer = RangeSelector(Selector("a"), 300.0)
    ring = Ring([MINUTE, longer])
    for step in range(20):
        ring.record(15.0 * step, Values(p=step))

    assert 1 == ring.series
    assert [4, 20] == [len(ring.window(each, 285.0)[0].times) for each in (MINUTE, longer)]


def test_a_series_that_went_is_forgotten_once_no_range_reaches_it() -> None:
    ring = Ring([MINUTE])
    ring.record(0.0, Values(p=1, q=1))
    ring.record(15.0, Values(q=2))

    assert [1, 2] == [len(window.times) for window in ring.window(MINUTE, 15.0)]
    for step in range(2, 6):
        ring.record(15.0 * step, Values(q=2))
    assert [{"x": "q"}] == [dict(window.labels) for window in ring.window(MINUTE, 75.0)]
    assert 1 == ring.series


def test_what_there_is_no_room_for_is_counted() -> None:
    ring = Ring([MINUTE], max_series=2, max_points=3)
    for step in range(5):
        ring.record(float(step), Values(p=step, q=step, r=step))

    assert (2, 1, 4) == (ring.series, ring.dropped_series, ring.dropped_points)
    assert [3, 3] == [len(window.times) for window in ring.window(MINUTE, 4.0)]


def test_a_clock_set_back_forgets_the_future() -> None:
    ring = Ring([MINUTE])
    for now in (0.0, 15.0, 30.0, 10.0):
        ring.record(now, Values(p=now))

    assert [0.0, 10.0] == list(ring.window(MINUTE, 30.0)[0].times)


def test_a_step_that_is_taken_twice_counts_once() -> None:
    ring = Ring([MINUTE])
    for value in (1, 2):
        ring.record(15.0, Values(p=value))

    assert [2.0] == list(ring.window(MINUTE, 15.0)[0].values)


def test_a_reload_goes_on_with_what_was_seen() -> None:
    old, other = Ring([MINUTE]), RangeSelector(Selector("b"), 60.0)
    old.record(15.0, Values(p=1))
    new = Ring([MINUTE, other])
    new.adopt(old)

    assert 1 == len(new.window(MINUTE, 15.0))
    assert [] == new.window(other, 15.0)


def test_what_no_rule_looks_back_upon_is_not_there() -> None:
    assert [] == Ring([]).window(MINUTE, 15.0)


@given(st.lists(st.dictionaries(st.sampled_from("pqr"), st.floats(0, 9), max_size=3), max_size=80))
def test_the_memory_never_outgrows_its_ranges(steps: list[dict[str, float]]) -> None:
    ring = Ring([MINUTE], max_points=10)
    for number, values in enumerate(steps):
        ring.record(15.0 * number, Values(**values))

    windows = ring.window(MINUTE, 15.0 * len(steps))
    expected = {text for values in steps[-4:] for text in values}
    assert ring.series <= len("pqr")
    assert all(len(window.times) <= 4 for window in windows)
    assert {window.labels["x"] for window in windows} <= expected
