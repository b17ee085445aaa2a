"""Quantiles: of measured values, and of a Prometheus histogram between two readings."""

from __future__ import annotations

import math
import re
from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


SAMPLE = re.compile(rb"^[^#\n]", re.MULTILINE)


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest value that `share` of all do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def samples(page: bytes) -> int:
    """How many samples a page holds: its lines that are no comments."""
    return len(SAMPLE.findall(page))


def values(page: bytes, family: str) -> list[float]:
    """Every sample's value of a family on a page."""
    pattern = re.compile(rf"^{family}(?:\{{.*\}})? (\S+)".encode(), re.MULTILINE)
    return [float(value) for value in pattern.findall(page)]


def buckets(page: bytes, family: str) -> dict[float, float]:
    """Upper bound -> cumulative count, summed over all label sets."""
    pattern = re.compile(rf'^{family}_bucket\{{.*?le="([^"]+)".*?\}} (\S+)'.encode(), re.MULTILINE)
    counts: Counter[float] = Counter()
    for bound, count in pattern.findall(page):
        counts[float(bound)] += int(float(count))
    return dict(counts)


def between(before: dict[float, float], after: dict[float, float]) -> dict[float, float]:
    """What was observed from one reading to the next."""
    return {bound: count - before.get(bound, 0.0) for bound, count in after.items()}


def histogram_quantile(counts: dict[float, float], share: float) -> float:
    """As Prometheus's function: linear inside a bucket; the last finite bound where it lies beyond."""
    if not counts or max(counts.values()) <= 0:
        return math.nan
    target = share * max(counts.values())
    for (low, below), (high, reached) in pairwise([(0.0, 0.0), *sorted(counts.items())]):
        if reached >= target:
            inside = (target - below) / (reached - below)
            return low if math.isinf(high) else low + (high - low) * inside
    return math.nan
