"""A cumulative histogram of durations, as Prometheus counts them."""

from __future__ import annotations

from bisect import bisect_left
from itertools import accumulate

from dbwatch.core.model import Block

LOGIN_BOUNDS_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
PING_BOUNDS_SECONDS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 1.0)


class Histogram:
    """Counts observations by upper bound; `last` is the newest one."""

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0
        self.last: float | None = None

    def observe(self, seconds: float) -> None:
        self._counts[bisect_left(self._bounds, seconds)] += 1
        self._sum += seconds
        self.last = seconds

    def blocks(self, family: str, labels: dict[str, str]) -> list[Block]:
        """Buckets, sum and count under these labels; nothing before the first observation."""
        if self.last is None:
            return []
        names, values = tuple(labels), tuple(labels.values())
        bounds = (*(repr(bound) for bound in self._bounds), "+Inf")
        cumulative = tuple(accumulate(self._counts))
        shared = tuple((value,) * len(bounds) for value in values)
        single = tuple((value,) for value in values)
        return [
            Block(family, (*names, "le"), (*shared, bounds), cumulative, "_bucket"),
            Block(family, names, single, (self._sum,), "_sum"),
            Block(family, names, single, (cumulative[-1],), "_count"),
        ]
