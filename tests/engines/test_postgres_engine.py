"""The PostgreSQL engine on real servers: what a session is, how it ends, and what each fault is called."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest

from dbwatch.core.conditions import version_number
from dbwatch.core.model import Lane, Role, Rows
from dbwatch.errors import EngineError, Reason
from tests.fix_postgres import BARE, MONITOR
from tests.fix_process import eventually
from tests.postgres_asking import engine, facts, instance, query, session

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.fix_network import Proxy
    from tests.fix_postgres import NewPostgres, Postgres

pytestmark = pytest.mark.engine

GUARDS = {
    "application_name": "dbwatch/fast",
    "default_transaction_read_only": "on",
    "idle_in_transaction_session_timeout": "10s",
    "idle_session_timeout": "0",
    "jit": "off",
    "lock_timeout": "200ms",
    "search_path": "pg_catalog",
    "statement_timeout": "5s",
}
FAULTS = {
    "SELECT pg_ls_dir('.')": Reason.PERMISSION,
    "SELECT rolpassword FROM pg_authid": Reason.PERMISSION,
    "CREATE TABLE public.ours (n int)": Reason.PERMISSION,
    "SELECT 1 FROM no_such_table": Reason.MISSING,
    "SELECT no_such_column FROM pg_class": Reason.MISSING,
    "SELECT no_such_function()": Reason.MISSING,
    "SELEKT 1": Reason.SYNTAX,
    "SELECT 1 / 0": Reason.SHAPE,
    "SELECT 'client data'::integer": Reason.SHAPE,
    "SELECT '0044-03-15 BC'::timestamp": Reason.SHAPE,
    "SELECT pg_sleep(20)": Reason.TIMEOUT,
}


async def refused(described: dict[str, object], **overrides: object) -> EngineError:
    """The error of a login that must fail."""
    with pytest.raises(EngineError) as caught:
        await engine().connect(instance(described, **overrides), Lane.PROBE)
    return caught.value


async def test_a_session_says_who_the_server_is(postgres_18: Postgres) -> None:
    async with session(postgres_18.instance()) as opened:
        known = await facts(opened)

    assert ("postgres", 18, Role.PRIMARY) == (known.flavour, known.version[0], known.role)
    assert known.started_at is not None
    assert 0 <= time.time() - known.started_at < 3600
    assert known.clock is not None
    assert abs(time.time() - known.clock) < 2
    assert postgres_18.psql("SELECT system_identifier FROM pg_control_system()") == known.system_identifier
    assert known.extensions["plpgsql"]
    assert known.probes["pg_monitor"]


async def test_a_session_is_guarded_from_its_first_statement_on(postgres_18: Postgres) -> None:
    columns = ", ".join(f"current_setting('{name}') AS {name}" for name in GUARDS)
    async with session(postgres_18.instance()) as opened:
        rows = await opened.fetch(query(f"SELECT {columns}", timeout_seconds=5.0))

    assert [GUARDS] == rows.dicts()


@pytest.mark.parametrize("sql", FAULTS)
async def test_a_fault_has_its_reason_and_leaves_the_session_usable(postgres_18: Postgres, sql: str) -> None:
    async with session(postgres_18.instance()) as opened:
        with pytest.raises(EngineError) as caught:
            await opened.fetch(query(sql, timeout_seconds=0.3))
        again = await opened.fetch(query("SELECT 1 AS n"))

        assert FAULTS[sql] == caught.value.reason
        assert "client data" not in caught.value.message
        assert "\n" not in caught.value.message
        assert not opened.broken
        assert [{"n": 1}] == again.dicts()


async def test_a_wait_for_a_lock_ends_after_a_fifth_of_a_second(postgres_18: Postgres) -> None:
    postgres_18.psql("CREATE TABLE locked (n int); GRANT SELECT ON locked TO PUBLIC")
    holder = await postgres_18.admin()
    try:
        await holder.execute("BEGIN; LOCK TABLE locked IN ACCESS EXCLUSIVE MODE")
        async with session(postgres_18.instance()) as opened:
            started = time.monotonic()
            with pytest.raises(EngineError) as caught:
                await opened.fetch(query("SELECT n FROM public.locked"))

            assert Reason.LOCK == caught.value.reason
            assert 0.15 < time.monotonic() - started < 3
            assert not opened.broken
    finally:
        await holder.close()
        postgres_18.psql("DROP TABLE locked")


async def test_a_silent_network_breaks_the_session_within_its_deadline(
    postgres_18: Postgres, proxy: Callable[[int], Proxy]
) -> None:
    between = proxy(postgres_18.port)
    opened = await engine().connect(instance(postgres_18.instance(port=between.port)), Lane.FAST)
    between.pause()
    started = time.monotonic()
    with pytest.raises(EngineError) as caught:
        await opened.fetch(query("SELECT 1", timeout_seconds=0.3))
    await opened.close()

    assert Reason.TIMEOUT == caught.value.reason
    assert opened.broken
    assert time.monotonic() - started < 5
    between.resume()


async def test_a_cut_connection_is_lost(postgres_18: Postgres, proxy: Callable[[int], Proxy]) -> None:
    between = proxy(postgres_18.port)
    async with session(postgres_18.instance(port=between.port)) as opened:
        answer = asyncio.create_task(opened.fetch(query("SELECT pg_sleep(3)")))
        await asyncio.sleep(0.2)
        between.cut()
        with pytest.raises(EngineError) as caught:
            await answer

        assert Reason.LOST == caught.value.reason
        assert opened.broken


async def test_a_terminated_backend_is_lost(postgres_18: Postgres) -> None:
    async with session(postgres_18.instance()) as opened:
        answer = asyncio.create_task(opened.fetch(query("SELECT pg_sleep(3)")))
        await asyncio.sleep(0.2)
        postgres_18.psql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{MONITOR}'")
        with pytest.raises(EngineError) as caught:
            await answer

        assert Reason.LOST == caught.value.reason
        assert opened.broken


async def test_a_session_that_was_terminated_while_idle_is_broken(postgres_18: Postgres) -> None:
    async with session(postgres_18.instance()) as opened:
        postgres_18.psql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{MONITOR}'")
        await asyncio.sleep(0.2)
        with pytest.raises(EngineError) as caught:
            await opened.ping()

        assert Reason.LOST == caught.value.reason
        assert opened.broken


async def test_a_cancelled_task_leaves_a_session_that_is_not_used_again(postgres_18: Postgres) -> None:
    async with session(postgres_18.instance()) as opened:
        answer = asyncio.create_task(opened.fetch(query("SELECT pg_sleep(3)")))
        await asyncio.sleep(0.1)
        answer.cancel()
        with pytest.raises(asyncio.CancelledError):
            await answer

        assert opened.broken


async def test_a_killed_server_is_lost_and_then_refused(new_postgres: NewPostgres) -> None:
    server = new_postgres()
    async with session(server.instance()) as opened:
        answer = asyncio.create_task(opened.fetch(query("SELECT pg_sleep(3)")))
        await asyncio.sleep(0.2)
        await asyncio.to_thread(server.stop, "immediate")
        with pytest.raises(EngineError) as caught:
            await answer

    assert Reason.LOST == caught.value.reason
    assert Reason.REFUSED == (await refused(server.instance())).reason


async def test_a_server_that_shuts_down_is_starting_not_refused(new_postgres: NewPostgres) -> None:
    server = new_postgres()
    async with session(server.instance()):
        await asyncio.to_thread(server.psql, "SELECT 1")
        stopping = asyncio.create_task(asyncio.to_thread(server.stop, "smart"))
        await asyncio.to_thread(eventually, lambda: "received smart shutdown request" in server.log())
        await asyncio.sleep(0.1)
        error = await refused(server.instance())
    await stopping

    assert Reason.STARTING == error.reason


async def test_a_wrong_password_is_auth_and_is_not_told(postgres_18: Postgres) -> None:
    error = await refused(postgres_18.instance(), monitor={"user": MONITOR, "password": "canary-7f3a"})

    assert Reason.AUTH == error.reason
    assert MONITOR in error.message
    assert "canary-7f3a" not in repr(error)


async def test_no_password_is_auth_whatever_the_environment_says(
    postgres_18: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPASSWORD", "monitor-pass")

    assert Reason.AUTH == (await refused(postgres_18.instance(), monitor={"user": MONITOR})).reason


async def test_a_role_that_may_not_log_in_is_auth(new_postgres: NewPostgres) -> None:
    server = new_postgres()
    server.psql(f"ALTER ROLE {MONITOR} NOLOGIN")

    assert Reason.AUTH == (await refused(server.instance())).reason


async def test_no_line_in_pg_hba_is_auth(new_postgres: NewPostgres) -> None:
    server = new_postgres()
    server.allow(f"host all {MONITOR} 127.0.0.1/32 reject")
    server.reload()
    error = await refused(server.instance())

    assert Reason.AUTH == error.reason
    assert "pg_hba.conf" in error.message


async def test_an_unknown_database_is_missing(postgres_18: Postgres) -> None:
    assert Reason.MISSING == (await refused(postgres_18.instance(database="no_such_database"))).reason


async def test_a_forbidden_database_is_a_matter_of_permission(new_postgres: NewPostgres) -> None:
    server = new_postgres()
    server.psql("CREATE DATABASE closed")
    server.psql("REVOKE CONNECT ON DATABASE closed FROM PUBLIC")

    assert Reason.PERMISSION == (await refused(server.instance(database="closed"))).reason


async def test_a_role_at_its_connection_limit_is_too_many_connections(postgres_18: Postgres) -> None:
    postgres_18.psql(f"ALTER ROLE {BARE} CONNECTION LIMIT 0")
    error = await refused(postgres_18.instance(user=BARE))
    postgres_18.psql(f"ALTER ROLE {BARE} CONNECTION LIMIT -1")

    assert Reason.TOO_MANY_CONNECTIONS == error.reason


async def test_nobody_there_is_refused(postgres_18: Postgres, refused_port: int) -> None:
    assert Reason.REFUSED == (await refused(postgres_18.instance(port=refused_port))).reason
    both_families = await refused(postgres_18.instance(host="localhost", port=refused_port))
    assert Reason.REFUSED == both_families.reason
    assert Reason.REFUSED == (await refused(postgres_18.instance(host="/no/such/directory"))).reason


async def test_a_name_that_does_not_resolve_is_dns(postgres_18: Postgres, unresolvable_host: str) -> None:
    tls = {"mode": "disable"}
    assert Reason.DNS == (await refused(postgres_18.instance(host=unresolvable_host, tls=tls))).reason


async def test_a_black_hole_times_out_at_the_connect_timeout(postgres_18: Postgres, black_hole: int) -> None:
    started = time.monotonic()
    error = await refused(postgres_18.instance(port=black_hole, connect_timeout="500ms"))

    assert Reason.TIMEOUT == error.reason
    assert time.monotonic() - started < 2.5  # where nothing is said it is three


async def test_whole_columns_are_the_same_answer_as_rows(postgres_18: Postgres) -> None:
    sql = """
    WITH answer AS (SELECT n, n::numeric / 4 AS quarter, nullif(n, 2) AS hole, 'r'::"char" AS kind, 'x'::name AS name
                    FROM generate_series(1, 3) AS n)  -- a comment at the end; and a semicolon
    SELECT * FROM answer ORDER BY n DESC;"""
    names = ("n", "quarter", "hole", "kind", "name")
    async with session(postgres_18.instance(), Lane.FAST) as fast, session(postgres_18.instance(), Lane.SLOW) as slow:
        by_row = await fast.fetch(query(sql, *names))
        by_column = await slow.fetch(query(sql, *names))

    assert by_row.dicts() == by_column.dicts()
    assert [3, 2, 1] == list(by_column.column("n"))
    assert [0.75, 0.5, 0.25] == list(by_column.column("quarter"))
    assert [3, None, 1] == list(by_column.column("hole"))
    assert ["r", "r", "r"] == list(by_column.column("kind"))


@pytest.mark.parametrize("name", ["postgres_18", "postgres_15"])
async def test_the_version_in_one_number_is_the_servers_own(request: pytest.FixtureRequest, name: str) -> None:
    server: Postgres = request.getfixturevalue(name)
    async with session(server.instance()) as opened:
        known = await facts(opened)
        shown = await opened.fetch(query("SHOW server_version_num", "server_version_num"))

    assert str(shown.column("server_version_num")[0]) == version_number(known.version)


@pytest.mark.parametrize("lane", [Lane.FAST, Lane.SLOW])
async def test_no_row_still_has_names(postgres_18: Postgres, lane: Lane) -> None:
    async with session(postgres_18.instance(), lane) as opened:
        rows = await opened.fetch(query("SELECT oid, datname FROM pg_database WHERE false", "oid", "datname"))
        shown = await opened.fetch(query("SHOW server_version_num", "server_version_num"))

    assert (("oid", "datname"), 0) == (rows.names, len(rows))
    assert str(shown.column("server_version_num")[0]).startswith("18")


async def test_a_column_that_is_not_there_is_missing(postgres_18: Postgres) -> None:
    async with session(postgres_18.instance(), Lane.SLOW) as opened:
        with pytest.raises(EngineError) as caught:
            await opened.fetch(query("SELECT 1 AS n", "n", "m"))

    assert Reason.MISSING == caught.value.reason


async def test_a_statement_is_prepared_once(postgres_18: Postgres) -> None:
    async with session(postgres_18.instance()) as opened:
        for _ in range(5):
            await opened.fetch(query("SELECT count(*) AS n FROM pg_class"))
        rows = await opened.fetch(query("SELECT count(*) AS n FROM pg_prepared_statements"))

    assert [2] == list(rows.column("n"))


async def test_a_prepared_statement_survives_a_changed_result_type(postgres_18: Postgres) -> None:
    postgres_18.psql("CREATE TABLE changing (n int); GRANT SELECT ON changing TO PUBLIC")
    async with session(postgres_18.instance()) as opened:
        await opened.fetch(query("SELECT * FROM public.changing"))
        postgres_18.psql("ALTER TABLE changing ALTER n TYPE text")
        rows = await opened.fetch(query("SELECT * FROM public.changing"))
    postgres_18.psql("DROP TABLE changing")

    assert Rows(("n",), ((),)) == rows


async def test_a_healthy_life_leaves_nothing_in_the_log(new_postgres: NewPostgres) -> None:
    server = new_postgres("log_min_messages = info")
    before = len(server.log().splitlines())
    for lane in Lane:
        async with session(server.instance(), lane) as opened:
            await facts(opened)
            await opened.ping()
    told = [line for line in server.log().splitlines()[before:] if "dbwatch" in line]

    assert [] == told
    await asyncio.to_thread(eventually, lambda: server.backends() == 0)


async def test_close_is_bounded_and_never_raises(postgres_18: Postgres, proxy: Callable[[int], Proxy]) -> None:
    between = proxy(postgres_18.port)
    opened = await engine().connect(instance(postgres_18.instance(port=between.port)), Lane.FAST)
    between.pause()
    started = time.monotonic()
    await opened.close()
    await opened.close()

    assert time.monotonic() - started < 5
    between.resume()


async def test_a_database_whose_name_is_unusual_is_entered(postgres_18: Postgres) -> None:
    name = 'quote" back\\slash\nnewline \N{GRINNING FACE}'
    admin = await postgres_18.admin()
    try:
        await admin.execute('CREATE DATABASE "{}"'.format(name.replace('"', '""')))
        async with session(postgres_18.instance(), database=name) as opened:
            rows = await opened.fetch(query("SELECT current_database() AS name"))
        await admin.execute('DROP DATABASE "{}" WITH (FORCE)'.format(name.replace('"', '""')))
    finally:
        await admin.close()

    assert [name] == list(rows.column("name"))
