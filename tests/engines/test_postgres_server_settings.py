"""The settings of the server: its own and never ours, in base units; what waits for a restart or cannot be used."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from dbwatch.cli import doctor
from dbwatch.core.model import Lane
from dbwatch.engines.postgres_login import GUARDS
from dbwatch.poller import asking
from dbwatch.poller.once import Target
from tests.fix_postgres import MONITOR
from tests.postgres_asking import ENGINE, engine, facts, instance, ours, query, see, session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.fix_pgbouncer import PgBouncer
    from tests.fix_postgres import Binaries, Clusters, Postgres
    from tests.postgres_asking import Seen

    NewPooler = Callable[[Postgres], PgBouncer]

pytestmark = pytest.mark.engine

SETTINGS, PENDING = "settings", "dbwatch_setting_pending_restart"
# What a setting means, said by other code of the server than ours: with its unit, as SHOW writes it.
MEANT = """
SELECT name, CASE WHEN vartype = 'bool' THEN current_setting(name)::boolean::integer::float8
                  WHEN setting LIKE '-%' OR unit IS NULL THEN setting::float8
                  WHEN unit IN ('ms', 's', 'min') THEN extract(epoch FROM current_setting(name)::interval)::float8
                  ELSE pg_size_bytes(current_setting(name))::float8 END
