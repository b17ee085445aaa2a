"""The subset of PromQL in which alert rules are written: text to tree to values, as Prometheus computes them. Pure.

    expression = parsing.parse("max without (job, instance) (a > on (db_instance) group_left () b)", "memory.yml: Full")
    evaluate(expression, source, now) -> [Sample(labels, value), ...] or a number

A `Source` gives values: `instant` those of now, `window` those of a range. `Present` is one, made anew at each step
of what is there now and of the `Ring`, which keeps what was.
"""

from __future__ import annotations

from dbwatch.core.promql.evaluating import evaluate
from dbwatch.core.promql.parsing import parse
from dbwatch.core.promql.present import Present
from dbwatch.core.promql.ranges import Ring
from dbwatch.core.promql.syntax import Expression, Matcher, RangeSelector, Sample, Selector, Source, Window
from dbwatch.core.promql.templates import Template

__all__ = [
    "Expression",
    "Matcher",
    "Present",
    "RangeSelector",
    "Ring",
    "Sample",
    "Selector",
    "Source",
    "Template",
    "Window",
    "evaluate",
    "parse",
]
