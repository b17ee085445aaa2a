"""What becomes of a rule's alerts at one step, as Prometheus does it: pending, firing, resolved. Time is an argument.

What Prometheus does not do: what cannot be judged now stays as it is; time in which nobody looked does not count toward
`for`; an alert that ended because its series are gone says so. A resolved alert stays until the caller drops it
(`Decision.forgettable`). If it gets true again before, it is pending, with the times of its former life.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from dbwatch.core.alerting.model import ALERTNAME, Alert, AlertState, Pairs, pairs
from dbwatch.errors import EvaluationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    Labels = Mapping[str, str]
    Expander = Callable[[Any, Labels, float], str]  # template, labels, value -> text
    Judge = Callable[[Labels], bool]


class Rule(Protocol):
    """What of a rule matters here. Labels and annotations are templates."""

    @property
    def name(self) -> str: ...
    @property
    def for_seconds(self) -> float: ...
    @property
    def keep_firing_for_seconds(self) -> float: ...
    @property
    def labels(self) -> Mapping[str, Any]: ...
    @property
    def annotations(self) -> Mapping[str, Any]: ...


def always(_: Labels) -> bool:
    return True


def advance(
    rule: Rule,
    known: Mapping[str, Alert],
    vector: Iterable[tuple[Labels, float]],
    now: float,
    *,
    expand: Expander,
    can_judge: Judge = always,
    can_measure: Judge = always,
) -> dict[str, Alert]:
    """The rule's alerts after this step, by fingerprint; `known` are those after the step before.

    `can_judge` of labels: their instance was asked since our start. `can_measure`: it still gives the values.
    Raise EvaluationError where two results get the same labels: the caller keeps `known`.
    """
    result: dict[str, Alert] = {}
    for labels, value in vector:
        alert = _seen(rule, labels, value, now, expand)
        if alert.fingerprint in result:
            raise EvaluationError(f"alert {rule.name}: two results have the same labels")
        result[alert.fingerprint] = _true(rule, known.get(alert.fingerprint), alert, now)
    for mark, alert in known.items():
        if mark in result:
            continue
        labels = dict(alert.labels)
        after = _false(rule, alert, now, is_measured=can_measure(labels)) if can_judge(labels) else _held(alert, now)
        if after is not None:
            result[mark] = after
    return result


def _seen(rule: Rule, labels: Labels, value: float, now: float, expand: Expander) -> Alert:
    own = {name: expand(text, labels, value) for name, text in rule.labels.items()}
    every = {**labels, **own, ALERTNAME: rule.name}
    texts = pairs({name: expand(text, labels, value) for name, text in rule.annotations.items()})
    return Alert(_without_empty(every), texts, AlertState.PENDING, value, active_at=now, last_true_at=now)


def _without_empty(labels: Labels) -> Pairs:
    return pairs({name: value for name, value in labels.items() if value})


def _true(rule: Rule, before: Alert | None, seen: Alert, now: float) -> Alert:
    if before is not None and before.state is not AlertState.RESOLVED:
        alert = replace(
            before,
            annotations=seen.annotations,
            value=seen.value,
            active_at=min(before.active_at, now),
            last_true_at=now,
            false_since=None,
        )
    elif before is not None:
        alert = replace(seen, fired_at=before.fired_at, resolved_at=before.resolved_at, is_measured=before.is_measured)
    else:
        alert = seen
    if alert.state is AlertState.PENDING and now - alert.active_at >= rule.for_seconds:
        return replace(alert, state=AlertState.FIRING, fired_at=now, resolved_at=None, is_measured=True)
    return alert


def _false(rule: Rule, alert: Alert, now: float, *, is_measured: bool) -> Alert | None:
    if alert.state is AlertState.PENDING:
        return _rested(alert) if alert.resolved_at is not None else None
    if alert.state is AlertState.RESOLVED:
        return alert
    since = now if alert.false_since is None else min(alert.false_since, now)
    if now - since < rule.keep_firing_for_seconds:
        return replace(alert, false_since=since)
    return _ended(alert, now, is_measured=is_measured)


def _rested(alert: Alert) -> Alert:
    """It was about to fire again, and did not: its former life has ended when it had."""
    return replace(alert, state=AlertState.RESOLVED)


def _held(alert: Alert, now: float) -> Alert:
    """Not judged: the time that a pending alert has waited neither grows nor is lost."""
    if alert.state is not AlertState.PENDING:
        return alert
    return replace(alert, active_at=now - max(0.0, alert.last_true_at - alert.active_at), last_true_at=now)


def _ended(alert: Alert, now: float, *, is_measured: bool) -> Alert:
    return replace(alert, state=AlertState.RESOLVED, resolved_at=now, is_measured=is_measured, false_since=None)


def removed(alerts: Mapping[str, Alert], now: float) -> dict[str, Alert]:
    """What becomes of alerts whose rule or instance went from the configuration: nothing judges them any more."""
    firing = {mark: _ended(a, now, is_measured=False) for mark, a in alerts.items() if a.state is AlertState.FIRING}
    owed = {mark: _rested(alert) for mark, alert in alerts.items() if alert.resolved_at is not None}
    return owed | firing


def restored(alerts: Mapping[str, Alert], last_looked_at: float, now: float) -> dict[str, Alert]:
    """After a restart: the time in which nobody looked counts neither toward `for` nor toward `keep_firing_for`."""
    gap = now - last_looked_at
    return {mark: _restored(alert, gap, now) for mark, alert in alerts.items()}


def _restored(alert: Alert, gap: float, now: float) -> Alert:
    if alert.state is AlertState.PENDING:
        waited = max(0.0, alert.last_true_at - alert.active_at)
        seen_at = min(now, alert.last_true_at + gap)
        return replace(alert, active_at=seen_at - waited, last_true_at=seen_at)
    if alert.false_since is not None:
        return replace(alert, false_since=min(now, alert.false_since + gap))
    return alert


def shifted(alerts: Mapping[str, Alert], seconds: float) -> dict[str, Alert]:
    """The same alerts after the clock was set by so many seconds: what lasted a minute still has."""
    return {mark: _shifted(alert, seconds) for mark, alert in alerts.items()}


def _shifted(alert: Alert, seconds: float) -> Alert:
    return replace(
        alert,
        active_at=alert.active_at + seconds,
        last_true_at=alert.last_true_at + seconds,
        fired_at=None if alert.fired_at is None else alert.fired_at + seconds,
        resolved_at=None if alert.resolved_at is None else alert.resolved_at + seconds,
        false_since=None if alert.false_since is None else alert.false_since + seconds,
    )
