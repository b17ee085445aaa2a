"""A replica from both ends, stage by stage; replay paused, queries cancelled, failover."""

from __future__ import annotations

import functools
import os
import signal
import time
from typing import TYPE_CHECKING

import pytest

from tests.postgres_acting import ask, burn, caught_up, client, look, next_xid
from tests.postgres_asking import key, ours, see

if TYPE_CHECKING:
    from tests.fix_postgres import NewPostgres, NewStandby, Postgres
    from tests.postgres_asking import Seen

pytestmark = pytest.mark.engine

STREAMING = key("dbwatch_pg_replica_state", {"replica": "paris", "state": "streaming"})
STOPPED = key("dbwatch_pg_wal_receiver_status", {"status": "stopped"})
REPLIED = key("dbwatch_pg_replica_last_reply_timestamp_seconds", {"replica": "paris"})
PAUSED = "dbwatch_pg_wal_replay_paused"
STANDBY = "dbwatch_oldest_snapshot_xids{holder=standby}"
REQUIRED, PRESENT = "dbwatch_pg_synchronous_replicas_required", "dbwatch_pg_synchronous_replicas"
EVENTS = [
    f"dbwatch_pg_wal_receiver_last_event_timestamp_seconds{{event={e}}}" for e in ("sent", "received", "reported")
]


def lag(stage: str, unit: str = "bytes") -> str:
    return key(f"dbwatch_pg_replica_stage_lag_{unit}", {"replica": "paris", "stage": stage})


def ones(seen: Seen, family: str) -> list[str]:
    """The states of a state set that are 1, of one replica or receiver."""
    return sorted(
        name.rpartition("=")[2].rstrip("}") for name, value in seen.items() if name.startswith(family) and value
    )


def has(sample: str, seen: Seen) -> bool:
    return seen.get(sample) == 1


async def receiving(replica: Postgres, status: str) -> Seen:
    sample = key("dbwatch_pg_wal_receiver_status", {"status": status})
    return await look(replica, "standby", lambda seen: seen[sample] == 1)


async def test_a_server_without_replicas_requires_none(postgres_18: Postgres) -> None:
    assert {REQUIRED: 0, PRESENT: 0} == await see(postgres_18.instance(), "replicas")
    assert {} == await see(postgres_18.instance(), "standby")


async def test_a_replica_stage_by_stage_and_what_a_commit_waits_for(
    new_postgres: NewPostgres, standby: NewStandby
) -> None:
    primary = new_postgres("autovacuum = off")
    replica = standby(
        primary, "cluster_name = 'paris'", "hot_standby_feedback = on", "wal_receiver_status_interval = 1s"
    )
    await look(primary, "replicas", lambda seen: seen.get(STREAMING) == 1)
    await caught_up(primary, replica)
    calm = await look(primary, "replicas", lambda seen: seen.get(lag("flush")) == 0 and REPLIED in seen)
    required = {}
    for names in ("paris", "ANY 1 (paris, lyon)", 'FIRST 2 (lyon, paris, "9 (x")', "2 (paris, lyon)", ""):
        await ask(primary, f"ALTER SYSTEM SET synchronous_standby_names = '{names}'; SELECT pg_reload_conf()")
        state = "async" if not names else "quorum" if "ANY" in names else "sync"
        sample = key("dbwatch_pg_replica_sync_state", {"replica": "paris", "state": state})
        seen = await look(primary, "replicas", functools.partial(has, sample))
        required[names] = (seen[REQUIRED], seen[PRESENT])
    receiver = int(await ask(replica, "SELECT pid FROM pg_stat_wal_receiver"))
    os.kill(receiver, signal.SIGSTOP)
    try:
        await ask(primary, "CREATE TABLE written AS SELECT generate_series(1, 20000) AS n; SELECT pg_current_xact_id()")
        held, told = await at_one_moment(primary, "write_lsn", "flush_lsn")
    finally:
        os.kill(receiver, signal.SIGCONT)
    freed = await look(primary, "replicas", lambda seen: seen.get(lag("flush")) == 0)

    assert ["streaming"] == ones(calm, "dbwatch_pg_replica_state")
    assert (0, 0, 0) == (calm[lag("sent")], calm[lag("write")], calm[lag("write", "seconds")])
    assert abs(time.time() - calm[REPLIED]) < 30
    assert [(1, 1), (1, 1), (2, 1), (2, 1), (0, 0)] == list(required.values())
    assert told == [held[lag("write")], held[lag("flush")]]
    assert told[0] > 500_000
    assert (0, 0) == (freed[lag("write")], freed[lag("flush", "seconds")])


