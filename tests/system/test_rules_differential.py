"""One rule text, two evaluators: promtool's own test files are the input of both, and they agree."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from dbwatch.core import rule_files
from tests import promtool_files
from tests.fix_process import program
from tests.rule_running import answers

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "alerting" / "rules"
SHAPES = ROOT / "tests" / "data" / "rules"


def files() -> list[Path]:
    """Those whose rules the daemon evaluates."""
    found = sorted((ROOT / "prometheus" / "tests").glob("*.yml"))
    return [*(path for path in found if (SHIPPED / path.name).is_file()), *sorted(SHAPES.glob("*_test.yml"))]


@pytest.mark.parametrize("path", files(), ids=lambda path: path.stem)
def test_promtool_and_the_daemon_agree_on(path: Path) -> None:
    file = promtool_files.read(path)
    rules = rule_files.read([(each.name, each.read_text(encoding="utf-8")) for each in file.rule_files])

    for case in file.cases:
        for test, alerts in answers(case, rules, file.step_seconds, is_closed=True):
            assert list(test.expected) == alerts, f"{case.name}: {test.name} at {test.seconds} s"

    command = [str(program("promtool", want="prometheus")), "test", "rules", str(path)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=180)
    assert 0 == done.returncode, done.stdout + done.stderr


def test_every_rule_that_ships_is_asked_of_both_evaluators() -> None:
    asked = {test.name for path in files() for case in promtool_files.read(path).cases for test in case.alert_tests}
    rules = rule_files.read([(path.name, path.read_text(encoding="utf-8")) for path in sorted(SHIPPED.glob("*.yml"))])

    assert set() == {rule.name for rule in rules} - asked
