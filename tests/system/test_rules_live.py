"""Beside a real Prometheus: the same page, the same rules, the same alerts with the same labels at the same steps."""

from __future__ import annotations

import json
import signal
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING
from urllib.parse import urlencode
from urllib.request import urlopen

from dbwatch.core import rule_files, rules
from dbwatch.core.exposition import labels_text
from dbwatch.core.promql import Present, Ring, Sample
from tests.fix_process import ServerProcess, free_port, program, workspace
from tests.promtool_files import Series, SeriesSource, pairs
from tests.rule_running import stepped

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dbwatch.core.alerting.model import Alert
    from dbwatch.core.rules import AlertRule

RULES = Path(__file__).parents[1] / "data" / "rules" / "live.yml"
STEP_SECONDS = 1.0
FIRING = "firing"
LASTS_SECONDS = 20.0
STEP_RULE = "      - {record: live_step, expr: vector(1)}\n"  # in the same group: it tells when that was evaluated
CONFIGURATION = """
global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}}
rule_files: [rules.yml]
scrape_configs: [{{job_name: page, static_configs: [{{targets: ["127.0.0.1:{port}"]}}]}}]
"""
Step = frozenset[tuple[tuple[tuple[str, str], ...], str]]  # every alert's labels and state
Named = dict[str, list[Sample]]
Stored = tuple[dict[str, str], list[tuple[float, float]]]


@dataclass
class Page:
    """What happens to two instances in twenty seconds."""

    began: float = field(default_factory=time.time)

    def samples(self, now: float) -> Named:
        since = now - self.began
        found: Named = {}

        def add(metric: str, value: float, instance: str = "pg1", **labels: str) -> None:
            found.setdefault(metric, []).append(
                Sample({"db_instance": instance, "engine": "postgres", **labels}, value)
            )

        for instance in ("pg1", "pg2"):
            is_up = not (4 <= since < 11 or (since >= 14 and instance == "pg2"))
            if not (instance == "pg2" and since >= 18):  # it goes from the page while it is down
                add("dbwatch_up", is_up, instance)
            add("dbwatch_sessions_max", 100, instance)
            add("dbwatch_threshold", 0.8, instance, name="connections_used_ratio")
            add("dbwatch_threshold", 7, instance, name="another")
            add("dbwatch_sessions", 90 if 6 <= since < 9 and instance == "pg1" else 10, instance, state="active")
        add("dbwatch_deadlocks_total", 5 if since < 7 else 6)
        add("dbwatch_server_start_timestamp_seconds", self.began - (1000 if since < 10 else 5))
        add("dbwatch_collector_last_success_timestamp_seconds", now - (now % 1) if since < 8 else self.began + 8)
        add("dbwatch_collector_success", not 12 <= since < 17, collector="locks")
        add("dbwatch_maintenance", since >= 15)
        return found

    def text(self, now: float) -> str:
        named = self.samples(now).items()
        lines = [f"{name}{{{labels_text(labels)}}} {value:f}" for name, each in named for labels, value in each]
        return "\n".join([*lines, ""])


@dataclass
class Ours:
    """Our evaluator, stepping on the page as Prometheus does."""

    rules: Sequence[AlertRule]
    page: Page
    steps: list[tuple[float, Step]] = field(default_factory=list)

    def follow(self, until: float) -> None:
        ring = Ring(rules.ranges(self.rules))
        known: dict[str, dict[str, Alert]] = {}
        while (now := time.time()) < until:
            present = self.page.samples(now)
            source = Present(partial(_named, present), ring)
            ring.record(now, source.instant)
            known = stepped(self.rules, known, source, now)
            self.steps.append((now, told(known)))
            time.sleep(max(0.0, now + STEP_SECONDS - time.time()))


def _named(present: Named, name: str) -> list[Sample]:
    return present.get(name, [])


def told(known: dict[str, dict[str, Alert]]) -> Step:
    return frozenset((each.labels, each.state.value) for alerts in known.values() for each in alerts.values())