async def at_one_moment(primary: Postgres, *columns: str) -> tuple[Seen, list[float]]:
    """What we see, and how far behind the server says that its replica is, while it writes no log in between."""
    behind = ", ".join(f"pg_wal_lsn_diff(pg_current_wal_lsn(), {column})" for column in columns)
    for _ in range(20):
        before = await ask(primary, f"SELECT {behind} FROM pg_stat_replication")
        seen = await see(primary.instance(), "replicas")
        if before == await ask(primary, f"SELECT {behind} FROM pg_stat_replication"):
            return seen, [float(number) for number in before.split("|")]
    raise AssertionError("the server never stood still")


async def test_replay_paused_a_query_cancelled_and_a_failover(new_postgres: NewPostgres, standby: NewStandby) -> None:
    primary = new_postgres("autovacuum = off", "full_page_writes = on")
    ways = ("hot_standby_feedback = on", "wal_receiver_status_interval = 1s", "max_standby_streaming_delay = 0")
    replica = standby(primary, "cluster_name = 'paris'", *ways)
    second = standby(replica, "cluster_name = 'lyon'")
    await ask(primary, "CREATE TABLE written (n int)")
    await caught_up(primary, replica)
    linked = await receiving(replica, "streaming")
    middle = await look(
        replica, "replicas", lambda seen: "dbwatch_pg_replica_state{replica=lyon,state=streaming}" in seen
    )
    await ask(replica, "SELECT pg_wal_replay_pause()")
    paused = await look(replica, "standby", lambda seen: seen[PAUSED] == 1)
    await ask(replica, "SELECT pg_wal_replay_resume()")
    resumed = await see(replica.instance(), "standby")
    async with client(replica, "BEGIN ISOLATION LEVEL REPEATABLE READ", "SELECT n FROM written"):
        await burn(primary, 10)
        await look(primary, "horizon", lambda seen: seen[STANDBY] > 0)
        told = await ask(primary, "SELECT backend_xmin FROM pg_stat_replication")
        horizon, now = (await see(primary.instance(), "horizon"))[STANDBY], await next_xid(primary)
        conflict = key("dbwatch_pg_standby_conflicts_total", {"database": "postgres", "kind": "lock"})
        before = (await see(replica.instance(), "standby"))[conflict]
        await ask(primary, "TRUNCATE written")
        after = await look(replica, "standby", lambda seen: seen[conflict] > before)
    freed = await look(primary, "horizon", lambda seen: seen[STANDBY] == 0)
    conflicts = await ask(replica, "SELECT confl_lock FROM pg_stat_database_conflicts WHERE datname = 'postgres'")
    logged = len(replica.log())
    primary.stop("immediate")
    orphan = await receiving(replica, "stopped")
    await ask(replica, "ALTER SYSTEM SET primary_conninfo = ''; SELECT pg_reload_conf()")
    alone = await look(replica, "standby", lambda seen: STOPPED not in seen)
    await ask(replica, "SELECT pg_promote(true, 60)")
    promoted = {name: await see(replica.instance(), name) for _, name in ours().collectors}

    assert [0, 1, 0] == [seen[PAUSED] for seen in (linked, paused, resumed)]
    assert all(abs(time.time() - linked[event]) < 60 for event in EVENTS)
    assert 1 == middle["dbwatch_pg_replica_sync_state{replica=lyon,state=async}"]
    assert not {REQUIRED, PRESENT} & middle.keys()
    assert now - int(told) == horizon >= 10
    assert (0, 1, "1") == (before, after[conflict], conflicts)
    assert 0 == freed[STANDBY]
    assert not set(EVENTS) & orphan.keys()
    # A server that only replays an archive wants no receiver.
    assert not [name for name in alone if "wal_receiver" in name]
    assert 0 == alone[PAUSED]
    assert {} == promoted["standby"]
    assert 0 == promoted["replicas"][REQUIRED]
    negative = [name for seen in promoted.values() for name, value in seen.items() if value < 0]
    assert [] == [name for name in negative if not name.startswith("dbwatch_setting_value")]
    assert "ERROR" not in replica.log()[logged:]
    assert second.is_running
