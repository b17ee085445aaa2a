"""Numbers as Prometheus's are: IEEE doubles where nothing raises, and what it makes of counters."""

from __future__ import annotations

import math
import operator
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

NEAR = 1.1  # a sample within 1.1 intervals of an end of the range speaks for that end


def divided(left: float, right: float) -> float:
    if right:
        return left / right
    if left == 0 or math.isnan(left) or math.isnan(right):
        return math.nan
    return math.copysign(math.inf, left) * math.copysign(1.0, right)


def remainder(left: float, right: float) -> float:
    """With the sign of the dividend."""
    if right == 0 or math.isinf(left):
        return math.nan
    return math.fmod(left, right)


def power(left: float, right: float) -> float:
    try:
        return math.pow(left, right)
    except OverflowError:
        return -math.inf if left < 0 and right % 2 == 1 else math.inf
    except ValueError:
        if left:
            return math.nan  # the root of a negative number
        return math.copysign(math.inf, left) if right % 2 == 1 else math.inf


CALCULATIONS: Mapping[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": divided,
    "%": remainder,
    "^": power,
}
COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
}


def added(values: Sequence[float]) -> float:
    """Kahan's sum, as Neumaier mended it."""
    total, correction = values[0], 0.0
    for value in values[1:]:
        sum_ = total + value
        if math.isinf(sum_):
            correction = 0.0
        elif abs(total) >= abs(value):
            correction += (total - sum_) + value
        else:
            correction += (value - sum_) + total
        total = sum_
    return total + correction


def least(values: Sequence[float]) -> float:
    """NaN only where there is nothing else."""
    return min((value for value in values if not math.isnan(value)), default=math.nan)


def greatest(values: Sequence[float]) -> float:
    return max((value for value in values if not math.isnan(value)), default=math.nan)


AGGREGATES: Mapping[str, Callable[[Sequence[float]], float]] = {
    "sum": added,
    "min": least,
    "max": greatest,
    "count": lambda values: float(len(values)),
}


def increase(times: Sequence[float], values: Sequence[float], start: float, end: float) -> float | None:
    """How much a counter grew from `start` to `end`, of which its points show a part; None for less than two points."""
    if len(times) < len("ab"):
        return None
    grown = _grown(values)
    sampled = _milliseconds(times[-1] - times[0])
    interval = sampled / (len(times) - 1)
    before = _extrapolated(_milliseconds(times[0] - start), interval)
    if grown > 0 and values[0] >= 0:  # a counter was never below zero
        before = min(before, sampled * (values[0] / grown))
    after = _extrapolated(_milliseconds(end - times[-1]), interval)
    return grown * ((sampled + before + after) / sampled)


def _grown(values: Sequence[float]) -> float:
    grown = values[-1] - values[0]
    if (grown == 0 and _is_constant(values)) or all(map(operator.le, values, values[1:])):
        return grown
    return grown + sum(before for before, now in pairwise(values) if now < before)  # it was reset


def _is_constant(values: Sequence[float]) -> bool:
    return values.count(values[0]) == len(values)


def _milliseconds(seconds: float) -> float:
    """Seconds, exact to the millisecond as Prometheus's timestamps are."""
    return round(seconds * 1000) / 1000


def _extrapolated(gap: float, interval: float) -> float:
    """To the end of the range where a sample stands near it; else half an interval: the series began or ended there."""
    return interval / 2 if gap >= interval * NEAR else gap


def changes(values: Sequence[float]) -> float | None:
    """How often the value changed; NaN after NaN is no change."""
    if not values:
        return None
    if _is_constant(values):
        return 0.0
    return float(sum(a != b and not (math.isnan(a) and math.isnan(b)) for a, b in pairwise(values)))
