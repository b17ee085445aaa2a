"""Replicas, slots, subscriptions and a slow VACUUM on every PostgreSQL: the columns that a version has are shown."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tests.postgres_acting import ask, client, look, running
from tests.postgres_asking import see

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.fix_postgres import Postgres
    from tests.postgres_asking import Seen

pytestmark = pytest.mark.engine

SLOT, SUBSCRIPTION = "dbwatch_pg_slot_", "dbwatch_pg_subscription_"


def families(seen: Seen) -> set[str]:
    return {name.partition("{")[0] for name in seen}


@pytest.fixture
def news(lab_postgres: Postgres) -> Iterator[Postgres]:
    """One database of the server subscribes to another."""
    server = lab_postgres
    table = "CREATE TABLE article (id int PRIMARY KEY)"
    where = f"host={server.host} port={server.port} user=postgres dbname=writer"
    server.psql("CREATE DATABASE writer; CREATE DATABASE reader")
    server.psql(f"{table}; INSERT INTO article VALUES (1); CREATE PUBLICATION news FOR TABLE article", "writer")
    server.psql("SELECT FROM pg_create_logical_replication_slot('news', 'pgoutput')", "writer")
    options = "create_slot = false, slot_name = 'news'"
    server.psql(f"{table}; CREATE SUBSCRIPTION news CONNECTION '{where}' PUBLICATION news WITH ({options})", "reader")
    yield server
    server.psql("DROP SUBSCRIPTION IF EXISTS news", "reader")
    server.psql("DROP DATABASE writer WITH (FORCE)")
    server.psql("DROP DATABASE reader WITH (FORCE)")


async def test_both_ends_of_a_link(lab_postgres: Postgres, lab_standby: Postgres) -> None:
    major, logged = lab_postgres.version, len(lab_standby.log())
    streaming = "dbwatch_pg_replica_state{replica=walreceiver,state=streaming}"
    replied = "dbwatch_pg_replica_last_reply_timestamp_seconds{replica=walreceiver}"
    primary = await look(lab_postgres, "replicas", lambda seen: seen.get(streaming) == 1 and replied in seen)
    replica = await look(
        lab_standby, "standby", lambda seen: seen["dbwatch_pg_wal_receiver_status{status=streaming}"] == 1
    )
    slot = "dbwatch_pg_standby_conflicts_total{database=postgres,kind=logical_slot}"

    assert 0 == primary["dbwatch_pg_synchronous_replicas_required"]
    assert abs(time.time() - primary[replied]) < 60
    assert 0 == replica["dbwatch_pg_wal_replay_paused"]
    assert abs(time.time() - replica["dbwatch_pg_wal_receiver_last_event_timestamp_seconds{event=received}"]) < 60
    assert ("dbwatch_pg_recovery_prefetch_distance_bytes" in replica) is (major >= 15)
    assert (slot in replica) is (major >= 16)
    assert "ERROR" not in lab_standby.log()[logged:]


async def test_a_subscription_and_its_slot(news: Postgres) -> None:
    major = news.version
    applying = SUBSCRIPTION + "workers{database=reader,subscription=news,type=apply}"
    ready = SUBSCRIPTION + "tables{database=reader,state=ready,subscription=news}"
    reported = SUBSCRIPTION + "last_event_timestamp_seconds{database=reader,event=reported,subscription=news}"
    await look(news, "subscription_tables", lambda seen: seen.get(ready) == 1, database="reader")
    seen = await look(news, "subscriptions", lambda seen: seen[applying] == 1 and reported in seen)
    slot = await look(news, "slots", lambda seen: seen[SLOT + "active{slot=news}"] == 1)
    await ask(news, "ALTER SUBSCRIPTION news DISABLE", "reader")
    stopped = await look(news, "subscriptions", lambda seen: seen[applying] == 0)
    idle = await look(news, "slots", lambda seen: seen[SLOT + "active{slot=news}"] == 0)

    assert (1, 0) == tuple(
        each[SUBSCRIPTION + "enabled{database=reader,subscription=news}"] for each in (seen, stopped)
    )
    assert ({SUBSCRIPTION + "errors_total"} <= families(seen)) is (major >= 15)
    assert ({SUBSCRIPTION + "conflicts_total"} <= families(seen)) is (major >= 18)
    assert (seen.keys() >= {applying.replace("=apply", "=parallel_apply")}) is (major >= 16)
    assert 1 == slot[SLOT + "wal_status{slot=news,status=reserved}"]
    assert 0 == slot[SLOT + "invalidated{slot=news}"]
    assert ({SLOT + "decoded_bytes_total"} <= families(slot)) is (major >= 14)
    assert ({SLOT + "inactive_since_timestamp_seconds"} <= families(idle)) is (major >= 17)


async def test_a_slow_vacuum(lab_postgres: Postgres) -> None:
    server, major = lab_postgres, lab_postgres.version
    await ask(
        server, "CREATE TABLE slow AS SELECT n, repeat('x', 1000) FROM generate_series(1, 2000) AS n; DELETE FROM slow"
    )
    size = int(await ask(server, "SELECT pg_relation_size('slow')"))
    whole, scanned = (
        f"dbwatch_pg_vacuum_heap_bytes{{database=postgres,stage={stage}}}" for stage in ("all", "scanned")
    )
    slowly = "SET vacuum_cost_delay = '100ms'; SET vacuum_cost_limit = 1"
    async with client(server, slowly) as cleaner, running(server, cleaner, "VACUUM (INDEX_CLEANUP off) slow"):
        seen = await look(server, "progress", lambda seen: seen.get(scanned, 0) > 0)
    await look(server, "progress", lambda seen: seen.get("dbwatch_pg_progress{operation=vacuum}") == 0)
    await ask(server, "DROP TABLE slow")

    assert size == seen[whole]
    assert 1 == seen["dbwatch_pg_progress{operation=vacuum,phase=scanning_heap}"]
    assert 0 <= seen["dbwatch_pg_vacuum_dead_items_used_ratio{database=postgres}"] < 1
    assert ("dbwatch_pg_vacuum_indexes{database=postgres,stage=all}" in seen) is (major >= 17)
    assert ("dbwatch_pg_progress{operation=copy}" in seen) is (major >= 14)
    assert 0 < seen["dbwatch_pg_progress_longest_seconds{operation=vacuum}"] < 60


async def test_the_xids_of_every_database_are_exact(lab_postgres: Postgres) -> None:
    await ask(lab_postgres, "SELECT pg_current_xact_id();\n" * 5)
    seen = await see(lab_postgres.instance(), "freeze")
    now = int(await ask(lab_postgres, "SELECT pg_snapshot_xmax(pg_current_snapshot())"))
    oldest = int(await ask(lab_postgres, "SELECT datfrozenxid FROM pg_database WHERE datname = 'template0'"))

    assert now - oldest == seen["dbwatch_pg_freeze_age_xids{database=template0}"]
