"""Whose transaction is old, who sleeps in one, and who holds a lock without a session: caused, seen, undone."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import asyncpg
import pytest

from dbwatch.core.showing import activity
from dbwatch.poller import asking
from tests.postgres_acting import ask, client, look, running
from tests.postgres_asking import ENGINE, facts, ours, see, session

if TYPE_CHECKING:
    from dbwatch.core.model import Rows
    from tests.fix_postgres import NewPostgres, Postgres

pytestmark = pytest.mark.engine

IDLE = "dbwatch_longest_idle_in_transaction_seconds"
ACTIVE_AGE, IDLE_AGE = (f"dbwatch_longest_transaction_seconds{{state={state}}}" for state in ("active", "idle"))
BLOCKED, ROOTS = "dbwatch_blocked_sessions", "dbwatch_blocking_sessions"


@pytest.fixture(params=["postgres_18", "postgres_15"])
def server(request: pytest.FixtureRequest) -> Postgres:
    shared: Postgres = request.getfixturevalue(request.param)
    return shared


@pytest.fixture(params=[False, True], ids=["18", "debian"])
def preparing(request: pytest.FixtureRequest, new_postgres: NewPostgres) -> Postgres:
    """A server with room for prepared transactions and a table."""
    made = new_postgres("max_prepared_transactions = 4", "autovacuum = off", tls=request.param)
    made.psql("CREATE TABLE held (n int); INSERT INTO held VALUES (1)")
    return made


async def asked(server: Postgres, question: str) -> Rows:
    async with session(server.instance()) as opened:
        return await asking.ask(opened, ours().question(ENGINE, question), await facts(opened))


async def test_a_chatty_transaction_is_old_but_not_idle_and_a_sleeping_one_is(server: Postgres) -> None:
    async with client(server, "BEGIN") as batch:
        for _ in range(15):
            await batch.execute("SELECT 1")
            await asyncio.sleep(0.1)
        await batch.execute("SELECT 1")
        chatty = await see(server.instance(), "transactions")
        await asyncio.sleep(1.5)
        sleeping = await see(server.instance(), "transactions")
        await batch.execute("COMMIT")
        ended = await see(server.instance(), "transactions")

    assert chatty[IDLE_AGE] >= 1.5
    assert 0 <= chatty[IDLE] < chatty[IDLE_AGE] - 1.4
    assert sleeping[IDLE_AGE] >= 3.0
    assert 1.5 <= sleeping[IDLE] < sleeping[IDLE_AGE] - 1.4
    assert (0, 0, 0) == (ended[IDLE], ended[IDLE_AGE], ended[ACTIVE_AGE])


async def test_a_failed_transaction_that_sleeps_is_idle_too_and_a_working_one_is_not(server: Postgres) -> None:
    async with client(server) as failed, client(server) as working:
        await failed.execute("BEGIN")
        with pytest.raises(asyncpg.DivisionByZeroError):
            await failed.execute("SELECT 1 / 0")
        await asyncio.sleep(0.5)
        aborted = await see(server.instance(), "transactions")
        await failed.execute("ROLLBACK")
        async with running(server, working, "SELECT pg_sleep(60)"):
            busy = await look(server, "transactions", lambda seen: seen[ACTIVE_AGE] > 0.5)

    assert aborted[IDLE] >= 0.5
    assert 0 == busy[IDLE] == busy[IDLE_AGE]


async def test_a_query_with_parallel_workers_counts_once(server: Postgres) -> None:
    await ask(server, "CREATE TABLE wide AS SELECT n FROM generate_series(1, 2000) AS n; ANALYZE wide")
    eager = (
        *("SET parallel_setup_cost = 0", "SET parallel_tuple_cost = 0", "SET min_parallel_table_scan_size = 0"),
        *("SET max_parallel_workers_per_gather = 2", "SET parallel_leader_participation = on"),
    )
    workers = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'parallel worker' AND xact_start IS NOT NULL"
    async with (
        client(server, *eager) as opened,
        running(server, opened, "SELECT count(pg_sleep(0.05)) FROM wide"),
    ):
        over_ten = "dbwatch_queries_running_over{threshold_seconds=10}"
        await look(server, "transactions", lambda seen: seen[over_ten] > 0, seconds=25)
        helped = await ask(server, workers)
        over = await see(server.instance(), "transactions")
        active = await see(server.instance(), "active_sessions")
        shown = await asked(server, "sessions")
    await ask(server, "DROP TABLE wide")

    assert "2" == helped
    assert 1 == over[over_ten]
    assert 1 == sum(active.values())
    assert 1 == list(shown.column("state")).count("active")


async def test_a_background_worker_that_runs_sql_is_seen_as_a_query_is(new_postgres: NewPostgres) -> None:
    server = new_postgres(
        "max_prepared_transactions = 1", "shared_preload_libraries = 'pg_prewarm'", "autovacuum = off"
    )
    await ask(server, "CREATE TABLE warm AS SELECT 1 AS n; SELECT FROM warm; CREATE EXTENSION pg_prewarm")
    await ask(server, "SELECT autoprewarm_dump_now(); BEGIN; LOCK TABLE warm; PREPARE TRANSACTION 'cold'")
    # The worker that reads the table back in after the start waits for the lock, which outlives the restart.
    await asyncio.to_thread(server.stop)
    await asyncio.to_thread(server.start)
    waiting = await look(server, "transactions", lambda seen: seen[ACTIVE_AGE] > 0.5)
    sessions = (await asked(server, "sessions")).dicts()
    blocked = await see(server.instance(), "locks")
    await ask(server, "ROLLBACK PREPARED 'cold'")
    after = await look(server, "transactions", lambda seen: seen[ACTIVE_AGE] == 0)

    assert 0 == waiting[IDLE_AGE] == waiting[IDLE]
    assert [("autoprewarm worker", "active", "0")] == [
        (row["application"], row["state"], row["blocked_by"]) for row in sessions
    ]
    assert (1, 1) == (blocked[BLOCKED], blocked[ROOTS])
    assert 0 == after[IDLE]


async def test_prepared_transactions_that_block_are_one_blocker_and_each_is_named(preparing: Postgres) -> None:
    server = preparing
    await ask(server, "BEGIN; UPDATE held SET n = 2; PREPARE TRANSACTION 'writes'")
    await ask(server, "BEGIN; LOCK TABLE held IN ROW EXCLUSIVE MODE; PREPARE TRANSACTION 'locks'")
    await ask(server, "BEGIN; LOCK TABLE held IN ACCESS SHARE MODE; PREPARE TRANSACTION 'reads'")
    async with client(server) as row, client(server) as table:
        async with (
            running(server, row, "UPDATE held SET n = 3"),
            running(server, table, "BEGIN; LOCK TABLE held IN SHARE MODE"),
        ):
            seen = await look(server, "locks", lambda seen: seen[BLOCKED] == 2)
            locks, sessions = await asked(server, "locks"), await asked(server, "sessions")
        pids = {opened.get_server_pid() for opened in (row, table)}
    await ask(server, "ROLLBACK PREPARED 'writes'")
    await ask(server, "ROLLBACK PREPARED 'locks'")
    await ask(server, "ROLLBACK PREPARED 'reads'")

    told = {str(each["gid"]): each for each in locks.dicts() if each["pid"] == 0}
    assert 1 == seen[ROOTS]
    assert {"writes", "locks"} == set(told)  # what only reads stands in nobody's way
    assert {("prepared", "postgres", "postgres", None)} == {
        (each["state"], each["user"], each["database"], each["blocked_by"]) for each in told.values()
    }
    assert all(0 <= float(str(each["transaction_seconds"])) < 60 for each in told.values())
    assert pids == {each["pid"] for each in locks.dicts() if each["root_blocker"] == 0}
    lines = activity.locks_lines(locks, 200)
    assert ["0", "0"] == [line.split()[0] for line in lines if "prepared" in line and "holds" in line]
    assert "ROLLBACK PREPARED" in lines[-1]
    assert "prepared transaction" in activity.sessions_lines(sessions, 200)[-1]


async def test_a_transaction_that_wrote_is_named_by_the_row_that_waits_for_it(preparing: Postgres) -> None:
    server = preparing
    await ask(server, "BEGIN; UPDATE held SET n = 2; PREPARE TRANSACTION E'odd\\nname'")
    await ask(server, "BEGIN; CREATE TABLE other (n int); PREPARE TRANSACTION 'elsewhere'")
    async with client(server) as waiter, running(server, waiter, "DELETE FROM held"):
        await look(server, "locks", lambda seen: seen[BLOCKED] == 1)
        locks = await asked(server, "locks")
    await ask(server, "ROLLBACK PREPARED E'odd\\nname'")
    await ask(server, "ROLLBACK PREPARED 'elsewhere'")

    assert ["odd\nname"] == [each["gid"] for each in locks.dicts() if each["pid"] == 0]
    assert "odd?name" in activity.locks_lines(locks, 200)[1]
