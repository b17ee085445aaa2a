"""A PostgreSQL that is killed, restarted, replaced or promoted while it is watched, directly and behind PgBouncer."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from typing import TYPE_CHECKING

import asyncpg
import pytest

from tests.fix_postgres import MONITOR
from tests.fix_process import eventually
from tests.postgres_watching import (
    accidents,
    fed,
    fresh,
    only,
    page_with,
    pages,
    quick,
    settled,
    succeeded,
    watched,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.fix_daemon import NewDaemon, Samples
    from tests.fix_network import Proxy
    from tests.fix_pgbouncer import PgBouncer
    from tests.fix_postgres import NewPostgres, NewStandby, Postgres

pytestmark = [pytest.mark.system, pytest.mark.engine]
START = "dbwatch_server_start_timestamp_seconds"
CONNECTED = "dbwatch_replication_connected"


def tables(page: Samples) -> set[str]:
    """Every table of ours that any family speaks of; the catalogues grow old too."""
    named = (dict(own) for _, own in page)
    return {own["table"] for own in named if "table" in own and own["schema"] != "pg_catalog"} - {"_other"}


def of_link(page: Samples, family: str, instance: str, replica: str) -> float | None:
    """What a server says of one link; '' is its own to its source."""
    links = page.where(family, db_instance=instance).items()
    return next((value for own, value in links if dict(own).get("replica", "") == replica), None)


async def test_a_backend_killed_in_mid_query_costs_a_moment_and_no_value_is_mixed(
    daemon: NewDaemon, new_postgres: NewPostgres
) -> None:
    server = new_postgres()
    server.psql("CREATE TABLE counted AS SELECT generate_series(1, 500) AS n")
    running = await asyncio.to_thread(daemon, watched(server))
    await asyncio.to_thread(settled, running)
    victim = await server.connect("postgres")
    asleep = asyncio.create_task(victim.execute("SELECT pg_sleep(60)"))
    await asyncio.sleep(0.3)
    os.kill(victim.get_server_pid(), signal.SIGKILL)
    with pytest.raises((asyncpg.PostgresError, OSError)):
        await asleep
    eventually(lambda: "all server processes terminated" in server.log())
    page = await asyncio.to_thread(fresh, running, "table_activity")
    page = await asyncio.to_thread(settled, running)

    assert {"counted"} == tables(page)
    assert 1.0 == page.value("dbwatch_up")
    assert server.backends() <= 4


def test_a_server_stopped_at_once_is_refused_and_a_restart_ends_what_was_before(
    daemon: NewDaemon, new_postgres: NewPostgres
) -> None:
    server = new_postgres()
    server.psql("CREATE TABLE before (n int); ANALYZE before")
    # Sizes are asked once in these ten minutes: only the restart can end what they said.
    running = daemon(watched(server, collectors=only("sessions", "locks", "databases") | {"table_sizes": {}}))
    first = page_with(running, lambda page: tables(page) and page.value(START))
    # Before the restart: after it the daemon might have looked already.
    server.psql("SET synchronous_commit = on; ALTER TABLE before RENAME TO after")
    server.stop("immediate")
    down = running.wait_for("dbwatch_up_reason", 1.0, reason="refused")
    server.start()
    seen = []
    for page in pages(running, 60):
        seen.append(page)
        if page.value("dbwatch_up") == 1.0 and tables(page) == {"after"}:
            break

    started_at = first.value(START)
    assert 0.0 == down.value("dbwatch_up")
    assert (None, None) == (down.value("dbwatch_role", role="primary"), down.value(START))
    assert {"before"} == tables(down)
    assert {"after"} == tables(seen[-1])
    assert [] == [page for page in seen if page.value(START) not in (None, started_at) and tables(page) == {"before"}]


def test_another_server_at_the_same_address_is_never_mixed_with_the_one_before(
    daemon: NewDaemon, new_postgres: NewPostgres, proxy: Callable[[int], Proxy]
) -> None:
    one = new_postgres()
    one.psql("CREATE TABLE of_one (n int)")
    time.sleep(1)  # the two are copies of one cluster: only their start tells them apart, by the second
    other = new_postgres()
    other.psql("CREATE TABLE of_other (n int)")
    between = proxy(one.port)
    running = daemon(watched(one, port=between.port))
    first = settled(running)
    between._target = (other.host, other.port)
    between.cut()
    seen = []
    for page in pages(running, 60, every_seconds=0.01):
        seen.append(page)
        if tables(page) == {"of_other"}:
            break
    seen += pages(running, 1, every_seconds=0.01)

    assert {"of_one"} == tables(first)
    assert {"of_other"} == tables(seen[-1])
    assert first.value(START) != seen[-1].value(START)
    assert [] == [page for page in seen if len(tables(page)) > 1]
    assert [] == [page for page in seen if page.value(START) == seen[-1].value(START) and "of_one" in tables(page)]


def test_a_promotion_is_seen_within_two_fast_intervals_and_the_link_is_gone(
    daemon: NewDaemon, new_postgres: NewPostgres, standby: NewStandby
) -> None:
    interval = 2.0  # long beside what a busy machine may add to the promotion, the poll and the scrape
    primary = new_postgres("full_page_writes = on")
    replica = standby(primary, "cluster_name = 'second'")
    cascading = standby(replica, "cluster_name = 'third'")
    primary.psql("CREATE TABLE written (n int)")
    three = {"primary": primary, "replica": replica, "third": cascading}
    running = daemon({"instances": {name: quick(server, interval=interval) for name, server in three.items()}})
    for name in three:
        settled(running, db_instance=name, timeout_seconds=60)
    linked = page_with(
        running,
        lambda page: len(page.where(CONNECTED)) == 4 and set(page.where(CONNECTED).values()) == {1.0},
    )
    replica.promote()
    promoted = time.monotonic()
    flipped = running.wait_for("dbwatch_role", 1.0, db_instance="replica", role="primary")
    flip_seconds = time.monotonic() - promoted
    after = page_with(running, lambda page: of_link(page, CONNECTED, "replica", "") is None)
    left = page_with(running, lambda page: not page.where(CONNECTED, db_instance="primary"))

    roles = {name: linked.value("dbwatch_role", db_instance=name, role="replica") for name in three}
    assert {"primary": 0.0, "replica": 1.0, "third": 1.0} == roles
    for name, link in (("primary", "second"), ("replica", ""), ("replica", "third"), ("third", "")):
        assert 1.0 == of_link(linked, CONNECTED, name, link)
        assert of_link(linked, "dbwatch_replication_lag_bytes", name, link) is not None
    assert linked.value("dbwatch_replication_last_applied_timestamp_seconds", db_instance="third") is not None
    assert flip_seconds < 2 * interval
    assert 0.0 == flipped.value("dbwatch_role", db_instance="replica", role="replica")
    assert after.value("dbwatch_replication_last_applied_timestamp_seconds", db_instance="replica") is None
    assert left.value("dbwatch_role", db_instance="primary", role="primary") == 1.0
    assert [] == [line for server in three.values() for line in accidents(server) if f"{MONITOR}@" in line]


def test_through_a_pooler_all_is_seen_and_its_restart_is_survived(
    daemon: NewDaemon, new_postgres: NewPostgres, pgbouncer: Callable[[Postgres], PgBouncer]
) -> None:
    server = new_postgres()
    server.psql("CREATE DATABASE voirie")
    server.psql("CREATE TABLE rues (n int)", database="voirie")
    pooler = pgbouncer(server)
    running = daemon(watched(pooler))
    page = settled(running)
    quiet = accidents(server)
    pooler.stop()
    # A session that the stop finds open is lost, or told of the shutdown; the next login is refused.
    down = running.wait_for("dbwatch_up_reason", 1.0, reason="refused")
    pooler.start()
    running.wait_for("dbwatch_up", 1.0)
    fresh(running, "sessions")
    again = page_with(running, lambda again: succeeded(again) and fed(again) == fed(page))

    assert {"rues"} == tables(page) == tables(again)
    assert fed(page) == fed(again)
    assert down.value("dbwatch_up") == 0.0
    assert [] == quiet
