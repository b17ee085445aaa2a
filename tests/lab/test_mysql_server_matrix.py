"""What MySQL 9 counts of itself: caused, seen in the exact number, and gone again."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pymysql
import pytest

from dbwatch.core.mapping import columns_read
from dbwatch.core.model import Role
from dbwatch.poller import asking
from tests.fix_process import eventually, free_port, workspace
from tests.lab.conftest import Mysql, new_mysql, prepared
from tests.mysql_asking import ENGINE, facts, ours, see, session

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from tests.mysql_asking import Seen

pytestmark = pytest.mark.engine

TABLE = "CREATE DATABASE shop; CREATE TABLE shop.t (id int PRIMARY KEY, v int);INSERT INTO shop.t VALUES (1, 0), (2, 0)"
GROUP = """
INSTALL PLUGIN group_replication SONAME 'group_replication.so';
SET GLOBAL group_replication_group_name = 'aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa',
    GLOBAL group_replication_local_address = '127.0.0.1:{port}', GLOBAL group_replication_bootstrap_group = ON;
START GROUP_REPLICATION;
"""
# What only MariaDB counts, by the beginning of the name, of all that the two SHOWs name.
NOT_COUNTED = (
    "aborted_connects_preauth", "access_denied", "aria_", "binlog_commits", "binlog_group", "delete_scan", "empty_",
    "executed_", "handler_icp", "handler_read_retry", "handler_read_rnd_deleted", "handler_tmp",
    "innodb_buffer_pool_pages_lru", "innodb_buffer_pool_pages_made", "master_gtid", "max_statement_time",
    "opened_views", "qcache_", "rows_", "slave_re", "slave_sk", "sort_priority", "subquery_", "syncs", "threadpool_",
    "transactions_multi", "update_scan",
)  # fmt: skip


@pytest.fixture
def shop(lab_mysql: Mysql) -> Iterator[Mysql]:
    """A server with a table that a test may change."""
    lab_mysql.sql(TABLE)
    yield lab_mysql
    lab_mysql.sql("DROP DATABASE shop")


@asynccontextmanager
async def client(server: Mysql, user: str = "root", **options: Any) -> AsyncIterator[Any]:
    opened = await (server.admin("shop") if user == "root" else server.connect(user, **options))
    try:
        yield opened
    finally:
        opened.close()
        await asyncio.sleep(0.05)  # the socket closes in the loop's next turns


async def until(server: Mysql, name: str, sample: str, wanted: float) -> Seen:
    """The collector asked until that sample is as wanted."""
    for _ in range(50):
        seen = await see(server.instance(), name)
        if seen.get(sample) == wanted:
            break
        await asyncio.sleep(0.2)
    return seen


async def test_a_forgotten_transaction_makes_the_history_grow_and_its_end_lets_it_go(shop: Mysql) -> None:
    async with client(shop) as reader:
        await reader.query("START TRANSACTION WITH CONSISTENT SNAPSHOT")
        shop.sql("UPDATE shop.t SET v = v + 1;" * 300)
        held = (await see(shop.instance(), "innodb_metrics"))["dbwatch_mysql_history_list_length"]
    # An idle server keeps what it has purged in the list until some later round of the purge.
    shop.sql("SET GLOBAL innodb_purge_rseg_truncate_frequency = 1; UPDATE shop.t SET v = 0")
    gone = await until(shop, "innodb_metrics", "dbwatch_mysql_history_list_length", 0)
    shop.sql("SET GLOBAL innodb_purge_rseg_truncate_frequency = DEFAULT")

    assert held >= 300
    assert gone["dbwatch_mysql_history_list_length"] < 10


async def test_a_wait_for_a_row_is_counted_while_it_lasts_and_after(shop: Mysql) -> None:
    before = await see(shop.instance(), "innodb") | await see(shop.instance(), "innodb_metrics")
    async with client(shop) as holder, client(shop) as waiter:
        await holder.query("BEGIN")
        await holder.query("UPDATE t SET v = 1 WHERE id = 1")
        await waiter.query("SET innodb_lock_wait_timeout = 1")
        wait = asyncio.ensure_future(waiter.query("UPDATE t SET v = 2 WHERE id = 1"))
        await asyncio.sleep(0.3)
        during = await see(shop.instance(), "innodb")
        with pytest.raises(pymysql.err.OperationalError):
            await wait
    after = await see(shop.instance(), "innodb") | await see(shop.instance(), "innodb_metrics")

    assert 1 == during["dbwatch_mysql_row_locks_waiting"]
    assert 0 == after["dbwatch_mysql_row_locks_waiting"]
    seconds = "dbwatch_mysql_row_lock_wait_seconds_total"
    for name in ("dbwatch_mysql_row_lock_waits_total", "dbwatch_mysql_lock_wait_timeouts_total"):
        assert 1 == after[name] - before[name]
    assert 0.9 < after[seconds] - before[seconds] < 3


async def test_errors_are_counted_by_name(shop: Mysql) -> None:
    name = "dbwatch_mysql_errors_raised_total{error=ER_DUP_ENTRY}"
    before = await see(shop.instance(), "errors_raised")
    async with client(shop) as clumsy:
        for _ in range(3):
            with pytest.raises(pymysql.err.IntegrityError):
                await clumsy.query("INSERT INTO t VALUES (1, 1)")
    after = await see(shop.instance(), "errors_raised")

    assert 3 == after[name] - before.get(name, 0)


async def test_the_error_log_is_counted_by_severity(shop: Mysql) -> None:
    seen = await see(shop.instance(), "error_log")
    lines = shop.log().splitlines()

    for severity in ("Warning", "System"):
        number = len([line for line in lines if f"[{severity}]" in line])
        assert number == seen[f"dbwatch_mysql_error_log_events{{severity={severity.lower()}}}"] > 0
    assert 0 == seen["dbwatch_mysql_error_log_events{severity=error}"]
    assert "dbwatch_mysql_error_log_last_timestamp_seconds{severity=error}" not in seen
    assert seen["dbwatch_mysql_error_log_last_timestamp_seconds{severity=system}"] > 1_700_000_000


async def test_sessions_are_told_by_encryption_and_ours_left_out(shop: Mysql) -> None:
    quiet = await see(shop.instance(), "encryption")
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    async with client(shop), client(shop, "replicator", ssl=context):
        busy = await see(shop.instance(), "encryption")

    kinds = [f"dbwatch_sessions_tls{{encrypted={kind}}}" for kind in ("yes", "no", "local")]
    assert [0, 0, 0] == [quiet[kind] for kind in kinds]
    assert [1, 0, 1] == [busy[kind] for kind in kinds]
    assert 1 == busy["dbwatch_mysql_tls_channel_enabled{interface=mysql_main}"]


async def test_the_files_of_the_logs_are_as_big_as_on_disk(shop: Mysql) -> None:
    shop.sql("SET GLOBAL innodb_flush_log_at_trx_commit = 1")
    before = await see(shop.instance(), "logs")
    size = (await see(shop.instance(), "binlogs"))["dbwatch_log_size_bytes{log=binlog}"]
    shop.sql("INSERT INTO shop.t VALUES " + ",".join(f"({each}, 0)" for each in range(100, 1100)))
    after = await see(shop.instance(), "logs")
    grew = (await see(shop.instance(), "binlogs"))["dbwatch_log_size_bytes{log=binlog}"] - size
    shop.sql("SET GLOBAL innodb_flush_log_at_trx_commit = 0; FLUSH BINARY LOGS")
    seen = await see(shop.instance(), "binlogs")
    spaces = await see(shop.instance(), "tablespaces")
    files = [path.stat().st_size for path in shop.data_directory.glob("binlog.0*")]
    undo = [path.stat().st_size for path in shop.data_directory.glob("undo_0*")]
    redo = [path.stat().st_size for path in shop.data_directory.glob("#innodb_redo/#ib_redo*") if path.suffix != "_tmp"]

    written = "dbwatch_log_written_bytes_total{log=binlog}"
    assert grew == after[written] - before[written] > 0
    assert after["dbwatch_log_written_bytes_total{log=redo}"] > before["dbwatch_log_written_bytes_total{log=redo}"]
    assert (len(files), sum(files)) == (seen["dbwatch_mysql_binlog_files"], seen["dbwatch_log_size_bytes{log=binlog}"])
    assert sum(undo) == spaces["dbwatch_mysql_tablespace_size_bytes{kind=undo}"]
    assert len(undo) == spaces["dbwatch_mysql_tablespaces{kind=undo}"]
    ibdata = (shop.data_directory / "ibdata1").stat().st_size
    assert ibdata == spaces["dbwatch_mysql_tablespace_size_bytes{kind=system}"]
    assert max(redo) <= after["dbwatch_mysql_redo_log_size_bytes"] < after["dbwatch_mysql_redo_log_capacity_bytes"]
    assert 0 <= after["dbwatch_mysql_redo_unflushed_bytes"] <= after["dbwatch_mysql_checkpoint_age_bytes"]


async def test_a_changed_setting_changes_value_and_fingerprint_and_a_persisted_one_waits(shop: Mysql) -> None:
    def fingerprint(seen: Seen) -> set[str]:
        return {name for name in seen if "settings_hash" in name}

    before = await see(shop.instance(), "settings")
    shop.sql("SET GLOBAL max_connections = 99; INSERT INTO shop.t VALUES (50, 50)")
    changed = await see(shop.instance(), "settings")
    shop.sql("SET GLOBAL max_connections = 151; SET PERSIST_ONLY innodb_read_io_threads = 7")
    after = await see(shop.instance(), "settings")
    pending = await see(shop.instance(), "settings_pending")
    shop.sql("RESET PERSIST")

    assert 99 == changed["dbwatch_setting_value{name=max_connections}"]
    assert before == after
    assert fingerprint(before) != fingerprint(changed)
    assert {"dbwatch_setting_pending_restart{name=innodb_read_io_threads}": 1} == pending
    assert {} == await see(shop.instance(), "settings_pending")
    assert len(before) <= 200


@pytest.mark.parametrize("name", ["operations", "innodb"])
async def test_every_name_that_is_asked_for_is_one_of_a_server(lab_mysql: Mysql, name: str) -> None:
    collector = ours().collectors[ENGINE, name]
    async with session(lab_mysql.instance()) as opened:
        rows = await opened.fetch(asking.query(collector, await facts(opened)))
    sent = {str(each).lower() for each in rows.columns[0]}

    assert [] == sorted(each for each in set(columns_read(collector)) - sent if not each.startswith(NOT_COUNTED))


async def test_memory_and_buffer_pool_add_up(lab_mysql: Mysql) -> None:
    memory = await see(lab_mysql.instance(), "memory")
    pool = await see(lab_mysql.instance(), "buffer_pool")
    own = lab_mysql.sql(
        "SELECT SUM(current_number_of_bytes_used) FROM performance_schema.memory_summary_global_by_event_name"
    )

    assert float(own) == pytest.approx(sum(memory.values()), rel=0.05)
    assert 32 * 1024 * 1024 == sum(pool.values())
    assert memory["dbwatch_mysql_memory_bytes{area=innodb}"] > sum(pool.values())


async def test_a_member_of_a_group_tells_its_state_its_role_and_its_work(mysql_root: Path) -> None:
    with new_mysql(mysql_root) as server:
        nothing = await see(server.instance(), "group_replication")
        install, _, start = GROUP.format(port=free_port()).strip().partition("\n")
        server.sql(install)
        alone = await see(server.instance(), "group_replication")
        server.sql(start)
        server.sql(TABLE)
        member = await see(server.instance(), "group_replication")
        server.sql("STOP GROUP_REPLICATION")
        left = await see(server.instance(), "group_replication")

    def state(seen: Seen) -> list[str]:
        return [name for name, value in seen.items() if "group_member" in name and value == 1]

    assert {} == nothing
    offline = ["dbwatch_mysql_group_member_state{state=offline}", "dbwatch_mysql_group_members{state=offline}"]
    assert offline == state(alone) == state(left)
    assert [
        "dbwatch_mysql_group_member_state{state=online}",
        "dbwatch_mysql_group_member_role{role=primary}",
        "dbwatch_mysql_group_members{state=online}",
    ] == state(member)
    assert 3 == member["dbwatch_mysql_group_transactions_total{outcome=proposed}"]
    assert 0 == member["dbwatch_mysql_group_queue_transactions{queue=applier}"]


async def test_who_writes_in_a_group_is_primary_though_it_applies_what_the_others_write(mysql_root: Path) -> None:
    with new_mysql(mysql_root) as server:
        install, _, start = GROUP.format(port=free_port()).strip().partition("\n")
        server.sql(f"{install} {start}")
        async with session(server.instance()) as opened:
            writing = (await facts(opened)).role
            server.sql("SET GLOBAL super_read_only = 1")  # as the group does with its secondaries
            reading = (await facts(opened)).role

    assert (Role.PRIMARY, Role.REPLICA) == (writing, reading)


@pytest.mark.parametrize(("written", "told"), [("DETECT_ONLY", 0), ("DETECT_AND_RECOVER", 1)])
async def test_a_doublewrite_that_only_detects_torn_pages_is_off(mysql_root: Path, written: str, told: int) -> None:
    with (
        workspace() as directory,
        prepared(Mysql(mysql_root, directory, f"--innodb-doublewrite={written}")) as server,
    ):
        seen = await see(server.instance(), "settings")

    assert told == seen["dbwatch_setting_value{name=innodb_doublewrite}"]


async def test_a_broken_replica_tells_the_error_and_what_it_has_still_to_apply(
    lab_mysql: Mysql, lab_replica: Mysql
) -> None:
    for server, side in ((lab_mysql, "source"), (lab_replica, "replica")):
        server.sql(f"INSTALL PLUGIN rpl_semi_sync_{side} SONAME 'semisync_{side}.so'")
        server.sql(f"SET GLOBAL rpl_semi_sync_{side}_enabled = 1")
    lab_replica.sql("STOP REPLICA IO_THREAD; START REPLICA IO_THREAD")
    eventually(lambda: "1" in lab_mysql.sql("SHOW STATUS LIKE 'Rpl_semi_sync_source_clients'"))
    lab_mysql.sql("CREATE DATABASE IF NOT EXISTS broken; CREATE TABLE broken.t (id int PRIMARY KEY)")
    lag = "dbwatch_mysql_replication_lag_transactions"
    linked = await until(lab_replica, "replication", lag, 0)
    semi = await see(lab_mysql.instance(), "semi_sync")
    lab_replica.sql("STOP REPLICA SQL_THREAD; SET GLOBAL super_read_only = 0; INSERT INTO broken.t VALUES (7)")
    lab_mysql.sql("INSERT INTO broken.t VALUES (7); INSERT INTO broken.t VALUES (8); INSERT INTO broken.t VALUES (9)")
    waiting = await until(lab_replica, "replication", lag, 3)
    workers = await see(lab_replica.instance(), "replication_applied")
    lab_replica.sql("START REPLICA SQL_THREAD")
    eventually(lambda: "Coordinator stopped" in lab_replica.sql("SHOW REPLICA STATUS"))
    failed = await see(lab_replica.instance(), "replication")
    applied = await see(lab_replica.instance(), "replication_applied")
    lab_replica.sql(
        "STOP REPLICA; CHANGE REPLICATION SOURCE TO source_password = 'no', source_delay = 60; START REPLICA IO_THREAD"
    )
    eventually(lambda: "Access denied" in lab_replica.sql("SHOW REPLICA STATUS"))
    refused = await see(lab_replica.instance(), "replication")
    lab_mysql.sql("SET GLOBAL rpl_semi_sync_source_enabled = 0; DROP DATABASE broken")

    io, applier = (f"dbwatch_mysql_replication_last_error_number{{thread={name}}}" for name in ("io", "sql"))
    assert (0, 0, 0) == (linked[io], linked[applier], linked["dbwatch_mysql_gtid_executed_gaps"])
    assert (1, 1) == (semi["dbwatch_mysql_semi_sync_active{side=source}"], semi["dbwatch_mysql_semi_sync_replicas"])
    assert 2 == semi["dbwatch_mysql_semi_sync_transactions_total{outcome=acknowledged}"]
    assert 3 == waiting[lag]
    assert 4 == workers["dbwatch_mysql_replication_workers{state=stopped}"]
    assert 1062 == failed[applier]
    assert applied["dbwatch_mysql_replication_last_error_timestamp_seconds{thread=sql}"] > 1_700_000_000
    assert applied["dbwatch_mysql_replication_last_queued_timestamp_seconds"] > 1_700_000_000
    assert 1045 == refused[io]
    assert 60 == refused["dbwatch_mysql_replication_delay_seconds"]
    assert 1 == refused["dbwatch_mysql_replication_auto_position"]
