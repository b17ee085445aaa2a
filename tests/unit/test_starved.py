"""Tests that failed on a starved machine are asked again, and nothing else is: a pytest inside of pytest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from benchmarks import proc
from benchmarks.proc import MachineCpu
from tests import starved

if TYPE_CHECKING:
    from collections.abc import Callable

    Outcome = Callable[[int, int], tuple[dict[str, int], str]]

pytest_plugins = ["pytester"]
FAILS_FIRST = """
import pathlib

asked = pathlib.Path("asked")


def test_it():
    asked.write_text(asked.read_text() + "x" if asked.exists() else "x")
    assert len(asked.read_text()) > {fails}, "too late"


def test_another():
    pass
"""


@pytest.fixture
def outcome(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Outcome:
    """Run a test that fails so often, on a host that keeps so many of a hundred ticks: the counts, and what is said."""

    def run(fails: int, kept: int) -> tuple[dict[str, int], str]:
        ticks = iter(range(1000))

        def machine_cpu() -> MachineCpu:
            number = next(ticks)
            return MachineCpu(200 * number, (100 - kept) * number, kept * number)

        monkeypatch.setattr(proc, "machine_cpu", machine_cpu)
        monkeypatch.setattr(starved, "TOLD", [])
        pytester.makepyfile(FAILS_FIRST.format(fails=fails))
        result = pytester.runpytest_inprocess("-p", "tests.starved", "-p", "no:cacheprovider", "-p", "no:asyncio")
        return result.parseoutcomes(), result.stdout.str()

    return run


@pytest.mark.parametrize("fails", [1, 2])
def test_what_failed_while_the_host_kept_the_cpu_is_asked_again_and_told(outcome: Outcome, fails: int) -> None:
    counts, said = outcome(fails, 6)

    assert {"passed": 2} == counts
    assert fails == said.count("test_it: the host kept 6% of the CPU: AssertionError: too late")


def test_what_fails_every_time_fails(outcome: Outcome) -> None:
    counts, said = outcome(starved.TRIES, 50)

    assert {"passed": 1, "failed": 1} == counts
    assert starved.TRIES - 1 == said.count("ASKED AGAIN")


def test_on_a_machine_that_keeps_nothing_back_one_failure_is_one(outcome: Outcome) -> None:
    counts, said = outcome(1, 5)

    assert {"passed": 1, "failed": 1} == counts
    assert "ASKED AGAIN" not in said
