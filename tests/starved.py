"""A pytest plugin: a test that failed while the host kept our CPU back is asked again, and that is said aloud.

The tests on real servers and processes live in real time: an interval of 0.3 s, a server's time-out of 200 ms. On a
shared machine the hypervisor may hold both cores for longer than that, and what fails then says nothing of dbwatch.
Nothing is asked again on a machine that keeps nothing: there a failure is a failure, however seldom it happens.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from _pytest.runner import runtestprotocol

from benchmarks import proc

if TYPE_CHECKING:
    from collections.abc import Sequence

KEPT_LIMIT = 0.05  # of the CPU time that somebody here wanted; a machine of one's own keeps none
TRIES = 3
AGAIN = "asked_again"
TOLD: list[str] = []  # in the process that prints


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
        before = proc.machine_cpu()
        reports = runtestprotocol(item, nextitem=nextitem, log=False)
        kept = proc.kept_share(before, proc.machine_cpu())
        why = failure(reports)
        if attempt == TRIES or not why or kept <= KEPT_LIMIT:
            break
        item.user_properties.append((AGAIN, f"{item.nodeid}: the host kept {kept:.0%} of the CPU: {why}"))
    return reports


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Of all workers, where the reports come together."""
    if report.when == "teardown":
        TOLD.extend(str(text) for name, text in report.user_properties if name == AGAIN)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for line in TOLD:
        terminalreporter.write_line(f"ASKED AGAIN {line}", yellow=True)
