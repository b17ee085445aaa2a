"""What alerting says of itself on the page: read when the page is made, absent where it is off."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily

from dbwatch.core.alerting.figures import AlertingFigures, HeartbeatFigures, MailFigures, PushFigures, RuleFigures

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from prometheus_client.metrics_core import Metric

# With nothing absent: what a reference of all metrics is made of.
EVERYTHING = AlertingFigures(
    RuleFigures(evaluated_at=0.0, took_seconds=0.0),
    MailFigures(oldest_queued_at=0.0, last_success_at=0.0),
    (PushFigures("", last_success_at=0.0),),
    HeartbeatFigures(last_success_at=0.0),
)


class AlertingCollector:
    """A collector as prometheus_client wants it; `figures` is asked by `look`, on the event loop, for each page."""

    def __init__(self) -> None:
        self.figures: Callable[[], AlertingFigures] = AlertingFigures
        self._seen = AlertingFigures()

    def look(self) -> None:
        self._seen = self.figures()

    def collect(self) -> Iterable[Metric]:
        figures = self._seen
        yield from _rules(figures.rules)
        yield from _mail(figures.mail)
        yield from _replicas(figures.replicas)
        yield from _heartbeat(figures.heartbeat)


def _gauge(name: str, text: str, value: float | None) -> Iterator[Metric]:
    if value is not None:
        yield GaugeMetricFamily(name, text, value=value)


def _counter(name: str, text: str, value: float) -> Metric:
    return CounterMetricFamily(name, text, value=value)


def _rules(rules: RuleFigures | None) -> Iterator[Metric]:
    if rules is None:
        return
    yield from _gauge(
        "dbwatch_rules_last_evaluation_timestamp_seconds",
        "When the alert rules were last evaluated.",
        rules.evaluated_at,
    )
    yield from _gauge(
        "dbwatch_rules_evaluation_duration_seconds",
        "Time of the last evaluation of all alert rules.",
        rules.took_seconds,
    )
    yield from _gauge(
        "dbwatch_rules_left_out",
        "Rules of the files that cannot run in the daemon, mostly because they read what is no metric.",
        rules.left_out,
    )
    yield _counter(
        "dbwatch_range_series_dropped_total",
        "Series that a rule's range would have needed beyond its bound, at each step.",
        rules.dropped_range_series,
    )
    failures = CounterMetricFamily(
        "dbwatch_rule_evaluation_failures_total", "Steps at which a rule could not be evaluated.", labels=["rule"]
    )
    for rule, count in sorted(rules.failures.items()):
        failures.add_metric([rule], count)
    yield failures
    alerts = GaugeMetricFamily("dbwatch_alerts", "Alerts by state and severity.", labels=["state", "severity"])
    for key, count in sorted(rules.alerts.items()):
        alerts.add_metric(list(key), count)
    yield alerts


def _mail(mail: MailFigures | None) -> Iterator[Metric]:
    if mail is None:
        return
    letters = GaugeMetricFamily(
        "dbwatch_outbox_letters", "Letters that wait, or were refused for good.", labels=["state"]
    )
    letters.add_metric(["queued"], mail.queued)
    letters.add_metric(["dead"], mail.dead)
    yield letters
    yield from _gauge(
        "dbwatch_outbox_oldest_letter_timestamp_seconds",
        "When the letter that waits longest was written; absent while none waits.",
        mail.oldest_queued_at,
    )
    yield from _gauge(
        "dbwatch_outbox_persisted",
        "1 while letters are written to disk before they are sent, 0 while they leave from memory.",
        int(mail.is_persisted),
    )
    yield from _gauge(
        "dbwatch_mail_last_success_timestamp_seconds", "When a relay last took a letter.", mail.last_success_at
    )
    yield _counter("dbwatch_mail_sent_total", "Letters that a relay took.", mail.sent_total)
    yield _counter("dbwatch_mail_retries_total", "Attempts that failed for now.", mail.retries_total)
    yield _counter("dbwatch_mail_dead_total", "Letters that were refused for good.", mail.dead_total)


def _replicas(replicas: tuple[PushFigures, ...]) -> Iterator[Metric]:
    if not replicas:
        return
    failures = CounterMetricFamily(
        "dbwatch_alertmanager_push_failures_total", "Pushes that an Alertmanager did not take.", labels=["replica"]
    )
    success = GaugeMetricFamily(
        "dbwatch_alertmanager_last_success_timestamp_seconds",
        "When an Alertmanager last took a push.",
        labels=["replica"],
    )
    for each in replicas:
        failures.add_metric([each.replica], each.failures_total)
        if each.last_success_at is not None:
            success.add_metric([each.replica], each.last_success_at)
    yield failures
    yield success


def _heartbeat(heartbeat: HeartbeatFigures | None) -> Iterator[Metric]:
    if heartbeat is None:
        return
    yield _counter("dbwatch_heartbeat_failures_total", "Heartbeats that were not answered.", heartbeat.failures_total)
    yield from _gauge(
        "dbwatch_heartbeat_last_success_timestamp_seconds",
        "When the heartbeat's address last answered.",
        heartbeat.last_success_at,
    )
