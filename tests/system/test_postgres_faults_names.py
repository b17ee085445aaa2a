"""Names, NULLs and numbers that break a page elsewhere; databases and tables that come, go and are many."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.fix_postgres import MONITOR
from tests.fix_process import eventually
from tests.postgres_watching import accepted, accidents, fresh, only, page_with, present, settled, watched

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.fix_daemon import NewDaemon
    from tests.fix_postgres import NewPostgres, Postgres

pytestmark = [pytest.mark.system, pytest.mark.engine]

# Quotes of both kinds, a backslash, a line break, a tab, an emoji, percent signs, braces, and a label of our own.
ODD = 'é "q" \'s\' \\n \\ \n\t🐘 100% %s {x} {db_instance="y"} #'
FAMILIES = """
dbwatch_acme_seen: {type: gauge, help: "Of no use.", labels: [database], engines: [postgres]}
dbwatch_acme_unknown: {type: gauge, help: "Of no use.", labels: [database], engines: [postgres]}
"""
SLOW_IN_AAA = """/* ---
description: Takes its time in one database.
scope: database
interval: 1s
timeout: 5s
lane: slow
metrics:
  dbwatch_acme_seen: {value: seen, labels: {database: database}}
--- */
SELECT 42 AS seen FROM (SELECT pg_sleep(CASE current_database() WHEN 'aaa' THEN 0.4 ELSE 0 END)) AS s
"""
ONLY_NULL = """/* ---
description: Nothing is known.
interval: 1s
metrics:
  dbwatch_acme_seen: {value: a, labels: {database: d}}
  dbwatch_acme_unknown: {value: b, labels: {database: d}}
--- */
SELECT NULL::int AS a, NULL::text AS b, NULL::text AS d FROM generate_series(1, 3)
"""


@pytest.fixture
def own(tmp_path: Path) -> Callable[..., dict[str, str]]:
    """Collectors of the operator's own: `own(name=sql)`, as part of a configuration."""

    def write(**collectors: str) -> dict[str, str]:
        (tmp_path / "own" / "postgres").mkdir(parents=True)
        (tmp_path / "own" / "families.yml").write_text(FAMILIES)
        for name, sql in collectors.items():
            (tmp_path / "own" / "postgres" / f"{name}.sql").write_text(sql)
        return {"collectors_dir": str(tmp_path / "own")}

    return write


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


async def test_odd_names_are_true_on_a_page_that_stays_readable(daemon: NewDaemon, new_postgres: NewPostgres) -> None:
    server = new_postgres()
    name = quoted(ODD)
    server.psql(f"CREATE DATABASE {name}")
    server.psql(f"CREATE ROLE {name} LOGIN SUPERUSER")
    inside = await server.admin(database=ODD)
    await inside.execute(f"CREATE SCHEMA {name}; CREATE TABLE {name}.{name} AS SELECT generate_series(1, 10) AS n")
    await inside.execute("SELECT pg_stat_force_next_flush()")  # a later ANALYZE would be added to
    await inside.execute(f"ANALYZE {name}.{name}")
    await inside.close()
    user = await server.connect(ODD, host=str(server.directory), server_settings={"application_name": 'p"q%s\\{x}'})
    await user.execute("BEGIN")
    running = daemon(watched(server, service_accounts=[ODD], applications=['p"q%s\\{x}']))
    settled(running)
    fresh(running, "sessions")
    plain = accepted(running.get("/metrics").text)
    openmetrics = running.get("/metrics", {"Accept": "application/openmetrics-text; version=1.0.0"})
    await user.close()

    where = {"database": ODD, "schema": ODD, "table": ODD}
    assert 10.0 == plain.value("dbwatch_table_rows", **where)
    assert 8192.0 <= (plain.value("dbwatch_table_size_bytes", component="heap", **where) or 0.0)
    assert 10.0 == plain.value("dbwatch_pg_table_changes_total", operation="insert", **where)
    assert 1.0 == plain.value("dbwatch_tables", database=ODD)
    assert 1.0 == plain.value(
        "dbwatch_sessions", user=ODD, app='p"q%s\\{x}', state="idle_in_transaction", database="postgres"
    )
    assert openmetrics.text.endswith("# EOF\n")
    assert [] == accidents(server)


