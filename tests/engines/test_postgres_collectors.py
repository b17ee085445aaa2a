"""The PostgreSQL collectors as stories: cause something on a real server, see the exact value, undo it, see it go."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from dbwatch.core.model import Lane
from dbwatch.poller import asking
from tests.fakes import rows
from tests.fix_postgres import BARE, MONITOR
from tests.fix_process import eventually
from tests.postgres_acting import look
from tests.postgres_asking import ENGINE, facts, ours, samples, see, session

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.fix_postgres import NewPostgres, Postgres
    from tests.postgres_asking import Seen

    Client = asyncpg.Connection[Any]

pytestmark = pytest.mark.engine

STRANGE = "quote\" it's back\\slash\nnewline \N{GRINNING FACE}"
COLLECTORS = sorted(name for _, name in ours().collectors)
NEED_PG_MONITOR = [
    "active_sessions",
    "database_sizes",
    "horizon",
    "host",
    "in_use",
    "index_invalid",
    "index_unused",
    "locks",
    "progress",
    "queries",
    "replicas",
    "replication",
    "server_log",
    "sessions",
    "settings",
    "shared_buffers",
    "standby",
    "statements",
    "tablespaces",
    "transactions",
    "wal_files",
]


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


@asynccontextmanager
async def client(server: Postgres, application: str = "worker", database: str = "postgres") -> AsyncIterator[Client]:
    opened = await server.connect("postgres", database=database, server_settings={"application_name": application})
    try:
        yield opened
    finally:
        opened.terminate()


@asynccontextmanager
async def running(opened: Client, sql: str) -> AsyncIterator[None]:
    """While inside, the statement runs (or waits); afterwards whatever became of it is read."""
    task = asyncio.create_task(opened.execute(sql))
    await asyncio.sleep(0.3)
    try:
        yield
    finally:
        await asyncio.wait([task])


async def emptied(server: Postgres) -> Seen:
    """What is left of sessions, once those that ended are gone."""
    for _ in range(400):
        seen = await see(server.instance(), "sessions")
        if seen == NOBODY:
            break
        await asyncio.sleep(0.05)
    return seen


async def until(server: Postgres, name: str, sample: str, value: float) -> Seen:
    """Statistics arrive late: look again for some seconds."""
    for _ in range(300):
        seen = await see(server.instance(), name)
        if seen.get(sample) == value:
            break
        await asyncio.sleep(0.1)
    assert (sample, value) == (sample, seen.get(sample))
    return seen


@pytest.mark.parametrize("name", COLLECTORS)
async def test_every_collector_answers_on_18(postgres_18: Postgres, name: str) -> None:
    assert await see(postgres_18.instance(), name) is not None


@pytest.mark.parametrize("name", COLLECTORS)
async def test_every_collector_answers_on_the_distributions_server(postgres_15: Postgres, name: str) -> None:
    assert await see(postgres_15.instance(), name) is not None


async def test_the_limits_are_the_servers(new_postgres: NewPostgres) -> None:
    server = new_postgres("max_connections = 14", "superuser_reserved_connections = 2", "reserved_connections = 3")

    assert {"dbwatch_sessions_max": 14, "dbwatch_sessions_reserved": 5} == await see(server.instance(), "limits")


# A server without clients has zero sessions, and that is a value.
OVERFLOWED = "dbwatch_pg_sessions_subtransactions_overflowed"
NOBODY = {f"dbwatch_sessions{{state={state}}}": 0 for state in ("active", "idle", "idle_in_transaction")} | {
    OVERFLOWED: 0
}


async def test_sessions_are_counted_by_state_and_ours_are_left_out(postgres_18: Postgres) -> None:
    described = postgres_18.instance()
    await emptied(postgres_18)
    async with AsyncExitStack() as stack:
        names = ("idle", "transaction", "failed", "active")
        idle, transaction, failed, active = [await stack.enter_async_context(client(postgres_18)) for _ in names]
        await transaction.execute("BEGIN; SELECT 1")
        with pytest.raises(asyncpg.DivisionByZeroError):
            await failed.execute("BEGIN; SELECT 1 / 0")
        async with running(active, "SELECT pg_sleep(4)"), session(described), session(described, Lane.SLOW):
            seen = await see(described, "sessions", applications=frozenset({"worker"}))
        assert not idle.is_closed()
    left = await emptied(postgres_18)

    common = "app=worker,database=postgres"
    assert {
        f"dbwatch_sessions{{{common},state=active,user=_other}}": 1,
        f"dbwatch_sessions{{{common},state=idle,user=_other}}": 1,
        f"dbwatch_sessions{{{common},state=idle_in_transaction,user=_other}}": 1,
        f"dbwatch_sessions{{{common},state=idle_in_transaction_aborted,user=_other}}": 1,
        **NOBODY,
    } == seen
    assert NOBODY == left


async def test_a_persons_account_and_application_are_others(postgres_18: Postgres) -> None:
    await emptied(postgres_18)
    async with client(postgres_18, "psql of jane"), client(postgres_18, "billing"):
        seen = await see(
            postgres_18.instance(), "sessions", accounts=frozenset({"postgres"}), applications=frozenset({"billing"})
        )

    assert {
        "dbwatch_sessions{app=_other,database=postgres,state=idle,user=postgres}": 1,
        "dbwatch_sessions{app=billing,database=postgres,state=idle,user=postgres}": 1,
        **NOBODY,
    } == seen


async def test_a_session_with_more_subtransactions_than_are_kept_in_memory_is_counted_until_it_ends_them(
    postgres_18: Postgres,
) -> None:
    described, seen = postgres_18.instance(), []
    async with client(postgres_18) as busy:
        await busy.execute("CREATE TEMPORARY TABLE lines (n int); BEGIN")
        for savepoints in (64, 1):
            await busy.execute("SAVEPOINT again; INSERT INTO lines VALUES (1);" * savepoints)
            seen.append((await see(described, "sessions"))[OVERFLOWED])
        await busy.execute("COMMIT")
        seen.append((await see(described, "sessions"))[OVERFLOWED])

    assert [0, 1, 0] == seen


async def test_before_postgresql_16_nobody_can_tell_who_has_too_many_subtransactions(postgres_15: Postgres) -> None:
    assert OVERFLOWED not in await see(postgres_15.instance(), "sessions")


async def test_active_sessions_are_classed_by_what_they_wait_for(postgres_18: Postgres) -> None:
    postgres_18.psql("CREATE TABLE waited (n int)")
    async with client(postgres_18) as sleeper, client(postgres_18) as holder, client(postgres_18) as waiter:
        await holder.execute("BEGIN; LOCK TABLE waited")
        async with running(sleeper, "SELECT pg_sleep(4)"), running(waiter, "SET lock_timeout=0; LOCK TABLE waited"):
            seen = await see(postgres_18.instance(), "active_sessions", elapsed_seconds=2.0)
            await holder.execute("ROLLBACK")
    postgres_18.psql("DROP TABLE waited")

    family = "dbwatch_active_session_seconds_total"
    expected = dict.fromkeys(("client", "cpu", "io", "ipc", "lock", "lwlock", "other", "timeout"), 0.0)
    expected |= {"timeout": 2.0, "lock": 2.0}
    assert {f"{family}{{wait_class={name}}}": value for name, value in expected.items()} == seen


async def test_long_queries_are_seen_and_go(postgres_18: Postgres) -> None:
    described, family = postgres_18.instance(), "dbwatch_longest_query_seconds{database=postgres}"
    over = "dbwatch_queries_running_over{{threshold_seconds={}}}".format
    async with client(postgres_18) as slow:
        began = time.monotonic()
        async with running(slow, "SELECT pg_sleep(60)"):
            early = await see(described, "transactions")
            await asyncio.sleep(10)
            longest, late = await see(described, "queries"), await see(described, "transactions")
            seconds = time.monotonic() - began
            postgres_18.psql("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%'")
        after = await see(described, "queries"), await see(described, "transactions")

    assert (0, 0) == (early[over(10)], early[over(60)])
    assert (1, 0, 0, 0) == (late[over(10)], late[over(60)], late[over(300)], late[over(3600)])
    assert 10 < longest[family] < seconds
    assert 10 < late["dbwatch_longest_transaction_seconds{state=active}"] < seconds
    assert (0, 0) == (after[0][family], after[1][over(10)])


async def test_an_idle_transaction_is_told_apart_from_an_active_one(postgres_18: Postgres) -> None:
    async with client(postgres_18) as forgetful:
        await forgetful.execute("BEGIN; SELECT 1")
        await asyncio.sleep(0.5)
        seen = await see(postgres_18.instance(), "transactions")
        await forgetful.execute("COMMIT")
        after = await see(postgres_18.instance(), "transactions")

    idle, active = (f"dbwatch_longest_transaction_seconds{{state={state}}}" for state in ("idle", "active"))
    assert 0.5 <= seen[idle] < 10
    assert (0, 0, 0) == (seen[active], after[idle], after[active])


async def test_a_chain_of_three_behind_one_root(postgres_18: Postgres) -> None:
    postgres_18.psql("CREATE TABLE chained AS SELECT n FROM generate_series(1, 3) AS n")
    touch = "UPDATE chained SET n = n WHERE n = {}".format
    async with AsyncExitStack() as stack:
        root, second, third, fourth = [await stack.enter_async_context(client(postgres_18)) for _ in range(4)]
        await root.execute(f"BEGIN; {touch(1)}")
        await second.execute(f"BEGIN; {touch(2)}")
        await third.execute(f"BEGIN; {touch(3)}")
        waits = [
            running(fourth, touch(3)),
            running(third, f"{touch(2)}; COMMIT"),
            running(second, f"{touch(1)}; COMMIT"),
        ]
        async with AsyncExitStack() as waiting:
            for each in waits:
                await waiting.enter_async_context(each)
            seen = await see(postgres_18.instance(), "locks")
            asked = await _who_waits(postgres_18, "locks")
            await root.execute("ROLLBACK")
        after = await see(postgres_18.instance(), "locks")
        pids = [opened.get_server_pid() for opened in (root, second, third, fourth)]
    postgres_18.psql("DROP TABLE chained")

    assert (3, 1, 3) == tuple(seen[f"dbwatch_block{end}"] for end in ("ed_sessions", "ing_sessions", "ing_chain_depth"))
    assert 0.75 < seen["dbwatch_lock_wait_longest_seconds"] < 15  # the others wait for 0.6 s and 0.3 s
    assert dict.fromkeys(seen, 0) == after
    assert {pids[0]: None, pids[1]: pids[0], pids[2]: pids[0], pids[3]: pids[0]} == asked


async def _who_waits(server: Postgres, question: str) -> dict[object, object]:
    """Each session that waits or blocks, and its root blocker."""
    async with session(server.instance()) as opened:
        rows = await asking.ask(opened, ours().question(ENGINE, question), await facts(opened))
    assert "UPDATE" not in repr(rows).upper()
    return dict(zip(rows.column("pid"), rows.column("root_blocker"), strict=True))


async def test_locks_of_another_database_are_named_with_it_and_who_holds_does_not_wait(postgres_18: Postgres) -> None:
    postgres_18.psql("CREATE DATABASE annexe")
    oid = postgres_18.psql("CREATE TABLE seat (n int); SELECT 'seat'::regclass::oid", "annexe").split()[-1]
    async with AsyncExitStack() as stack:
        holder, waiter = [await stack.enter_async_context(client(postgres_18, database="annexe")) for _ in range(2)]
        await holder.execute("BEGIN; LOCK TABLE seat")
        await stack.enter_async_context(running(waiter, "SELECT * FROM seat"))
        async with session(postgres_18.instance()) as opened:
            rows = await asking.ask(opened, ours().question(ENGINE, "locks"), await facts(opened))
        pids = [each.get_server_pid() for each in (holder, waiter)]
        await holder.execute("ROLLBACK")
    await asyncio.to_thread(postgres_18.psql, "DROP DATABASE annexe WITH (FORCE)")

    held, waited = [next(row for row in rows.dicts() if row["pid"] == pid) for pid in pids]
    assert ("annexe", "idle in transaction", None) == (held["database"], held["state"], held["wait_seconds"])
    assert float(str(held["transaction_seconds"])) > 0
    assert ("active", f"annexe:{oid}") == (waited["state"], waited["relation"])


async def test_the_sessions_question_never_shows_a_query(postgres_18: Postgres) -> None:
    async with client(postgres_18) as opened:
        await opened.execute("SELECT 'canary-51e0'")
        async with session(postgres_18.instance()) as asked:
            rows = await asking.ask(asked, ours().question(ENGINE, "sessions"), await facts(asked))

    row = next(row for row in rows.dicts() if row["application"] == "worker")
    assert ("postgres", "postgres", "idle") == (row["user"], row["database"], row["state"])
    assert row["fingerprint"]
    assert "canary" not in repr(rows)


async def test_a_queue_behind_one_table_is_counted(postgres_18: Postgres) -> None:
    postgres_18.psql("CREATE TABLE queued (n int)")
    async with AsyncExitStack() as stack:
        holder = await stack.enter_async_context(client(postgres_18))
        await holder.execute("BEGIN; LOCK TABLE queued")
        for _ in range(8):
            waiter = await stack.enter_async_context(client(postgres_18))
            await stack.enter_async_context(running(waiter, "SELECT * FROM queued"))
        seen = await see(postgres_18.instance(), "locks")
        await holder.execute("ROLLBACK")
    postgres_18.psql("DROP TABLE queued")

    assert 8 == seen["dbwatch_blocked_sessions"]
    assert 1 == seen["dbwatch_blocking_sessions"]
    assert 1 == seen["dbwatch_blocking_chain_depth"]


async def test_a_deadlock_is_counted_once(postgres_18: Postgres) -> None:
    family = "dbwatch_deadlocks_total{database=postgres}"
    before = (await see(postgres_18.instance(), "databases"))[family]
    postgres_18.psql("CREATE TABLE crossed AS SELECT n FROM generate_series(1, 2) AS n")
    touch = "UPDATE crossed SET n = n WHERE n = {}".format
    async with client(postgres_18) as one, client(postgres_18) as other:
        await one.execute(f"BEGIN; {touch(1)}")
        await other.execute(f"BEGIN; {touch(2)}")
        waiting = asyncio.gather(one.execute(touch(2)), other.execute(touch(1)), return_exceptions=True)
        outcome = await waiting
    postgres_18.psql("DROP TABLE crossed")

    assert 1 == sum(isinstance(each, asyncpg.DeadlockDetectedError) for each in outcome)
    await until(postgres_18, "databases", family, before + 1)


async def test_what_a_database_does_is_counted(new_postgres: NewPostgres) -> None:
    server = new_postgres("work_mem = 64kB")
    admin = await server.admin()
    await admin.execute(f"CREATE DATABASE {quoted(STRANGE)} CONNECTION LIMIT 7")
    await admin.close()
    opened = await server.connect("postgres", database=STRANGE)
    await opened.execute("CREATE TABLE counted (n int)")
    await opened.execute("INSERT INTO counted SELECT generate_series(1, 50)")
    await opened.execute("UPDATE counted SET n = n WHERE n <= 20")
    await opened.execute("DELETE FROM counted WHERE n <= 5")
    await opened.execute("BEGIN; SELECT 1; ROLLBACK")
    await opened.execute("SELECT count(*) FROM (SELECT n FROM generate_series(1, 100000) AS n ORDER BY n DESC) AS big")
    await opened.close()

    def sample(family: str, **labels: str) -> str:
        shown = ",".join(f"{name}={value}" for name, value in sorted({"database": STRANGE, **labels}.items()))
        return f"{family}{{{shown}}}"

    files = sample("dbwatch_temp_files_total")
    seen = await look(server, "databases", lambda seen: seen.get(files, 0) >= 1)  # what was done last
    assert 1 == seen[sample("dbwatch_connections_total")]
    assert 1 == seen[sample("dbwatch_transactions_total", outcome="rolled_back")]
    assert 5 <= seen[sample("dbwatch_transactions_total", outcome="committed")]
    assert 5 == seen[sample("dbwatch_database_rows_total", operation="deleted")]
    assert 50 <= seen[sample("dbwatch_database_rows_total", operation="inserted")]
    assert 0 < seen[sample("dbwatch_temp_bytes_total")]
    assert 0 < seen[sample("dbwatch_cache_hits_total", cache="shared_buffers")]
    assert 7 == seen[sample("dbwatch_database_sessions_max")]
    assert "dbwatch_database_sessions_max{database=postgres}" not in seen
    assert 0 == seen[sample("dbwatch_connection_failures_total", reason="killed")]
    assert "dbwatch_transactions_total{outcome=committed}" not in seen
    assert "dbwatch_cache_hits_total{cache=shared_buffers}" in seen


async def test_database_sizes_are_exact_and_follow_create_and_drop(new_postgres: NewPostgres) -> None:
    server = new_postgres()
    server.psql("CREATE DATABASE briefly")
    server.psql("REVOKE CONNECT ON DATABASE briefly FROM PUBLIC")
    seen = await see(server.instance(), "database_sizes")
    size = int(server.psql("SELECT pg_database_size('briefly')"))
    server.psql("DROP DATABASE briefly")
    after = await see(server.instance(), "database_sizes")

    assert size == seen["dbwatch_database_size_bytes{database=briefly}"]
    assert {"briefly", "postgres", "template1"} == {name.split("=")[1].rstrip("}") for name in seen}
    assert {"postgres", "template1"} == {name.split("=")[1].rstrip("}") for name in after}


async def test_a_database_dropped_in_mid_poll_is_absent_and_costs_the_others_nothing(new_postgres: NewPostgres) -> None:
    server = new_postgres()
    server.psql("CREATE DATABASE dropped")
    (variant,) = ours().collectors[ENGINE, "database_sizes"].variants
    opened = await server.connect(MONITOR)
    try:
        await opened.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1")
        await asyncio.to_thread(server.psql, "DROP DATABASE dropped")
        sizes = {row["database"]: row["size_bytes"] for row in await opened.fetch(variant.sql)}
    finally:
        await opened.close()

    assert sizes.pop("dropped") is None
    assert {"postgres", "template1"} == sizes.keys()
    assert min(sizes.values()) > 0


async def test_which_databases_are_asked(new_postgres: NewPostgres) -> None:
    server = new_postgres()
    for name, attributes in (("open", ""), ("crowded", "CONNECTION LIMIT 0"), ("shut", "ALLOW_CONNECTIONS false")):
        server.psql(f"CREATE DATABASE {name} {attributes}")
    server.psql("CREATE DATABASE forbidden")
    server.psql("REVOKE CONNECT ON DATABASE forbidden FROM PUBLIC")
    async with session(server.instance()) as opened:
        rows = await asking.ask(opened, ours().question(ENGINE, "databases"), await facts(opened))

    # Those that we may not enter are named with what would let us in, and are not tried.
    grant = f"GRANT CONNECT ON DATABASE forbidden TO {MONITOR};"
    assert {"forbidden": grant, "open": None, "postgres": None} == dict(
        zip(rows.column("name"), rows.column("remedy"), strict=True)
    )


TABLES = f"""
CREATE SCHEMA {quoted(STRANGE)};
CREATE TABLE {quoted(STRANGE)}.{quoted(STRANGE)} (n int PRIMARY KEY, long text);
ALTER TABLE {quoted(STRANGE)}.{quoted(STRANGE)} ALTER long SET STORAGE EXTERNAL;
INSERT INTO {quoted(STRANGE)}.{quoted(STRANGE)} SELECT n, repeat('x', 10000) FROM generate_series(1, 200) AS n;
UPDATE {quoted(STRANGE)}.{quoted(STRANGE)} SET n = n + 1000 WHERE n <= 10;
DELETE FROM {quoted(STRANGE)}.{quoted(STRANGE)} WHERE n <= 20;
CREATE TABLE plain (n int);
CREATE TABLE parted (n int) PARTITION BY RANGE (n);
CREATE TABLE part PARTITION OF parted FOR VALUES FROM (0) TO (10);
CREATE TEMP TABLE passing (n int);
SELECT pg_stat_force_next_flush();
"""


@pytest.fixture
def tables(new_postgres: NewPostgres) -> Postgres:
    server = new_postgres("autovacuum = off")
    server.psql("CREATE DATABASE shop")
    server.psql(TABLES, "shop")
    return server


def of_table(family: str, schema: str = STRANGE, table: str = STRANGE, **labels: str) -> str:
    shown = {"database": "shop", "schema": schema, "table": table, **labels}
    return f"{family}{{{','.join(f'{name}={value}' for name, value in sorted(shown.items()))}}}"


async def test_table_sizes_are_exact_after_a_vacuum(tables: Postgres) -> None:
    tables.psql(f"VACUUM ANALYZE {quoted(STRANGE)}.{quoted(STRANGE)}", "shop")
    seen = await see(tables.instance(), "table_sizes", database="shop")
    relation = f"(SELECT oid FROM pg_class WHERE relname = E'{_escaped(STRANGE)}' AND relkind = 'r')"
    heap, index, toast = (
        int(number)
        for number in tables.psql(
            f"SELECT pg_relation_size(c), pg_indexes_size(c), pg_total_relation_size(reltoastrelid) FROM {relation}"
            " AS r (c) JOIN pg_class ON oid = c",
            "shop",
        ).split("|")
    )
    sizes = [seen[of_table("dbwatch_table_size_bytes", component=name)] for name in ("heap", "index")]

    assert [heap, index] == sizes
    # pg_total_relation_size counts the maps of free space and visibility as well.
    assert 0 <= toast - seen[of_table("dbwatch_table_size_bytes", component="toast")] <= 5 * 8192
    assert 190 == seen[of_table("dbwatch_table_rows")]


async def test_a_table_that_was_emptied_has_no_rows_before_a_vacuum_has_been_there(tables: Postgres) -> None:
    # Each in a session of its own, whose end sends what it counted.
    for statement in ("CREATE TABLE queue AS SELECT generate_series(1, 1000)", "ANALYZE queue", "DELETE FROM queue"):
        tables.psql(statement, "shop")
    rows = of_table("dbwatch_table_rows", "public", "queue")
    emptied = await look(tables, "table_sizes", lambda seen: seen[rows] < 1000, database="shop")
    tables.psql("DROP TABLE queue", "shop")

    assert 0 == emptied[rows]


async def test_a_table_whose_counts_a_crash_lost_is_not_empty_after_the_first_update(tables: Postgres) -> None:
    for statement in ("CREATE TABLE large AS SELECT generate_series(1, 1000) AS n", "ANALYZE large", "CHECKPOINT"):
        tables.psql(statement, "shop")
    tables.restart("immediate")
    tables.psql("UPDATE large SET n = 0 WHERE n = 1; SELECT pg_stat_force_next_flush()", "shop")
    dead = of_table("dbwatch_pg_table_dead_rows", "public", "large")
    await look(tables, "table_activity", lambda seen: seen.get(dead) == 1, database="shop")
    seen = await see(tables.instance(), "table_sizes", database="shop")

    assert 1000 == seen[of_table("dbwatch_table_rows", "public", "large")]


def _escaped(name: str) -> str:
    return name.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n")


async def test_partitions_hold_the_rows_and_their_parent_nothing(tables: Postgres) -> None:
    # Nobody has counted its pages yet: its size is not known, which is not 0.
    plain = of_table("dbwatch_table_size_bytes", "public", "plain", component="heap")
    assert plain not in await see(tables.instance(), "table_sizes", database="shop")
    tables.psql("ANALYZE", "shop")
    seen = await see(tables.instance(), "table_sizes", database="shop")
    named = {name.partition("table=")[2].rstrip("}") for name in seen if "component=heap" in name}

    assert {STRANGE, "plain", "part"} == named
    assert {"dbwatch_tables{database=shop}": 3} == await see(tables.instance(), "table_count", database="shop")
    assert of_table("dbwatch_table_size_bytes", "public", "plain", component="toast") not in seen


async def test_what_happens_in_a_table_is_counted(tables: Postgres) -> None:
    changes, maintained = "dbwatch_pg_table_changes_total", "dbwatch_pg_table_last_maintenance_timestamp_seconds"
    before = await see(tables.instance(), "table_activity", database="shop")
    tables.psql(f"VACUUM {quoted(STRANGE)}.{quoted(STRANGE)}; SELECT pg_stat_force_next_flush()", "shop")
    after = await see(tables.instance(), "table_activity", database="shop")

    assert 200 == before[of_table(changes, operation="insert")]
    assert 10 == sum(before[of_table(changes, operation=kind)] for kind in ("update", "hot_update"))
    assert 20 - 10 == before[of_table(changes, operation="delete")]
    assert 20 == before[of_table("dbwatch_pg_table_dead_rows")]
    assert 0 == after[of_table("dbwatch_pg_table_dead_rows")]
    assert of_table(maintained, operation="vacuum") not in before
    assert abs(time.time() - after[of_table(maintained, operation="vacuum")]) < 60
    assert of_table(maintained, operation="autovacuum") not in after
    assert 1 == after[of_table("dbwatch_pg_table_maintenances_total", operation="vacuum")]
    assert 0 < after[of_table("dbwatch_pg_table_cache_hits_total", component="toast_index")]


async def test_an_uncommitted_alter_table_costs_no_sample_and_no_backend(tables: Postgres) -> None:
    """F1: where the best exporter gives nothing at all, and leaves one more stuck backend at each scrape."""
    described, lines = tables.instance(), len(tables.log().splitlines())
    calm = {name: set(await see(described, name, database="shop")) for name in COLLECTORS}
    async with client(tables, database="shop") as migration, client(tables, database="shop") as next_in_line:
        await migration.execute("BEGIN; ALTER TABLE plain ADD COLUMN more int")
        async with running(next_in_line, "TRUNCATE plain"):
            started = time.monotonic()
            altered = {name: set(await see(described, name, database="shop")) for name in COLLECTORS}
            seconds = time.monotonic() - started
            await asyncio.to_thread(eventually, lambda: tables.backends() == 0, timeout_seconds=5)
            blocked = await see(described, "locks")
            await migration.execute("ROLLBACK")

    # (A size that is exact cannot be had while the table is altered; that collector is switched on by hand.)
    excepted = {"sessions", "table_exact_sizes"}
    assert [] == [name for name in COLLECTORS if calm[name] - altered[name] and name not in excepted]
    assert seconds / len(COLLECTORS) < 1.0
    assert 1 == blocked["dbwatch_blocked_sessions"]
    assert [] == [line for line in tables.log().splitlines()[lines:] if "ERROR" in line or "still waiting" in line]


async def test_a_bare_role_gets_nothing_false(postgres_18: Postgres) -> None:
    """F9, F14: what it may not see is absent with the GRANT that gives it; the rest is the same."""
    async with session(postgres_18.instance(user=BARE)) as opened:
        known = await facts(opened)
        lacking = [name for name in COLLECTORS if asking.missing_needs(ours().collectors[ENGINE, name], known)]
        remedies = {asking.remedy(ours(), ours().collectors[ENGINE, name], known, BARE) for name in lacking}

    assert NEED_PG_MONITOR == lacking
    assert {f"GRANT pg_monitor TO {BARE};"} == remedies
    for name in sorted(set(COLLECTORS) - set(lacking)):
        assert (await see(postgres_18.instance(user=BARE), name)).keys() == (
            await see(postgres_18.instance(), name)
        ).keys()


async def test_a_role_that_does_not_inherit_is_not_taken_for_a_member(new_postgres: NewPostgres) -> None:
    server = new_postgres()
    server.psql(f"ALTER ROLE {BARE} NOINHERIT; GRANT pg_monitor TO {BARE} WITH INHERIT FALSE")
    async with session(server.instance(user=BARE)) as opened:
        assert not (await facts(opened)).probes["pg_monitor"]
    server.psql(f"GRANT pg_read_all_stats TO {BARE} WITH INHERIT TRUE")
    async with session(server.instance(user=BARE)) as opened:
        assert (await facts(opened)).probes["pg_monitor"]


async def test_what_the_server_does_not_track_is_absent_not_zero(new_postgres: NewPostgres) -> None:
    server = new_postgres("track_activities = off", "track_counts = off")
    async with session(server.instance()) as opened:
        known = await facts(opened)
    lacking = {name: asking.missing_needs(ours().collectors[ENGINE, name], known) for name in COLLECTORS}

    activities, counts = ("track_activities",), ("track_counts",)
    assert {
        **dict.fromkeys(("active_sessions", "progress", "queries", "sessions", "transactions"), activities),
        **dict.fromkeys(
            ("databases", "index_activity", "index_unused", "table_activity", "table_maintenance", "vacuum_due"), counts
        ),
    } == {name: missing for name, missing in lacking.items() if missing}


async def test_all_collectors_leave_no_error_in_the_log(new_postgres: NewPostgres) -> None:
    server = new_postgres("log_lock_waits = on", "log_temp_files = 0")
    lines = len(server.log().splitlines())
    for name in COLLECTORS:
        await see(server.instance(), name)

    assert [] == server.log().splitlines()[lines:]


def test_a_null_is_absent_not_zero() -> None:
    seen = samples("database_sizes", rows("database", "size_bytes", of=[("here", 5), ("gone", None)]))

    assert {"dbwatch_database_size_bytes{database=here}": 5} == seen
