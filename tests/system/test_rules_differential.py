"""One rule text, two evaluators: promtool's own test files are the input of both, and they agree."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from dbwatch.core import rule_files
from dbwatch.errors import ConfigError
from tests import promtool_files
from tests.fix_process import program
from tests.rule_running import answers

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "alerting" / "rules"
SHAPES = ROOT / "tests" / "data" / "rules"
RULE = """
groups:
- name: x
  rules:
  - alert: A
    labels: {severity: info, category: x}
    annotations: {summary: s, runbook_url: u}
"""


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


@pytest.mark.parametrize(
    ("key", "written", "is_taken"),
    [
        *(("for", each, True) for each in ("0", "'0'", "5m", "1h5m", "1y1w1d1h1m1s1ms", "0s", "05m", "292y", "", "~")),
        *(("for", each, False) for each in ("5", "1h1h", "5m1h", "1ms1s", "1.5m", "'5 m'", "' 5m'", "-5m", "+5m")),
        *(("for", each, False) for each in ("''", "0.0", "1Y", "293y", "99999999999999999999s", "true", "1e400")),
        *(("keep_firing_for", each, is_taken) for each, is_taken in (("1h30m", True), ("90", False), ("1h1h", False))),
        *(("expr", f"a > {each}", True) for each in ("Inf", "1e308", "1e-400", "0x10", ".5", "b1e400")),
        *(("expr", f"a > {each}", False) for each in ("1e400", "1E+999", "1_000", "99e99999")),
        *(("expr", f"increase(a[{each}]) > 0", True) for each in ("5m", "1h5m", " 5m ")),
        *(("expr", f"increase(a[{each}]) > 0", False) for each in ("1h1h", "5m1h", "0s", "1.5m", "5 m")),
    ],
)
def test_promtool_and_the_daemon_take_the_same_numbers(
    tmp_path: Path, key: str, written: str, *, is_taken: bool
) -> None:
    keys = {"expr": "a > 0", "for": "1m", "keep_firing_for": "1m"} | {key: written}
    text = RULE + "".join(f"    {each}: {value}\n" for each, value in keys.items())
    path = tmp_path / "x.yml"
    path.write_text(text, encoding="utf-8")

    command = [str(program("promtool", want="prometheus")), "check", "rules", str(path)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)

    assert is_taken == (done.returncode == 0), done.stdout + done.stderr
    assert is_taken == _is_read(text)


def _is_read(text: str) -> bool:
    try:
        rule_files.read([("x.yml", text)])
    except ConfigError:
        return False
    return True


def test_every_rule_that_ships_is_asked_of_both_evaluators() -> None:
    asked = {test.name for path in files() for case in promtool_files.read(path).cases for test in case.alert_tests}
    rules = rule_files.read([(path.name, path.read_text(encoding="utf-8")) for path in sorted(SHIPPED.glob("*.yml"))])

    assert set() == {rule.name for rule in rules} - asked
