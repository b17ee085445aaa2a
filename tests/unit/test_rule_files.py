"""Rule files: what is read, and that every mistake is told with its file and rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dbwatch import rule_library
from dbwatch.core import rule_files
from dbwatch.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

GOOD = """
groups:
  - name: memory
    rules:
      - alert: Full
        expr: |
          a
          > 1
        for: 5m
        keep_firing_for: 1h30m
        labels: {severity: warning, category: memory}
        annotations:
          summary: "{{ $labels.db_instance }}: {{ $value | humanize }}"
          runbook_url: docs/runbooks/Full.md
"""


def faults(text: str) -> list[str]:
    with pytest.raises(ConfigError) as refused:
        rule_files.read([("memory.yml", text)])
    assert all("\n" not in str(fault) for fault in refused.value.faults)
    return list(map(str, refused.value.faults))


def test_a_rule_becomes_a_value() -> None:
    (rule,) = rule_files.read([("memory.yml", GOOD)])

    assert ("Full", "memory", "memory.yml", "a > 1") == (rule.name, rule.group, rule.path, rule.text)
    assert (300.0, 5400.0, "warning") == (rule.for_seconds, rule.keep_firing_for_seconds, rule.severity)
    assert "pg1: 1.5k" == rule.annotations["summary"].expand({"db_instance": "pg1"}, 1500.0)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("category: memory", 'category: "mem\\nory"', "memory.yml: Full: category: holds a control character"),
        ("category: memory", 'category: memory, "a\\tb": x', "memory.yml: Full: 'a\\tb': holds a control character"),
        ("alert: Full", 'alert: "A\\nB"', "memory.yml: 'A\\nB': the name of an alert is made of letters and digits"),
    ],
)
def test_control_characters_are_refused_in_one_line(old: str, new: str, told: str) -> None:
    assert any(each.startswith(told) for each in faults(GOOD.replace(old, new)))


def test_several_files_are_one_list() -> None:
    rules = rule_files.read([("memory.yml", GOOD), ("other.yml", GOOD.replace("Full", "Fuller"))])

    assert ["Full", "Fuller"] == [rule.name for rule in rules]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("        for: 5m", "        fro: 5m", ("fro", "unknown key")),
        ("    rules:", "    interval: 5s\n    rules:", ("interval", "unknown key")),
        ("      - alert: Full", "      - record: a:b:c", ("unknown key",)),
        ("for: 5m", "for: soon", ("for", "not a duration")),
        ("for: 5m", "for: -1", ("for",)),
        ("severity: warning, ", "", ("memory.yml: Full", "no label severity")),
        ("severity: warning", "severity: loud", ("memory.yml: Full", "critical, warning, info")),
        (", category: memory", "", ("memory.yml: Full", "no label category")),
        ("category: memory", 'category: "{{ $value }}"', ("category", "plain text")),
        ("category: memory", "category: memory, alertname: X", ("alertname",)),
        ("          summary:", "          sumary:", ("memory.yml: Full", "no annotation summary")),
        ("          runbook_url: docs/runbooks/Full.md", "", ("memory.yml: Full", "no annotation runbook_url")),
        ("| humanize", "| shout", ("memory.yml: Full: summary", "shout")),
        ("alert: Full", "alert: nearly full", ("letters",)),
        ("> 1", "> rate(b[5m])", ("memory.yml: Full", "rate()")),
        ("> 1", ">", ("memory.yml: Full", "not PromQL")),
        ("for: 5m", "for: 5m\n        for: 6m", ("memory.yml: line", "stands twice")),
        ("groups:", "rules:", ("unknown key",)),
        ("expr: |", "expr: [", ("memory.yml: line",)),
    ],
)
def test_a_mistake_is_told_with_its_file_and_rule(old: str, new: str, told: tuple[str, ...]) -> None:
    assert old in GOOD

    lines = "\n".join(faults(GOOD.replace(old, new)))

    assert lines.startswith("memory.yml: ")
    assert all(word in lines for word in told), lines


def test_every_mistake_is_told_at_once() -> None:
    text = GOOD.replace("severity: warning, ", "").replace("> 1", ">").replace("humanize", "shout")

    lines = faults(text)
    assert ["has no label severity" in lines[0], "not PromQL" in lines[1]] == [True, True]


def test_a_name_is_taken_once_over_all_files() -> None:
    with pytest.raises(ConfigError, match=r"other.yml: Full: an alert of that name stands in memory.yml"):
        rule_files.read([("memory.yml", GOOD), ("other.yml", GOOD)])


@pytest.mark.parametrize("text", ["", "[]", "a: b: c", "groups: 3", "groups: [{name: x, rules: [3]}]"])
def test_what_is_no_rule_file_is_told_so(text: str) -> None:
    assert faults(text)


def test_an_operators_directory_is_read_beside_what_ships(tmp_path: Path) -> None:
    (tmp_path / "own.yml").write_text(GOOD, encoding="utf-8")
    (tmp_path / "thresholds.yml").write_text("own_ratio: {value: 1}", encoding="utf-8")
    (tmp_path / ".hidden.yml").write_text("{", encoding="utf-8")

    (own,) = rule_library.load_own([tmp_path])

    assert str(tmp_path / "own.yml") == own.path
    assert own in rule_library.load([tmp_path])
    assert own not in rule_library.load()


def test_a_directory_or_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is not a directory of rules"):
        rule_library.load_own([tmp_path / "none"])
    (tmp_path / "bad.yml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="not UTF-8"):
        rule_library.load_own([tmp_path])
