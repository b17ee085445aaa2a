"""What the server counts of itself, on real MariaDB servers: caused, seen in the exact number, and gone again."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pymysql
import pytest

from dbwatch.core.mapping import columns_read
from dbwatch.poller import asking
from tests.fix_mariadb import BARE, PASSWORD
from tests.fix_process import eventually
from tests.mysql_asking import ENGINE, facts, ours, query, see, session
from tests.mysql_detached import WAITS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from tests.fix_mariadb import Mariadb, NewMariadb, NewReplica
    from tests.mysql_asking import Seen

pytestmark = pytest.mark.engine

STATUS = ("server_status", "statements", "operations", "innodb", "logs", "innodb_metrics", "semi_sync")
HISTORY = "dbwatch_mysql_history_list_length"
TABLE = "CREATE DATABASE shop; CREATE TABLE shop.t (id int PRIMARY KEY, v int);INSERT INTO shop.t VALUES (1, 0), (2, 0)"
# What only MySQL counts, of all that the two SHOWs name.
NOT_COUNTED = {
    "acl_cache_items_count",
    "count_hit_tmp_table_size",
    "error_log_expired_events",
    "global_connection_memory",
    "innodb_os_log_fsyncs",
    "innodb_os_log_pending_fsyncs",
    "innodb_os_log_pending_writes",
    "locked_connects",
    "max_execution_time_exceeded",
    "ongoing_anonymous_transaction_count",
    "replica_open_temp_tables",
    "secondary_engine_execution_count",
    "temptable_count_hit_max_ram",
}


async def counters(server: Mariadb) -> Seen:
    seen: Seen = {}
    for name in STATUS:
        seen |= await see(server.instance(), name)
    return seen


async def grown(server: Mariadb, before: Seen) -> Seen:
    after = await counters(server)
    return {name: value - before[name] for name, value in after.items()}


@asynccontextmanager
async def client(server: Mariadb) -> AsyncIterator[Any]:
    opened = await server.admin("shop")
    try:
        yield opened
    finally:
        opened.close()
        await asyncio.sleep(0.05)  # the socket closes in the loop's next turns


async def said(opened: Any, sql: str) -> tuple[Any, ...]:
    """The first row, as another client sees it."""
    async with opened.cursor() as cursor:
        await cursor.execute(sql)
        return tuple(await cursor.fetchone())


@pytest.fixture
def shop(new_mariadb: NewMariadb) -> Mariadb:
    server = new_mariadb()
    server.sql(TABLE)
    return server


def history(server: Mariadb) -> int:
    return int(server.sql("SHOW ENGINE INNODB STATUS").partition("History list length ")[2].partition("\\n")[0])


async def test_a_forgotten_transaction_makes_the_history_grow_and_its_end_lets_it_go(shop: Mariadb) -> None:
    async with client(shop) as reader:
        await reader.query("START TRANSACTION WITH CONSISTENT SNAPSHOT")
        shop.sql("UPDATE shop.t SET v = v + 1;" * 300)
        told = [history(shop)]
        held = (await see(shop.instance(), "innodb_metrics"))[HISTORY]
        told.append(history(shop))  # the server writes statistics of its own when it likes
    for _ in range(300):
        if (left := (await see(shop.instance(), "innodb_metrics"))[HISTORY]) == 0:
            break
        await asyncio.sleep(0.2)

    assert 300 <= told[0] <= held <= told[1]
    assert 0 == left


async def test_a_wait_for_a_row_is_counted_while_it_lasts_and_after(shop: Mariadb) -> None:
    before = await counters(shop)
    async with client(shop) as holder, client(shop) as waiter:
        await holder.query("BEGIN")
        await holder.query("UPDATE t SET v = 1 WHERE id = 1")
        await waiter.query("SET innodb_lock_wait_timeout = 5")
        wait = asyncio.ensure_future(waiter.query("UPDATE t SET v = 2 WHERE id = 1"))
        await asyncio.to_thread(eventually, lambda: shop.sql(WAITS) == "1", every_seconds=0.2)
        during = await grown(shop, before)
        with pytest.raises(pymysql.err.OperationalError):
            await wait
    after = await grown(shop, before)

    assert 1 == during["dbwatch_mysql_row_locks_waiting"]
    assert 0 == after["dbwatch_mysql_row_locks_waiting"]
    assert 1 == after["dbwatch_mysql_row_lock_waits_total"]
    assert 1 == after["dbwatch_mysql_lock_wait_timeouts_total"]
    assert 4.9 < after["dbwatch_mysql_row_lock_wait_seconds_total"] < 10
    assert after["dbwatch_mysql_row_lock_wait_seconds_total"] == after["dbwatch_mysql_row_lock_wait_max_seconds"]


async def test_the_work_of_a_session_is_counted_as_the_session_itself_counts_it(shop: Mariadb) -> None:
    async with client(shop) as worker:
        before = await counters(shop)
        await worker.query("SET long_query_time = 0")
        await worker.query("SELECT COUNT(*) FROM t AS a JOIN t AS b ON a.v = b.v + 1 JOIN t AS c ON c.v <> a.v")
        await worker.query("SELECT v, COUNT(*) FROM t GROUP BY v ORDER BY 2")
        await worker.query("PREPARE p FROM 'SELECT 1'")
        after = await grown(shop, before)
        joins = (await said(worker, "SHOW SESSION STATUS LIKE 'Select_full_join'"))[1]
        sorted_rows = (await said(worker, "SHOW SESSION STATUS LIKE 'Sort_rows'"))[1]

    assert after["dbwatch_mysql_select_plans_total{plan=full_join}"] == float(joins) > 0
    assert after["dbwatch_mysql_sort_rows_total"] == float(sorted_rows) > 0
    assert 1 == after["dbwatch_mysql_prepared_statements"]
    assert after["dbwatch_mysql_slow_queries_total"] >= 3
    assert after["dbwatch_mysql_questions_total"] >= 4
    assert after["dbwatch_mysql_network_bytes_total{direction=received}"] > 0
    assert after["dbwatch_mysql_temp_tables_total"] > 0


async def test_sessions_that_fail_are_counted_by_reason(shop: Mariadb) -> None:
    before = await counters(shop)
    with pytest.raises(pymysql.err.OperationalError):
        await shop.connect(BARE, password="wrong")
    lost, aborted = await shop.admin(), "SHOW GLOBAL STATUS LIKE 'Aborted_clients'"
    none = shop.sql(aborted)
    lost.close()  # no goodbye
    await asyncio.sleep(0.1)
    eventually(lambda: shop.sql(aborted) != none)
    after = await grown(shop, before)

    assert 1 == after["dbwatch_connection_failures_total{reason=login}"]
    assert 1 == after["dbwatch_connection_failures_total{reason=lost}"]
    assert 1 == after["dbwatch_mysql_status_total{name=access_denied_errors}"]


async def test_no_counter_is_below_zero_after_a_flush_of_the_status_or_a_restart(shop: Mariadb) -> None:
    shop.sql("INSERT INTO shop.t SELECT seq, 0 FROM seq_3_to_2000")
    before = await counters(shop)
    shop.sql("FLUSH STATUS")
    flushed = await counters(shop)
    shop.restart()
    restarted = await counters(shop)
    writes = "dbwatch_mysql_handler_calls_total{operation=write}"

    assert min(before[writes], flushed[writes]) > 1900
    assert restarted[writes] < 100
    assert before.keys() == flushed.keys() == restarted.keys()
    assert 0 == min(min(seen.values()) for seen in (before, flushed, restarted))


async def test_the_buffer_pool_adds_up_to_its_size(shop: Mariadb) -> None:
    before = await see(shop.instance(), "buffer_pool")
    shop.sql("INSERT INTO shop.t SELECT seq, 0 FROM seq_3_to_5000")
    after = await see(shop.instance(), "buffer_pool")

    assert float(shop.sql("SELECT @@innodb_buffer_pool_size")) == pytest.approx(sum(after.values()), rel=0.02)
    assert sum(before.values()) == sum(after.values())
    assert after["dbwatch_mysql_buffer_pool_bytes{state=dirty}"] > 0


def binlogs(server: Mariadb) -> list[int]:
    return [path.stat().st_size for path in server.data_directory.glob("binlog.0*") if path.suffix != ".idx"]


async def test_the_files_of_the_binary_log_and_of_innodb_are_as_big_as_on_disk(shop: Mariadb) -> None:
    async def sizes() -> Seen:
        return await see(shop.instance(), "binlogs") | await see(shop.instance(), "tablespaces")

    first = await counters(shop)
    size = (await sizes())["dbwatch_log_size_bytes{log=binlog}"]
    shop.sql("INSERT INTO shop.t SELECT seq, 0 FROM seq_3_to_500")
    written = (await grown(shop, first))["dbwatch_log_written_bytes_total{log=binlog}"]
    grew = (await sizes())["dbwatch_log_size_bytes{log=binlog}"] - size
    shop.sql("FLUSH BINARY LOGS")
    seen, files = await sizes(), binlogs(shop)
    for _ in range(20):
        if sum(files) == seen["dbwatch_log_size_bytes{log=binlog}"]:
            break
        seen, files = await sizes(), binlogs(shop)  # the server writes a checkpoint of its own into the new one
    age = await see(shop.instance(), "logs")
    shop.sql("RESET MASTER")

    assert written == grew > 0
    assert (len(files), sum(files)) == (seen["dbwatch_mysql_binlog_files"], seen["dbwatch_log_size_bytes{log=binlog}"])
    for file, kind in (("ibdata1", "system"), ("ibtmp1", "temporary")):
        size_on_disk = (shop.data_directory / file).stat().st_size
        assert size_on_disk == seen[f"dbwatch_mysql_tablespace_size_bytes{{kind={kind}}}"]
    assert 1 == (await sizes())["dbwatch_mysql_binlog_files"]
    assert 0 < age["dbwatch_mysql_checkpoint_age_bytes"] < age["dbwatch_mysql_checkpoint_age_max_bytes"]
    assert (shop.data_directory / "ib_logfile0").stat().st_size == age["dbwatch_mysql_redo_log_capacity_bytes"]


async def test_a_server_without_a_binary_log_is_not_asked_for_it(new_mariadb: NewMariadb) -> None:
    server = new_mariadb("--skip-log-bin")
    async with session(server.instance()) as opened:
        known = await facts(opened)

    assert "log_bin_off" == asking.left_out(ours().collectors[ENGINE, "binlogs"], known)
    assert 0 == (await see(server.instance(), "logs"))["dbwatch_log_written_bytes_total{log=binlog}"]


async def test_a_changed_setting_changes_its_value_and_the_fingerprint_and_back(shop: Mariadb) -> None:
    def fingerprint(seen: Seen) -> set[str]:
        return {name for name in seen if "settings_hash" in name}

    before = await see(shop.instance(), "settings")
    shop.sql("SET GLOBAL innodb_io_capacity = 321; INSERT INTO shop.t VALUES (9, 9);")
    changed = await see(shop.instance(), "settings")
    shop.sql("SET GLOBAL innodb_io_capacity = 200, GLOBAL init_connect = 'SET @a = 1'")
    worded = await see(shop.instance(), "settings")
    shop.sql("SET GLOBAL init_connect = ''; SET SESSION sort_buffer_size = 40960")
    after = await see(shop.instance(), "settings")
    capacity = "dbwatch_setting_value{name=innodb_io_capacity}"

    assert (200, 321, 200) == (before[capacity], changed[capacity], worded[capacity])
    assert 1 == len(fingerprint(before)) == len(fingerprint(changed))
    assert fingerprint(before) == fingerprint(after)
    assert 3 == len(fingerprint(before) | fingerprint(changed) | fingerprint(worded))
    assert before == after
    assert 1 == before["dbwatch_setting_value{name=log_bin}"]
    assert float(shop.sql("SELECT @@global.wait_timeout")) == before["dbwatch_setting_value{name=wait_timeout}"]
    assert len(before) <= 200


@pytest.mark.parametrize("name", ["operations", "innodb"])
async def test_every_name_that_is_asked_for_is_one_of_a_server(mariadb: Mariadb, name: str) -> None:
    collector = ours().collectors[ENGINE, name]
    async with session(mariadb.instance()) as opened:
        rows = await opened.fetch(asking.query(collector, await facts(opened)))
    sent = {str(each).lower() for each in rows.columns[0]}

    assert set(columns_read(collector)) - sent <= NOT_COUNTED
    assert sent <= set(columns_read(collector))


async def test_a_broken_replica_tells_the_number_of_the_error_and_the_thread(
    new_mariadb: NewMariadb, mariadb_replica: NewReplica
) -> None:
    primary = new_mariadb("--rpl-semi-sync-master-enabled=1", "--rpl-semi-sync-master-timeout=20000")
    replica = mariadb_replica(primary, "--rpl-semi-sync-slave-enabled=1")

    def told() -> str:
        return replica.sql("SHOW ALL SLAVES STATUS")

    eventually(lambda: "Waiting for master" in told())
    eventually(lambda: "ON" in primary.sql("SHOW STATUS LIKE 'Rpl_semi_sync_master_status'"))
    primary.sql(TABLE)
    replica.sql(f"SELECT MASTER_GTID_WAIT('{primary.sql('SELECT @@gtid_binlog_pos')}', 10)")
    linked = await see(replica.instance(), "replication")
    semi = await see(primary.instance(), "semi_sync")
    replica.sql("STOP SLAVE SQL_THREAD")
    primary.sql("INSERT INTO shop.t VALUES (7, 7); UPDATE shop.t SET v = 8 WHERE id = 7; DELETE FROM shop.t WHERE v=8")
    eventually(lambda: primary.sql("SELECT @@gtid_binlog_pos") in told())
    waiting = await see(replica.instance(), "replication")
    replica.sql("SET sql_log_bin = 0; INSERT INTO shop.t VALUES (7, 1); START SLAVE SQL_THREAD")
    eventually(lambda: "Duplicate entry" in told())
    failed = await see(replica.instance(), "replication")
    replica.sql("SET sql_log_bin = 0; DELETE FROM shop.t WHERE id = 7; START SLAVE SQL_THREAD")
    primary.sql(f"SET PASSWORD FOR 'replicator'@'127.0.0.1' = PASSWORD('{PASSWORD}x')")
    replica.sql("STOP SLAVE IO_THREAD; START SLAVE IO_THREAD")
    eventually(lambda: "Access denied" in told())
    refused = await see(replica.instance(), "replication")

    io, applier = (f"dbwatch_mysql_replication_last_error_number{{thread={name}}}" for name in ("io", "sql"))
    assert (0, 0, 0) == (linked[io], linked[applier], linked["dbwatch_mysql_replication_lag_transactions"])
    assert 1 == linked["dbwatch_mysql_replication_auto_position"]
    assert 1 == linked["dbwatch_mysql_replication_connect_retry_seconds"]
    assert 3 == waiting["dbwatch_mysql_replication_lag_transactions"]
    assert 1062 == failed[applier]
    assert 0 == failed["dbwatch_replication_thread_running{thread=sql}"]
    assert (1045, 0) == (refused[io], refused[applier])
    assert "dbwatch_mysql_gtid_executed_gaps" not in refused  # MariaDB keeps no set of them
    assert (1, 1) == (semi["dbwatch_mysql_semi_sync_active{side=source}"], semi["dbwatch_mysql_semi_sync_replicas"])
    assert semi["dbwatch_mysql_semi_sync_transactions_total{outcome=acknowledged}"] >= 1


async def test_sessions_are_told_by_encryption_and_ours_left_out(mariadb: Mariadb) -> None:
    over_tcp = await mariadb.connect("replicator")
    over_socket = await mariadb.admin()
    seen = await see(mariadb.instance(), "encryption")
    over_tcp.close()
    over_socket.close()
    await asyncio.sleep(0.05)

    kinds = [seen[f"dbwatch_sessions_tls{{encrypted={kind}}}"] for kind in ("yes", "no", "local")]
    assert [0, 1, 1] == kinds


async def told_of(server: Mariadb, name: str, listed: Iterable[str]) -> list[dict[str, object]]:
    """What the collector says when these are the server's sessions: its SQL, with their SELECTs for the list."""
    async with session(server.instance()) as opened:
        asked = asking.query(ours().collectors[ENGINE, name], await facts(opened))
        rows = f"({' UNION ALL '.join(listed)})"
        return (await opened.fetch(query(asked.sql.replace("information_schema.processlist", rows)))).dicts()


