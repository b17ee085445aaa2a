"""Deadlines of the tests, in the time that the host gave."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest

from benchmarks import proc
from benchmarks.proc import MachineCpu
from tests import patience
from tests.patience import LONGEST, Patience

if TYPE_CHECKING:
    from collections.abc import Callable

    Looks = Callable[[int], int]


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> Looks:
    """How many looks, a second apart, ten seconds of patience last where so many of a hundred ticks are kept."""

    def count(kept: int) -> int:
        seconds, ticks = itertools.count(), itertools.count()

        def machine_cpu() -> MachineCpu:
            number = next(ticks)
            return MachineCpu(200 * number, (100 - kept) * number, kept * number)

        monkeypatch.setattr(proc, "machine_cpu", machine_cpu)
        monkeypatch.setattr(patience, "time", Clock(seconds))
        waiting = Patience(10)
        return sum(1 for _ in itertools.takewhile(lambda _: not waiting.is_over, itertools.count())) + 1

    return count


class Clock:
    """A second between two readings."""

    def __init__(self, seconds: itertools.count[int]) -> None:
        self.monotonic = lambda: float(next(seconds))


@pytest.mark.parametrize(("kept", "seconds"), [(0, 11), (50, 21), (75, 41)])
def test_what_the_host_kept_does_not_count(looks: Looks, kept: int, seconds: int) -> None:
    assert seconds == looks(kept)


def test_it_ends_where_the_host_gives_nothing(looks: Looks) -> None:
    assert 10 * LONGEST + 1 == looks(100)
