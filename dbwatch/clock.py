"""The clocks, passed in so that a test can hold them."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Unix time for people and metrics, monotonic time for waits and freshness."""

    def time(self) -> float: ...

    def monotonic(self) -> float: ...


class SystemClock:
    """The machine's own."""

    def time(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()
