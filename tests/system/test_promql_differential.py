"""Random series and expressions of the subset: promtool computes what we do, to the last bit and error."""

from __future__ import annotations

import json
import math
import re
import subprocess
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml
from hypothesis import Phase, given, settings, strategies

from dbwatch.core.promql import Sample, evaluate, parse
from dbwatch.errors import EvaluationError
from tests.fix_process import program
from tests.promql_texts import Example, example
from tests.promtool_files import SeriesSource, series_of

if TYPE_CHECKING:
    from random import Random

ROOT = Path(__file__).parents[2]
NEWER = ROOT / ".cache" / "prometheus" / "sid" / "usr" / "bin" / "promtool"
END_SECONDS = 300.0
EXAMPLES = 40
FAILED = re.compile(r'^\s+expr: ("(?:[^"\\]|\\.)*"), time: [^,\n]+,(.*)', re.MULTILINE)

SCALARS = (
    "1 + 2 * 3 ^ 2", "-2 ^ 2", "2 ^ 3 ^ 2", "7 % 4", "-7 % 4", "7 % -4", "1 / 0", "-1 / 0", "1 > bool 2",
    "time() % 100", "-(time() - 1)", "0.1 + 0.2", "(1 + 2) * 3 - 4 / 8",
)  # fmt: skip
MIXED = (
    "a or b", "(a or b) > 1", "a or on () b", "(a or on (x) b) * 2", "-(a or on (x) b)", "sum by (x) (a or on (x) b)",
    "a > 1 or b > 1", "(a or on () c) > on (x) group_left () (count by (x) (a))", "(a > bool 0) or (b > bool 0)",
    "a == a", "a == on (x, y, z) a", "a * on (x) group_left () count by (x) (a)", "1 < a", "1 < bool a", "sum(a)",
)  # fmt: skip


def promtools() -> list[tuple[str, bool]]:
    """Debian's, and Prometheus 3 where scripts/fetch_prometheus got it: there a range lacks its left end."""
    return [("promtool", True), *([(str(NEWER), False)] if NEWER.exists() else [])]


def asked(example: Example) -> list[str]:
    """Vectors lose their names here, as ours do."""
    vectors = [f"0 + ({text})" for text in (*example.expressions, *MIXED)]
    return [*vectors, *SCALARS]


def ours(text: str, source: SeriesSource) -> tuple[str, list[Sample] | None]:
    """The expression, told so that no result is NaN (promtool cannot compare that), and what we make of it."""
    try:
        value = evaluate(parse(text, text), source, END_SECONDS)
    except EvaluationError:
        return text, None
    if not isinstance(value, list):
        return text, [Sample({}, value)]
    if any(math.isnan(each.value) for each in value):
        return ours(f"({text}) == bool ({text})", source)
    return text, value


def grouped(case: Example, *, is_closed: bool) -> tuple[dict[str, object], set[str]]:
    """One entry of promtool's `tests:`, and the expressions that have no value."""
    series = [series_of(selector, values, 15.0) for selector, values in case.series]
    source = SeriesSource(series, is_closed=is_closed, now=END_SECONDS)
    found = dict(ours(text, source) for text in asked(case))
    group: dict[str, object] = {
        "interval": "15s",
        "input_series": [{"series": selector, "values": values} for selector, values in case.series],
        "promql_expr_test": [
            {"expr": text, "eval_time": "5m", "exp_samples": [_expected(each) for each in samples or []]}
            for text, samples in found.items()
        ],
    }
    return group, {text for text, samples in found.items() if samples is None}


def _expected(sample: Sample) -> dict[str, object]:
    labels = ",".join(f'{name}="{value}"' for name, value in sample.labels.items())
    return {"labels": f"{{{labels}}}", "value": sample.value}


def collected(number: int) -> list[Example]:
    """The same at each run."""
    found: list[Example] = []

    @settings(max_examples=number, derandomize=True, database=None, deadline=None, phases=[Phase.generate])
    @given(strategies.randoms(use_true_random=True))
    def collect(random: Random) -> None:
        found.append(example(random))

    collect()
    return found


@pytest.mark.parametrize(("promtool", "is_closed"), promtools(), ids=["debian", "prometheus3"][: len(promtools())])
def test_promtool_computes_what_we_compute(promtool: str, *, is_closed: bool, tmp_path: Path) -> None:
    groups, without_value = [], Counter[str]()
    for each in collected(EXAMPLES):
        group, failing = grouped(each, is_closed=is_closed)
        groups.append(group)
        without_value.update(failing)
    file = tmp_path / "random.yml"
    file.write_text(yaml.safe_dump({"rule_files": [], "evaluation_interval": "5m", "tests": groups}), encoding="utf-8")

    command = [str(program(promtool, want="prometheus")), "test", "rules", str(file)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=180)
    told = [(json.loads(text), "err:" in rest) for text, rest in FAILED.findall(done.stdout + done.stderr)]

    assert [] == [text for text, is_error in told if not is_error], done.stdout[:3000]
    assert without_value == Counter(text for text, _ in told)
    assert (1 if without_value else 0) == done.returncode