class Prometheus(ServerProcess):
    """Debian's, with our rules and one page to scrape."""

    def start(self, page_port: int) -> Prometheus:
        self.url = f"http://127.0.0.1:{free_port()}"
        (self.directory / "rules.yml").write_text(RULES.read_text(encoding="utf-8") + STEP_RULE, encoding="utf-8")
        (self.directory / "prometheus.yml").write_text(CONFIGURATION.format(port=page_port), encoding="utf-8")
        self.spawn(
            [
                program("prometheus"),
                f"--config.file={self.directory}/prometheus.yml",
                f"--storage.tsdb.path={self.directory}/data",
                f"--web.listen-address={self.url.removeprefix('http://')}",
            ]
        )
        self.wait_ready(lambda: "Server is ready to receive web requests" in self.log())
        return self

    def query(self, text: str) -> list[Stored]:
        """What was stored of a range."""
        with urlopen(f"{self.url}/api/v1/query?{urlencode({'query': text})}", timeout=120) as answer:
            result = json.load(answer)["data"]["result"]
        return [(each["metric"], [(at, float(value)) for at, value in each["values"]]) for each in result]

    def steps(self) -> dict[float, Step]:
        """Every alert's labels and state at each evaluation."""
        found: dict[float, set[tuple[tuple[tuple[str, str], ...], str]]] = {}
        for _, points in self.query("live_step[5m]"):
            found |= {at: set() for at, _ in points}
        for labels, points in self.query("ALERTS[5m]"):
            own = {name: value for name, value in labels.items() if name not in {"__name__", "alertstate"}}
            for at, _ in points:
                found[at].add((pairs(own), labels["alertstate"]))
        return {at: frozenset(alerts) for at, alerts in sorted(found.items())}

    def scraped(self) -> list[Series]:
        """Its samples, and a stale marker where a series was not on the page any more."""
        stored = self.query('{__name__=~"dbwatch_.+"}[5m]')
        scrapes = sorted({at for _, points in stored for at, _ in points})
        return [_series(labels, dict(points), scrapes) for labels, points in stored]


def _series(labels: dict[str, str], points: dict[float, float], scrapes: Sequence[float]) -> Series:
    own = {name: value for name, value in labels.items() if name != "__name__"}
    return Series(labels["__name__"], own, scrapes, [points.get(at) for at in scrapes])


@contextmanager
def served(page: Page, port: int) -> Iterator[None]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.end_headers()
            self.wfile.write(page.text(time.time()).encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    thread = Thread(target=server.serve_forever, name="page")
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def prometheus(page_port: int) -> Iterator[Prometheus]:
    with workspace() as directory:
        server = Prometheus(directory)
        try:
            yield server.start(page_port)
        finally:
            server.end(signal.SIGTERM)


def replayed(alert_rules: Sequence[AlertRule], series: Sequence[Series], times: Sequence[float]) -> dict[float, Step]:
    """Our evaluator at Prometheus's own steps over what it had scraped until each."""
    source, found = SeriesSource(series), {}
    known: dict[str, dict[str, Alert]] = {}
    for now in times:
        source.now = now
        known = stepped(alert_rules, known, source, now)
        found[now] = told(known)
    return found


def strangers(theirs: dict[float, Step], ours: dict[float, Step], seconds: float) -> list[tuple[float, object]]:
    """What one of both has, and the other has not within so many seconds."""

    def near(steps: dict[float, Step], now: float) -> Step:
        return frozenset().union(*(alerts for at, alerts in steps.items() if abs(at - now) <= seconds))

    first, last = max(min(theirs), min(ours)) + seconds, min(max(theirs), max(ours)) - seconds
    return [
        (now, alert)
        for one, other in ((theirs, ours), (ours, theirs))
        for now, alerts in one.items()
        if first <= now <= last
        for alert in alerts - near(other, now)
    ]


def test_prometheus_and_the_daemon_have_the_same_alerts_at_the_same_steps() -> None:
    alert_rules = rule_files.read([(RULES.name, RULES.read_text(encoding="utf-8"))])
    port = free_port()
    with prometheus(port) as server:
        page = Page()
        with served(page, port):
            ours = Ours(alert_rules, page)
            ours.follow(page.began + LASTS_SECONDS)
            theirs, series = server.steps(), server.scraped()

    exact = replayed(alert_rules, series, list(theirs))
    every = frozenset().union(*theirs.values())
    fired = {dict(labels)["alertname"] for labels, state in every if state == FIRING}
    differing = [now for now in theirs if theirs[now] != exact[now]]

    assert {each.name for each in alert_rules} == fired
    assert [] == strangers(theirs, exact, STEP_SECONDS + 0.1)
    assert len(differing) <= len(theirs) / 4, differing
    # One step of the scrape, one of the rules, and one for a machine with better things to do.
    assert [] == strangers(theirs, dict(ours.steps), 3 * STEP_SECONDS + 0.5)
