"""What the fault stories on PostgreSQL share: an instance that is asked often, and ways to look at page and server."""

from __future__ import annotations

import json
import subprocess
import time
from typing import TYPE_CHECKING, Any

from dbwatch.core.model import Facts, Origin, Role
from dbwatch.poller import asking
from tests.fix_daemon import parse_page
from tests.fix_process import eventually, program
from tests.postgres_asking import ENGINE, ours

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tests.fix_daemon import Daemon, Samples
    from tests.fix_postgres import Postgres

INTERVAL = 0.3  # of the collectors that on-call looks at first, in a quick instance
# What costs much is asked less often: on a busy machine that stretches the interval to many seconds.
PATIENCE_SECONDS = 90.0
SELDOM = 5  # times as long for all the others: 35 of them each 0.3 s would be another fault than the one meant
# A server as the fixtures make it, with the documented role and nothing more, watched over the network.
GRANTED = dict.fromkeys(("pg_monitor", "track_activities", "track_counts", "pg_stat_statements"), True)
FIXTURE = Facts("postgres", (18,), "18", Role.PRIMARY, extensions={"pg_stat_statements": (1, 12)}, probes=GRANTED)
EVERY = {item.name: item for item in ours().collectors_for(ENGINE)}
COLLECTORS = {
    item.name: item
    for item in EVERY.values()
    if item.enabled and item.source is not Origin.HOST and asking.left_out(item, FIXTURE) == ""
}
SAMPLER = "active_sessions"
FIRST = {
    "database_sizes", "databases", "limits", "locks", "queries", "replication", "sessions", "table_activity",
    "table_count", "table_sizes", "transactions"
}  # fmt: skip
POLLED = [name for name in COLLECTORS if name != SAMPLER]
NEEDS_PG_MONITOR = [name for name, item in COLLECTORS.items() if "pg_monitor" in item.needs]
# A server without replicas, subscriptions or mistakes in its schema has nothing to say of them.
NEVER_EMPTY = set(COLLECTORS) - {
    "index_activity", "index_duplicates", "index_invalid", "replication", "subscription_tables", "subscriptions"
}  # fmt: skip
# With log_min_messages = warning nothing else is an accident.
ACCIDENTS = ("WARNING:", "ERROR:", "FATAL:", "PANIC:")


def quick(server: Any, interval: float = INTERVAL, **overrides: Any) -> dict[str, object]:
    """An instance whose collectors run each `interval` or a few of them, and whose login is probed as often."""
    often = {
        "probe_interval": interval,
        "fast_interval": interval,
        "connect_timeout": 1.0,
        "collectors": {name: {"interval": interval if name in FIRST else interval * SELDOM} for name in POLLED},
    }
    return dict(server.instance(**often | overrides))


def only(*names: str, interval: float = INTERVAL) -> dict[str, dict[str, object]]:
    """Collector overrides: these run each `interval`, the others not at all."""
    return {name: {"interval": interval} if name in names else {"enabled": False} for name in EVERY}


def watched(server: Any, **overrides: Any) -> dict[str, dict[str, object]]:
    """The configuration of a daemon with one quick instance, `pg`."""
    return {"instances": {"pg": quick(server, **overrides)}}


def families(name: str) -> set[str]:
    """The families that a collector feeds."""
    return {column.family for column in COLLECTORS[name].metrics}


def present(page: Samples, **labels: str) -> set[str]:
    """The names of all samples with these labels."""
    wanted = set(labels.items())
    return {name for name, own in page if wanted <= own}


def fed(page: Samples) -> set[str]:
    """The collectors of which the page shows at least one sample."""
    shown = present(page)
    return {name for name in COLLECTORS if families(name) & shown}


def pages(daemon: Daemon, seconds: float, every_seconds: float = 0.02) -> Iterator[Samples]:
    """What a very eager Prometheus sees for so long."""
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        yield daemon.scrape()
        time.sleep(every_seconds)


def page_with(
    daemon: Daemon, is_wanted: Callable[[Samples], object], *, timeout_seconds: float = PATIENCE_SECONDS
) -> Samples:
    """Scrape until a page is as wanted."""
    return eventually(lambda: [page for page in [daemon.scrape()] if is_wanted(page)], timeout_seconds=timeout_seconds)[
        0
    ]


def succeeded(page: Samples, **labels: str) -> bool:
    """Every collector that is for its role ran, and gave values."""
    results = page.where("dbwatch_collector_success", **labels)
    is_replica = 1.0 in page.where("dbwatch_role", role="replica", **labels).values()
    due = {name for name, item in COLLECTORS.items() if not (is_replica and item.role is Role.PRIMARY)}
    return due <= {dict(own)["collector"] for own in results} and set(results.values()) == {1.0}


def settled(daemon: Daemon, *, timeout_seconds: float = PATIENCE_SECONDS, **labels: str) -> Samples:
    """The first page on which every collector has succeeded."""
    return page_with(daemon, lambda page: succeeded(page, **labels), timeout_seconds=timeout_seconds)


def fresh(daemon: Daemon, collector: str, *, timeout_seconds: float = PATIENCE_SECONDS, **labels: str) -> Samples:
    """A page that holds what the collector saw in a run that began after this call."""
    now = time.time()

    def is_new(page: Samples) -> bool:
        at = page.value("dbwatch_collector_last_success_timestamp_seconds", collector=collector, **labels) or 0.0
        took = page.value("dbwatch_collector_duration_seconds", collector=collector, **labels) or 0.0
        return at - took > now

    return page_with(daemon, is_new, timeout_seconds=timeout_seconds)


def told(daemon: Daemon, name: str = "pg") -> Mapping[str, Any]:
    """What /api/v1/instances says of an instance."""
    answer = json.loads(daemon.get("/api/v1/instances").text)
    return next(each for each in answer["instances"] if each["db_instance"] == name)


def accidents(server: Postgres, since: int = 0) -> list[str]:
    """The lines of the server's log, from that position on, that a DBA would ask us about."""
    return [line for line in server.log()[since:].splitlines() if any(word in line for word in ACCIDENTS)]


def accepted(text: str) -> Samples:
    """A page that promtool has nothing to say about, parsed."""
    checker = [str(program("promtool", want="prometheus")), "check", "metrics"]
    done = subprocess.run(checker, input=text.encode(), capture_output=True, timeout=120, check=False)
    assert (0, b"", b"") == (done.returncode, done.stdout, done.stderr)
    return parse_page(text)
