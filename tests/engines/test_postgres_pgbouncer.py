"""PostgreSQL behind PgBouncer in transaction pooling: no settings at login, another backend at each transaction."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING

import pytest

from dbwatch.core.model import Lane
from dbwatch.engines.postgres_login import GUARDS
from dbwatch.errors import EngineError, Reason
from tests.fix_postgres import MONITOR
from tests.fix_process import eventually
from tests.postgres_asking import engine, facts, instance, ours, query, see, session

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.fix_pgbouncer import PgBouncer
    from tests.fix_postgres import Postgres

    NewPooler = Callable[[Postgres], PgBouncer]

pytestmark = pytest.mark.engine


async def test_the_guards_hold_in_every_transaction(postgres_18: Postgres, pgbouncer: NewPooler) -> None:
    names = ("statement_timeout", "lock_timeout", "transaction_read_only", "search_path", "application_name")
    columns = ", ".join(f"current_setting('{name}') AS {name}" for name in names)
    async with session(pgbouncer(postgres_18).instance()) as opened:
        rows = await opened.fetch(query(f"SELECT {columns}", timeout_seconds=2))

        assert opened.pooled
    assert [dict(zip(names, ("2s", "200ms", "on", "pg_catalog", "dbwatch/fast"), strict=True))] == rows.dicts()


async def test_a_transaction_leaves_nothing_in_the_backend(postgres_18: Postgres, pgbouncer: NewPooler) -> None:
    left = "SELECT (SELECT count(*) FROM pg_prepared_statements WHERE name <> '') AS statements"
    async with session(pgbouncer(postgres_18).instance()) as opened:
        for _ in range(3):
            await opened.fetch(query("SELECT 1 AS n"))
        rows = await opened.fetch(query(left))

    assert [{"statements": 0}] == rows.dicts()


WIDE = ("SELECT i AS n, i::text AS word FROM generate_series(1, 400) AS i", "n", "word")  # asked as arrays
LEFT = "SELECT concat_ws('/', current_setting('jit'), (SELECT count(*) FROM pg_prepared_statements WHERE name <> ''))"


@pytest.mark.parametrize("lane", [Lane.SLOW, Lane.FAST])
async def test_what_the_driver_asks_about_types_leaves_nothing_in_the_backend_either(
    postgres_18: Postgres, pgbouncer: NewPooler, lane: Lane
) -> None:
    pooler = pgbouncer(postgres_18)
    rows: list[int] = []
    for _ in range(3):
        async with session(pooler.instance(), lane) as opened:
            rows.append(len(await opened.fetch(query(*WIDE))))
            rows.append(len(await opened.fetch(query("SELECT ARRAY[1, 2]::bigint[] AS kept"))))
    application = await postgres_18.connect(port=pooler.port, statement_cache_size=0)
    left = await application.fetchval(LEFT)
    await application.close()

    assert [400, 1] * 3 == rows
    assert left == "on/0"


async def test_many_sessions_share_two_backends(postgres_18: Postgres, pgbouncer: NewPooler) -> None:
    described = pgbouncer(postgres_18).instance()
    sessions = [await engine().connect(instance(described), Lane.FAST) for _ in range(6)]
    try:
        answers = await asyncio.gather(
            *(opened.fetch(query(f"SELECT {n} AS n, pg_sleep(0.05)::text")) for n, opened in enumerate(sessions))
        )
        backends = postgres_18.backends()
    finally:
        for opened in sessions:
            await opened.close()

    assert list(range(6)) == [answer.column("n")[0] for answer in answers]
    assert backends <= 2


async def test_an_error_does_not_stick_to_the_backend(postgres_18: Postgres, pgbouncer: NewPooler) -> None:
    async with session(pgbouncer(postgres_18).instance()) as opened:
        for sql, reason in (
            ("SELECT 1 / 0", Reason.SHAPE),
            ("SELECT pg_sleep(9)", Reason.TIMEOUT),
            ("SELEKT", Reason.SYNTAX),
            ("CREATE TEMP TABLE t ()", Reason.PERMISSION),
        ):
            with pytest.raises(EngineError) as caught:
                await opened.fetch(query(sql, timeout_seconds=0.3))

            assert reason == caught.value.reason
            assert [1] == list((await opened.fetch(query("SELECT 1 AS n"))).column("n"))
        assert not opened.broken


async def test_an_answer_that_cannot_be_decoded_leaves_no_transaction_open(
    postgres_18: Postgres, pgbouncer: NewPooler
) -> None:
    open_ones = f"SELECT count(*) FROM pg_stat_activity WHERE usename = '{MONITOR}' AND state LIKE 'idle in trans%'"
    async with session(pgbouncer(postgres_18).instance()) as opened:
        with pytest.raises(EngineError) as caught:
            await opened.fetch(query("SELECT '0044-03-15 BC'::timestamp"))

        assert caught.value.reason is Reason.SHAPE
        assert "0" == postgres_18.psql(open_ones)
        assert [1] == list((await opened.fetch(query("SELECT 1 AS n"))).column("n"))


async def test_the_pooler_is_asked_for_our_settings_only_once(postgres_18: Postgres, pgbouncer: NewPooler) -> None:
    pooler, ours_only = pgbouncer(postgres_18), engine()
    for _ in range(3):
        opened = await ours_only.connect(instance(pooler.instance()), Lane.FAST)
        await opened.ping()
        await opened.close()

    assert 1 == pooler.log().count("pooler error: unsupported startup parameter")


async def test_settings_that_the_pooler_ignores_are_not_trusted(postgres_18: Postgres, pgbouncer: NewPooler) -> None:
    pooler = pgbouncer(postgres_18)
    file = pooler.directory / "pgbouncer.ini"
    file.write_text(file.read_text().replace("extra_float_digits", f"extra_float_digits, {', '.join(GUARDS)}"))
    pooler.send(signal.SIGHUP)
    eventually(lambda: "RELOAD" in pooler.log().upper() or "SIGHUP" in pooler.log())
    async with session(pooler.instance()) as opened:
        rows = await opened.fetch(query("SELECT current_setting('transaction_read_only') AS read_only"))

        assert opened.pooled
    assert [{"read_only": "on"}] == rows.dicts()


async def test_every_collector_answers_through_the_pooler(postgres_18: Postgres, pgbouncer: NewPooler) -> None:
    described = pgbouncer(postgres_18).instance()
    answered = {name: await see(described, name) for _, name in ours().collectors}

    assert 100.0 == answered["limits"]["dbwatch_sessions_max"]
    assert 0.0 == answered["locks"]["dbwatch_blocked_sessions"]
    assert all("dbwatch/" not in name for name in answered["sessions"])


async def test_a_terminated_backend_costs_one_answer(postgres_18: Postgres, pgbouncer: NewPooler) -> None:
    async with session(pgbouncer(postgres_18).instance()) as opened:
        answer = asyncio.create_task(opened.fetch(query("SELECT pg_sleep(3)")))
        await asyncio.sleep(0.3)
        postgres_18.psql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{MONITOR}'")
        with pytest.raises(EngineError) as caught:
            await answer

        assert Reason.LOST == caught.value.reason


async def test_faults_of_a_pooler_have_their_reasons(postgres_18: Postgres, pgbouncer: NewPooler) -> None:
    described = pgbouncer(postgres_18).instance()
    for overrides, reason in (
        ({"monitor": {"user": MONITOR, "password": "wrong"}}, Reason.AUTH),
        ({"monitor": {"user": "nobody", "password": "wrong"}}, Reason.AUTH),
        ({"database": "no_such_database"}, Reason.MISSING),
    ):
        with pytest.raises(EngineError) as caught:
            async with session(described | overrides) as opened:
                await facts(opened)
        assert (overrides, reason) == (overrides, caught.value.reason)
