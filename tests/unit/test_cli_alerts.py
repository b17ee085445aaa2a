"""Alerts from the command line, where no daemon runs: names that nobody knows, and what is told of acknowledgements."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml

from dbwatch.cli import alerts
from dbwatch.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def config(tmp_path: Path) -> Path:
    settings = {
        "state_directory": str(tmp_path / "state"),
        "control_socket": str(tmp_path / "control.sock"),
        "instances": {"pg-etatcivil": {"engine": "postgres", "monitor": {"user": "dbwatch"}}},
    }
    path = tmp_path / "dbwatch.yml"
    path.write_text(yaml.safe_dump(settings))
    return path


def silenced(config: Path, alert: str = "", instance: str = "", *labels: str, is_forced: bool = False) -> str:
    named = {"alertname": alert, "db_instance": instance}
    return alerts.silence(config, named, labels, "1h", "", is_forced=is_forced)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("InstanceDow",), "no rule makes an alert 'InstanceDow': did you mean InstanceDown"),
        (("", "pg-etatcivi"), "no instance 'pg-etatcivi' in the configuration: did you mean pg-etatcivil"),
        (("", "", "db_instance=pg-etatcivi"), "did you mean pg-etatcivil"),
        (("pg-etatcivil",), "is an instance: dbwatch alerts silence --instance pg-etatcivil"),
        (("", "", "service=a", "service=b"), "the label service is given twice"),
        (("InstanceDown", "", "alertname=InstanceDown"), "the label alertname is given twice"),
    ],
)
def test_a_silence_of_what_nobody_knows_is_refused(config: Path, words: tuple[str, ...], told: str) -> None:
    with pytest.raises(UsageError, match=told) as refused:
        silenced(config, *words)

    assert "\n" not in str(refused.value)


def test_what_is_to_come_is_silenced_by_force(config: Path) -> None:
    first, second = silenced(config, "ToCome", is_forced=True).splitlines()

    assert first.endswith("control.sock: this is kept for it, and counts once it runs")
    assert second.startswith("silence 1: nobody is told of alertname=ToCome until ")


def test_alerts_of_an_instance_that_nobody_knows_are_no_empty_list(config: Path) -> None:
    with pytest.raises(UsageError, match="did you mean pg-etatcivil"):
        alerts.listed(config, "pg-etatcivl", as_json=False)
    with pytest.raises(UsageError, match="did you mean pg-etatcivil"):
        told(config, "pg-etatcivl")

    first, _, rest = alerts.listed(config, "pg-etatcivil", as_json=False)
    assert first.endswith("control.sock: it never looked at the rules")
    assert "no alert is active" == rest
    assert ["nothing happened in the last 1d"] == told(config, "pg-etatcivil")


def told(config: Path, instance: str) -> list[str]:
    return alerts.told(config, instance, "1d", as_json=False)
