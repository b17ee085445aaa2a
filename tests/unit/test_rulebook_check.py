"""What `dbwatch config check` and `dbwatch rules check -c` say of rules, thresholds, templates, routes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from dbwatch.cli.entry import main

if TYPE_CHECKING:
    from pathlib import Path

RULE = """\
  - alert: {name}
    expr: max without (job, instance) ({metric} > 0)
    labels: {{severity: warning, category: own}}
    annotations: {{summary: s, runbook_url: u}}
"""
HEAD = "groups:\n- name: own\n  rules:\n"


@dataclass(frozen=True)
class Own:
    """A configuration with rules, thresholds and templates of its own."""

    directory: Path
    capsys: pytest.CaptureFixture[str]

    def rules(self, *rules: tuple[str, str]) -> None:
        text = HEAD + "".join(RULE.format(name=name, metric=metric) for name, metric in rules)
        (self.directory / "rules" / "own.yml").write_text(text)

    def configure(self, alerting: str = "", mail: str = "", notify: str = "direct") -> str:
        path = self.directory / "dbwatch.yml"
        path.write_text(
            "instances: {pg1: {engine: postgres, monitor: {user: u}}}\n"
            f"state_directory: {self.directory}\ncontrol_socket: {self.directory}/socket\n"
            f"alerting: {{notify: {notify}, rules_dir: rules, templates_dir: templates, {alerting}}}\n"
            f"mail: {{from: a@b.fr, to: c@d.fr, relays: [{{host: localhost}}], {mail}}}\n"
        )
        return str(path)

    def told(self, *words: str) -> tuple[int, list[str]]:
        """The exit code and the lines, without the way to the directory."""
        code = main(words)
        printed = self.capsys.readouterr()
        return code, re.sub(rf"{self.directory}/|dbwatch\.yml:\d+: ", "", printed.out + printed.err).splitlines()


@pytest.fixture
def own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Own:
    for name in ("rules", "templates", "templates/fr"):
        (tmp_path / name).mkdir()
    return Own(tmp_path, capsys)


def test_what_is_wrong_in_rules_thresholds_and_templates_is_told_at_once(own: Own) -> None:
    own.rules(("Twice", "dbwatch_up"), ("Twice", "dbwatch_up"), ("InstanceDown", "dbwatch_up"), ("Huge", "1e400"))
    (own.directory / "rules" / "thresholds.yml").write_text("own_ratio: {value: -1, help: Ours.}")
    (own.directory / "templates" / "fr" / "alert.txt").write_text("{{ nope.x.y }}")
    (own.directory / "templates" / "fr" / "test.txt").write_text("{{ 1 + 'one' }}")
    (own.directory / "templates" / "fr" / "daily.txt").write_text("{% if %}")

    code, lines = own.told("config", "check", own.configure())

    assert 1 == code
    assert 7 == len(lines), lines
    for start in (
        "rules/own.yml: Twice: an alert of that name stands in rules/own.yml",
        "rules/own.yml: InstanceDown: an alert of that name stands in alerting/rules/availability.yml",
        "rules/own.yml: Huge: 1e400 is larger than any number",
        "rules/thresholds.yml: own_ratio.value: must not be negative -> give 0 or more",
        "template fr/alert: 'nope' is undefined",
        "template fr/test: unsupported operand",
        "templates/fr/daily.txt:1: template: ",
    ):
        assert 1 == sum(line.startswith(start) for line in lines), (start, lines)


def test_templates_that_nobody_is_mailed_by_do_not_matter(own: Own) -> None:
    (own.directory / "templates" / "fr" / "alert.txt").write_text("{{ nope.x.y }}")

    assert 0 == own.told("config", "check", own.configure(notify="off"))[0]


def test_a_rule_that_is_left_out_is_a_warning(own: Own) -> None:
    own.rules(("Fine", "dbwatch_up"), ("Lost", "nosuch"))

    code, lines = own.told("config", "check", own.configure())

    assert (0, 2) == (code, len(lines))
    assert lines[0].startswith("warning: rules/own.yml: Lost: left out: nosuch is no metric of dbwatch -> mend it, or ")


def test_what_no_alert_can_have_is_a_warning(own: Own) -> None:
    own.rules(("Fine", "dbwatch_up"))
    match = "{severity: fatal, tem: x, category: [own, lock], alertname: Instancedown, team: any, table: t, rule: r}"

    code, lines = own.told(
        "config", "check", own.configure("group_by: [servce, category]", f"routes: [{{match: {match}, to: a@b.fr}}]")
    )

    assert 0 == code
    assert [
        "warning: alerting.group_by.0: no alert has the label servce -> did you mean service?",
        "warning: mail.routes.0.match.tem: no alert has the label tem -> did you mean team?",
        "warning: mail.routes.0.match.severity: no alert has the severity fatal -> there are critical, info, warning",
        "warning: mail.routes.0.match.category: no alert has the category lock -> did you mean locks?",
        "warning: mail.routes.0.match.alertname: no alert has the alertname Instancedown -> did you mean InstanceDown?",
    ] == lines[:-1]


def test_rules_check_reads_the_directories_of_the_configuration(own: Own) -> None:
    own.rules(("Fine", "dbwatch_up"), ("Lost", "nosuch"))
    config = own.configure()

    for option in ("-c", "--config.file"):
        code, lines = own.told("rules", "check", option, config)
        assert 1 == code
        assert {"Fine", "InstanceDown", "Lost"} <= {line.split()[0] for line in lines}
        assert "rules/own.yml: Lost: nosuch is no metric of dbwatch" in lines

    code, lines = own.told("rules", "check", "-c", config, "-d", str(own.directory / "rules"))
    assert (1, "2 rules, 1 of them with faults: the daemon cannot run these") == (code, lines[-1])


def test_rules_check_of_a_configuration_that_is_not_there_is_told(own: Own) -> None:
    assert (1, ["dbwatch: nowhere.yml: cannot be read"]) == (
        (told := own.told("rules", "check", "-c", str(own.directory / "nowhere.yml")))[0],
        [told[1][0].partition(": No such")[0]],
    )
