"""The MySQL collectors on real MariaDB servers: each tells what is there, and nothing where it may not look."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from dbwatch.core.model import Lane
from dbwatch.errors import EngineError, Reason
from dbwatch.poller import asking
from tests.fix_mariadb import BARE
from tests.fix_process import eventually
from tests.mysql_asking import ENGINE, answer, facts, instance, ours, query, see, session

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.fix_mariadb import Mariadb, NewMariadb, NewReplica
    from tests.mysql_asking import Seen

pytestmark = pytest.mark.engine

COLLECTORS = sorted(name for _, name in ours().collectors)
ASKED = {name for _, name in ours().questions if not name.startswith("backup_")}  # these have tests of their own
QUESTIONS = sorted(ASKED - {"session", "session_limit"})
# what any account may read
OPEN_TO_ALL = {
    "buffer_pool",
    "galera",
    "host",
    "innodb",
    "limits",
    "logs",
    "memory",
    "operations",
    "semi_sync",
    "server_status",
    "settings",
    "statements",
}
NOT_ON_MARIADB = {
    "error_log",
    "errors_raised",
    "group_replication",
    "replication_applied",
    "settings_pending",
}
ASKED_OF_NEWER = {"replication_applied"}  # from 11.8 on: its right is named
BLOCKED = "dbwatch_blocked_sessions"
ROOTS = "dbwatch_blocking_sessions"
DEPTH = "dbwatch_blocking_chain_depth"
LONGEST = "dbwatch_lock_wait_longest_seconds"
SHOP = """
CREATE DATABASE shop; CREATE TABLE shop.t (id int PRIMARY KEY, v int); INSERT INTO shop.t VALUES (1, 0), (2, 0), (3, 0);
"""


@asynccontextmanager
async def clients(server: Mariadb, number: int) -> AsyncIterator[list[Any]]:
    """So many sessions of root in `shop`, each with a transaction of its own."""
    opened = [await server.admin("shop") for _ in range(number)]
    try:
        for each in opened:
            await each.query("SET autocommit = 0")
        yield opened
    finally:
        for each in opened:
            each.close()
        await asyncio.sleep(0.05)  # the sockets close in the loop's next turns


@asynccontextmanager
async def running(client: Any, sql: str) -> AsyncIterator[None]:
    """The client asks, and waits for as long as the block lasts."""
    task = asyncio.ensure_future(client.query(sql))
    await asyncio.sleep(0.3)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def locks(server: Mariadb) -> Seen:
    return await see(server.instance(), "locks")


@pytest.fixture
def shop(new_mariadb: NewMariadb) -> Mariadb:
    server = new_mariadb()
    server.sql(SHOP)
    return server


@pytest.mark.parametrize("name", COLLECTORS)
async def test_every_collector_works_with_the_documented_grants(mariadb: Mariadb, name: str) -> None:
    before = mariadb.log()
    async with session(mariadb.instance(), ours().collectors[ENGINE, name].lane) as opened:
        known = await facts(opened)
        assert not asking.missing_needs(ours().collectors[ENGINE, name], known)
    assert (asking.left_out(ours().collectors[ENGINE, name], known) == "version") is (name in NOT_ON_MARIADB)
    if name not in NOT_ON_MARIADB:
        await see(mariadb.instance(), name)
    assert mariadb.log() == before


@pytest.mark.parametrize("name", COLLECTORS)
async def test_an_account_without_rights_lacks_a_proof_and_is_told_the_grant(mariadb: Mariadb, name: str) -> None:
    collector = ours().collectors[ENGINE, name]
    async with session(mariadb.instance(user=BARE)) as opened:
        known = await facts(opened)
    remedy = asking.remedy(ours(), collector, known, BARE)
    assert ("GRANT" in remedy and BARE in remedy) is (name not in OPEN_TO_ALL | NOT_ON_MARIADB - ASKED_OF_NEWER)


@pytest.mark.parametrize("name", ["binlog", "process", "replication"])
async def test_the_grant_that_a_probe_names_makes_it_true(new_mariadb: NewMariadb, name: str) -> None:
    server = new_mariadb()
    probe = ours().probes[ENGINE, name]
    async with session(server.instance(user=BARE)) as opened:
        known = await facts(opened)
        assert not known.probes[name]
    server.sql(asking.grant(probe, known, BARE))
    async with session(server.instance(user=BARE)) as opened:
        assert (await facts(opened)).probes[name]


@pytest.mark.parametrize("name", ["sessions", "locks", "table_sizes", "replication"])
async def test_innodb_refuses_an_account_without_rights_instead_of_showing_nothing(mariadb: Mariadb, name: str) -> None:
    async with session(mariadb.instance(user=BARE)) as opened:
        known = await facts(opened)
        with pytest.raises(EngineError) as caught:
            await opened.fetch(asking.query(ours().collectors[ENGINE, name], known))
    assert caught.value.reason is Reason.PERMISSION


@pytest.mark.parametrize("name", QUESTIONS)
async def test_every_question_is_answered(mariadb: Mariadb, name: str) -> None:
    assert isinstance(await answer(mariadb.instance(), name), list)


async def test_a_quiet_server_has_zeros_where_zero_is_known(shop: Mariadb) -> None:
    assert await locks(shop) == {BLOCKED: 0, ROOTS: 0, DEPTH: 0, LONGEST: 0}
    assert await see(shop.instance(), "queries") == {"dbwatch_longest_query_seconds": 0}
    assert set((await see(shop.instance(), "transactions")).values()) == {0}
    assert await see(shop.instance(), "replication") == {}
    assert len(await see(shop.instance(), "active_sessions")) == 8


async def test_a_blocked_session_is_counted_and_goes_away(shop: Mariadb) -> None:
    async with clients(shop, 2) as (holder, waiter):
        await holder.query("UPDATE t SET v = 1 WHERE id = 1")
        async with running(waiter, "UPDATE t SET v = 2 WHERE id = 1"):
            await asyncio.sleep(1.2)
            seen = await locks(shop)
            assert seen == {BLOCKED: 1, ROOTS: 1, DEPTH: 1, LONGEST: pytest.approx(10, abs=10)}
            assert seen[LONGEST] > 0
            active = await see(shop.instance(), "active_sessions")
            assert active["dbwatch_active_session_seconds_total{wait_class=lock}"] == 1
            assert active["dbwatch_active_session_seconds_total{wait_class=cpu}"] == 0
    # InnoDB refreshes this view only when nobody has read it for 0.1 s.
    eventually(lambda: shop.sql("SELECT COUNT(*) FROM information_schema.innodb_trx") == "0", every_seconds=0.3)
    assert await locks(shop) == {BLOCKED: 0, ROOTS: 0, DEPTH: 0, LONGEST: 0}


async def test_a_chain_has_one_root_and_its_depth(shop: Mariadb) -> None:
    async with clients(shop, 3) as (first, second, third), AsyncExitStack() as stack:
        await first.query("UPDATE t SET v = 1 WHERE id = 1")
        await second.query("UPDATE t SET v = 1 WHERE id = 2")
        await stack.enter_async_context(running(second, "UPDATE t SET v = 2 WHERE id = 1"))
        await stack.enter_async_context(running(third, "UPDATE t SET v = 2 WHERE id = 2"))
        seen = await locks(shop)
        assert (seen[BLOCKED], seen[ROOTS], seen[DEPTH]) == (2, 1, 2)
        told = {row["pid"]: row for row in await answer(shop.instance(), "locks")}
        pids = [each.thread_id() for each in (first, second, third)]
        assert [told[pid]["blocked_by"] for pid in pids] == [None, pids[0], pids[1]]
        assert [told[pid]["root_blocker"] for pid in pids] == [None, pids[0], pids[0]]
        assert [told[pid]["state"] for pid in pids] == ["idle_in_transaction", "active", "active"]
        assert [told[pid]["wait_seconds"] is None for pid in pids] == [True, False, False]
        assert all(told[pid]["transaction_seconds"] is not None for pid in pids)
        assert "UPDATE" not in str(told)


async def test_a_queue_behind_one_row_is_a_chain_of_one(shop: Mariadb) -> None:
    async with clients(shop, 12) as (holder, *waiters), AsyncExitStack() as stack:
        await holder.query("UPDATE t SET v = 1 WHERE id = 1")
        for each in waiters:
            await stack.enter_async_context(running(each, "UPDATE t SET v = 2 WHERE id = 1"))
        seen = await locks(shop)
        assert (seen[BLOCKED], seen[ROOTS], seen[DEPTH]) == (11, 1, 1)


async def test_a_wait_for_a_metadata_lock_is_a_blocked_session(shop: Mariadb) -> None:
    async with clients(shop, 2) as (reader, changer):
        await reader.query("SELECT * FROM t")
        async with running(changer, "ALTER TABLE t ADD COLUMN w int"):
            await asyncio.sleep(0.2)
            seen = await locks(shop)
            active = await see(shop.instance(), "active_sessions")
    assert (seen[BLOCKED], seen[DEPTH]) == (1, 1)
    assert ROOTS not in seen  # MariaDB does not tell who holds it: unknown is absent
    assert seen[LONGEST] > 0
    assert active["dbwatch_active_session_seconds_total{wait_class=lock}"] == 1


async def test_sessions_are_told_by_database_account_and_state(shop: Mariadb) -> None:
    async with clients(shop, 3) as (idle, in_transaction, active):
        await idle.query("ROLLBACK")
        await in_transaction.query("UPDATE t SET v = 1 WHERE id = 1")
        async with running(active, "SELECT SLEEP(5)"):
            seen = await see(shop.instance(), "sessions", accounts=frozenset({"root"}))
            everyone = await see(shop.instance(), "sessions")
    states = {"idle", "idle_in_transaction", "active"}
    nobody = {f"dbwatch_sessions{{state={state}}}": 0 for state in states}
    mine = {f"dbwatch_sessions{{database=shop,state={state},user=root}}": 1 for state in states}
    assert seen == mine | nobody
    assert all("user=_other" in name for name in everyone.keys() - nobody.keys())


async def test_the_longest_query_and_transaction_are_told(shop: Mariadb) -> None:
    async with clients(shop, 2) as (forgotten, working):
        await forgotten.query("UPDATE t SET v = 1 WHERE id = 1")
        async with running(working, "SELECT SLEEP(5) FROM t"):
            await asyncio.sleep(1.0)
            queries = await see(shop.instance(), "queries")
            transactions = await see(shop.instance(), "transactions")
    assert 0.5 < queries["dbwatch_longest_query_seconds{database=shop}"] < 10
    assert transactions["dbwatch_longest_transaction_seconds{state=idle}"] >= 1
    assert transactions["dbwatch_queries_running_over{threshold_seconds=10}"] == 0


async def test_a_chatty_transaction_is_old_but_not_idle_and_a_sleeping_one_is(shop: Mariadb) -> None:
    idle, age = "dbwatch_longest_idle_in_transaction_seconds", "dbwatch_longest_transaction_seconds{state=idle}"
    async with clients(shop, 2) as (batch, outside):
        await outside.query("COMMIT")  # sleeps in no transaction
        await batch.query("UPDATE t SET v = 1 WHERE id = 1")
        await batch.query("SELECT SLEEP(2.5)")
        chatty = await see(shop.instance(), "transactions")
        await asyncio.sleep(1.5)
        sleeping = await see(shop.instance(), "transactions")
        async with running(batch, "SELECT SLEEP(5)"):
            working = await see(shop.instance(), "transactions")
    eventually(lambda: shop.sql("SELECT COUNT(*) FROM information_schema.innodb_trx") == "0", every_seconds=0.3)
    ended = await see(shop.instance(), "transactions")
    assert chatty[age] >= 2
    assert 0 < chatty[idle] < chatty[age] - 1  # an age is in whole seconds
    assert sleeping[age] >= 3
    assert 1.5 <= sleeping[idle] < sleeping[age] - 1
    assert working[idle] == 0
    assert (ended[idle], ended[age]) == (0, 0)


async def test_a_deadlock_is_counted(shop: Mariadb) -> None:
    async with clients(shop, 2) as (one, two):
        await one.query("UPDATE t SET v = 1 WHERE id = 1")
        await two.query("UPDATE t SET v = 1 WHERE id = 2")
        both = [one.query("UPDATE t SET v = 1 WHERE id = 2"), two.query("UPDATE t SET v = 1 WHERE id = 1")]
        done = await asyncio.gather(*both, return_exceptions=True)
    assert [type(each).__name__ for each in done].count("OperationalError") == 1
    assert await see(shop.instance(), "deadlocks") == {"dbwatch_deadlocks_total": 1}


async def test_counters_count_what_was_done(shop: Mariadb) -> None:
    async def both() -> Seen:
        return await see(shop.instance(), "server_status") | await see(shop.instance(), "statements")

    before = await both()
    shop.sql("BEGIN; UPDATE shop.t SET v = v + 1; COMMIT; BEGIN; DELETE FROM shop.t WHERE id = 3; ROLLBACK")
    after = await both()
    grown = {name: after[name] - value for name, value in before.items()}
    assert grown["dbwatch_transactions_total{outcome=committed}"] == 1
    assert grown["dbwatch_transactions_total{outcome=rolled_back}"] == 1
    assert grown["dbwatch_statements_total{command=update}"] == 1
    assert grown["dbwatch_database_rows_total{operation=update}"] >= 3
    assert grown["dbwatch_connection_failures_total{reason=lost}"] == 0
    assert all(value >= 0 for value in grown.values())


async def test_sizes_need_no_right_on_any_table_and_names_are_readable(new_mariadb: NewMariadb) -> None:
    server = new_mariadb()
    parts = "PARTITION BY RANGE (id) (PARTITION a VALUES LESS THAN (9), PARTITION b VALUES LESS THAN MAXVALUE)"
    server.sql(
        "SET NAMES utf8mb4; CREATE DATABASE `Été #P#`; USE `Été #P#`;"
        "CREATE TABLE `naïve \"x'#P#y` (id int PRIMARY KEY);"
        f"CREATE TABLE p (id int PRIMARY KEY) {parts}; INSERT INTO p VALUES (1), (2), (10); ANALYZE TABLE p;"
    )
    tables = await see(server.instance(), "table_sizes")
    at = "database=Été #P#,table"
    assert tables[f"dbwatch_table_size_bytes{{component=file,{at}=naïve \"x'#P#y}}"] >= 65536
    assert tables[f"dbwatch_table_size_bytes{{component=file,{at}=p}}"] >= 131072
    assert tables[f"dbwatch_table_rows{{{at}=p}}"] == 3
    databases = await see(server.instance(), "database_sizes")
    assert databases["dbwatch_tables{database=Été #P#}"] == 2
    assert databases["dbwatch_database_size_bytes{database=Été #P#}"] >= 196608


async def test_replication_tells_three_facts_and_no_lag_of_a_broken_link(
    new_mariadb: NewMariadb, mariadb_replica: NewReplica
) -> None:
    primary = new_mariadb()
    replica = mariadb_replica(primary)
    eventually(lambda: "Waiting for master" in replica.sql("SHOW ALL SLAVES STATUS"))
    linked = await see(replica.instance(), "replication")
    assert {name: value for name, value in linked.items() if name.startswith("dbwatch_replication")} == {
        "dbwatch_replication_connected": 1,
        "dbwatch_replication_lag_seconds": 0,
        "dbwatch_replication_lag_bytes": 0,
        "dbwatch_replication_thread_running{thread=io}": 1,
        "dbwatch_replication_thread_running{thread=sql}": 1,
    }
    assert await see(primary.instance(), "replicas") == {"dbwatch_mysql_replicas_connected": 1}
    primary.stop()
    eventually(lambda: "Connecting" in replica.sql("SHOW ALL SLAVES STATUS"))
    broken = await see(replica.instance(), "replication")
    assert broken["dbwatch_replication_connected"] == 0
    assert "dbwatch_replication_lag_seconds" not in broken
    assert broken["dbwatch_replication_thread_running{thread=sql}"] == 1


async def test_a_poll_of_everything_is_cheap(mariadb: Mariadb) -> None:
    async with session(mariadb.instance(), Lane.FAST) as opened:
        known = await facts(opened)
        spent = 0.0
        for name in set(COLLECTORS) - NOT_ON_MARIADB:
            start = asyncio.get_running_loop().time()
            await opened.fetch(asking.query(ours().collectors[ENGINE, name], known))
            spent += asyncio.get_running_loop().time() - start
        status = (await opened.fetch(query("SHOW SESSION STATUS LIKE 'Questions'"))).columns[1]
    assert spent < 3.0  # on a busy machine
    assert int(str(status[0])) < 3 * len(COLLECTORS)  # with a limit for each, and the proofs of the privileges
    assert instance(mariadb.instance()).sampler_interval
