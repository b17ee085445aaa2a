"""The process's own metrics: the one user of prometheus_client, and the one module that spells their names.

What is told of an instance goes through the store like everything else; here is only what no instance has.
"""

from __future__ import annotations

import platform
import time
from collections import deque
from typing import TYPE_CHECKING

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    ProcessCollector,
    disable_created_metrics,
    exposition,
)
from prometheus_client.openmetrics import exposition as openmetrics_exposition

from dbwatch import __version__
from dbwatch.core.exposition import OPENMETRICS_END
from dbwatch.http.own_alerting import EVERYTHING, AlertingCollector
from dbwatch.http.own_backups import ALL_OF_IT, BackupsCollector

if TYPE_CHECKING:
    from collections.abc import Callable

# Two functions that prometheus_client has not typed yet.
WITHOUT_CREATED: Callable[[], None] = disable_created_metrics
OPENMETRICS: Callable[[CollectorRegistry], bytes] = openmetrics_exposition.generate_latest

LAG_BUCKETS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0)
LATENESS_BUCKETS = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
REQUEST_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0, 5.0)
BUILD_BUCKETS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
# There from the start, so that the first crash of each is an increase.
SUPERVISED = ("probe", "fast", "slow", "heavy", "sampler", "alertmanager", "heartbeat")
SUFFIXES = {"histogram": ("_bucket", "_sum", "_count")}
WORST_WINDOW_SECONDS = 300.0
WORST_SLOT_SECONDS = 15.0


