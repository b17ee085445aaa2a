"""What VACUUM and ANALYZE owe to each table, by the server's own formula, and how old its rows are."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tests.postgres_asking import key, see

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.fix_postgres import Postgres
    from tests.postgres_asking import Seen

pytestmark = pytest.mark.engine

NEEDING, DUE = "dbwatch_pg_tables_needing_maintenance", "dbwatch_pg_table_vacuum_due_ratio"
NEVER, DISABLED = "dbwatch_pg_tables_never_maintained", "dbwatch_pg_tables_autovacuum_disabled"
FREEZE = "dbwatch_pg_table_freeze_ratio"
COUNTED = "SELECT pg_stat_force_next_flush()"  # else the server hears of it a moment after the session's end


@pytest.fixture
def shop(quiet_postgres: Postgres) -> Iterator[Postgres]:
    quiet_postgres.psql("CREATE DATABASE shop")
    yield quiet_postgres
    quiet_postgres.psql("DROP DATABASE shop WITH (FORCE)")


async def asked(server: Postgres, name: str) -> Seen:
    return await see(server.instance(), name, database="shop")


async def counts(server: Postgres) -> list[float]:
    """Tables due for vacuum, for vacuum because of inserts, for analyze."""
    seen = await asked(server, "vacuum_due")
    operations = ("vacuum", "insert_vacuum", "analyze")
    return [seen[key(NEEDING, {"database": "shop", "operation": name})] for name in operations]


def of(family: str, table: str = "orders", **labels: str) -> str:
    return key(family, {"database": "shop", "schema": "public", "table": table, **labels})


def fill(server: Postgres) -> None:
    """A thousand rows, analyzed, 300 of them deleted."""
    rows = "CREATE TABLE orders AS SELECT n FROM generate_series(1, 1000) AS n; CREATE TABLE calm (n int)"
    server.psql(f"{rows}; {COUNTED}", "shop")
    server.psql(f"ANALYZE orders; DELETE FROM orders WHERE n <= 300; {COUNTED}", "shop")


async def test_a_table_is_due_by_the_servers_formula_and_no_more_once_vacuumed(shop: Postgres) -> None:
    fill(shop)
    due, seen = await counts(shop), await asked(shop, "vacuum_due")
    shop.psql("VACUUM orders", "shop")
    vacuumed, after = await counts(shop), await asked(shop, "vacuum_due")
    shop.psql("ANALYZE orders", "shop")

    # 300 dead rows over 50 + 0.2 * 1000; 1000 inserted ones over 1000 + 0.2 * 1000; 300 changed over 50 + 0.1 * 1000.
    assert [1, 0, 1] == due
    assert pytest.approx(300 / 250) == seen[of(DUE, operation="vacuum")]
    assert pytest.approx(1000 / 1200) == seen[of(DUE, operation="insert_vacuum")]
    assert [0, 0, 1] == vacuumed
    assert 0 == after[of(DUE, operation="vacuum")]
    assert [0, 0, 0] == await counts(shop)


@pytest.mark.parametrize(
    ("options", "due"),
    [
        ("autovacuum_vacuum_threshold = 200", [0, 0, 1]),
        ("autovacuum_vacuum_scale_factor = 0.3", [0, 0, 1]),
        ("autovacuum_vacuum_scale_factor = 0.25, autovacuum_vacuum_max_threshold = 299", [1, 0, 1]),
        ("autovacuum_analyze_threshold = 1000", [1, 0, 0]),
        ("autovacuum_vacuum_insert_threshold = 10", [1, 1, 1]),
        ("autovacuum_vacuum_insert_threshold = -1", [1, 0, 1]),
    ],
)
async def test_a_tables_own_options_come_before_the_servers(shop: Postgres, options: str, due: list[float]) -> None:
    fill(shop)
    shop.psql(f"ALTER TABLE orders SET ({options})", "shop")

    assert due == await counts(shop)


async def test_tables_that_nobody_maintains_are_counted(shop: Postgres) -> None:
    shop.psql(
        "CREATE TABLE one AS SELECT 1; CREATE TABLE two AS SELECT 2; CREATE TABLE three (n int);"
        "ALTER TABLE two SET (autovacuum_enabled = off)",
        "shop",
    )
    before = await asked(shop, "vacuum_due")
    shop.psql("VACUUM one; ANALYZE two; ALTER TABLE two RESET (autovacuum_enabled)", "shop")
    after = await asked(shop, "vacuum_due")
    vacuum, analyze = (key(NEVER, {"database": "shop", "operation": name}) for name in ("vacuum", "analyze"))
    disabled = key(DISABLED, {"database": "shop"})

    assert (2, 2, 1) == (before[vacuum], before[analyze], before[disabled])
    assert (1, 1, 0) == (after[vacuum], after[analyze], after[disabled])


async def test_a_toast_table_is_due_under_the_options_of_its_table(shop: Postgres) -> None:
    shop.psql(
        "CREATE TABLE letters (n int, body text); ALTER TABLE letters ALTER body SET STORAGE EXTERNAL;"
        "INSERT INTO letters SELECT n, repeat('x', 4000) FROM generate_series(1, 40) AS n;"
        f"UPDATE letters SET body = repeat('y', 4000); {COUNTED}",
        "shop",
    )
    toast = "relname LIKE 'pg_toast%' AND relid >= 16384"
    dead = float(shop.psql(f"SELECT n_dead_tup FROM pg_stat_all_tables WHERE {toast}", "shop"))
    plain = await asked(shop, "vacuum_due")
    shop.psql("ALTER TABLE letters SET (autovacuum_vacuum_threshold = 10000)", "shop")
    patient = await asked(shop, "vacuum_due")
    shop.psql("ALTER TABLE letters SET (toast.autovacuum_vacuum_threshold = 10)", "shop")
    hasty = await asked(shop, "vacuum_due")

    assert dead >= 80
    ratios = [seen[of(DUE, "letters", operation="vacuum")] for seen in (plain, patient, hasty)]
    assert [pytest.approx(dead / limit) for limit in (50, 10000, 10)] == ratios


async def test_hundreds_of_tables_make_no_more_series(shop: Postgres) -> None:
    shop.psql(
        "DO $$ BEGIN FOR i IN 1..250 LOOP EXECUTE format('CREATE TABLE t%s AS SELECT 1', i); END LOOP; END $$", "shop"
    )
    seen = await asked(shop, "vacuum_due")

    assert 20 == sum(name.startswith(DUE) and "operation=vacuum" in name for name in seen)
    assert 250 == seen[key(NEVER, {"database": "shop", "operation": "vacuum"})]
    assert 20 == sum(name.startswith(FREEZE) for name in await asked(shop, "table_freeze"))


async def test_the_oldest_tables_are_told_by_their_own_limit(shop: Postgres) -> None:
    # (A table's own limit cannot be less than 100,000.)
    shop.psql("CREATE TABLE orders (n int) WITH (autovacuum_freeze_max_age = 100000)", "shop")
    shop.psql("DO $$ BEGIN FOR i IN 1..1000 LOOP PERFORM txid_current(); COMMIT; END LOOP; END $$", "shop")
    age = int(shop.psql("SELECT age(relfrozenxid) FROM pg_class WHERE relname = 'orders'", "shop"))
    old = (await asked(shop, "table_freeze"))[of(FREEZE, kind="xid")]
    shop.psql("VACUUM (FREEZE) orders", "shop")
    young = (await asked(shop, "table_freeze")).get(of(FREEZE, kind="xid"), 0)

    assert 1000 < age < 1100
    assert pytest.approx(age / 100_000) == old
    assert young < 50 / 100_000


async def test_what_newer_versions_know_of_a_table(shop: Postgres) -> None:
    scan, seconds = "dbwatch_pg_table_last_scan_timestamp_seconds", "dbwatch_pg_table_maintenance_seconds_total"
    filled = "CREATE TABLE orders (n int PRIMARY KEY, t text) WITH (fillfactor = 100);"
    rows = "INSERT INTO orders SELECT n, repeat('x', 100) FROM generate_series(1, 2000) AS n"
    shop.psql(f"{filled} {rows}; {COUNTED}", "shop")
    before = await asked(shop, "table_maintenance")
    shop.psql(f"UPDATE orders SET t = t; SET enable_seqscan = off; SELECT t FROM orders WHERE n = 7; {COUNTED}", "shop")
    shop.psql("VACUUM ANALYZE orders", "shop")
    after = await asked(shop, "table_maintenance")

    assert 2000 == before[of("dbwatch_pg_table_inserted_rows")]
    assert of(scan, kind="index") not in before
    assert 0 == before[of(seconds, operation="vacuum")]
    assert 0 == after[of("dbwatch_pg_table_inserted_rows")]
    assert 1900 < after[of("dbwatch_pg_table_newpage_updates_total")] <= 2000
    assert all(abs(time.time() - after[of(scan, kind=kind)]) < 60 for kind in ("index", "sequential"))
    assert 0 < after[of(seconds, operation="vacuum")] < 10
    assert 0 < after[of(seconds, operation="analyze")] < 10
    assert 0 == after[of(seconds, operation="autovacuum")]