async def test_hosts_are_counted_whatever_their_addresses_look_like(mariadb: Mariadb) -> None:
    hosts = ("fd00::2:54321", "fd00::2:54322", "fd00::3:54321", "192.0.2.7:54321", "db1.example.org:54321", "localhost")
    others = "'Sleep' AS command, 'x' AS user, 1 AS memory_used"
    told = await told_of(mariadb, "session_memory", (f"SELECT '{host}' AS host, {others}" for host in hosts))

    assert [{"memory_bytes": 6, "hosts": 5}] == told


async def test_a_wait_for_the_query_cache_is_no_lock_that_another_session_holds(mariadb: Mariadb) -> None:
    waits = ("Waiting for query cache lock", "Waiting for table metadata lock")
    others = "1000000 AS id, 'Query' AS command, 'x' AS user, 5000 AS time_ms"
    listed = [f"SELECT '{state}' AS state, {others}" for state in waits]
    active = {row["wait_class"]: row["sessions"] for row in await told_of(mariadb, "active_sessions", listed)}
    blocked = await told_of(mariadb, "locks", listed)

    assert (1, 1, 0) == tuple(active[name] for name in ("lock", "lwlock", "cpu"))
    assert [1] == [row["blocked"] for row in blocked]


async def test_a_server_outside_of_a_galera_cluster_says_nothing_of_one(mariadb: Mariadb) -> None:
    async with session(mariadb.instance()) as opened:
        shown = (await opened.fetch(query("SHOW GLOBAL STATUS LIKE 'wsrep_cluster_size'"))).dicts()

    assert [{"Variable_name": "wsrep_cluster_size", "Value": "0"}] == shown
    assert {} == await see(mariadb.instance(), "galera")
