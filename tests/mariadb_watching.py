"""What the fault stories on MariaDB share: an instance that is asked often, and ways to look at page and server."""

from __future__ import annotations

import json
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tests.fix_mariadb import MONITOR
from tests.fix_process import eventually
from tests.mysql_asking import ENGINE, ours

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tests.fix_daemon import Daemon, Samples
    from tests.fix_mariadb import Mariadb

INTERVAL = 0.3  # of every collector of a quick instance
NOT_ON_MARIADB = {"replication_applied"}
COLLECTORS = {item.name: item for item in ours().collectors_for(ENGINE) if item.name not in NOT_ON_MARIADB}
SAMPLER = "active_sessions"
OPEN_TO_ALL = {"limits", "server_status", "statements"}  # what any account may read
NEEDS_PROCESS = {name for name, item in COLLECTORS.items() if "process" in item.needs}
NEVER_EMPTY = set(COLLECTORS) - {"replication"}  # a server without a channel has nothing to say of one
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
    """The collectors of which the page shows at least one sample."""
    wanted = set(labels.items())
    shown = {name for name, own in page if wanted <= own}
    return {name for name in COLLECTORS if families(name) & shown}


def failing(page: Samples, **labels: str) -> set[str]:
    """The collectors whose last run failed."""
    results = page.where("dbwatch_collector_success", **labels)
    return {dict(own)["collector"] for own, value in results.items() if value == 0}


def lacking(page: Samples) -> set[str]:
    """The collectors that miss a privilege."""
    return {dict(own)["collector"] for own in page.where("dbwatch_collector_permission_missing")}


def reasons(page: Samples) -> dict[str, str]:
    """Why each instance that is down is down."""
    labels = [dict(own) for own in page.where("dbwatch_up_reason")]
    return {each["db_instance"]: each["reason"] for each in labels}


def page_with(daemon: Daemon, is_wanted: Callable[[Samples], object], *, timeout_seconds: float = 10.0) -> Samples:
    """Scrape until a page is as wanted."""
    return eventually(lambda: [page for page in [daemon.scrape()] if is_wanted(page)], timeout_seconds=timeout_seconds)[
        0
    ]


def settled(daemon: Daemon, *, timeout_seconds: float = 15.0, **labels: str) -> Samples:
    """The first page on which every collector has succeeded, and has been asked."""

    def all_succeeded(page: Samples) -> bool:
        results = page.where("dbwatch_collector_success", **labels)
        return len(results) == len(COLLECTORS) and set(results.values()) == {1.0}

    return page_with(daemon, all_succeeded, timeout_seconds=timeout_seconds)


def refreshed(daemon: Daemon, *collectors: str) -> Samples:
    """A page on which these collectors have succeeded in a run that began after this call."""
    now = time.time()

    def is_new(page: Samples) -> bool:
        name = "dbwatch_collector_last_success_timestamp_seconds"
        return all((page.value(name, collector=each) or 0.0) - INTERVAL > now for each in collectors)

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
