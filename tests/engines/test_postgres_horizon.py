"""Who keeps dead rows alive, and how old the oldest rows are: caused, seen exactly, undone."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from tests.fix_postgres import BARE
from tests.postgres_acting import ask, burn, caught_up, client, look, next_xid
from tests.postgres_asking import key, see

if TYPE_CHECKING:
    from tests.fix_postgres import NewPostgres, NewStandby, Postgres
    from tests.postgres_asking import Seen

pytestmark = pytest.mark.engine

NOBODY = {"prepared": 0.0, "session": 0.0, "slot": 0.0, "standby": 0.0}
PREPARED, PREPARED_SECONDS = "dbwatch_pg_prepared_transactions", "dbwatch_pg_prepared_transaction_oldest_seconds"
XIDS = "dbwatch_pg_xids_total"
LIMITS = {"autovacuum": 100_000, "wraparound": 2**31}


async def holders(server: Postgres) -> dict[str, float]:
    seen = await see(server.instance(), "horizon")
    return {holder: seen[key("dbwatch_oldest_snapshot_xids", {"holder": holder})] for holder in NOBODY}


async def test_each_holder_of_the_horizon_is_told_apart_and_goes(new_postgres: NewPostgres) -> None:
    server = new_postgres("autovacuum = off", "max_prepared_transactions = 4")
    before = await holders(server)
    await ask(server, "SELECT FROM pg_create_logical_replication_slot('kept', 'pgoutput')")
    slot = await ask(server, "SELECT catalog_xmin FROM pg_replication_slots")
    await burn(server, 10)
    async with client(server, "BEGIN ISOLATION LEVEL REPEATABLE READ", "SELECT 1"):
        snapshot = await ask(server, "SELECT backend_xmin FROM pg_stat_activity WHERE state = 'idle in transaction'")
        await burn(server, 10)
        await ask(server, "CREATE TABLE given (n int); BEGIN; INSERT INTO given VALUES (1); PREPARE TRANSACTION 'left'")
        prepared = await ask(server, "SELECT transaction FROM pg_prepared_xacts")
        await burn(server, 10)
        held, now = await holders(server), await next_xid(server)
        left = await see(server.instance(), "horizon")
    await ask(server, "ROLLBACK PREPARED 'left'")
    without = await look(server, "horizon", lambda seen: seen["dbwatch_oldest_snapshot_xids{holder=session}"] == 0)
    await ask(server, "SELECT pg_drop_replication_slot('kept')")

    assert NOBODY == before
    expected = {"slot": slot, "session": snapshot, "prepared": prepared}
    assert {holder: now - int(xid) for holder, xid in expected.items()} | {"standby": 0} == held
    assert held["slot"] >= 30 > held["session"] >= 20 > held["prepared"] >= 10
    assert 1 == left[PREPARED]
    assert 0 < left[PREPARED_SECONDS] < 10
    assert (0, 0) == (without[PREPARED], without[PREPARED_SECONDS])
    assert NOBODY == await holders(server)


async def test_a_transaction_that_wrote_holds_the_horizon_without_a_snapshot(new_postgres: NewPostgres) -> None:
    server = new_postgres("autovacuum = off")
    async with client(server, "CREATE TABLE given (n int)", "BEGIN", "INSERT INTO given VALUES (1)"):
        mine = await ask(
            server, "SELECT backend_xid, backend_xmin FROM pg_stat_activity WHERE state = 'idle in transaction'"
        )
        await burn(server, 5)
        held, now = await holders(server), await next_xid(server)

    assert mine.endswith("|")
    assert now - int(mine.rstrip("|")) == held["session"]


def ages(seen: Seen, kind: str) -> dict[str, float]:
    family = f"dbwatch_pg_freeze_age_{kind}s{{database="
    return {name.removeprefix(family).rstrip("}"): value for name, value in seen.items() if name.startswith(family)}


async def frozen(server: Postgres, kind: str) -> dict[str, int]:
    """What pg_database says, told without age(): the oldest id of each database."""
    column = {"xid": "datfrozenxid", "multixact": "datminmxid"}[kind]
    rows = await ask(server, f"SELECT datname, {column} FROM pg_database")
    return {name: int(number) for name, _, number in (row.partition("|") for row in rows.splitlines())}


async def test_freeze_ages_are_exact_and_fall_when_a_vacuum_freezes(new_postgres: NewPostgres) -> None:
    server = new_postgres("autovacuum = off", "autovacuum_freeze_max_age = 100000")
    await ask(server, "CREATE TABLE shared AS SELECT 1 AS n; CREATE DATABASE shut ALLOW_CONNECTIONS false")
    share = "SELECT n FROM shared FOR SHARE"
    async with client(server, "BEGIN", share), client(server, "BEGIN", share):
        await burn(server, 100)
        seen, now = await see(server.instance(), "freeze"), await next_xid(server)
    multixact = int(await ask(server, "CHECKPOINT; SELECT next_multixact_id FROM pg_control_checkpoint()"))
    xids, multixacts = await frozen(server, "xid"), await frozen(server, "multixact")
    await ask(server, "VACUUM (FREEZE)")
    after = await see(server.instance(), "freeze")

    assert {"postgres", "shut", "template0", "template1"} == ages(seen, "xid").keys()
    assert {name: now - oldest for name, oldest in xids.items()} == ages(seen, "xid")
    assert {name: multixact - oldest for name, oldest in multixacts.items()} == ages(seen, "multixact")
    assert (1, 0) == (ages(seen, "multixact")["postgres"], ages(after, "multixact")["postgres"])
    assert ages(after, "xid")["postgres"] < 10
    assert ages(after, "xid")["template0"] > 100
    for limit, number in LIMITS.items():
        ratio = seen[key("dbwatch_pg_freeze_ratio", {"database": "shut", "kind": "xid", "limit": limit})]
        assert pytest.approx(ages(seen, "xid")["shut"] / number) == ratio


async def test_ids_are_counted_as_they_are_used_and_looking_uses_none(
    new_postgres: NewPostgres, standby: NewStandby
) -> None:
    server = new_postgres("autovacuum = off")
    replica = standby(server)
    seen = []
    for ids in (0, 0, 40):
        await burn(server, ids)
        seen.append((await see(server.instance(user=BARE), "freeze"))[XIDS])
    await caught_up(server, replica)
    on_replica = await see(replica.instance(), "freeze")

    assert [0, 40] == [after - before for before, after in pairwise(seen)]
    assert await next_xid(server) == seen[-1]
    assert XIDS not in on_replica
    assert "template0" in ages(on_replica, "xid")
