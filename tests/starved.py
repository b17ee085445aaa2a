"""A pytest plugin: a test that failed while the host kept our CPU back is asked again, and that is said aloud.

The tests on real servers and processes live in real time: an interval of 0.3 s, a server's time-out of 200 ms. On a
shared machine the hypervisor may hold both cores for longer than that, and what fails then says nothing of dbwatch.
Nothing is asked again on a machine that keeps nothing: there a failure is a failure, however seldom it happens.
Before it is asked again, its fixtures are taken down and the host is given time to come back to us.
"""

from __future__ import annotations

import time
from operator import attrgetter
from typing import TYPE_CHECKING, cast

import pytest
from _pytest.runner import SetupState, runtestprotocol

from benchmarks import proc

if TYPE_CHECKING:
    from collections.abc import Sequence

KEPT_LIMIT = 0.05  # of the CPU time that somebody here wanted; a machine of one's own keeps none
TRIES = 4
REST_SECONDS = 60.0  # at most, before it is asked again
GIVEN_LOOKS = 5  # in a row, a second apart, at which the host gave what was wanted
PROBE_SECONDS = 0.05  # of CPU
LATE = 1.5  # times that, on the clock
AGAIN_SECONDS = 1200.0  # for all that is asked again in one process: a run ends
AGAIN = "asked_again"
TOLD: list[str] = []  # in the process that prints
SPENT_SECONDS: list[float] = []


def failure(reports: Sequence[pytest.TestReport]) -> str:
    """The first phase that failed, in a line; empty where all passed, or were skipped."""
    for report in reports:
        if report.failed:
            crash = getattr(report.longrepr, "reprcrash", None)
            return str(getattr(crash, "message", report.longrepr)).partition("\n")[0]
    return ""


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool:
    """What pytest does with a test, and once more where its failure may be the host's."""
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    for report in _asked(item, nextitem):
        item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


def _asked(item: pytest.Item, nextitem: pytest.Item | None) -> list[pytest.TestReport]:
    reports: list[pytest.TestReport] = []
    for attempt in range(1, TRIES + 1):
        before, began = proc.machine_cpu(), time.monotonic()
        reports = runtestprotocol(item, nextitem=nextitem, log=False)
        kept = proc.kept_share(before, proc.machine_cpu())
        why = failure(reports)
        if attempt == TRIES or not why or kept <= KEPT_LIMIT or sum(SPENT_SECONDS) > AGAIN_SECONDS:
            break
        item.user_properties.append((AGAIN, f"{item.nodeid}: the host kept {kept:.0%} of the CPU: {why}"))
        _take_down(item, is_ready=reports[0].passed)
        rest()
        SPENT_SECONDS.append(time.monotonic() - began)
    return reports


def _take_down(item: pytest.Item, *, is_ready: bool) -> None:
    """End the fixtures that others share: what the host broke is not asked again, nor a failed set-up remembered."""
    setup_state: SetupState = attrgetter("_setupstate")(item.session)
    upto = cast("pytest.Item", item.session) if is_ready else None  # of which only the chain of nodes is asked
    pytest.CallInfo.from_call(lambda: setup_state.teardown_exact(upto), "teardown")


def rest() -> None:
    """Wait for a host that gives, for a minute at most."""
    given, limit = 0, time.monotonic() + REST_SECONDS
    while given < GIVEN_LOOKS and time.monotonic() < limit:
        given = given + 1 if _gives() else 0
        time.sleep(1)


def _gives() -> bool:
    began, used = time.monotonic(), time.process_time()
    while time.process_time() - used < PROBE_SECONDS:
        pass
    return time.monotonic() - began < LATE * PROBE_SECONDS


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Of all workers, where the reports come together."""
    if report.when == "teardown":
        TOLD.extend(str(text) for name, text in report.user_properties if name == AGAIN)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for line in TOLD:
        terminalreporter.write_line(f"ASKED AGAIN {line}", yellow=True)
