"""Where a rule can run, what `dbwatch rules check` says of it, and what every rule that ships keeps to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dbwatch import library, rule_library
from dbwatch.cli import rules_check
from dbwatch.cli.entry import main
from dbwatch.core import rule_files, rules
from dbwatch.core.promql import syntax

if TYPE_CHECKING:
    from dbwatch.core.rules import AlertRule, WhereItRuns

CATALOGUE = library.load()
OWN = frozenset({"dbwatch_task_crashes_total", "process_resident_memory_bytes"})
LANGUAGES = ("", "_fr")
TEXTS = ("summary", "description", "impact", "action")
PICTURES = {"locks", "sessions"}
RUNBOOKS = Path(__file__).parents[2] / "docs" / "runbooks"
SHIPPED = rule_library.load()


def rule(expression: str, summary: str = "x") -> AlertRule:
    text = f"""
groups:
  - name: mine
    rules:
      - alert: Mine
        expr: {json.dumps(expression)}
        labels: {{severity: info, category: mine}}
        annotations: {{summary: {json.dumps(summary)}, runbook_url: docs/runbooks/Mine.md}}
"""
    return rule_files.read([("mine.yml", text)])[0]


def judged(expression: str, summary: str = "x") -> WhereItRuns:
    return rules.where_it_runs(rule(expression, summary), CATALOGUE, OWN)


def test_a_rule_says_what_it_reads_and_who_feeds_that() -> None:
    found = judged("max without (job, instance) (dbwatch_blocked_sessions > 0 and on (db_instance) dbwatch_up == 1)")

    assert found.in_daemon
    assert ("dbwatch_blocked_sessions", "dbwatch_up") == found.families
    assert {("postgres", "locks"), ("mysql", "locks"), ("", "")} == {
        (feed.engine, feed.collector) for feed in found.feeds
    }


def test_the_parts_of_a_histogram_are_known() -> None:
    text = 'sum by (db_instance, le) (increase(dbwatch_connect_duration_seconds_bucket{phase="total"}[5m]))'

    assert judged(text).in_daemon
    assert ("dbwatch_connect_duration_seconds",) == judged(text).families


def test_a_metric_of_the_process_is_known_by_its_name() -> None:
    found = judged("max without (job, instance) (increase(dbwatch_task_crashes_total[1m]) > 0)", "{{ $labels.task }}")

    assert found.in_daemon
    assert [("dbwatch_task_crashes_total", "")] == [(feed.family, feed.collector) for feed in found.feeds]


@pytest.mark.parametrize(
    ("expression", "fault"),
    [
        ("sum(up)", "up is no metric of dbwatch"),
        ("sum(dbwatch_nothing)", "dbwatch_nothing is no metric"),
        ("sum(dbwatch_up_count)", "dbwatch_up_count is no metric"),
        ('sum(dbwatch_up{colour="red"})', "no label colour"),
        ("sum by (colour) (dbwatch_up)", "the label colour"),
        ("max without (job, instance) (dbwatch_up + on (db_instance) group_left (colour) dbwatch_up)", "label colour"),
        ("sum(increase(dbwatch_deadlocks_total[30s]))", "is under 45s, three looks of databases of postgres"),
        ("sum(increase(dbwatch_connect_duration_seconds_count[30s]))", "is under 45s, three looks of the daemon"),
        ("sum(increase(dbwatch_deadlocks_total[1h]))", "is over 30m"),
        ("dbwatch_up == 0", "instance and job"),
        ("max without (job) (dbwatch_up == 0)", "has the labels instance"),
        ("max by (db_instance, job) (dbwatch_up)", "has the labels job"),
    ],
)
def test_what_keeps_a_rule_from_running_is_named(expression: str, fault: str) -> None:
    found = judged(expression)

    assert not found.in_daemon
    assert fault in "; ".join(found.faults)


def test_a_label_that_only_an_annotation_names_must_exist_too() -> None:
    assert ("no metric that it reads has the label colour",) == judged("sum(dbwatch_up)", "{{ $labels.colour }}").faults


def test_the_check_ends_with_one_where_a_rule_cannot_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (Path(__file__).parents[1] / "data" / "rules" / "every_shape.yml").read_text(encoding="utf-8")
    (tmp_path / "own.yml").write_text(text, encoding="utf-8")

    assert 0 == main(["rules", "check", "--directory", str(tmp_path)])
    assert "6 rules, all of them run in both" in capsys.readouterr().out
    (tmp_path / "own.yml").write_text(text.replace("dbwatch_up == 0", "up == 0"), encoding="utf-8")
    assert 1 == main(["rules", "check", "--directory", str(tmp_path)])
    out = capsys.readouterr().out
    assert f"{tmp_path}/own.yml: ShapeDown: up is no metric of dbwatch" in out
    assert "6 rules, 1 of them with faults" in out


def test_the_check_speaks_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == main(["rules", "check", "--json"])

    told = {each["rule"]: each for each in json.loads(capsys.readouterr().out)}
    assert {each.name for each in SHIPPED} == told.keys()
    assert told["InstanceDown"]["daemon"]
    assert "critical" == told["InstanceDown"]["severity"]


def test_a_broken_file_is_told_without_a_traceback(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "own.yml").write_text("groups: [{name: x, rules: [{alert: A}]}]", encoding="utf-8")

    assert 1 == main(["rules", "check", "--directory", str(tmp_path)])
    error = capsys.readouterr().err
    assert error.startswith(f"dbwatch: {tmp_path}/own.yml: ")
    assert "Traceback" not in error


# What ships.


def test_every_rule_that_ships_runs_in_the_daemon() -> None:
    found = rules_check.judged([])

    assert [] == [f"{each.rule.path}: {each.rule.name}: {fault}" for each in found for fault in each.faults]


def test_a_rule_stands_in_the_file_of_its_category() -> None:
    places = {
        each.name: {Path(each.path).stem, each.group, each.labels["category"].expand({}, 0.0)} for each in SHIPPED
    }

    assert {} == {name: found for name, found in places.items() if len(found) > 1}
    assert [] == [each.name for each in SHIPPED if each.labels.keys() != {"severity", "category"}]


def test_a_rule_speaks_two_languages() -> None:
    wanted = {f"{text}{language}" for text in TEXTS for language in LANGUAGES} | {"runbook_url"}

    differing = {each.name: (each.annotations.keys() - {"picture"}) ^ wanted for each in SHIPPED}
    assert {} == {name: found for name, found in differing.items() if found}


def test_a_rule_has_its_runbook_and_a_picture_that_can_be_taken() -> None:
    runbooks = {each.name: each.annotations["runbook_url"].expand({}, 0.0) for each in SHIPPED}
    pictures = {each.annotations["picture"].expand({}, 0.0) for each in SHIPPED if "picture" in each.annotations}

    assert {name: f"docs/runbooks/{name}.md" for name in runbooks} == runbooks
    assert set() == runbooks.keys() - {path.stem for path in RUNBOOKS.glob("*.md")}
    assert pictures <= PICTURES


def test_the_numbers_of_a_rule_about_instances_are_thresholds() -> None:
    assert {} == {each.name: found for each in SHIPPED if (found := _own_numbers(each))}


def _own_numbers(shipped: AlertRule) -> set[float]:
    """But 0, 1 and the length of a window; the process itself has no thresholds, because they belong to instances."""
    if not any(rules.family_of(each.name, CATALOGUE) for each in syntax.selectors(shipped.expression)):
        return set()
    lengths = {each.seconds for each in syntax.ranges(shipped.expression)}
    nodes = syntax.walk(shipped.expression)
    return {node.value for node in nodes if isinstance(node, syntax.Number)} - lengths - {0.0, 1.0}


def test_a_threshold_that_a_rule_names_exists() -> None:
    named = {
        matcher.value
        for each in SHIPPED
        for selector in syntax.selectors(each.expression)
        for matcher in selector.matchers
        if selector.name == "dbwatch_threshold" and matcher.label == "name"
    }

    assert set() == named - library.thresholds([]).keys()
