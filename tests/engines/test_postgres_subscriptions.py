"""Logical subscriptions: running, broken by a conflict, mended, dropped; how they connect is never shown."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tests.postgres_acting import ask, look
from tests.postgres_asking import key, see

if TYPE_CHECKING:
    from tests.fix_postgres import NewPostgres

pytestmark = pytest.mark.engine

CANARY = "canary-7d1f"


def sample(family: str, subscription: str = "news", **labels: str) -> str:
    named = {"database": "reader", "subscription": subscription, **labels}
    return key(f"dbwatch_pg_subscription_{family}", named)


APPLYING, ENABLED = sample("workers", type="apply"), sample("enabled")
EVENTS = [sample("last_event_timestamp_seconds", event=event) for event in ("sent", "received", "reported")]


async def test_a_subscription_runs_breaks_and_is_mended(new_postgres: NewPostgres) -> None:
    server = new_postgres("autovacuum = off")
    table = "CREATE TABLE article (id int PRIMARY KEY)"
    await ask(server, "CREATE DATABASE writer; CREATE DATABASE reader; CREATE DATABASE other")
    await ask(server, f"{table}; INSERT INTO article VALUES (1); CREATE PUBLICATION news FOR TABLE article", "writer")
    await ask(server, "SELECT FROM pg_create_logical_replication_slot('news', 'pgoutput')", "writer")
    where = f"host={server.host} port={server.port} user=postgres dbname=writer password={CANARY}"
    options = "create_slot = false, slot_name = 'news', disable_on_error = true"
    await ask(
        server, f"{table}; CREATE SUBSCRIPTION news CONNECTION '{where}' PUBLICATION news WITH ({options})", "reader"
    )
    # Of the same name, in another database: never started.
    idle = "connect = false, slot_name = NONE"
    await ask(server, f"CREATE SUBSCRIPTION news CONNECTION '{where}' PUBLICATION news WITH ({idle})", "other")

    ready = sample("tables", state="ready")
    tables = await look(server, "subscription_tables", lambda seen: seen.get(ready) == 1, database="reader")
    running = await look(server, "subscriptions", lambda seen: seen[APPLYING] == 1 and EVENTS[2] in seen)
    received = sample("received_bytes_total")
    await ask(server, "SET synchronous_commit = on; INSERT INTO article VALUES (2)", "writer")
    await look(server, "subscriptions", lambda seen: seen.get(received, 0) > running[received])

    await ask(server, "INSERT INTO article VALUES (3)", "reader")
    await ask(server, "SET synchronous_commit = on; INSERT INTO article VALUES (3)", "writer")
    errors = sample("errors_total", phase="apply")
    broken = await look(server, "subscriptions", lambda seen: seen[errors] == 1 and not seen[ENABLED] + seen[APPLYING])
    told = "SELECT apply_error_count, sync_error_count, confl_insert_exists FROM pg_stat_subscription_stats"
    counts = await ask(server, f"{told} ORDER BY apply_error_count DESC LIMIT 1")

    await ask(server, "DELETE FROM article WHERE id = 3; ALTER SUBSCRIPTION news ENABLE", "reader")
    mended = await look(server, "subscriptions", lambda seen: seen[APPLYING] == 1 and received in seen)
    await ask(server, "ALTER SUBSCRIPTION news DISABLE; ALTER SUBSCRIPTION news SET (slot_name = NONE)", "reader")
    await ask(server, "DROP SUBSCRIPTION news", "reader")
    dropped = await see(server.instance(), "subscriptions")

    assert {ready: 1} == {name: value for name, value in tables.items() if value}
    assert 5 == len(tables)
    assert (1, 0, 0) == tuple(running[name] for name in (ENABLED, sample("workers", type="table_sync"), errors))
    assert all(abs(time.time() - running[event]) < 60 for event in EVENTS)
    assert running[received] > 0
    assert "1|0|1" == counts
    assert (0, 1) == (
        broken[sample("errors_total", phase="table_sync")],
        broken[sample("conflicts_total", kind="insert_exists")],
    )
    assert not {received, *EVENTS} & broken.keys()
    assert (1, 1) == (mended[ENABLED], mended[errors])
    assert not [name for name in dropped if "database=reader" in name]
    other = {name: value for name, value in dropped.items() if "database=other" in name}
    assert other == dict.fromkeys(other, 0)
    assert CANARY not in repr((running, broken, mended, tables))
