"""Replication seen from both ends: connected, bytes, last applied. Three facts, never one."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest

from dbwatch.core.model import Role
from tests.fix_process import ServerProcess, eventually
from tests.postgres_asking import facts, ours, see, session

if TYPE_CHECKING:
    from tests.fix_postgres import NewPostgres, NewStandby, Postgres
    from tests.postgres_asking import Seen

pytestmark = pytest.mark.engine

CONNECTED = "dbwatch_replication_connected"
BYTES, SECONDS = "dbwatch_replication_lag_bytes", "dbwatch_replication_lag_seconds"
APPLIED = "dbwatch_replication_last_applied_timestamp_seconds"


async def replication(server: Postgres) -> Seen:
    return await see(server.instance(), "replication")


async def settled(server: Postgres, **expected: float) -> Seen:
    """Look until the samples (by replica; `here` for our own link) are what they should be."""
    wanted = {
        CONNECTED if name == "here" else f"{CONNECTED}{{replica={name}}}": value for name, value in expected.items()
    }
    seen: Seen = {}
    for _ in range(150):
        seen = await replication(server)
        if all(seen.get(name) == value for name, value in wanted.items()):
            return seen
        await asyncio.sleep(0.1)
    assert wanted == seen
    return seen


async def caught_up(primary: Postgres, replica: Postgres) -> None:
    """Until the replica has applied what the primary has written so far."""
    written = await asyncio.to_thread(primary.psql, "SELECT pg_current_wal_insert_lsn()")
    await asyncio.to_thread(eventually, lambda: replica.psql(f"SELECT pg_last_wal_replay_lsn() >= '{written}'") == "t")


async def test_a_server_without_replicas_says_nothing(postgres_18: Postgres) -> None:
    assert {} == await replication(postgres_18)


async def test_both_ends_of_a_link(new_postgres: NewPostgres, standby: NewStandby) -> None:
    primary = new_postgres()
    replica = standby(primary)
    primary.psql("CREATE TABLE written (n int)")
    await caught_up(primary, replica)
    at_primary, at_replica = await settled(primary, walreceiver=1), await settled(replica, here=1)
    async with session(replica.instance()) as opened:
        known = await facts(opened)

    assert Role.REPLICA == known.role
    assert {f"{family}{{replica=walreceiver}}" for family in (CONNECTED, BYTES, SECONDS)} >= at_primary.keys()
    assert {CONNECTED: 1, BYTES: 0, SECONDS: 0} == {name: at_replica[name] for name in (CONNECTED, BYTES, SECONDS)}
    assert abs(time.time() - at_replica[APPLIED]) < 30


async def test_a_replica_that_does_not_apply_lags_by_bytes_and_seconds(
    new_postgres: NewPostgres, standby: NewStandby
) -> None:
    primary = new_postgres()
    replica = standby(primary)
    primary.psql("CREATE TABLE first_written (n int)")
    await caught_up(primary, replica)
    replica.psql("SELECT pg_wal_replay_pause()")
    primary.psql("CREATE TABLE written AS SELECT generate_series(1, 20000) AS n")
    await asyncio.sleep(1.2)
    at_primary, at_replica = await settled(primary, walreceiver=1), await settled(replica, here=1)
    replica.psql("SELECT pg_wal_replay_resume()")
    await caught_up(primary, replica)
    after = await settled(replica, here=1)

    assert at_replica[BYTES] > 500_000
    assert at_primary[f"{BYTES}{{replica=walreceiver}}"] > 500_000
    assert at_replica[SECONDS] > 1
    assert (0, 0) == (after[BYTES], after[SECONDS])


async def test_a_dead_link_is_down_and_its_lag_unknown_not_zero(new_postgres: NewPostgres, standby: NewStandby) -> None:
    primary = new_postgres()
    primary.psql("SELECT pg_create_physical_replication_slot('paris')")
    replica = standby(primary, "primary_slot_name = 'paris'")
    up = await settled(primary, paris=1)
    await asyncio.to_thread(replica.stop)
    down = await settled(primary, paris=0)
    await asyncio.to_thread(replica.start)
    await settled(primary, paris=1)
    await settled(replica, here=1)
    await asyncio.to_thread(primary.stop)
    orphan = await settled(replica, here=0)

    assert f"{BYTES}{{replica=paris}}" in up
    assert {f"{CONNECTED}{{replica=paris}}": 0} == down
    assert SECONDS not in orphan
    assert orphan.get(BYTES) is not None


async def test_a_replica_beside_the_unused_slot_of_its_name_is_one_replica_and_connected(
    new_postgres: NewPostgres, standby: NewStandby
) -> None:
    primary = new_postgres()
    primary.psql("SELECT pg_create_physical_replication_slot(name) FROM unnest('{paris,lyon}'::text[]) AS name")
    standby(primary, "cluster_name = 'paris'")
    seen = await settled(primary, paris=1)

    assert {"paris": 1, "lyon": 0} == {name: seen[f"{CONNECTED}{{replica={name}}}"] for name in ("paris", "lyon")}


async def test_two_replicas_of_one_name_are_two_series(new_postgres: NewPostgres, standby: NewStandby) -> None:
    primary = new_postgres()
    standby(primary)
    standby(primary)

    assert {1.0} == {
        (await settled(primary, **{"walreceiver": 1, "walreceiver#2": 1}))[f"{CONNECTED}{{replica={name}}}"]
        for name in ("walreceiver", "walreceiver#2")
    }


async def test_a_replica_of_a_replica_is_seen_from_both(new_postgres: NewPostgres, standby: NewStandby) -> None:
    primary = new_postgres("full_page_writes = on")
    first = standby(primary, "cluster_name = 'first'")
    second = standby(first, "cluster_name = 'second'")
    primary.psql("CREATE TABLE written (n int)")
    await caught_up(primary, second)
    lines = len(first.log().splitlines())
    in_the_middle = await settled(first, here=1, second=1)

    assert 0 == in_the_middle[BYTES]
    assert 0 <= in_the_middle[f"{BYTES}{{replica=second}}"] < 100_000
    assert [] == [line for line in first.log().splitlines()[lines:] if "ERROR" in line]


async def test_a_replica_of_an_archive_has_no_link_that_could_be_down(
    new_postgres: NewPostgres, standby: NewStandby
) -> None:
    primary = new_postgres()
    replica = standby(primary)
    replica.psql("ALTER SYSTEM SET primary_conninfo = ''")
    replica.reload()
    await asyncio.to_thread(eventually, lambda: replica.psql("SELECT count(*) FROM pg_stat_wal_receiver") == "0")
    seen = await replication(replica)

    assert CONNECTED not in seen
    assert SECONDS not in seen


async def test_every_collector_answers_on_a_replica(new_postgres: NewPostgres, standby: NewStandby) -> None:
    replica = standby(new_postgres())
    lines = len(replica.log().splitlines())
    for _, name in ours().collectors:
        await see(replica.instance(), name)

    assert [] == [line for line in replica.log().splitlines()[lines:] if "ERROR" in line or "FATAL" in line]


async def test_a_promotion_changes_the_role_and_ends_the_link(new_postgres: NewPostgres, standby: NewStandby) -> None:
    primary = new_postgres()
    replica = standby(primary)
    await settled(replica, here=1)
    async with session(replica.instance()) as opened:
        before = await facts(opened)
        await asyncio.to_thread(replica.promote)
        after = await facts(opened)

    assert (Role.REPLICA, Role.PRIMARY) == (before.role, after.role)
    assert before.system_identifier == after.system_identifier
    assert before.started_at == after.started_at
    assert {} == await replication(replica)


async def test_who_never_applies_has_a_link_and_no_lag(new_postgres: NewPostgres) -> None:
    primary = new_postgres()
    (kept := primary.directory / "received").mkdir(mode=0o777)
    kept.chmod(0o777)
    where = ["-h", primary.host, "-p", str(primary.port), "-U", "replicator", "-D", str(kept)]
    receiving = ServerProcess(primary.directory, log_file=primary.directory / "receiving.log")
    receiving.spawn([primary.binaries["pg_receivewal"], *where])
    try:
        linked = await settled(primary, pg_receivewal=1.0)
    finally:
        receiving.kill()

    assert [f"{CONNECTED}{{replica=pg_receivewal}}"] == list(linked)
