"""What runs for long, and how far it is: VACUUM, index builds, copies, base backups, autovacuum against wraparound."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.fix_process import ServerProcess, workspace
from tests.postgres_acting import ask, client, look, running
from tests.postgres_asking import key, see

if TYPE_CHECKING:
    from tests.fix_postgres import NewPostgres

pytestmark = pytest.mark.engine

OPERATIONS = ("vacuum", "analyze", "create_index", "cluster", "copy", "basebackup")
SLOWLY = "SET vacuum_cost_delay = '100ms'; SET vacuum_cost_limit = 1; SET vacuum_cost_page_dirty = 4"
RATIO, SECONDS = "dbwatch_pg_progress_longest_ratio", "dbwatch_pg_progress_longest_seconds"
URGENT = key("dbwatch_pg_autovacuum_workers", {"kind": "wraparound"})
URGENT_SECONDS = key("dbwatch_pg_autovacuum_longest_seconds", {"kind": "wraparound"})


def of(family: str, **labels: str) -> str:
    return key(family, labels)


def now_running(operation: str, phase: str = "") -> str:
    return of("dbwatch_pg_progress", operation=operation, phase=phase)


def of_vacuum(what: str, **labels: str) -> str:
    return key(f"dbwatch_pg_vacuum_{what}", {"database": "postgres", **labels})


QUIET = {
    **{now_running(operation): 0.0 for operation in OPERATIONS},
    **{of(SECONDS, operation=operation): 0.0 for operation in OPERATIONS},
    **{
        key(f"dbwatch_pg_autovacuum_{what}", {"kind": kind}): 0.0
        for what in ("workers", "longest_seconds")
        for kind in ("normal", "wraparound")
    },
    "dbwatch_pg_autovacuum_workers_max": 3.0,
}


async def test_a_vacuum_says_how_far_it_is_and_holds_nobody_up(new_postgres: NewPostgres) -> None:
    server = new_postgres("autovacuum = off", "track_cost_delay_timing = on", "maintenance_work_mem = 1MB")
    quiet = await see(server.instance(), "progress")
    await ask(server, "CREATE TABLE crowded (n int PRIMARY KEY, filling text)")
    await ask(server, "INSERT INTO crowded SELECT n, repeat('x', 1000) FROM generate_series(1, 2000) AS n")
    await ask(server, "DELETE FROM crowded WHERE n % 2 = 0")
    size = int(await ask(server, "SELECT pg_relation_size('crowded')"))
    scanning = now_running("vacuum", "scanning_heap")
    scanned, items = of_vacuum("heap_bytes", stage="scanned"), of_vacuum("dead_items")
    async with client(server, SLOWLY) as cleaner, running(server, cleaner, "VACUUM crowded"):
        seen = await look(
            server, "progress", lambda seen: seen.get(scanning) == 1 and 0 < seen[scanned] and 0 < seen[items]
        )
        horizon = await see(server.instance(), "horizon")
        columns = (
            "heap_blks_scanned * 8192, num_dead_item_ids, dead_tuple_bytes::float8 / max_dead_tuple_bytes, delay_time"
        )
        later = [float(n) for n in (await ask(server, f"SELECT {columns} FROM pg_stat_progress_vacuum")).split("|")]
    after = await look(server, "progress", lambda seen: now_running("vacuum") in seen)

    assert QUIET == quiet
    assert size == seen[of_vacuum("heap_bytes", stage="all")]
    assert 0 <= seen[of_vacuum("heap_bytes", stage="vacuumed")] <= seen[scanned] <= later[0] < size
    assert pytest.approx(seen[scanned] / size) == seen[of(RATIO, operation="vacuum")]
    assert 0 < seen[items] <= later[1]
    assert 0 < seen[of_vacuum("dead_items_used_ratio")] <= later[2] < 1
    assert 0 <= seen[of_vacuum("delay_seconds")] <= later[3] / 1000
    assert 0 < seen[of(SECONDS, operation="vacuum")] < 20
    assert (0, 0) == (seen[of_vacuum("index_passes")], seen[of_vacuum("indexes", stage="vacuumed")])
    assert 0 == horizon["dbwatch_oldest_snapshot_xids{holder=session}"]
    assert now_running("vacuum") not in seen
    assert quiet == after


async def test_every_kind_of_long_command_is_counted_in_its_phase(new_postgres: NewPostgres) -> None:
    server = new_postgres("autovacuum = off")
    await ask(server, "CREATE TABLE read AS SELECT n, repeat('x', 1000) AS filling FROM generate_series(1, 2000) AS n")
    await ask(server, "CREATE TABLE built (n int)")
    async with (
        client(server, "BEGIN", "INSERT INTO built VALUES (0)"),
        client(server, SLOWLY) as analyst,
        client(server) as copier,
        client(server) as builder,
        running(server, analyst, "ANALYZE read"),
        running(server, copier, "COPY (SELECT pg_sleep(60)) TO '/dev/null'"),
        running(server, builder, "CREATE INDEX CONCURRENTLY late ON built (n)"),
    ):
        expected = {
            now_running("analyze", "acquiring_sample_rows"): 1,
            now_running("copy"): 1,
            now_running("create_index", "waiting_for_writers_before_build"): 1,
            now_running("basebackup", "streaming_database_files"): 1,
        }
        with workspace() as directory:
            backup = ServerProcess(directory)
            words = f"-h {server.host} -p {server.port} -U replicator -X none -c fast --max-rate=32 -D".split()
            backup.spawn([server.binaries["pg_basebackup"], *words, directory / "copy"])
            try:
                seen = await look(server, "progress", lambda seen: expected.items() <= seen.items())
            finally:
                backup.kill()
    after = await look(server, "progress", lambda seen: seen == QUIET)

    assert QUIET == after
    assert 0 < seen[of(SECONDS, operation="create_index")] < 60
    assert 0 < seen[of(RATIO, operation="basebackup")] < 1
    assert 0 <= seen[of(RATIO, operation="analyze")] < 1
    assert of(RATIO, operation="copy") not in seen


async def test_autovacuum_against_wraparound_is_told_apart(new_postgres: NewPostgres) -> None:
    slow = ("autovacuum_vacuum_cost_delay = 100ms", "autovacuum_vacuum_cost_limit = 1")
    server = new_postgres("autovacuum = off", "autovacuum_naptime = 1s", "autovacuum_freeze_max_age = 100000", *slow)
    calm = await see(server.instance(), "progress")
    # Autovacuum is off: what starts now is what nobody can switch off (looked at once in 65,536 transactions).
    await ask(server, "DO $$ BEGIN FOR i IN 1..140000 LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP; END $$")
    ratio = of("dbwatch_pg_freeze_ratio", database="postgres", kind="xid", limit="autovacuum")
    over = await see(server.instance(), "freeze")
    urgent = await look(server, "progress", lambda seen: seen[URGENT] >= 1 and seen[URGENT_SECONDS] > 0, seconds=30)
    await ask(server, "ALTER SYSTEM SET autovacuum_vacuum_cost_delay = 0; SELECT pg_reload_conf()")
    frozen = await look(server, "freeze", lambda seen: seen[ratio] < 1, seconds=30)

    assert 0 == calm[URGENT]
    assert over[ratio] > 1 > frozen[ratio]
    assert urgent[URGENT_SECONDS] < 30
    assert urgent[key("dbwatch_pg_autovacuum_workers", {"kind": "normal"})] == 0