class RecentWorst:
    """The greatest value of the last five minutes, so that a scrape each minute cannot miss a peak."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._slots: deque[tuple[float, float]] = deque()  # (begin of the slot, its greatest value)

    def note(self, value: float) -> None:
        now = self._clock()
        if self._slots and now - self._slots[-1][0] < WORST_SLOT_SECONDS:
            began, worst = self._slots.pop()
            self._slots.append((began, max(worst, value)))
        else:
            self._slots.append((now, value))
        self._forget_old(now)

    def value(self) -> float:
        self._forget_old(self._clock())
        return max((worst for _, worst in self._slots), default=0.0)

    def _forget_old(self, now: float) -> None:
        while self._slots and now - self._slots[0][0] > WORST_WINDOW_SECONDS:
            self._slots.popleft()


class OwnMetrics:
    """Counts what the process does; every method is cheap, and safe in any thread where it does not say otherwise."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        WITHOUT_CREATED()
        self._registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        build = Info("dbwatch_build", "The version of dbwatch and of the Python that runs it.", registry=registry)
        build.info({"version": __version__, "python": platform.python_version()})
        self._make_configuration(registry)
        self._make_loop(registry, clock)
        self._make_http(registry)
        self.alerting = AlertingCollector()
        registry.register(self.alerting)
        self.backups = BackupsCollector()
        registry.register(self.backups)

    def _make_configuration(self, registry: CollectorRegistry) -> None:
        self._last_reload_failed = False
        self._reload_successful = Gauge(
            "dbwatch_config_last_reload_successful",
            "1 when the last load of the configuration succeeded, 0 when the one before it is still in use.",
            registry=registry,
        )
        self._reload_at = Gauge(
            "dbwatch_config_last_reload_success_timestamp_seconds",
            "When the configuration in use was loaded.",
            registry=registry,
        )
        self._instances = Gauge("dbwatch_instances", "Instances that are configured.", registry=registry)
        self._series = Gauge("dbwatch_series", "Series of all instances that the page holds.", registry=registry)

    def _make_loop(self, registry: CollectorRegistry, clock: Callable[[], float]) -> None:
        self._lag = Histogram(
            "dbwatch_event_loop_lag_seconds",
            "How much later than asked for the event loop woke a timer.",
            buckets=LAG_BUCKETS,
            registry=registry,
        )
        self._lateness = Histogram(
            "dbwatch_poll_lateness_seconds",
            "How long after its time a poll began.",
            buckets=LATENESS_BUCKETS,
            registry=registry,
        )
        self._worst_lateness = RecentWorst(clock)
        Gauge(
            "dbwatch_poll_lateness_max_seconds",
            "The latest that a poll began in the last five minutes.",
            registry=registry,
        ).set_function(self._worst_lateness.value)
        self._crashes = Counter(
            "dbwatch_task_crashes_total",
            "Times that a task of the daemon ended by a bug and was started again.",
            ["task"],
            registry=registry,
        )
        for task in SUPERVISED:
            self._crashes.labels(task)

    def _make_http(self, registry: CollectorRegistry) -> None:
        self._requests = Counter(
            "dbwatch_http_requests_total", "HTTP requests answered.", ["handler", "code"], registry=registry
        )
        self._request_seconds = Histogram(
            "dbwatch_http_request_duration_seconds",
            "Time from a request's head to the last byte of its answer.",
            ["handler"],
            buckets=REQUEST_BUCKETS,
            registry=registry,
        )
        self._build_seconds = Histogram(
            "dbwatch_page_build_seconds",
            "CPU time of building one compressed page.",
            buckets=BUILD_BUCKETS,
            registry=registry,
        )
        self._page_bytes = Gauge(
            "dbwatch_page_bytes",
            "Size of the last page built, by format and encoding.",
            ["format", "encoding"],
            registry=registry,
        )

    def reloaded(self, *, successful: bool, now: float) -> None:
        """The configuration was loaded (also the first time), or could not be; `now` in Unix seconds."""
        self._last_reload_failed = not successful
        self._reload_successful.set(int(successful))
        if successful:
            self._reload_at.set(now)

    @property
    def last_reload_failed(self) -> bool:
        return self._last_reload_failed

    def lag(self, seconds: float) -> None:
        self._lag.observe(seconds)

    def lateness(self, seconds: float) -> None:
        self._lateness.observe(seconds)
        self._worst_lateness.note(seconds)

    def crashed(self, task: str) -> None:
        self._crashes.labels(task).inc()

    def answered(self, handler: str, code: int, seconds: float) -> None:
        self._requests.labels(handler, str(code)).inc()
        self._request_seconds.labels(handler).observe(seconds)

    def built(self, page_format: str, seconds: float, *, plain_bytes: int, gzip_bytes: int) -> None:
        self._build_seconds.observe(seconds)
        self._page_bytes.labels(page_format, "identity").set(plain_bytes)
        self._page_bytes.labels(page_format, "gzip").set(gzip_bytes)

    def holds(self, *, instances: int, series: int) -> None:
        """What the store holds now."""
        self._instances.set(instances)
        self._series.set(series)

    def look(self) -> None:
        """Ask alerting and backups: on the event loop only, for theirs changes while another thread goes through it."""
        self.alerting.look()
        self.backups.look()

    def samples(self) -> list[tuple[str, dict[str, str], float]]:
        """Every sample as a value, for the rules that watch dbwatch itself: name, labels, value. On the event loop."""
        self.look()
        families = self._registry.collect()
        return [(sample.name, sample.labels, sample.value) for family in families for sample in family.samples]

    def render(self, *, openmetrics: bool) -> bytes:
        """The text of these metrics as of the last `look`, without the end mark of OpenMetrics."""
        if openmetrics:
            return OPENMETRICS(self._registry).removesuffix(OPENMETRICS_END)
        return exposition.generate_latest(self._registry)


def every_name() -> frozenset[str]:
    """The names of all samples that the process's own metrics may have, for whoever checks a rule or a page."""
    own = OwnMetrics()
    own.alerting.figures = lambda: EVERYTHING
    own.backups.figures = lambda: ALL_OF_IT
    own.look()
    families = own.render(openmetrics=False).decode().splitlines()
    types = (line.split()[2:4] for line in families if line.startswith("# TYPE "))
    return frozenset(name + end for name, kind in types for end in SUFFIXES.get(kind, ("",)))
