"""What is not told while something worse says it all: one list, which Alertmanager's example repeats."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from dbwatch import rule_library
from dbwatch.core.alerting.inhibiting import parse
from dbwatch.errors import ConfigError
from dbwatch.files import alerting_root

# What Prometheus alone evaluates, or what only Alertmanager must be told by an alert.
NOT_OURS = {
    "AvailabilityBudgetBurnsFast",
    "DbwatchAbsent",
    "DbwatchDown",
    "InstanceInMaintenance",
    "DiskFullWithinHours",
}


def test_every_alert_that_is_named_exists() -> None:
    names = {rule.name for rule in rule_library.load()}
    named = {
        name
        for each in rule_library.inhibitions()
        for match in (each.source, each.target)
        for _, values in match
        for name in values
    }

    assert named <= names
    assert "InstanceDown" in named


def test_alertmanagers_example_inhibits_the_same() -> None:
    shipped = yaml.safe_load(Path(alerting_root(), "alertmanager.yml").read_text())["inhibit_rules"]
    theirs = {(source, tuple(rule["equal"])) for rule in shipped if "equal" in rule for source in sources(rule)}
    ours = {(name, each.equal) for each in rule_library.inhibitions() for _, values in each.source for name in values}

    assert ours == {(name, equal) for name, equal in theirs if name not in NOT_OURS}


def sources(rule: dict[str, list[str]]) -> list[str]:
    (matcher,) = rule["source_matchers"]
    return str(matcher).partition('"')[2].rstrip('"').split("|")


@pytest.mark.parametrize("text", ["- {source: [A]}", "- {source: [], equal: [x]}", "- {sauce: [A], equal: [x]}", "- ["])
def test_a_list_that_makes_no_sense_is_refused_in_words(text: str) -> None:
    with pytest.raises(ConfigError, match=r"list\.yml"):
        parse(text, "list.yml")
