"""What ships for Prometheus and Alertmanager, before the tools of Debian 12 and of Debian sid."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from dbwatch import library, rule_library
from dbwatch.core import alert_reference
from dbwatch.http.own_metrics import every_name
from tests.fix_prometheus import ROOT, SUITES, asked

if TYPE_CHECKING:
    from pathlib import Path

RULES = sorted(
    str(path.relative_to(ROOT)) for kind in ("alerting", "prometheus") for path in (ROOT / kind / "rules").glob("*.yml")
)
TESTS = sorted((ROOT / "prometheus" / "tests").glob("*.yml"))
PROMETHEUS_ALONE = frozenset(
    {"recording", "slo", "trends", "absence"}
)  # Debian 12's runs the others in the differential
RUNS = [(suite, path) for suite in SUITES for path in TESTS if suite == "sid" or path.stem in PROMETHEUS_ALONE]
ALERTMANAGER = "alerting/alertmanager.yml"
SECTIONS = ["Ce que cela signifie", "Comment confirmer", "Que faire", "Comment prévenir"]
METRIC = re.compile(r"\b(dbwatch_[a-z0-9_]+)")
ALERTS = alert_reference.described(
    (path, text) for path, text in rule_library.shipped_texts() if path.startswith("prometheus/")
)


@pytest.mark.parametrize("suite", SUITES)
def test_every_rule_file_passes_the_strictest_check(suite: str) -> None:
    code, told = asked(suite, "promtool", "check", "rules", "--lint=all", "--lint-fatal", *RULES)
    assert 0 == code, told


@pytest.mark.parametrize("suite", SUITES)
def test_the_configuration_of_prometheus_is_one_and_loads_every_rule(suite: str) -> None:
    code, told = asked(suite, "promtool", "check", "config", "prometheus/prometheus.yml")
    assert 0 == code, told
    assert len(RULES) == len(re.findall(r"rules found", told))


@pytest.mark.parametrize(("suite", "path"), RUNS, ids=lambda each: each if isinstance(each, str) else each.stem)
def test_every_promtool_test_passes(suite: str, path: Path) -> None:
    code, told = asked(suite, "promtool", "test", "rules", path)
    assert 0 == code, told


@pytest.mark.parametrize("suite", SUITES)
def test_the_configuration_of_alertmanager_is_one(suite: str) -> None:
    code, told = asked(suite, "amtool", "check-config", ALERTMANAGER)
    assert 0 == code, told
    assert "1 templates" in told


@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize(
    ("labels", "receiver"),
    [
        ("severity=critical alertname=InstanceDown", "oncall"),
        ("severity=critical team=urbanisme", "oncall_urbanisme"),
        ("severity=warning team=urbanisme", "dba"),
        ("severity=info", "digest"),
        ("severity=info alertname=Watchdog", "nobody"),
        ("severity=info alertname=InstanceInMaintenance", "nobody"),
        ("alertname=Unknown", "dba"),
    ],
)
def test_alerts_reach_whom_they_should(suite: str, labels: str, receiver: str) -> None:
    code, told = asked(suite, "amtool", "config", "routes", "test", f"--config.file={ALERTMANAGER}", *labels.split())
    assert (0, receiver) == (code, told.splitlines()[0])


def test_conversations_can_be_switched_on_where_alertmanager_knows_them(tmp_path: Path) -> None:
    (tmp_path / "alertmanager.yml").write_text((ROOT / ALERTMANAGER).read_text().replace("# threading:", "threading:"))
    code, told = asked("sid", "amtool", "check-config", tmp_path / "alertmanager.yml")
    assert 0 == code, told


def test_alertmanager_names_only_alerts_that_exist() -> None:
    known = {each.name for each in alert_reference.described(rule_library.shipped_texts())}
    patterns = re.findall(r'alertname[!=~]+"([^"]+)"', (ROOT / ALERTMANAGER).read_text())
    assert [] == sorted({name for pattern in patterns for name in pattern.split("|")} - known)


def test_rules_of_prometheus_name_only_metrics_that_exist() -> None:
    known = {*library.load().families, *every_name()}
    known |= {f"{name}{end}" for name in known for end in ("_bucket", "_count", "_sum")}
    named = {name for path, text in rule_library.shipped_texts() for name in _metrics(path, text)}
    assert [] == sorted(named - known)


def _metrics(path: str, text: str) -> set[str]:
    """The families in its expressions; what it records itself has ':' in its name."""
    if not path.startswith("prometheus/"):
        return set()
    expressions = re.sub(r"\S*:dbwatch_\S+|^.*(description|summary|impact|action|#).*$", "", text, flags=re.MULTILINE)
    return set(METRIC.findall(expressions))


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)
def test_an_alert_of_prometheus_has_the_labels_the_texts_and_the_runbook_of_the_others(
    alert: alert_reference.Described,
) -> None:
    texts = {f"{name}{end}" for name in ("summary", "description", "impact", "action") for end in ("", "_fr")}
    assert {*texts, "runbook_url"} == set(alert.annotations)
    assert alert.severity in alert_reference.SEVERITIES
    assert alert.category
    runbook = (ROOT / alert.annotations["runbook_url"]).read_text(encoding="utf-8")
    assert runbook.startswith(f"# {alert.name}\n\nGravité : ")
    assert SECTIONS == re.findall(r"^## (.*)$", runbook, re.MULTILINE)


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)
def test_an_alert_of_prometheus_is_tested(alert: alert_reference.Described) -> None:
    tests = "".join(path.read_text(encoding="utf-8") for path in TESTS if path.stem in PROMETHEUS_ALONE)
    assert f"alertname: {alert.name}\n" in tests
