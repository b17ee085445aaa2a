"""Locks by mode, and the room that is left for them: caused, seen exactly, undone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.postgres_acting import client, look, running
from tests.postgres_asking import key, see

if TYPE_CHECKING:
    from tests.fix_postgres import NewPostgres
    from tests.postgres_asking import Seen

pytestmark = pytest.mark.engine

ROOM = "dbwatch_pg_lock_table_used_ratio"


def locks(mode: str, granted: str = "yes") -> str:
    return key("dbwatch_pg_locks", {"mode": mode, "granted": granted})


def grown(before: Seen, after: Seen) -> Seen:
    return {name: after[name] - before[name] for name in before if after[name] != before[name]}


async def test_locks_are_counted_by_mode_and_by_whether_they_are_held(new_postgres: NewPostgres) -> None:
    server = new_postgres("autovacuum = off", "max_connections = 20", "max_locks_per_transaction = 64")
    server.psql("CREATE TABLE locked (n int)")
    before = await see(server.instance(), "lock_modes")
    async with client(server, "BEGIN; LOCK TABLE locked") as holder, client(server) as waiter:
        held = await see(server.instance(), "lock_modes")
        async with running(server, waiter, "SELECT n FROM locked"):
            waited = await look(server, "lock_modes", lambda seen: seen[locks("access_share", "no")] == 1)
            await holder.execute("ROLLBACK")
        await holder.execute("SELECT count(pg_advisory_lock(n)) FROM generate_series(1, 500) AS n")
        crowded = await see(server.instance(), "lock_modes")
        await holder.execute("SELECT pg_advisory_unlock_all()")
        await holder.execute("BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT n FROM locked")
        serializable = await see(server.instance(), "lock_modes")
    after = await look(server, "lock_modes", lambda seen: seen == before)

    assert 18 == len(before)
    # What a transaction holds on its own ids is left out: they would drown a LOCK TABLE.
    assert {locks("access_exclusive"): 1} == {
        name: number for name, number in grown(before, held).items() if name != ROOM
    }
    assert 1 == waited[locks("access_share", "no")]
    assert 500 == crowded[locks("exclusive")] - before[locks("exclusive")]
    assert pytest.approx(500 / (64 * 20)) == crowded[ROOM] - before[ROOM]
    assert serializable[locks("serializable_read")] >= 1
    assert before == after


async def test_a_wait_for_the_end_of_a_transaction_is_one_and_room_is_taken_by_ids_too(
    new_postgres: NewPostgres,
) -> None:
    server = new_postgres("autovacuum = off", "max_connections = 20", "max_locks_per_transaction = 64")
    server.psql("CREATE TABLE locked (n int); INSERT INTO locked VALUES (1)")
    before = await see(server.instance(), "lock_modes")
    async with client(server, "BEGIN", "UPDATE locked SET n = 2") as holder, client(server) as waiter:
        held = await see(server.instance(), "lock_modes")
        async with running(server, waiter, "UPDATE locked SET n = 3"):
            await look(server, "lock_modes", lambda seen: seen[locks("share", "no")] == 1)
            await holder.execute("ROLLBACK; BEGIN; LOCK TABLE locked IN EXCLUSIVE MODE")
            exclusive = await see(server.instance(), "lock_modes")
            await holder.execute("ROLLBACK")
    after = await look(server, "lock_modes", lambda seen: seen == before)

    assert {locks("row_exclusive"): 1} == {name: number for name, number in grown(before, held).items() if name != ROOM}
    assert pytest.approx(1 / (64 * 20)) == held[ROOM] - before[ROOM]  # its real id; the others are of the fast path
    assert 1 == exclusive[locks("exclusive")]
    assert before == after
