"""Replication slots: what they hold back, when they are lost, what decoding did."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.postgres_acting import ask, look
from tests.postgres_asking import key, see

if TYPE_CHECKING:
    from tests.fix_postgres import NewPostgres, Postgres
    from tests.postgres_asking import Seen

pytestmark = pytest.mark.engine

CALM = ("autovacuum = off", "min_wal_size = 32MB")
NONE = {key("dbwatch_pg_slots", {"type": kind}): 0.0 for kind in ("physical", "logical")}
MAKE = """
SELECT FROM pg_create_physical_replication_slot('paris', true);
SELECT FROM pg_create_physical_replication_slot('unused');
SELECT FROM pg_create_logical_replication_slot('lyon', 'pgoutput', false, true);
"""


def of_slot(family: str, slot: str, **labels: str) -> str:
    return key(f"dbwatch_pg_slot_{family}", {"slot": slot, **labels})


def status(seen: Seen, slot: str) -> list[str]:
    """Which states are 1, of those that are told."""
    every = ("reserved", "extended", "unreserved", "lost")
    return [name for name in every if seen.get(of_slot("wal_status", slot, status=name)) == 1]


async def at_one_moment(server: Postgres, sql: str) -> tuple[Seen, list[str]]:
    """What we see, and what the server says, while it writes no log in between."""
    for _ in range(20):
        before = await ask(server, f"SELECT pg_current_wal_lsn(); {sql}")
        seen = await see(server.instance(), "slots")
        if before == await ask(server, f"SELECT pg_current_wal_lsn(); {sql}"):
            return seen, before.splitlines()[1:]
    raise AssertionError("the server never stood still")


async def test_an_unread_slot_holds_back_exactly_what_the_server_says(new_postgres: NewPostgres) -> None:
    server = new_postgres(*CALM)
    before = await see(server.instance(), "slots")
    await ask(server, MAKE)
    await ask(server, "CREATE TABLE written AS SELECT generate_series(1, 20000) AS n")
    await ask(server, "SELECT pg_current_xact_id();" * 7)
    behind = "pg_wal_lsn_diff(pg_current_wal_lsn(), {})".format
    seen, told = await at_one_moment(
        server,
        f"SELECT {behind('restart_lsn')}, {behind('confirmed_flush_lsn')} FROM pg_replication_slots ORDER BY slot_name;"
        " SELECT age(catalog_xmin), extract(epoch FROM inactive_since) FROM pg_replication_slots WHERE plugin <> '';",
    )
    await ask(server, "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots")

    lyon, paris, unused, details = (line.split("|") for line in told)
    assert [int(number) for number in (*lyon, paris[0])] == [
        seen[of_slot(family, slot)]
        for family, slot in (("retained_bytes", "lyon"), ("unconfirmed_bytes", "lyon"), ("retained_bytes", "paris"))
    ]
    assert int(paris[0]) > 500_000
    assert int(details[0]) == seen[of_slot("oldest_xids", "lyon", kind="catalog")] >= 7
    assert pytest.approx(float(details[1])) == seen[of_slot("inactive_since_timestamp_seconds", "lyon")]
    assert ["", ""] == unused
    assert of_slot("retained_bytes", "unused") not in seen
    assert [["reserved"], ["reserved"], []] == [status(seen, slot) for slot in ("lyon", "paris", "unused")]
    assert {0} == {seen[of_slot(name, slot)] for name in ("active", "invalidated") for slot in ("lyon", "paris")}
    plain = {"two_phase": "no", "failover": "no", "synced": "no"}
    logical = {"type": "logical", "database": "postgres", "plugin": "pgoutput", **plain, "two_phase": "yes"}
    assert 1 == seen[of_slot("info", "paris", type="physical", **plain)] == seen[of_slot("info", "lyon", **logical)]
    assert {"physical": 2, "logical": 1} == {
        kind: seen[key("dbwatch_pg_slots", {"type": kind})] for kind in ("physical", "logical")
    }
    assert NONE == before == await see(server.instance(), "slots")


async def test_a_slot_over_the_limit_is_lost_and_says_why(new_postgres: NewPostgres) -> None:
    server = new_postgres(*CALM, "max_slot_wal_keep_size = 24MB")
    await ask(server, MAKE)
    seen, told = await at_one_moment(server, "SELECT safe_wal_size FROM pg_replication_slots WHERE slot_name = 'paris'")
    for _ in range(4):
        await ask(server, "SELECT pg_switch_wal(); SELECT pg_current_xact_id()")
    await ask(server, "CHECKPOINT")
    lost = await see(server.instance(), "slots")

    assert int(told[0]) == seen[of_slot("safe_bytes", "paris")] > 0
    assert 0 == seen[of_slot("invalidated", "paris")]
    for slot in ("paris", "lyon"):
        assert ["lost"] == status(lost, slot)
        assert 1 == lost[of_slot("invalidated", slot, reason="wal_removed")]
        assert of_slot("invalidated", slot) not in lost
        assert of_slot("retained_bytes", slot) not in lost
        assert of_slot("safe_bytes", slot) not in lost
    # Its catalog_xmin is still shown by the server, and VACUUM no longer heeds it.
    assert await ask(server, "SELECT catalog_xmin FROM pg_replication_slots WHERE slot_name = 'lyon'")
    assert of_slot("oldest_xids", "lyon", kind="catalog") in seen
    assert of_slot("oldest_xids", "lyon", kind="catalog") not in lost
    assert 0 == (await see(server.instance(), "horizon"))["dbwatch_oldest_snapshot_xids{holder=slot}"]
    await ask(server, "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots")
    assert NONE == await see(server.instance(), "slots")


async def test_a_slot_that_nobody_used_for_too_long_is_lost_and_holds_no_log_back(new_postgres: NewPostgres) -> None:
    server = new_postgres(*CALM, "idle_replication_slot_timeout = 1s")
    await ask(server, MAKE)
    await asyncio.sleep(1.2)
    await ask(server, "CHECKPOINT; CREATE TABLE written AS SELECT generate_series(1, 20000) AS n")
    lost = await see(server.instance(), "slots")

    for slot in ("paris", "lyon"):
        assert ["lost"] == status(lost, slot)
        assert 1 == lost[of_slot("invalidated", slot, reason="idle_timeout")]
        # The server still shows where it stood, and removes the log all the same.
        assert await ask(server, f"SELECT restart_lsn FROM pg_replication_slots WHERE slot_name = '{slot}'")
        assert of_slot("retained_bytes", slot) not in lost
    assert of_slot("unconfirmed_bytes", "lyon") not in lost


async def test_what_decoding_spilled_is_counted_and_a_reset_is_no_negative(new_postgres: NewPostgres) -> None:
    server = new_postgres(*CALM, "logical_decoding_work_mem = 64kB")
    await ask(server, "CREATE TABLE written (n int); CREATE PUBLICATION everything FOR ALL TABLES")
    await ask(server, MAKE)
    # Only what was flushed is decoded.
    big, small = "INSERT INTO written SELECT generate_series(1, 5000)", "INSERT INTO written VALUES (0)"
    await ask(server, f"{big}; SET synchronous_commit = on; {small}")
    options = "'proto_version', '1', 'publication_names', 'everything'"
    await ask(server, f"SELECT count(*) FROM pg_logical_slot_get_binary_changes('lyon', NULL, NULL, {options})")
    decoded = of_slot("decoded_transactions_total", "lyon", kind="all")
    seen = await look(server, "slots", lambda seen: seen.get(decoded, 0) >= 2)
    columns = "total_txns, spill_txns, stream_txns, total_bytes, spill_bytes, stream_bytes, spill_count, stream_count"
    told = (await ask(server, f"SELECT {columns} FROM pg_stat_replication_slots")).split("|")
    await ask(server, "SELECT pg_stat_reset_replication_slot('lyon')")
    reset = await see(server.instance(), "slots")

    kinds = ("all", "spilled", "streamed")
    names = [
        of_slot(f"decoded_{what}_total", "lyon", kind=kind) for what in ("transactions", "bytes") for kind in kinds
    ]
    names += [of_slot("decoding_passes_total", "lyon", kind=kind) for kind in kinds[1:]]
    assert [float(number) for number in told] == [seen[name] for name in names]
    assert 1 == seen[of_slot("decoded_transactions_total", "lyon", kind="spilled")]
    assert [0] * 8 == [reset[name] for name in names]
    assert of_slot("decoded_bytes_total", "paris", kind="all") not in seen
