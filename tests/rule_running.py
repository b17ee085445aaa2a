"""Our evaluator as promtool's and Prometheus's counterpart: rules stepped over a source, alerts out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dbwatch.core.alerting import states
from dbwatch.core.alerting.model import Alert, AlertState
from dbwatch.core.promql import Sample, evaluate
from dbwatch.core.rules import expand
from tests.promtool_files import SeriesSource

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from dbwatch.core.promql import Source
    from dbwatch.core.rules import AlertRule
    from tests.promtool_files import AlertTest, Case

Told = tuple[tuple[str, str], ...]


def vector(rule: AlertRule, source: Source, now: float) -> list[Sample]:
    value = evaluate(rule.expression, source, now)
    return value if isinstance(value, list) else [Sample({}, value)]


def stepped(
    rules: Iterable[AlertRule], known: Mapping[str, dict[str, Alert]], source: Source, now: float
) -> dict[str, dict[str, Alert]]:
    """Every rule's alerts after this step, by the rule's name; what has resolved is forgotten at once."""
    result = {}
    for rule in rules:
        alerts = states.advance(rule, known.get(rule.name, {}), vector(rule, source, now), now, expand=expand)
        result[rule.name] = {mark: each for mark, each in alerts.items() if each.state is not AlertState.RESOLVED}
    return result


def firing(alerts: Iterable[Alert]) -> list[tuple[Told, Told]]:
    return sorted((each.labels, each.annotations) for each in alerts if each.state is AlertState.FIRING)


def answers(
    case: Case, rules: Sequence[AlertRule], step: float, *, is_closed: bool
) -> Iterator[tuple[AlertTest, list[tuple[Told, Told]]]]:
    """What we would answer to each question of a test case: the alerts that fire at the last step before it."""
    asked = sorted(case.alert_tests, key=lambda each: each.seconds)
    wanted = {each.name for each in asked}
    chosen = [rule for rule in rules if rule.name in wanted]
    source = SeriesSource(case.series, is_closed=is_closed)
    known: dict[str, dict[str, Alert]] = {}
    while asked:
        known = stepped(chosen, known, source, source.now)
        while asked and asked[0].seconds < source.now + step:
            test = asked.pop(0)
            yield test, firing(known.get(test.name, {}).values())
        source.now += step
