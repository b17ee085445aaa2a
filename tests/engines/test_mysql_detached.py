"""Transactions that no session holds, sequences and names of applications, on real MariaDB servers."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.fix_mariadb import MONITOR
from tests.fix_process import eventually
from tests.mysql_asking import see
from tests.mysql_detached import (
    COUNTED_FROM,
    MODIFIED,
    NUMBER,
    STORIES,
    TABLE,
    a_crash_leaves_a_prepared_transaction_behind,
    transactions,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from tests.fix_mariadb import Mariadb, MariadbServers, NewMariadb, NewReplica

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def server(mariadb_servers: MariadbServers) -> Iterator[Mariadb]:
    with mariadb_servers.new("--performance-schema=ON") as running:
        yield running


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
async def test_story(server: Mariadb, story: Callable[[Mariadb], Awaitable[None]]) -> None:
    await story(server)


async def test_a_prepared_transaction_outlives_a_crash_and_is_told_after_it(new_mariadb: NewMariadb) -> None:
    await a_crash_leaves_a_prepared_transaction_behind(new_mariadb())


async def test_a_replica_that_applies_a_transaction_has_a_session_for_it(
    new_mariadb: NewMariadb, mariadb_replica: NewReplica
) -> None:
    primary = new_mariadb()
    replica = mariadb_replica(primary, "--slave-parallel-threads=2")
    primary.sql(f"CREATE DATABASE shop; USE shop; {TABLE}")
    made = "SELECT COUNT(*) FROM information_schema.innodb_sys_tables WHERE name = 'shop/t'"
    eventually(lambda: replica.sql(made) == "1")
    eventually(lambda: replica.sql("SELECT COUNT(*) FROM shop.t") == "2")
    holder = await replica.admin("shop")
    try:
        await holder.query("BEGIN")
        await holder.query("SELECT * FROM t FOR UPDATE")
        primary.sql("UPDATE shop.t SET v = 1")
        await asyncio.sleep(COUNTED_FROM + 1)
        seen = await transactions(replica)
    finally:
        holder.close()
        await asyncio.sleep(0.05)
    assert (0, 0) == (seen[NUMBER], seen[MODIFIED])


async def test_a_fulltext_index_at_work_is_no_detached_transaction(new_mariadb: NewMariadb) -> None:
    server = new_mariadb()
    server.sql("CREATE DATABASE shop; CREATE TABLE shop.t (id int PRIMARY KEY AUTO_INCREMENT, v text, FULLTEXT (v))")
    words = ", ".join(f"('word{number} and another{number}')" for number in range(500))
    writer = await server.admin("shop")
    try:
        counted = set()
        for _ in range(20):
            await writer.query(f"INSERT INTO t (v) VALUES {words}")
            await writer.query("DELETE FROM t WHERE id % 3 = 0")
            counted.add((await transactions(server))[NUMBER])
    finally:
        writer.close()
        await asyncio.sleep(0.05)
    assert {0} == counted


async def test_without_the_right_to_performance_schema_sessions_are_told_without_applications(
    new_mariadb: NewMariadb,
) -> None:
    server = new_mariadb("--performance-schema=ON")
    server.sql(f"REVOKE SELECT ON performance_schema.* FROM '{MONITOR}'@'127.0.0.1'")
    client = await server.connect("root", password="", unix_socket=str(server.socket), program_name="citizens")
    try:
        known = {"accounts": frozenset({"root"}), "applications": frozenset({"citizens"})}
        seen = await see(server.instance(), "sessions", **known)
    finally:
        client.close()
        await asyncio.sleep(0.05)
    assert 1 == seen["dbwatch_sessions{state=idle,user=root}"]
