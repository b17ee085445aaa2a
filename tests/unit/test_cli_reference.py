"""docs/reference/ says what the catalogue says, and the list of collectors too."""

from __future__ import annotations

from pathlib import Path

import pytest

from dbwatch import library, rule_library
from dbwatch.cli import collectors
from dbwatch.core import alert_reference, reference
from dbwatch.errors import UsageError

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", ["metrics.md", "collectors.md", "alerts.md"])
def test_the_committed_pages_are_what_make_docs_would_write(name: str) -> None:
    committed = (ROOT / "docs" / "reference" / name).read_text(encoding="utf-8")

    assert collectors.pages(library.load())[name] == committed, "run `make docs`"


def test_every_family_is_described_with_its_givers() -> None:
    catalogue = library.load()
    page = reference.metrics_page(catalogue)

    assert all(f"## `{name}`" in page for name in catalogue.families)
    assert "GRANT pg_monitor TO {user};" in page


def test_every_collector_has_the_anchor_that_the_metrics_point_to() -> None:
    catalogue = library.load()
    page = reference.collectors_page(catalogue)

    assert all(f'<a id="{reference.anchor(each)}">' in page for each in catalogue.collectors.values())


def test_a_bar_does_not_break_a_table() -> None:
    assert r"| a \| b |" == reference.markdown_table(["x"], [["a | b"]])[2]


def test_the_pages_are_written_where_asked(tmp_path: Path) -> None:
    written = collectors.lines([], None, [], tmp_path / "new")

    assert [f"wrote {tmp_path}/new/{name}.md" for name in ("metrics", "collectors", "alerts")] == written


def test_every_alert_is_described_with_its_thresholds_and_its_runbook() -> None:
    alerts = alert_reference.described(rule_library.shipped_texts())
    page = alert_reference.page(alerts, library.thresholds())

    assert all(f"### {each.name}\n" in page for each in alerts)
    assert all(f"[runbook](../runbooks/{each.name}.md)" in page for each in alerts)
    assert "{{" not in page.replace("```promql", "")


def test_every_threshold_is_one_that_some_alert_compares_with_and_the_other_way_round() -> None:
    compared = {name for each in alert_reference.described(rule_library.shipped_texts()) for name in each.thresholds}

    assert library.thresholds().keys() == compared


def test_the_list_can_be_held_to_one_engine() -> None:
    lines = collectors.lines([], "mysql", [], None)

    assert all("postgres" not in line for line in lines)
    assert any(line.startswith("sessions") for line in lines)


def test_a_collector_is_shown_with_its_sql() -> None:
    lines = collectors.lines(["locks"], "postgres", [], None)

    assert "-- @when postgres >= 14" in lines
    assert any("pg_blocking_pids" in line for line in lines)


@pytest.mark.parametrize(("names", "engine"), [(["nonsense"], None), ([], "oracle"), (["table_activity"], "mysql")])
def test_what_does_not_exist_is_refused(names: list[str], engine: str | None) -> None:
    with pytest.raises(UsageError):
        collectors.lines(names, engine, [], None)