FROM pg_settings WHERE vartype IN ('bool', 'integer', 'real') AND name NOT LIKE '%_mode' AND name NOT LIKE 'tcp_keep%'
"""


@pytest.fixture(scope="module")
def server(clusters: Clusters, postgres_18_binaries: Binaries) -> Iterator[Postgres]:
    """An 18 whose settings change; each test leaves them as it found them."""
    with clusters.new(postgres_18_binaries, "log_min_messages = fatal") as own:
        yield own


def value(seen: Seen, name: str) -> float | None:
    return seen.get(f"dbwatch_setting_value{{name={name}}}")


def hash_of(seen: Seen) -> str:
    (name,) = (name for name in seen if name.startswith("dbwatch_settings_hash_info"))
    return name


async def changed(server: Postgres, *statements: str) -> Seen:
    """Run them, reload, and look once a new session has the new settings."""
    for statement in statements:
        server.psql(statement)
    loaded = server.psql("SELECT pg_conf_load_time()")
    server.reload()
    for _ in range(600):
        if server.psql("SELECT pg_conf_load_time()") != loaded:
            break
        await asyncio.sleep(0.05)
    await asyncio.sleep(0.1)
    return await see(server.instance(), SETTINGS)


@pytest.mark.parametrize("version", ["postgres_18", "postgres_15"])
async def test_settings_are_in_bytes_and_seconds(version: str, request: pytest.FixtureRequest) -> None:
    server: Postgres = request.getfixturevalue(version)
    meant = {
        f"dbwatch_setting_value{{name={name}}}": float(number)
        for name, number in (line.split("|") for line in server.psql(MEANT).splitlines())
    }
    seen = await see(server.instance(), SETTINGS)
    shown = {name: number for name, number in seen.items() if "setting_value" in name and "tcp_keep" not in name}

    assert {name: pytest.approx(meant[name]) for name in shown} == shown
    assert 120 < len(shown) < 200
    assert (134217728 / 4, 300, -1) == tuple(
        value(seen, name) for name in ("shared_buffers", "checkpoint_timeout", "log_min_duration_statement")
    )


async def test_what_our_session_sets_for_itself_is_not_shown_as_the_servers(server: Postgres) -> None:
    names = [name for name in GUARDS if server.psql(f"SELECT vartype FROM pg_settings WHERE name = '{name}'") != "enum"]
    async with session(server.instance(), Lane.SLOW) as opened:
        await opened.fetch(query("SELECT 1 AS n", timeout_seconds=7))  # sets a statement_timeout
        own = await opened.fetch(query("SELECT current_setting('statement_timeout') AS n", timeout_seconds=7))
        known = await facts(opened)
        rows = await opened.fetch(asking.query(ours().collectors[ENGINE, SETTINGS], known))
    shown = dict(zip(rows.column("name"), rows.column("value"), strict=True))
    reset = "SELECT reset_val || coalesce(unit, '') FROM pg_settings WHERE name = '{}'".format

    assert ["7s"] == list(own.column("n"))
    assert 0 == shown["statement_timeout"] == shown["lock_timeout"] == shown["idle_session_timeout"]
    assert ("4096kB", "on", "2") == tuple(
        server.psql(reset(name)) for name in ("work_mem", "jit", "max_parallel_workers_per_gather")
    )
    assert (4194304, 1, 2) == tuple(shown[name] for name in ("work_mem", "jit", "max_parallel_workers_per_gather"))
    # What goes with the login hides the server's value: it is absent.
    assert ["default_transaction_read_only", "search_path"] == sorted(name for name in names if name not in shown)


async def test_a_pooler_changes_nothing_of_it(postgres_18: Postgres, pgbouncer: NewPooler) -> None:
    pooled = await see(pgbouncer(postgres_18).instance(), SETTINGS)
    direct = await see(postgres_18.instance(), SETTINGS)

    assert (4194304, 0) == (value(pooled, "work_mem"), value(pooled, "lock_timeout"))
    # Through the pooler nothing goes with the login: the hash is over some more names.
    assert {hash_of(direct)} == {name for name in direct if direct[name] != pooled.get(name)}


async def test_a_changed_setting_changes_its_value_and_the_hash_and_undone_both_are_back(server: Postgres) -> None:
    before = await see(server.instance(), SETTINGS)
    again = await see(server.instance(), SETTINGS)
    after = await changed(server, "ALTER SYSTEM SET work_mem = '7MB'")
    undone = await changed(server, "ALTER SYSTEM RESET work_mem")
    text = await changed(server, "ALTER SYSTEM SET archive_command = 'cp %p /elsewhere'")
    await changed(server, "ALTER SYSTEM RESET archive_command")

    assert before == again
    assert (4194304, 7340032, 4194304) == tuple(value(seen, "work_mem") for seen in (before, after, undone))
    assert hash_of(before) == hash_of(undone)
    assert 3 == len({hash_of(seen) for seen in (before, after, text)})
    family = "dbwatch_pg_config_load_timestamp_seconds"
    assert before[family] < after[family] < undone[family]


async def test_what_is_set_for_our_account_alone_is_not_the_servers(server: Postgres) -> None:
    server.psql(f"ALTER ROLE {MONITOR} SET work_mem = '9MB'; ALTER ROLE ALL SET temp_buffers = '9MB'")
    server.psql("ALTER DATABASE postgres SET random_page_cost = 1.5")
    seen = await see(server.instance(), SETTINGS)
    server.psql(f"ALTER ROLE {MONITOR} RESET work_mem; ALTER ROLE ALL RESET temp_buffers")
    server.psql("ALTER DATABASE postgres RESET random_page_cost")
    after = await see(server.instance(), SETTINGS)

    assert (None, None, 9437184) == tuple(value(seen, n) for n in ("work_mem", "random_page_cost", "temp_buffers"))
    assert (4194304, 4, 8388608) == tuple(value(after, n) for n in ("work_mem", "random_page_cost", "temp_buffers"))


async def test_what_waits_for_a_restart_is_named(server: Postgres) -> None:
    waiting = await changed(server, "ALTER SYSTEM SET shared_buffers = '40MB'")
    undone = await changed(server, "ALTER SYSTEM RESET shared_buffers")

    assert {f"{PENDING}{{name=shared_buffers}}": 1} == {
        name: number for name, number in waiting.items() if name.startswith(PENDING)
    }
    assert 33554432 == value(waiting, "shared_buffers")
    assert [] == [name for name in undone if name.startswith(PENDING)]


async def test_lines_that_the_server_cannot_use_are_counted_where_we_may_read_them(server: Postgres) -> None:
    family = "dbwatch_pg_configuration_errors{{file={}}}".format
    item = ours().collectors[ENGINE, "configuration_files"]
    functions = ("pg_catalog.pg_show_all_file_settings()", "pg_catalog.pg_hba_file_rules()")
    said = (await doctor.examine(Target(instance(server.instance()), engine(), ours()))).lines
    async with session(server.instance()) as opened:
        before = await facts(opened)
        for function in functions:
            server.psql(f"GRANT EXECUTE ON FUNCTION {function} TO {MONITOR}")
        known = await facts(opened)
    sound = await see(server.instance(), item.name)
    server.configure("work_mem = 'lots'")
    server.allow("host all nobody nowhere at all")
    await changed(server, "ALTER SYSTEM SET shared_buffers = '40MB'")  # which waits, and is no error
    broken = await see(server.instance(), item.name)

    assert ("optional", "") == (asking.left_out(item, before), asking.left_out(item, known))
    remedy = asking.remedy(ours(), item, before, MONITOR)
    assert [f"GRANT EXECUTE ON FUNCTION {function} TO {MONITOR};" for function in functions] == remedy.splitlines()
    at = said.index("  left out configuration_files: what it takes is optional, and missing")
    assert remedy.splitlines() == [line.strip() for line in said[at + 1 : at + 3]]
    assert {family("settings"): 0, family("hba"): 0} == sound
    assert {family("settings"): 1, family("hba"): 1} == broken
