"""Locks, scrapes and databases: what ours must never cost a server (F1, F3, F4), and how many sessions we hold."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from tests.fix_postgres import MONITOR
from tests.fix_process import eventually
from tests.postgres_watching import POLLED, accidents, page_with, pages, quick, settled, watched

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.fix_daemon import NewDaemon, Samples
    from tests.fix_postgres import NewPostgres, Postgres

pytestmark = [pytest.mark.system, pytest.mark.engine]

TABLES = "SELECT format('CREATE TABLE t%s (id int PRIMARY KEY)', n) FROM generate_series(1, 300) AS n \\gexec"
# A wait of ours that passes 300 ms is written to the server's log.
TELL_WAITS = ("log_lock_waits = on", "deadlock_timeout = 300ms")
OURS = f"SELECT count(*) FROM pg_stat_activity WHERE usename = '{MONITOR}'"
PLACES, HELD = 4, 2
# What a session has counted comes in after it ended, and a later ANALYZE would be added to.
COUNTED = "SELECT pg_stat_force_next_flush()"


def series(page: Samples) -> set[tuple[str, frozenset[tuple[str, str]]]]:
    """What the server said; what happens to come and go (sessions that log in, histograms of ours) left out."""
    return {key for key in page if ("db_instance", "pg") in key[1] and key[0] != "dbwatch_sessions"}


async def most_sessions(server: Postgres, is_over: Callable[[], bool]) -> int:
    """The most sessions of our role at any instant until then, looked at as fast as the server answers."""
    admin, most = await server.admin(), 0
    while not is_over():
        most = max(most, await admin.fetchval(OURS))
    await admin.close()
    return most


async def test_an_uncommitted_alter_table_costs_no_sample_and_no_session(
    daemon: NewDaemon, new_postgres: NewPostgres
) -> None:
    server = new_postgres(*TELL_WAITS)
    server.psql(TABLES)
    server.psql("ANALYZE")
    top = {name: {"interval": 0.3, "top": 300} for name in POLLED}
    running = daemon(watched(server, collectors=top))
    before = settled(running)
    altering, queued = await server.admin(), await server.admin()
    await altering.execute("BEGIN; ALTER TABLE t1 ADD COLUMN extra int")
    waiting = asyncio.create_task(queued.execute("BEGIN; LOCK TABLE t1 IN ACCESS EXCLUSIVE MODE"))
    limit = time.monotonic() + 2.5
    busiest, during = await asyncio.gather(
        most_sessions(server, lambda: time.monotonic() > limit),
        asyncio.to_thread(lambda: list(pages(running, 2.5, every_seconds=0.2))),
    )
    # On a busy machine the locks are asked for more seldom.
    await asyncio.to_thread(page_with, running, lambda page: page.value("dbwatch_blocked_sessions") == 1.0)
    await altering.execute("ROLLBACK")
    await asyncio.gather(waiting, return_exceptions=True)
    waits = [line for line in server.log().splitlines() if "still waiting" in line and f"{MONITOR}@" in line]
    await altering.close()
    await queued.close()

    sizes = before.where("dbwatch_table_size_bytes", component="heap")
    assert {f"t{n}" for n in range(1, 301)} == {dict(own)["table"] for own in sizes}
    assert [set()] * len(during) == [series(before) - series(page) for page in during]
    assert {1.0} == {value for page in during for value in page.where("dbwatch_collector_success").values()}
    assert busiest <= PLACES
    assert [] == waits
    assert [] == [line for line in accidents(server) if f"{MONITOR}@" in line]


def test_fifteen_scrapes_at_once_open_no_session(daemon: NewDaemon, new_postgres: NewPostgres) -> None:
    server = new_postgres("log_connections = on")
    often = {name: {"interval": 0.3} for name in ("sessions", "locks", "queries")}
    running = daemon({"instances": {"pg": server.instance(collectors=often, probe_interval=60, fast_interval=0.3)}})
    settled(running)
    eventually(lambda: server.backends() == HELD)  # the round of what is seldom asked is over
    before, held = server.logins(), server.backends()
    with ThreadPoolExecutor(15) as scrapers:
        answers = list(scrapers.map(lambda _: running.get("/metrics").status, range(150)))

    assert [200] * 150 == answers
    assert before == server.logins()
    assert held == server.backends()


def test_the_tables_of_every_database_are_seen_from_one_connection_string(
    daemon: NewDaemon, new_postgres: NewPostgres
) -> None:
    server = new_postgres()
    for name in ("mairie", "port", "voirie"):
        server.psql(f"CREATE DATABASE {name}")
        server.psql(f"CREATE TABLE of_{name} AS SELECT generate_series(1, 1000) AS n; {COUNTED}", database=name)
        server.psql("ANALYZE", database=name)
    running = daemon(watched(server))
    page = settled(running)

    for name in ("mairie", "port", "voirie"):
        where = {"database": name, "schema": "public", "table": f"of_{name}"}
        assert 1000.0 == page.value("dbwatch_table_rows", **where)
        size_bytes = float(server.psql(f"SELECT pg_relation_size('of_{name}')", database=name))
        assert size_bytes == page.value("dbwatch_table_size_bytes", component="heap", **where)
        assert 1000.0 == page.value("dbwatch_pg_table_changes_total", operation="insert", **where)
        assert 1.0 == page.value("dbwatch_tables", database=name)
    assert 0.0 == page.value("dbwatch_tables", database="postgres")


async def test_never_more_than_four_sessions_whatever_the_number_of_databases(
    daemon: NewDaemon, new_postgres: NewPostgres
) -> None:
    server = new_postgres()
    for number in range(12):
        server.psql(f"CREATE DATABASE many{number}")
    server.psql(f"ALTER ROLE {MONITOR} CONNECTION LIMIT -1")  # nothing but our own care holds us back
    over = asyncio.Event()
    looking = asyncio.create_task(most_sessions(server, over.is_set))
    running = await asyncio.to_thread(daemon, {"instances": {"pg": quick(server, interval=0.2)}})
    page = await asyncio.to_thread(settled, running)
    await asyncio.sleep(2)
    over.set()
    most = await looking
    await asyncio.to_thread(running.stop)

    assert 13 == len(page.where("dbwatch_tables"))
    assert 3 <= most <= PLACES
    await asyncio.to_thread(eventually, lambda: server.backends() == 0)
    assert [] == accidents(server)
