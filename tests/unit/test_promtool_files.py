"""The notation of promtool's test files, as our half of the differential reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dbwatch.core.promql import Matcher, RangeSelector, Selector
from tests import promtool_files
from tests.promtool_files import SeriesSource, expanded, series_of

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ("1 2 -3", [1, 2, -3]),
        ("1+2x3", [1, 3, 5, 7]),
        ("10-5x2", [10, 5, 0]),
        ("4x2", [4, 4, 4]),
        ("0.5+0.25x1", [0.5, 0.75]),
        ("1e3x1", [1000, 1000]),
        ("_ _x2 stale", ["_", "_", "_", "stale"]),
        ("-1+1x2", [-1, 0, 1]),
    ],
)
def test_values_are_expanded(values: str, found: list[object]) -> None:
    assert found == expanded(values)


def test_a_value_is_seen_for_five_minutes_unless_it_is_stale() -> None:
    gone = series_of('a{x="1"}', "1", 60.0)
    ended = series_of('a{x="2"}', "1 stale", 60.0)

    assert [1.0, 1.0, None] == [gone.at(now, is_closed=True) for now in (0.0, 300.0, 301.0)]
    assert gone.at(300.0, is_closed=False) is None
    assert [1.0, None] == [ended.at(now, is_closed=True) for now in (59.0, 60.0)]


def test_a_range_has_its_left_end_only_before_prometheus_3() -> None:
    series = [series_of('a{x="1"}', "1 2 stale 4", 60.0)]
    selector = RangeSelector(Selector("a", (Matcher("x", "=", "1"),)), 120.0)

    windows = [SeriesSource(series, is_closed=closed).window(selector, 180.0)[0] for closed in (True, False)]
    assert [[2.0, 4.0], [4.0]] == [list(each.values) for each in windows]


def test_a_file_is_read_with_what_it_expects(tmp_path: Path) -> None:
    path = tmp_path / "t.yml"
    path.write_text(
        """
rule_files: [../rules/r.yml]
evaluation_interval: 30s
tests:
  - interval: 1m
    input_series: [{series: 'a{x="1",y=""}', values: 1x2}]
    alert_rule_test:
      - {eval_time: 1m30s, alertname: A, exp_alerts: [{exp_labels: {x: 1}, exp_annotations: {summary: s}}]}
      - {eval_time: 0s, alertname: A}
""",
        encoding="utf-8",
    )

    file = promtool_files.read(path)

    assert (30.0, ((tmp_path / "../rules/r.yml").resolve(),)) == (file.step_seconds, file.rule_files)
    (case,) = file.cases
    assert ("a", {"x": "1"}, [0.0, 60.0, 120.0]) == (
        case.series[0].name, case.series[0].labels, case.series[0].times
    )  # fmt: skip
    assert [90.0, 0.0] == [test.seconds for test in case.alert_tests]
    assert (((("alertname", "A"), ("x", "1")), (("summary", "s"),)),) == case.alert_tests[0].expected
