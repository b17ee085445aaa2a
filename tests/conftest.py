"""Fixtures stand in tests/fix_*.py, one file a family; every server in them is real."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.fix_process import MISSING

if TYPE_CHECKING:
    import pytest

pytest_plugins = [
    "tests.starved",
    "tests.fix_postgres",
    "tests.fix_mariadb",
    "tests.fix_pgbouncer",
    "tests.fix_network",
    "tests.fix_daemon",
    "tests.fix_mailbox",
]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """A skip nobody sees is a hole: say what was not tested, and why."""
    if MISSING:
        terminalreporter.write_line(f"SKIPPED for want of: {', '.join(sorted(MISSING))}", yellow=True, bold=True)
