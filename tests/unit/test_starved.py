"""Tests that failed on a starved machine are asked again, and nothing else is: a pytest inside of pytest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from benchmarks import proc
from benchmarks.proc import MachineCpu
from tests import starved

if TYPE_CHECKING:
    from collections.abc import Callable

    Outcome = Callable[[str, int], tuple[dict[str, int], str]]

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
FIXTURE_FAILS_FIRST = """
import pathlib

import pytest

asked = pathlib.Path("asked")


@pytest.fixture(scope="{scope}")
def server():
    asked.write_text(asked.read_text() + "x" if asked.exists() else "x")
    assert len(asked.read_text()) > 2, "too late"


def test_it(server):
    pass


def test_another(server):
    assert "xxx" == asked.read_text()
"""


@pytest.fixture
def outcome(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Outcome:
    """Run tests on a host that keeps so many of a hundred ticks: the counts, and what is said."""

    def run(tests: str, kept: int) -> tuple[dict[str, int], str]:
        ticks = iter(range(1000))

        def machine_cpu() -> MachineCpu:
            number = next(ticks)
            return MachineCpu(200 * number, (100 - kept) * number, kept * number)

        monkeypatch.setattr(proc, "machine_cpu", machine_cpu)
        monkeypatch.setattr(starved, "TOLD", [])
        monkeypatch.setattr(starved, "SPENT_SECONDS", [])
        monkeypatch.setattr(starved, "REST_SECONDS", 0)
        pytester.makepyfile(tests)
        result = pytester.runpytest_inprocess("-p", "tests.starved", "-p", "no:cacheprovider", "-p", "no:asyncio")
        return result.parseoutcomes(), result.stdout.str()

    return run


@pytest.mark.parametrize("fails", range(1, starved.TRIES))
def test_what_failed_while_the_host_kept_the_cpu_is_asked_again_and_told(outcome: Outcome, fails: int) -> None:
    counts, said = outcome(FAILS_FIRST.format(fails=fails), 6)

    assert {"passed": 2} == counts
    assert fails == said.count("test_it: the host kept 6% of the CPU: AssertionError: too late")


@pytest.mark.parametrize("scope", ["function", "module", "session"])
def test_a_fixture_that_failed_is_made_anew_and_shared_again(outcome: Outcome, scope: str) -> None:
    tests = FIXTURE_FAILS_FIRST.format(scope=scope)
    if scope == "function":
        tests = tests.replace('assert "xxx"', 'assert "xxxx"')

    counts, said = outcome(tests, 50)

    assert {"passed": 2} == counts
    assert said.count("ASKED AGAIN") == 2


def test_where_too_much_was_asked_again_a_failure_is_one(outcome: Outcome, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starved, "AGAIN_SECONDS", -1)

    counts, said = outcome(FAILS_FIRST.format(fails=1), 50)

    assert {"passed": 1, "failed": 1} == counts
    assert "ASKED AGAIN" not in said


def test_what_fails_every_time_fails(outcome: Outcome) -> None:
    counts, said = outcome(FAILS_FIRST.format(fails=starved.TRIES), 50)

    assert {"passed": 1, "failed": 1} == counts
    assert starved.TRIES - 1 == said.count("ASKED AGAIN")


def test_on_a_machine_that_keeps_nothing_back_one_failure_is_one(outcome: Outcome) -> None:
    counts, said = outcome(FAILS_FIRST.format(fails=1), 5)

    assert {"passed": 1, "failed": 1} == counts
    assert "ASKED AGAIN" not in said
