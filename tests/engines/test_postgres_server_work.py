"""What the whole server writes: WAL, archive, checkpoints, I/O. Causes on real servers, and the exact counts."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest

from dbwatch.cli import doctor
from dbwatch.poller import asking
from dbwatch.poller.once import Target
from tests.fix_postgres import MONITOR
from tests.fix_process import eventually
from tests.postgres_asking import ENGINE, engine, facts, instance, ours, see, session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.fix_postgres import Binaries, Clusters, NewPostgres, NewStandby, Postgres
    from tests.postgres_asking import Seen

pytestmark = pytest.mark.engine

CHECKPOINTS = "dbwatch_pg_checkpoints_total{trigger=requested}"
WRITTEN = "dbwatch_log_written_bytes_total{log=wal}"
POSITION = "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')"
ARCHIVE = "dbwatch_pg_archive"
BROKEN_ARCHIVE = (
    "archive_mode = on",
    "archive_command = 'false'",
    "log_min_messages = fatal",
    "logging_collector = on",
)


@pytest.fixture(scope="module")
def server(clusters: Clusters, postgres_18_binaries: Binaries) -> Iterator[Postgres]:
    """An 18 whose archive does not work; each test leaves the rest as it found it."""
    with clusters.new(postgres_18_binaries, *BROKEN_ARCHIVE) as own:
        yield own


async def until(server: Postgres, name: str, holds: Callable[[Seen], bool]) -> Seen:
    """Statistics arrive late: look again for some seconds."""
    for _ in range(600):
        seen = await see(server.instance(), name)
        if holds(seen):
            return seen
        await asyncio.sleep(0.1)
    raise AssertionError(seen)


@pytest.mark.parametrize("version", ["postgres_18", "postgres_15"])
async def test_a_checkpoint_is_counted_under_one_name_on_all_versions(
    version: str, request: pytest.FixtureRequest
) -> None:
    server: Postgres = request.getfixturevalue(version)
    server.psql("CREATE TABLE dirtied AS SELECT generate_series(1, 5000) AS n")
    before = await see(server.instance(), "checkpoints")
    server.psql("CHECKPOINT; DROP TABLE dirtied")
    after = await until(server, "checkpoints", lambda seen: seen[CHECKPOINTS] > before[CHECKPOINTS])
    view = "pg_stat_checkpointer" if server.version >= 17 else "pg_stat_bgwriter"
    column = "num_requested" if server.version >= 17 else "checkpoints_req"

    assert before[CHECKPOINTS] + 1 == after[CHECKPOINTS]
    assert float(server.psql(f"SELECT {column} FROM {view}")) == after[CHECKPOINTS]
    by = "dbwatch_pg_buffers_written_total{by=checkpointer}"
    assert before[by] + 20 < after[by]
    assert abs(time.time() - after["dbwatch_pg_last_checkpoint_timestamp_seconds"]) < 60
    assert after["dbwatch_pg_wal_since_checkpoint_bytes"] < 100_000
    assert 1 == after["dbwatch_pg_timeline"]


async def test_wal_is_counted_to_the_byte(postgres_18: Postgres, postgres_15: Postgres) -> None:
    for server in (postgres_18, postgres_15):
        first = await see(server.instance(), "wal")
        low = float(server.psql(POSITION))
        server.psql("CREATE TABLE written AS SELECT generate_series(1, 20000) AS n; DROP TABLE written")
        seen = await see(server.instance(), "wal")
        high = float(server.psql(POSITION))

        assert low + 1_000_000 < seen[WRITTEN] <= high
        assert first[WRITTEN] <= low
        assert first["dbwatch_pg_wal_records_total"] + 20_000 < seen["dbwatch_pg_wal_records_total"]
        assert "dbwatch_pg_wal_seconds_total{operation=write}" not in seen  # nobody asked the server to take the time
        assert not [name for name in seen if name.startswith(ARCHIVE)]  # nothing is to be archived


async def test_a_broken_archive_is_seen_while_it_is_broken(server: Postgres) -> None:
    server.psql("SELECT pg_switch_wal()")
    broken = await until(server, "wal", lambda seen: seen["dbwatch_pg_archive_failed_total"] > 0)
    waiting = await see(server.instance(), "wal_files")
    server.psql("ALTER SYSTEM SET archive_command = 'true'")
    server.reload()
    mended = await until(server, "wal", lambda seen: seen["dbwatch_pg_archived_total"] > 0)
    after = await until(server, "wal_files", lambda seen: seen["dbwatch_pg_archive_ready_files"] == 0)

    assert 0 == broken["dbwatch_pg_archived_total"]
    assert abs(time.time() - broken["dbwatch_pg_archive_last_failure_timestamp_seconds"]) < 60
    assert "dbwatch_pg_archive_lag_bytes" not in broken  # none was archived: nobody knows since when
    assert 1 <= waiting["dbwatch_pg_archive_ready_files"]
    assert abs(time.time() - waiting["dbwatch_pg_archive_oldest_ready_timestamp_seconds"]) < 60
    assert "dbwatch_pg_archive_oldest_ready_timestamp_seconds" not in after
    assert abs(time.time() - mended["dbwatch_pg_archive_last_success_timestamp_seconds"]) < 60
    archived = "SELECT last_archived_wal FROM pg_stat_archiver"
    behind = server.psql(
        f"SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), ('0/' || right(({archived}), 2) || '000000')::pg_lsn) - 16777216"
    )
    lag = (await see(server.instance(), "wal"))["dbwatch_pg_archive_lag_bytes"]
    assert abs(float(behind) - lag) < 10_000


async def test_what_a_scan_writes_out_is_among_what_backends_write(new_postgres: NewPostgres) -> None:
    # A scan of a table that is larger than a quarter of the cache goes through a few buffers of its own, and writes
    # them out where it left hints in them. Such a scan grows no table: the server tells NULL of that.
    server = new_postgres("shared_buffers = 16MB", "autovacuum = off", "bgwriter_lru_maxpages = 0")
    server.psql("CREATE TABLE large AS SELECT repeat('x', 500) AS t FROM generate_series(1, 60000)")
    scanning = "sum(writes) FILTER (WHERE context = 'bulkread')"
    written = f"{scanning}, sum(coalesce(write_bytes, 0) + coalesce(extend_bytes, 0)) / 8192"
    others = "backend_type NOT IN ('checkpointer', 'background writer') AND object = 'relation'"
    for _ in range(20):
        server.psql("SELECT count(*) FROM large")
        scans, told = server.psql(f"SELECT {written} FROM pg_stat_io WHERE {others}").split("|")
        if int(scans or 0) > 500:
            break
        server.psql("UPDATE large SET t = t WHERE ctid < '(1000,0)'")
    by = "dbwatch_pg_buffers_written_total{by=backend}"
    seen = await until(server, "checkpoints", lambda seen: seen[by] >= float(told))

    assert int(scans) > 500
    assert seen[by] < float(told) + 500


async def test_a_base_backups_own_file_in_the_archive_tells_no_place_in_the_log(new_postgres: NewPostgres) -> None:
    server = new_postgres("archive_mode = on", "archive_command = 'true'", "autovacuum = off")
    server.psql("SELECT pg_switch_wal()")
    named = "SELECT last_archived_wal FROM pg_stat_archiver"
    before = await until(server, "wal", lambda seen: "dbwatch_pg_archive_lag_bytes" in seen)
    grow = "CREATE TABLE large AS SELECT repeat('x', 500) AS t FROM generate_series(1, 70000)"
    server.psql(f"SELECT FROM pg_backup_start('night', true); {grow}; SELECT FROM pg_backup_stop()")
    # Its name is that of the file in which the backup began, and all since then is in the archive. It may have come
    # there before the last of them: it goes there once more.
    status = server.data_directory / "pg_wal" / "archive_status"
    await asyncio.to_thread(eventually, lambda: not [*status.glob("*.ready")] and [*status.glob("*.backup.done")])
    (done,) = status.glob("*.backup.done")
    done.rename(done.with_suffix(".ready"))
    server.reload()
    await asyncio.to_thread(eventually, lambda: server.psql(named).endswith(".backup"))
    after = await see(server.instance(), "wal")
    server.psql("CREATE TABLE small AS SELECT 1; SELECT pg_switch_wal()")
    again = await until(server, "wal", lambda seen: "dbwatch_pg_archive_lag_bytes" in seen)

    assert "dbwatch_pg_archive_lag_bytes" not in after
    assert 16777216 > max(seen["dbwatch_pg_archive_lag_bytes"] for seen in (before, again))


async def test_the_size_of_the_wal_is_that_of_its_files(postgres_18: Postgres) -> None:
    size = sum(file.stat().st_size for file in (postgres_18.data_directory / "pg_wal").iterdir() if file.is_file())
    seen = await see(postgres_18.instance(), "wal_files")

    assert {"dbwatch_log_size_bytes{log=wal}": size} == seen  # no archive, and the log is not the server's own


async def test_the_size_of_the_log_is_told_where_the_server_writes_it(server: Postgres) -> None:
    seen = await see(server.instance(), "wal_files")
    size = sum(file.stat().st_size for file in (server.data_directory / "log").iterdir())

    assert size == seen["dbwatch_log_size_bytes{log=server}"]


async def test_io_is_counted_by_who_does_it_and_timed_where_the_server_takes_the_time(server: Postgres) -> None:
    labels = "backend_type=client_backend,context=bulkwrite,object=relation,operation=extend"
    before = await see(server.instance(), "io")
    server.psql("ALTER SYSTEM SET track_io_timing = on; SELECT pg_reload_conf()")
    server.psql("CREATE TABLE bulk AS SELECT repeat('x', 500) AS t FROM generate_series(1, 20000); SELECT 1")
    family, seconds = (f"dbwatch_pg_io_{name}_total{{{labels}}}" for name in ("bytes", "seconds"))
    after = await until(server, "io", lambda seen: seen.get(family, 0) > before.get(family, 0))
    block = await see(server.instance(), "databases")
    table = int(server.psql("SELECT pg_relation_size('bulk')"))
    server.psql("DROP TABLE bulk; ALTER SYSTEM RESET track_io_timing; SELECT pg_reload_conf()")

    # A table grows by more than it needs at once.
    assert table <= after[family] - before.get(family, 0) <= 2 * table
    assert 0 < after[f"dbwatch_pg_io_operations_total{{{labels}}}"] < after[family] / 8192
    assert after[seconds] > 0
    assert not [name for name in before if "io_seconds" in name or "object=wal" in name]
    assert 0 <= block["dbwatch_pg_block_io_seconds_total{database=postgres,operation=write}"]
    assert len(after) < 100


async def test_the_caches_of_transaction_states_have_one_name_on_all_versions(
    postgres_18: Postgres, postgres_15: Postgres
) -> None:
    for server in (postgres_18, postgres_15):
        server.psql("CREATE TABLE xs AS SELECT 1; SELECT pg_xact_status(pg_current_xact_id()); DROP TABLE xs")
        seen = await until(server, "io", lambda seen: "dbwatch_pg_slru_hits_total{slru=transaction}" in seen)

        assert seen["dbwatch_pg_slru_hits_total{slru=transaction}"] > 0
    assert not [name for name in seen if name.startswith("dbwatch_pg_io")]  # 15 does not tell


async def test_what_shared_buffers_hold_is_seen_with_the_extension_alone(server: Postgres) -> None:
    family = "dbwatch_pg_shared_buffers_bytes{{state={}}}".format
    without = await see(server.instance(), "shared_buffers")
    said = (await doctor.examine(Target(instance(server.instance()), engine(), ours()))).lines
    server.psql("CREATE SCHEMA elsewhere; CREATE EXTENSION pg_buffercache SCHEMA elsewhere")
    server.psql(f"GRANT USAGE ON SCHEMA elsewhere TO {MONITOR}")
    seen = await see(server.instance(), "shared_buffers")
    server.psql("DROP EXTENSION pg_buffercache; DROP SCHEMA elsewhere")

    assert {} == without
    at = said.index("  left out shared_buffers: what it takes is optional, and missing")
    assert "/* in the database postgres */ CREATE EXTENSION IF NOT EXISTS pg_buffercache;" == said[at + 1].strip()
    assert 32 * 1024 * 1024 == seen[family("used")] + seen[family("unused")]
    assert 0 <= seen[family("dirty")] <= seen[family("used")]
    assert 0 < seen["dbwatch_pg_shared_buffers_usage_average"] <= 5


async def test_reset_statistics_count_from_zero_again(server: Postgres) -> None:
    reset = ("checkpointer", "bgwriter", "wal", "archiver", "io", "slru")
    await see(server.instance(), "wal")
    server.psql("; ".join(f"SELECT pg_stat_reset_shared('{name}')" for name in reset if name != "slru"))
    server.psql("SELECT pg_stat_reset_slru(NULL); SELECT pg_stat_reset()")
    position = float(server.psql(POSITION))
    seen = [await see(server.instance(), name) for name in ("checkpoints", "wal", "io", "databases")]

    assert [] == [(name, value) for of in seen for name, value in of.items() if value < 0]
    assert 0 == seen[0][CHECKPOINTS]
    assert seen[1][WRITTEN] >= position  # nobody can reset the log
    at = seen[3]["dbwatch_pg_statistics_reset_timestamp_seconds{database=postgres}"]
    assert abs(time.time() - at) < 10


async def test_a_replica_writes_no_log_and_its_promotion_begins_a_timeline(
    new_postgres: NewPostgres, standby: NewStandby
) -> None:
    primary = new_postgres("archive_mode = on", "archive_command = 'true'")
    replica = standby(primary)
    before = {name: await see(replica.instance(), name) for name in ("wal", "checkpoints")}
    await asyncio.to_thread(replica.promote)
    after = {name: await see(replica.instance(), name) for name in ("wal", "checkpoints")}

    assert WRITTEN not in before["wal"]
    assert not [name for name in before["wal"] if name.startswith(ARCHIVE)]  # its source archives
    assert 1 == before["checkpoints"]["dbwatch_pg_timeline"]
    assert 0 <= before["checkpoints"]["dbwatch_pg_restartpoints_total{trigger=requested}"]
    assert float(replica.psql(POSITION)) - 1_000_000 < after["wal"][WRITTEN]
    assert 2 == after["checkpoints"]["dbwatch_pg_timeline"]


async def test_a_damaged_page_is_counted(new_postgres: NewPostgres) -> None:
    server = new_postgres("log_min_messages = fatal")
    failures = "dbwatch_pg_checksum_failures_total{database=postgres}"
    at = "dbwatch_pg_checksum_last_failure_timestamp_seconds{database=postgres}"
    server.psql("CREATE TABLE damaged AS SELECT generate_series(1, 100) AS n; CHECKPOINT")
    file = server.data_directory / server.psql("SELECT pg_relation_filepath('damaged')")
    sound = await see(server.instance(), "databases")
    await asyncio.to_thread(server.stop)
    page = bytearray(file.read_bytes())
    page[8000] ^= 0xFF
    file.write_bytes(page)
    await asyncio.to_thread(server.start)
    reader = await server.admin()
    with pytest.raises(Exception, match="invalid page"):
        await reader.fetchval("SELECT count(*) FROM damaged")
    await reader.close()
    seen = await until(server, "databases", lambda seen: seen[failures] > 0)

    assert (0, False) == (sound[failures], at in sound)
    assert abs(time.time() - seen[at]) < 60


async def test_who_may_see_views_only_is_told_of_the_rest(new_postgres: NewPostgres) -> None:
    server = new_postgres()
    server.psql("REVOKE pg_monitor FROM dbwatch; GRANT pg_read_all_stats TO dbwatch")
    async with session(server.instance()) as opened:
        known = await facts(opened)
    lacking = {name: asking.missing_needs(ours().collectors[ENGINE, name], known) for name in ("wal_files", "settings")}

    assert {"wal_files": ("server_directories",), "settings": ("all_settings",)} == lacking
