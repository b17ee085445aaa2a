"""What the fault stories on MariaDB share: an instance that is asked often, and ways to look at page and server."""

from __future__ import annotations

import json
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from dbwatch.core.conditions import choose
from dbwatch.core.model import Facts, Origin, Role
from dbwatch.poller import asking
from tests.fix_mariadb import MONITOR
from tests.fix_process import eventually
from tests.mysql_asking import ENGINE, ours

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tests.fix_daemon import Daemon, Samples
    from tests.fix_mariadb import Mariadb

ERRORS = "dbwatch_collector_errors_total"
INTERVAL = 0.3  # of every collector of a quick instance
# What costs much is asked less often: on a busy machine that stretches the interval to many seconds.
PATIENCE_SECONDS = 90.0
# A server as it ships, watched over the network.
SHIPPED = Facts(
    "mariadb",
    (10, 11),
    "10.11",
    Role.PRIMARY,
    settings={"performance_schema": "OFF", "log_bin": "ON"},
    probes={name: True for _, name in ours().probes},
)
COLLECTORS = {
    item.name: item
    for item in ours().collectors_for(ENGINE)
    if item.source is not Origin.HOST and asking.left_out(item, SHIPPED) in ("", "role")
}
SAMPLER = "active_sessions"
# What any account may read: no probe that it needs has anything to prove here.
OPEN_TO_ALL = {
    name
    for name, item in COLLECTORS.items()
    if not any(choose(ours().probes[ENGINE, need].variants, SHIPPED) for need in item.needs)
}
NEEDS_PROCESS = {name for name, item in COLLECTORS.items() if "process" in item.needs}
# What has something to say depends on the tables, or on a cluster; `replication` on a channel.
OFTEN_EMPTY = {"auto_increment", "galera", "primary_keys", "redundant_indexes"}
NEVER_EMPTY = set(COLLECTORS) - OFTEN_EMPTY - {"replication"}
SHOP = """
CREATE DATABASE shop; CREATE TABLE shop.t (id int PRIMARY KEY, v int); INSERT INTO shop.t VALUES (1, 0), (2, 0);
"""


def quick(server: Mariadb, interval: float = INTERVAL, **overrides: object) -> dict[str, object]:
    """An instance whose every collector runs each `interval`, and whose login is probed as often."""
    often = {
        "probe_interval": interval,
        "fast_interval": interval,
        "sampler_interval": interval,
        "connect_timeout": 1.0,
        "collectors": {name: {"interval": interval} for name in COLLECTORS if name != SAMPLER},
    }
    return server.instance() | often | overrides


def watched(server: Mariadb, **overrides: Any) -> dict[str, object]:
    """The configuration of a daemon with one quick instance, `maria`."""
    return {"instances": {"maria": quick(server, **overrides)}}


def families(*names: str) -> set[str]:
    """The families that these collectors feed."""
    return {column.family for name in names for column in COLLECTORS[name].metrics}


def fed(page: Samples, **labels: str) -> set[str]:
    """The collectors of which the page shows at least one sample; not those where that says nothing."""
    wanted = set(labels.items())
    shown = {name for name, own in page if wanted <= own}
    return {name for name in COLLECTORS if name not in OFTEN_EMPTY and families(name) & shown}


def failing(page: Samples, **labels: str) -> set[str]:
    """The collectors whose last run failed."""
    results = page.where("dbwatch_collector_success", **labels)
    return {dict(own)["collector"] for own, value in results.items() if value == 0}


def told_since(before: Samples, after: Samples) -> set[str]:
    """The reasons of the failures of collectors between two pages."""
    known, counted = before.where(ERRORS), after.where(ERRORS)
    return {dict(own)["reason"] for own, value in counted.items() if value > known.get(own, 0)}


def lacking(page: Samples) -> set[str]:
    """The collectors that miss a privilege."""
    return {dict(own)["collector"] for own in page.where("dbwatch_collector_permission_missing")} & set(COLLECTORS)


def reasons(page: Samples) -> dict[str, str]:
    """Why each instance that is down is down."""
    labels = [dict(own) for own in page.where("dbwatch_up_reason")]
    return {each["db_instance"]: each["reason"] for each in labels}


def page_with(
    daemon: Daemon, is_wanted: Callable[[Samples], object], *, timeout_seconds: float = PATIENCE_SECONDS
) -> Samples:
    """Scrape until a page is as wanted."""
    return eventually(lambda: [page for page in [daemon.scrape()] if is_wanted(page)], timeout_seconds=timeout_seconds)[
        0
    ]


def settled(daemon: Daemon, *, timeout_seconds: float = PATIENCE_SECONDS, **labels: str) -> Samples:
    """The first page on which every collector has succeeded, and has been asked."""

    def all_succeeded(page: Samples) -> bool:
        results = page.where("dbwatch_collector_success", **labels)
        asked = {dict(own)["collector"] for own in results}
        return set(COLLECTORS) <= asked and set(results.values()) == {1.0}

    return page_with(daemon, all_succeeded, timeout_seconds=timeout_seconds)


def refreshed(daemon: Daemon, *collectors: str) -> Samples:
    """A page on which these collectors have succeeded in a run that began after this call."""
    now = time.time()

    def began(page: Samples, collector: str) -> float:
        at = page.value("dbwatch_collector_last_success_timestamp_seconds", collector=collector) or 0.0
        return at - (page.value("dbwatch_collector_duration_seconds", collector=collector) or 0.0)

    def is_new(page: Samples) -> bool:
        return all(began(page, each) > now for each in collectors)

    return page_with(daemon, is_new)


def told(daemon: Daemon, name: str = "maria") -> Mapping[str, Any]:
    """What /api/v1/instances/NAME says."""
    found: Mapping[str, Any] = json.loads(daemon.get(f"/api/v1/instances/{name}").text)
    return found


def accidents(server: Mariadb, since: int = 0) -> list[str]:
    """The lines of the server's log, from that position on, that a DBA would ask us about."""
    return [line for line in server.log()[since:].splitlines() if "[Warning]" in line or "[ERROR]" in line]


def aborted(server: Mariadb) -> str:
    return server.sql("SHOW GLOBAL STATUS WHERE Variable_name IN ('Aborted_clients', 'Aborted_connects')")


@contextmanager
def counted_backends(server: Mariadb) -> Iterator[list[int]]:
    """How many sessions of ours the server had, looked at all the time while the block lasts."""
    counts: list[int] = []
    done = threading.Event()

    def look() -> None:
        while not done.is_set():
            question = f"SELECT count(*) FROM information_schema.processlist WHERE user = '{MONITOR}'; DO SLEEP(0.001);"
            counts.extend(map(int, server.sql(question * 200).split()))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield counts
    finally:
        done.set()
        thread.join()
