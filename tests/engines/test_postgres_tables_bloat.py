"""Bytes that tables and indexes waste, and their exact sizes: read from the pages, and waiting for nobody."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from dbwatch.cli import doctor
from dbwatch.poller.once import Target, poll_once
from tests.fix_postgres import MONITOR
from tests.fix_process import eventually
from tests.postgres_asking import engine, instance, key, ours, see
from tests.postgres_polling import Polling

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.fix_postgres import Postgres
    from tests.postgres_asking import Seen

pytestmark = pytest.mark.engine

TABLE, INDEX = "dbwatch_table_bloat_bytes", "dbwatch_index_bloat_bytes"
DENSITY, SIZE = "dbwatch_pg_index_leaf_density_ratio", "dbwatch_pg_table_exact_size_bytes"
EXTENSION = "CREATE EXTENSION IF NOT EXISTS pgstattuple SCHEMA public;"
PARCELS = """
CREATE TABLE parcels (n int PRIMARY KEY, label text);
INSERT INTO parcels SELECT n, repeat('x', 200) FROM generate_series(1, 20000) AS n;
"""


@pytest.fixture
def shop(quiet_postgres: Postgres) -> Iterator[Postgres]:
    quiet_postgres.psql("CREATE DATABASE shop")
    quiet_postgres.psql(f"CREATE EXTENSION pgstattuple; {PARCELS}", "shop")
    yield quiet_postgres
    quiet_postgres.psql("DROP DATABASE shop WITH (FORCE)")


async def asked(server: Postgres, name: str) -> Seen:
    return await see(server.instance(), name, database="shop")


def of(family: str, **labels: str) -> str:
    return key(family, {"database": "shop", "schema": "public", "table": "parcels", **labels})


async def test_half_of_a_table_deleted_is_seen_as_pgstattuple_sees_it_and_goes_with_a_full_vacuum(
    shop: Postgres,
) -> None:
    shop.psql("DELETE FROM parcels WHERE n % 2 = 0", "shop")
    size, dead, free = shop.psql(
        "SELECT table_len, dead_tuple_len, free_space FROM pgstattuple('parcels')", "shop"
    ).split("|")
    deleted = await asked(shop, "table_bloat")
    shop.psql("VACUUM parcels", "shop")
    vacuumed = await asked(shop, "table_bloat")
    shop.psql("VACUUM FULL parcels", "shop")
    rewritten = await asked(shop, "table_bloat")

    assert int(dead) == deleted[of(TABLE, component="heap", kind="dead")]
    assert pytest.approx(int(free), abs=0.01 * int(size)) == deleted[of(TABLE, component="heap", kind="free")]
    assert 0 == vacuumed[of(TABLE, component="heap", kind="dead")]
    assert int(dead) < vacuumed[of(TABLE, component="heap", kind="free")] < 1.2 * int(dead) + int(free)
    assert 0 == rewritten[of(TABLE, component="heap", kind="dead")]
    assert rewritten[of(TABLE, component="heap", kind="free")] < 0.05 * int(size)


async def test_an_emptied_index_wastes_what_a_reindex_gives_back(shop: Postgres) -> None:
    named = {"index": "parcels_pkey"}
    full = await asked(shop, "index_bloat")
    shop.psql("DELETE FROM parcels WHERE n % 10 <> 0", "shop")
    shop.psql("VACUUM parcels", "shop")
    density = float(shop.psql("SELECT avg_leaf_density FROM pgstatindex('parcels_pkey')", "shop"))
    before = int(shop.psql("SELECT pg_relation_size('parcels_pkey')", "shop"))
    emptied = await asked(shop, "index_bloat")
    shop.psql("REINDEX TABLE parcels", "shop")
    given_back = before - int(shop.psql("SELECT pg_relation_size('parcels_pkey')", "shop"))
    rebuilt = await asked(shop, "index_bloat")

    assert full[of(INDEX, **named)] < 0.1 * before
    assert pytest.approx(density / 100) == emptied[of(DENSITY, **named)]
    assert pytest.approx(given_back, rel=0.1) == emptied[of(INDEX, **named)]
    assert rebuilt[of(INDEX, **named)] < 0.1 * before
    assert rebuilt[of(DENSITY, **named)] > 0.8


async def test_toast_is_told_apart_and_an_empty_index_breaks_nothing(shop: Postgres) -> None:
    shop.psql(
        "TRUNCATE parcels; ALTER TABLE parcels ALTER label SET STORAGE EXTERNAL;"
        "INSERT INTO parcels VALUES (1, repeat('x', 100000)); DELETE FROM parcels;"
        "CREATE INDEX unfilled ON parcels (n)",
        "shop",
    )
    toast = int(shop.psql("SELECT dead_tuple_len FROM pgstattuple((SELECT reltoastrelid FROM pg_class"
                          " WHERE relname = 'parcels'))", "shop"))  # fmt: skip
    indexes = await asked(shop, "index_bloat")

    assert toast == (await asked(shop, "table_bloat"))[of(TABLE, component="toast", kind="dead")]
    assert 0 == indexes[of(INDEX, index="unfilled")]
    assert of(DENSITY, index="unfilled") not in indexes


async def test_without_the_extension_it_is_left_out_and_doctor_tells_how_to_have_it(shop: Postgres) -> None:
    shop.psql("DROP EXTENSION pgstattuple", "shop")
    target = Target(instance(shop.instance(databases={"include": ["shop"]})), engine(), ours())
    without = await poll_once(target, with_heavy=True)
    said = doctor.diagnosis(target.instance, without).lines
    shop.psql("CREATE EXTENSION pgstattuple", "shop")
    ready = await poll_once(target, with_heavy=True)

    for name in ("table_bloat", "index_bloat"):
        status = without.state.collectors[name]
        assert (None, "optional") == (status.succeeded, status.skipped)
        assert f"{EXTENSION} GRANT USAGE ON SCHEMA public TO {MONITOR};" == status.remedy
        at = said.index(f"  left out {name}: what it takes is optional, and missing")
        assert f"database shop: {status.remedy}" == said[at + 1].strip()
        assert "heavy" == ready.state.collectors[name].skipped


async def test_a_database_without_the_extension_costs_the_others_nothing(shop: Postgres) -> None:
    polling = Polling("table_bloat")
    shop.psql("CREATE DATABASE without_it")
    async with polling.watching(first=shop):
        await polling.until(lambda: bool(polling.samples("first", TABLE)), lambda: polling.status("first"))
        status, seen = polling.status("first"), polling.samples("first", TABLE)
        shop.psql("DROP EXTENSION pgstattuple", "shop")
        await polling.until(lambda: polling.status("first").skipped == "optional", lambda: polling.status("first"))
        assert [] == polling.samples("first", TABLE)
    shop.psql("DROP DATABASE without_it WITH (FORCE)")

    assert {"shop"} == {labels["database"] for labels, _ in seen}
    assert (True, None) == (status.succeeded, status.reason)
    told = f"database without_it: {EXTENSION} GRANT USAGE ON SCHEMA public TO {MONITOR};"
    assert told in status.message.splitlines()


async def test_in_a_closed_schema_it_is_left_out_until_we_may_use_that(shop: Postgres) -> None:
    shop.psql("REVOKE ALL ON SCHEMA public FROM public", "shop")
    target = Target(instance(shop.instance(databases={"include": ["shop"]})), engine(), ours())
    closed = await poll_once(target, ["table_bloat"])
    shop.psql(f"GRANT USAGE ON SCHEMA public TO {MONITOR}", "shop")
    opened = await poll_once(target, ["table_bloat"])

    assert "optional" == closed.state.collectors["table_bloat"].skipped
    assert opened.state.collectors["table_bloat"].series


async def test_nobodys_function_of_the_same_name_is_called(shop: Postgres) -> None:
    shop.psql(
        "DROP EXTENSION pgstattuple; CREATE SCHEMA elsewhere; CREATE EXTENSION pgstattuple SCHEMA elsewhere;"
        "CREATE FUNCTION public.pgstattuple_approx(regclass, OUT dead_tuple_len bigint, OUT approx_free_space bigint)"
        f" LANGUAGE sql AS 'SELECT 1, 1'; GRANT EXECUTE ON FUNCTION public.pgstattuple_approx TO {MONITOR}",
        "shop",
    )

    assert {} == await asked(shop, "table_bloat")


async def test_exact_sizes_are_those_of_the_file_system(shop: Postgres) -> None:
    heap, indexes, toast, total = map(
        int,
        shop.psql(
            "SELECT pg_relation_size(c), pg_indexes_size(c), pg_total_relation_size(reltoastrelid),"
            " pg_total_relation_size(c) FROM pg_class JOIN (SELECT 'parcels'::regclass) AS r (c) ON oid = c",
            "shop",
        ).split("|"),
    )
    seen = await asked(shop, "table_exact_sizes")
    sizes = [seen[of(SIZE, component=name)] for name in ("heap", "index", "toast")]

    assert [heap, indexes, toast] == sizes
    assert total == sum(seen.values())
    assert not ours().collectors["postgres", "table_exact_sizes"].enabled


@pytest.mark.parametrize("name", ["table_bloat", "index_bloat", "table_exact_sizes"])
async def test_a_table_that_somebody_alters_or_waits_to_alter_is_not_opened(shop: Postgres, name: str) -> None:
    """pgscv#329: behind a lock that only waits everybody waits, we too."""
    shop.psql("CREATE TABLE calm (n int PRIMARY KEY)", "shop")
    calm = await asked(shop, name)
    reader, migration = await shop.admin("shop"), await shop.admin("shop")
    await reader.execute("BEGIN; SELECT count(*) FROM parcels")
    waiting = asyncio.create_task(migration.execute("ALTER TABLE parcels ADD COLUMN more int"))
    waits = "SELECT count(*) FROM pg_locks WHERE NOT granted"
    await asyncio.to_thread(eventually, lambda: shop.psql(waits) == "1")
    queued = await asked(shop, name)  # (Had it waited, its lock_timeout would be an error here.)
    reader.terminate()
    await waiting
    migration.terminate()

    assert any("table=parcels" in sample for sample in calm)
    assert {sample for sample in calm if "table=calm" in sample} == queued.keys()
    assert calm.keys() == (await asked(shop, name)).keys()