def test_a_collector_that_answers_only_null_gives_no_sample_and_is_no_failure(
    daemon: NewDaemon, postgres_18: Postgres, own: Callable[..., dict[str, str]]
) -> None:
    running = daemon({**watched(postgres_18, collectors=only("unknown")), **own(unknown=ONLY_NULL)})
    page = page_with(running, lambda page: page.value("dbwatch_collector_success", collector="unknown") is not None)

    assert 1.0 == page.value("dbwatch_collector_success", collector="unknown")
    assert 0.0 == page.value("dbwatch_collector_series", collector="unknown")
    assert set() == present(page) & {"dbwatch_acme_seen", "dbwatch_acme_unknown"}


def test_a_database_dropped_in_mid_poll_goes_at_once_and_costs_the_others_nothing(
    daemon: NewDaemon, new_postgres: NewPostgres, own: Callable[..., dict[str, str]]
) -> None:
    server = new_postgres()
    for name in ("aaa", "bbb", "zzz"):
        server.psql(f"CREATE DATABASE {name}")
    overrides = only("database_sizes", "databases") | {"slow": {"interval": 0.5}}
    running = daemon({**watched(server, collectors=overrides), **own(slow=SLOW_IN_AAA)})
    asleep = "SELECT 1 FROM pg_stat_activity WHERE datname = 'aaa' AND wait_event = 'PgSleep'"
    eventually(lambda: server.psql(asleep), every_seconds=0.01)
    server.psql("DROP DATABASE zzz WITH (FORCE)")
    page_with(running, lambda page: page.where("dbwatch_acme_seen"))
    # Its next run comes late: a run that slept for seconds stretches its interval.
    succeeded = ("dbwatch_collector_success", "slow")
    gone = page_with(running, lambda page: page.value(succeeded[0], collector=succeeded[1]) == 1.0, timeout_seconds=90)

    assert {"aaa", "bbb", "postgres"} == {dict(labels)["database"] for labels in gone.where("dbwatch_acme_seen")}
    later = fresh(running, "database_sizes")
    assert {} == later.where("dbwatch_database_size_bytes", database="zzz")
    assert {} == later.where("dbwatch_transactions_total", database="zzz")
    assert {42.0} == set(later.where("dbwatch_acme_seen").values())
    late = [line for line in accidents(server) if f"{MONITOR}@" in line]
    assert len(late) <= 1, late  # the login that came too late
    assert all("does not exist" in line for line in late)


async def test_two_thousand_tables_stay_within_the_budget_and_add_up(
    daemon: NewDaemon, new_postgres: NewPostgres
) -> None:
    server = new_postgres("max_locks_per_transaction = 256")
    make = "SELECT format('CREATE TABLE t%s AS SELECT 1 AS n', g) FROM generate_series({}, {}) AS g \\gexec"
    server.psql(f"BEGIN; {make.format(1, 2000)}\nCOMMIT;")
    await asyncio.sleep(1.1)  # what the counters of the server take to be told
    server.psql("ANALYZE")
    overrides = only("table_sizes", "table_activity", "table_count") | {"table_sizes": {"interval": 1, "top": 20}}
    running = daemon(watched(server, collectors=overrides))
    page = page_with(
        running,
        lambda page: all(map(page.where, ("dbwatch_table_rows", "dbwatch_pg_table_dead_rows", "dbwatch_tables"))),
    )
    first = {dict(own)["table"] for own in page.where("dbwatch_table_rows")}
    page = fresh(running, "table_sizes")
    rows = page.where("dbwatch_table_rows")
    heaps = page.where("dbwatch_table_size_bytes", component="heap")

    assert 2000.0 == page.value("dbwatch_tables", database="postgres")
    assert 21 == len(rows) == len(heaps)
    assert 2000.0 == sum(rows.values())
    assert 2000 * 8192.0 == sum(heaps.values())
    assert first == {dict(own)["table"] for own in rows}
    assert len(page) < 3000
