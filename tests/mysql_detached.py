"""Stories of transactions that no session holds, of sequences and of names of applications, on any MySQL or MariaDB."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

import pymysql

from tests.fix_process import eventually
from tests.mysql_asking import answer, see
from tests.mysql_objects import database, is_mysql

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.fix_mariadb import Mariadb
    from tests.mysql_asking import Seen

NUMBER, OLDEST = "dbwatch_mysql_detached_transactions", "dbwatch_mysql_detached_transaction_oldest_seconds"
LOCKED, MODIFIED = (f"dbwatch_mysql_transaction_rows_{what}_max" for what in ("locked", "modified"))
NOTHING = {NUMBER: 0, OLDEST: 0, LOCKED: 0, MODIFIED: 0}
BLOCKED = {"dbwatch_blocked_sessions": 1, "dbwatch_blocking_sessions": 1, "dbwatch_blocking_chain_depth": 1}
LONGEST = "dbwatch_lock_wait_longest_seconds"
TABLE = "CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t VALUES (1, 0), (2, 0)"
PREPARE = "XA START 'left'; UPDATE xa.t SET v = 1; XA END 'left'; XA PREPARE 'left'"
WAITS = "SELECT COUNT(*) FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'"
COUNTED_FROM = 5.0  # seconds; InnoDB's own work without a session is shorter


async def transactions(server: Mariadb) -> Seen:
    return await see(server.instance(), "innodb_transactions")


@asynccontextmanager
async def blocked(server: Mariadb) -> AsyncIterator[int]:
    """A session that wants a row of the transaction; its number."""
    waiter = await server.admin("xa")
    try:
        waiting = asyncio.ensure_future(waiter.query("UPDATE t SET v = 2 WHERE id = 1"))
        waits = f"{WAITS} AND trx_mysql_thread_id = {waiter.thread_id()}"
        await asyncio.to_thread(eventually, lambda: server.sql(waits) == "1", every_seconds=0.2)
        yield waiter.thread_id()
        server.sql(f"KILL QUERY {waiter.thread_id()}")
        with suppress(pymysql.err.OperationalError):
            await waiting
    finally:
        waiter.close()
        await asyncio.sleep(0.05)


async def it_is_told_to_be_prepared(server: Mariadb) -> None:
    async with blocked(server) as waiter:
        held = {row["pid"]: row for row in await answer(server.instance(), "locks")}
        listed = {row["pid"]: row for row in await answer(server.instance(), "sessions")}
        metrics = await see(server.instance(), "locks")
    assert {0, waiter} == held.keys()
    assert 0 == held[waiter]["blocked_by"] == held[waiter]["root_blocker"] == listed[waiter]["blocked_by"]
    told = [(rows[0]["state"], rows[0]["user"], rows[0]["application"]) for rows in (held, listed)]
    assert [("prepared", "", "")] * 2 == told
    assert float(str(held[0]["transaction_seconds"])) >= COUNTED_FROM
    assert float(str(listed[0]["age_seconds"])) >= COUNTED_FROM
    assert BLOCKED == {name: value for name, value in metrics.items() if name != LONGEST}


async def it_ends(server: Mariadb) -> None:
    server.sql("XA ROLLBACK 'left'")
    eventually(lambda: server.sql("SELECT COUNT(*) FROM information_schema.innodb_trx") == "0", every_seconds=0.3)
    assert NOTHING == await transactions(server)
    assert 0 not in {row["pid"] for row in await answer(server.instance(), "sessions")}


async def a_prepared_transaction_that_no_session_holds_is_told_until_it_ends(server: Mariadb) -> None:
    with database(server, "xa", TABLE):
        assert NOTHING == await transactions(server)
        server.sql(PREPARE)
        young = await transactions(server)
        await asyncio.sleep(COUNTED_FROM + 1)
        seen = await transactions(server)
        await it_is_told_to_be_prepared(server)
        await it_ends(server)
    assert (0, 0) == (young[NUMBER], young[OLDEST])
    assert (1, 2) == (seen[NUMBER], seen[MODIFIED])
    assert 2 <= seen[LOCKED] <= 4
    assert COUNTED_FROM <= seen[OLDEST] < COUNTED_FROM + 20


async def a_session_with_an_old_transaction_is_not_taken_for_none(server: Mariadb) -> None:
    with database(server, "xa", TABLE):
        client = await server.admin("xa")
        try:
            await client.query("BEGIN")
            await client.query("UPDATE t SET v = 1")
            await asyncio.sleep(COUNTED_FROM + 1)
            seen = await transactions(server)
        finally:
            client.close()
            await asyncio.sleep(0.3)
    assert (0, 0, 2) == (seen[NUMBER], seen[OLDEST], seen[MODIFIED])


async def a_crash_leaves_a_prepared_transaction_behind(server: Mariadb) -> None:
    """The server is the test's own."""
    written = "SET GLOBAL innodb_flush_log_at_trx_commit = 1"
    server.sql(f"{written}; CREATE DATABASE xa; USE xa; {TABLE}; {PREPARE}")
    server.kill()
    server.start()
    await asyncio.sleep(COUNTED_FROM + 1)
    seen = await transactions(server)
    await it_is_told_to_be_prepared(server)
    await it_ends(server)

    assert (1, 2) == (seen[NUMBER], seen[MODIFIED])
    assert COUNTED_FROM <= seen[OLDEST] < COUNTED_FROM + 20


async def a_sequence_is_no_table(server: Mariadb) -> None:
    if is_mysql(server):
        return
    made = "CREATE SEQUENCE s; CREATE SEQUENCE r ROW_FORMAT = REDUNDANT; CREATE TABLE t (a int) ROW_FORMAT = REDUNDANT"
    with database(server, "seqs", f"{made}; SELECT NEXTVAL(s)"):
        lacking = (await see(server.instance(), "primary_keys"))["dbwatch_tables_without_primary_key{database=seqs}"]
        number = (await see(server.instance(), "database_sizes"))["dbwatch_tables{database=seqs}"]
    assert (1, 1) == (lacking, number)


async def sessions_are_told_by_the_name_that_the_client_gives(server: Mariadb) -> None:
    client = await server.connect("root", password="", unix_socket=str(server.socket), program_name="citizens")
    try:
        known = {"accounts": frozenset({"root"}), "applications": frozenset({"citizens"})}
        seen = await see(server.instance(), "sessions", **known)
    finally:
        client.close()
        await asyncio.sleep(0.05)
    assert 1 == seen["dbwatch_sessions{app=citizens,state=idle,user=root}"]


STORIES = (
    a_prepared_transaction_that_no_session_holds_is_told_until_it_ends,
    a_session_with_an_old_transaction_is_not_taken_for_none,
    a_sequence_is_no_table,
    sessions_are_told_by_the_name_that_the_client_gives,
)
