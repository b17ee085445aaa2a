"""Statements top-N as stories: exact counts, and no spike whatever pg_stat_statements forgets."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from dbwatch.core.mapping import Mapper
from dbwatch.core.model import Lane
from dbwatch.poller import asking
from dbwatch.poller.once import Target, ask_once, poll_once
from tests.fix_postgres import PASSWORD
from tests.postgres_asking import ENGINE, engine, facts, instance, key, ours, see, session

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import asyncpg

    from tests.fix_postgres import NewPostgres, Postgres
    from tests.postgres_asking import Seen

pytestmark = pytest.mark.engine

ACCOUNTS = frozenset({"app"})
CALLS, SECONDS, ROWS = (f"dbwatch_statement_{what}_total" for what in ("calls", "seconds", "rows"))
ROLES = f"CREATE ROLE app LOGIN PASSWORD '{PASSWORD}'; CREATE ROLE jeanne LOGIN PASSWORD '{PASSWORD}';"
RESET = "SELECT pg_stat_statements_reset()"
DEALLOCATED = "SELECT dealloc FROM pg_stat_statements_info"
COUNTED = "SELECT {} FROM pg_stat_statements s JOIN pg_roles r ON r.oid = s.userid WHERE r.rolname = 'app'"


@dataclass
class Watch:
    """The collector as the daemon runs it: one memory over many polls. It also is Prometheus, and adds up increases."""

    server: Postgres
    mapper: Mapper = field(
        default_factory=lambda: Mapper(ours().collectors[ENGINE, "statements"], ours().families, accounts=ACCOUNTS)
    )
    last: Seen = field(default_factory=dict)
    fallen: list[str] = field(default_factory=list)
    grown: float = 0.0  # of all calls

    async def look(self, now: float = 0.0) -> Seen:
        async with session(self.server.instance(), Lane.SLOW) as opened:
            asked = asking.query(ours().collectors[ENGINE, "statements"], await facts(opened))
            blocks = list(self.mapper.blocks(await opened.fetch(asked), now))
        seen = {key(block.family, labels): value for block in blocks for labels, value in block.samples()}
        for name, value in seen.items():
            if "_total" in name:
                self.fallen += [name] if value < self.last.get(name, 0) else []
                self.grown += value - self.last.get(name, 0) if name.startswith(CALLS) and self.last else 0
        self.last |= seen
        return seen

    def of(self, family: str, queryid: str, user: str = "app") -> float | None:
        return self.last.get(f"{family}{{database=postgres,queryid={queryid},user={user}}}")


@asynccontextmanager
async def login(server: Postgres, user: str = "app") -> AsyncIterator[asyncpg.Connection[Any]]:
    opened = await server.connect(user, statement_cache_size=0)
    try:
        yield opened
    finally:
        opened.terminate()


async def run(server: Postgres, sql: str, times: int, user: str = "app") -> None:
    async with login(server, user) as opened:
        for _ in range(times):
            await opened.execute(sql)


@pytest.fixture
def counting(new_postgres: NewPostgres) -> Postgres:
    server = new_postgres(
        "pg_stat_statements.max = 100", "track_io_timing = on", "pg_stat_statements.track_planning = on"
    )
    server.psql(ROLES)
    return server


async def test_what_is_told_is_what_the_server_counted(counting: Postgres) -> None:
    counting.psql("CREATE TABLE t AS SELECT n FROM generate_series(1, 3) AS n; GRANT ALL ON t TO app")
    counting.psql(RESET)
    await run(counting, "SELECT n FROM t WHERE n < 1000", 7)
    await run(counting, "INSERT INTO t SELECT n FROM generate_series(1, 5000) AS n", 2)
    watch = Watch(counting)
    seen = await watch.look()
    columns = "queryid, calls, rows, total_exec_time, wal_bytes, shared_blks_hit, total_plan_time"
    table = counting.psql(COUNTED.format(columns) + " ORDER BY calls DESC").splitlines()

    assert [("7", "21"), ("2", "10000")] == [tuple(line.split("|")[1:3]) for line in table]
    for line in table:
        queryid, calls, rows, milliseconds, wal_bytes, hits, planned = line.split("|")
        labels = f"database=postgres,queryid={queryid},user=app"
        assert (float(calls), float(rows)) == (watch.of(CALLS, queryid), watch.of(ROWS, queryid))
        assert watch.of(SECONDS, queryid) == pytest.approx(float(milliseconds) / 1000)
        assert watch.of("dbwatch_pg_statement_wal_bytes_total", queryid) == float(wal_bytes)
        assert watch.of("dbwatch_pg_statement_plan_seconds_total", queryid) == pytest.approx(float(planned) / 1000)
        operation = f"database=postgres,operation=hit,queryid={queryid},user=app"
        assert seen[f"dbwatch_pg_statement_blocks_total{{{operation}}}"] == float(hits)
        assert f"dbwatch_pg_statement_jit_seconds_total{{{labels}}}" not in seen
    assert float(counting.psql("SELECT count(*) FROM pg_stat_statements")) >= seen["dbwatch_statement_entries"] >= 2


async def test_a_reset_neither_falls_nor_spikes(counting: Postgres) -> None:
    counting.psql(RESET)
    await run(counting, "SELECT 1", 40)
    queryid = counting.psql(COUNTED.format("queryid"))
    watch = Watch(counting)
    await watch.look()
    counting.psql(RESET)
    await watch.look()
    await run(counting, "SELECT 1", 3)
    await watch.look()
    counting.psql(RESET)
    await run(counting, "SELECT 1", 2)
    await watch.look()

    assert 45 == watch.of(CALLS, queryid)
    assert [] == watch.fallen
    store = await see(counting.instance(), "statement_store")
    assert store["dbwatch_pg_statements_reset_timestamp_seconds"] > 1_700_000_000


async def test_persons_are_one_series_and_who_is_forgotten_takes_nothing_away(counting: Postgres) -> None:
    counting.psql(RESET)
    await run(counting, "SELECT 1", 4, "jeanne")
    await run(counting, "SELECT 1", 6, "postgres")
    queryid = counting.psql("SELECT queryid FROM pg_stat_statements WHERE calls = 6")
    watch = Watch(counting)
    await watch.look()
    counting.psql("SELECT pg_stat_statements_reset('jeanne'::regrole, 0, 0)")
    await run(counting, "SELECT 1", 1, "postgres")
    await watch.look()
    await run(counting, "SELECT 1", 2, "jeanne")
    seen = await watch.look()

    assert 13 == watch.of(CALLS, queryid, "_other")
    assert [] == watch.fallen
    assert not any("jeanne" in name for name in seen)


async def test_eviction_and_return_give_no_spike(counting: Postgres) -> None:
    watch = Watch(counting)
    await watch.look()
    for wave in range(4):
        async with login(counting) as opened:
            for number in range(60):
                await opened.execute("SELECT 1" + " + 1" * (number + 60 * (wave % 2)))
        await watch.look(3600.0 * wave)
    at_least = float(counting.psql(DEALLOCATED))
    store = await see(counting.instance(), "statement_store")
    at_most = float(counting.psql(DEALLOCATED))

    assert 100 == store["dbwatch_statement_entries_max"]
    assert 1 <= at_least <= store["dbwatch_pg_statements_deallocated_total"] <= at_most
    assert [] == watch.fallen
    # Some were forgotten between two looks. Ours (facts, probes, this) are among them: a dozen or two at each look.
    assert 240 / 2 < watch.grown < 240 + 5 * 24


async def test_columns_follow_the_extension_wherever_it_was_put(new_postgres: NewPostgres) -> None:
    server = new_postgres()
    server.psql(
        'DROP EXTENSION pg_stat_statements; CREATE SCHEMA "Moni.tor"; GRANT USAGE ON SCHEMA "Moni.tor" TO PUBLIC'
    )
    without = await poll_once(Target(instance(server.instance()), engine(), ours()), ["statements", "statement_store"])
    server.psql("CREATE EXTENSION pg_stat_statements WITH SCHEMA \"Moni.tor\" VERSION '1.10'")
    old = await see(server.instance(), "statements")
    server.psql("ALTER EXTENSION pg_stat_statements UPDATE")
    new = await see(server.instance(), "statements")
    store = await see(server.instance(), "statement_store")

    workers = "dbwatch_pg_statement_parallel_workers_total"
    assert ["optional", "optional"] == [status.skipped for status in without.state.collectors.values()]
    assert all("CREATE EXTENSION" in status.remedy for status in without.state.collectors.values())
    assert {"dbwatch_statement_entries_max": 5000.0}.items() <= store.items()
    assert any(name.startswith(CALLS) for name in old)
    assert not any(name.startswith(workers) for name in old)
    assert any(name.startswith(workers) for name in new)


@pytest.mark.parametrize("line", ["shared_preload_libraries = ''", "pg_stat_statements.track = none"])
async def test_created_but_idle_it_is_left_out_without_an_error_in_the_log(
    new_postgres: NewPostgres, line: str
) -> None:
    server = new_postgres(line)
    lines = len(server.log().splitlines())
    poll = await poll_once(Target(instance(server.instance()), engine(), ours()), ["statements", "statement_store"])

    assert ["optional", "optional"] == [status.skipped for status in poll.state.collectors.values()]
    assert [] == server.log().splitlines()[lines:]


async def test_a_text_is_told_only_when_asked_and_without_constants(counting: Postgres) -> None:
    secret = "SELECT 'canary-hunter2' AS word; CREATE ROLE other PASSWORD 'canary-hunter2'; DROP ROLE other"
    counting.psql(secret)
    target = Target(instance(counting.instance()), engine(), ours())
    poll = await poll_once(target)
    counting.psql(f"{RESET}; {secret}")
    plain = await ask_once(target, ours().question(ENGINE, "statements"))
    texts = await ask_once(target, ours().question(ENGINE, "statement_texts"))

    assert "text" not in plain.names
    assert "SELECT $1 AS word" in texts.column("text")
    assert "CREATE ROLE other PASSWORD '?'" in texts.column("text")
    assert "canary" not in f"{plain}{texts}{poll.blocks}"
    assert plain.column("queryid")
