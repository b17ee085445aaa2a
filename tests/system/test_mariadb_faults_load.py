"""What a busy MariaDB does to us: locks, dropped databases, odd names, many tables; and what we do to it."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from tests.fix_mariadb import MONITOR
from tests.fix_process import eventually
from tests.mariadb_watching import (
    INTERVAL,
    NEVER_EMPTY,
    SHOP,
    aborted,
    accidents,
    counted_backends,
    failing,
    fed,
    page_with,
    quick,
    refreshed,
    settled,
    told_since,
    watched,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from tests.fix_daemon import Daemon, NewDaemon, Samples
    from tests.fix_mariadb import Mariadb, NewMariadb
    from tests.fix_network import Proxy

pytestmark = [pytest.mark.system, pytest.mark.engine]
ODD = ["it's", 'say "hi"', "100%s {x} %(y)s", "two\nlines", "back\\slash", "émoji"]
SLOW_COLLECTOR = """/* ---
description: One that the server never answers in time.
interval: 1s
timeout: 300ms
metrics:
  dbwatch_mysql_slow: {value: n}
--- */
SELECT SLEEP(30) AS n
"""
SLOW_FAMILY = 'dbwatch_mysql_slow: {type: gauge, help: "Never seen.", engines: [mysql]}\n'
OURS_AT_WORK = f"""
SELECT COUNT(*) FROM information_schema.processlist WHERE user = '{MONITOR}' AND info LIKE '%dbwatch:slow%'
"""


def pages_of(daemon: Daemon, seconds: float) -> list[Samples]:
    """What an eager Prometheus sees for so long."""
    limit = time.monotonic() + seconds
    seen = []
    while time.monotonic() < limit:
        seen.append(daemon.scrape())
        time.sleep(0.1)
    return seen


@asynccontextmanager
async def alter_table_waiting(server: Mariadb, *lock: str) -> AsyncIterator[None]:
    """One session holds the lock; another one wants to change the table, and stands in the queue."""
    holder, changer = await server.admin("shop"), await server.admin("shop")
    for statement in lock:
        await holder.query(statement)
    waiting = asyncio.ensure_future(changer.query("ALTER TABLE t FORCE"))
    try:
        yield
    finally:
        waiting.cancel()
        await asyncio.wait([waiting])
        await holder.ensure_closed()
        changer.close()


async def test_a_locked_table_costs_no_sample_and_no_connection(daemon: NewDaemon, new_mariadb: NewMariadb) -> None:
    server = new_mariadb()
    server.sql(SHOP)
    running = daemon(watched(server))
    await asyncio.to_thread(page_with, running, lambda page: NEVER_EMPTY == fed(page))
    locks = [
        ["LOCK TABLES shop.t WRITE"],
        ["FLUSH TABLES WITH READ LOCK"],
        ["SET autocommit = 0", "SELECT * FROM shop.t"],  # a transaction, before which ALTER TABLE has to wait
    ]
    with counted_backends(server) as backends:
        for lock in locks:
            async with alter_table_waiting(server, *lock):
                seen = await asyncio.to_thread(pages_of, running, 1.0)
                page = await asyncio.to_thread(refreshed, running, *NEVER_EMPTY)

            assert [set()] * len(seen) == [failing(each) for each in seen]
            assert {frozenset(NEVER_EMPTY)} == {frozenset(fed(each)) for each in seen}
            assert 1 == page.value("dbwatch_blocked_sessions")
            assert (page.value("dbwatch_table_size_bytes", database="shop", table="t") or 0) > 0
    assert max(backends) <= 4


def test_databases_come_and_go_in_mid_poll(daemon: NewDaemon, new_mariadb: NewMariadb) -> None:
    server = new_mariadb()
    running = daemon(watched(server))
    before = settled(running)
    for number in range(20):
        server.sql(f"CREATE DATABASE d{number}; CREATE TABLE d{number}.t (id int); DROP DATABASE d{number}")
        time.sleep(INTERVAL / 10)
    server.sql("CREATE DATABASE stays; CREATE TABLE stays.t (id int)")
    page_with(running, lambda page: page.value("dbwatch_tables", database="stays") == 1)
    server.sql("DROP DATABASE stays")
    gone = page_with(running, lambda page: not page.where("dbwatch_tables", database="stays"))

    failures = told_since(before, gone)
    assert failures <= {"timeout"}  # a DROP that a busy disk holds up holds up others; who gives up is cut
    assert {"mysql", "sys"} >= {dict(own)["database"] for own in gone.where("dbwatch_tables")}
    assert failures or [] == [line for line in accidents(server) if MONITOR in line]


async def test_names_with_quotes_newlines_and_percents_reach_the_page_as_they_are(
    daemon: NewDaemon, new_mariadb: NewMariadb
) -> None:
    server = new_mariadb()
    quoted = ["`" + name.replace("`", "``") + "`" for name in ODD]
    server.sql("SET NAMES utf8mb4;" + "".join(f"CREATE DATABASE {n}; CREATE TABLE {n}.{n} (id int);" for n in quoted))
    clients = [await server.admin(name) for name in ODD]
    running = daemon(watched(server, service_accounts=["root"]))
    page = await asyncio.to_thread(settled, running)
    for each in clients:
        await each.ensure_closed()
    tables = [dict(own) for own in page.where("dbwatch_table_size_bytes")]

    assert set(ODD) <= {dict(own)["database"] for own in page.where("dbwatch_database_size_bytes")}
    assert set(ODD) <= {each["table"] for each in tables if each["database"] == each["table"]}
    assert [1] * len(ODD) == [page.value("dbwatch_sessions", database=name, user="root", state="idle") for name in ODD]


def added(page: Samples, what: str) -> float:
    return sum(page.where(f"dbwatch_{what}_size_bytes").values())


def test_many_tables_are_bounded_and_add_up(daemon: NewDaemon, new_mariadb: NewMariadb) -> None:
    server = new_mariadb()
    server.sql("CREATE DATABASE big;" + "".join(f"CREATE TABLE big.t{n} (id int);" for n in range(320)))
    sizes_often = {"database_sizes": {"interval": INTERVAL}, "table_sizes": {"interval": INTERVAL, "top": 100}}
    running = daemon(watched(server, collectors=sizes_often))
    page = page_with(running, lambda page: page.where("dbwatch_table_size_bytes", database="big"))
    page_with(running, lambda page: page.value("dbwatch_tables", database="big") == 320)
    page_with(running, lambda page: added(page, "database") == added(page, "table"))  # the server's own tables grow
    sizes = page.where("dbwatch_table_size_bytes")

    assert len(sizes) <= 110
    assert any(dict(own)["table"] == "_other" for own in sizes)


def test_a_healthy_server_never_hears_of_us(daemon: NewDaemon, new_mariadb: NewMariadb) -> None:
    server = new_mariadb("--log-warnings=4")
    logged, lost = len(server.log()), aborted(server)
    running = daemon(watched(server))
    with counted_backends(server) as backends:
        settled(running)
        descriptors = running.fd_count()
        time.sleep(2)
        later = running.fd_count()
        code = running.stop()
    eventually(lambda: server.backends() == 0)

    assert 0 == code
    assert 1 <= max(backends) <= 4
    assert len(backends) > 20  # looks at the server
    assert later <= descriptors + 4
    assert lost == aborted(server)
    assert [] == accidents(server, logged)


def test_a_statement_that_we_gave_up_ends_on_the_server_too(
    daemon: NewDaemon, new_mariadb: NewMariadb, proxy: Callable[[int], Proxy], tmp_path: Path
) -> None:
    server = new_mariadb()
    (tmp_path / "mysql").mkdir()
    (tmp_path / "mysql" / "slow.sql").write_text(SLOW_COLLECTOR)
    (tmp_path / "families.yml").write_text(SLOW_FAMILY)
    between = proxy(server.port)
    instance = quick(server, port=between.port)
    running = daemon({"instances": {"maria": instance}, "collectors_dir": str(tmp_path)})
    page = page_with(running, lambda page: failing(page) == {"slow"} and fed(page) == NEVER_EMPTY)
    eventually(lambda: server.sql(OURS_AT_WORK) == "1", every_seconds=0.01)
    between.pause()  # neither our goodbye nor a KILL could reach the server now
    eventually(lambda: server.sql(OURS_AT_WORK) == "0", timeout_seconds=15)  # left alone, it sleeps for 30 s
    between.resume()
    running.stop()

    assert NEVER_EMPTY == fed(page)
    assert {"slow": "timeout"} == {
        dict(own)["collector"]: dict(own)["reason"] for own in page.where("dbwatch_collector_errors_total")
    }
