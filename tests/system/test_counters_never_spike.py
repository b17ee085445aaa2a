"""What Prometheus would count: across resets, restarts, dropped items and a top-N, never more than was done."""

from __future__ import annotations

import time
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from tests.fix_process import eventually
from tests.postgres_watching import fresh, only, watched

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.fix_daemon import Daemon, NewDaemon, Samples
    from tests.fix_postgres import NewPostgres, Postgres

pytestmark = [pytest.mark.system, pytest.mark.engine]
TABLES = 8
OURS_EACH_SECOND = 60  # at most: our own statements are statements too
OTHERS = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'psql' AND pid <> pg_backend_pid()"
CHANGES, CALLS = "dbwatch_pg_table_changes_total", "dbwatch_statement_calls_total"


def increase(pages: Sequence[Samples], family: str, **labels: str) -> float:
    """As rate() does: what a counter lost was a reset, and a series first seen has not grown yet."""
    total = 0.0
    for before, after in pairwise(page.where(family, **labels) for page in pages):
        for key in before.keys() & after.keys():
            total += after[key] - before[key] if after[key] >= before[key] else after[key]
    return total


def fallen(before: Samples, after: Samples) -> list[str]:
    """The counters that lost something."""
    shared = (key for key in before.keys() & after.keys() if key[0].endswith("_total"))
    return sorted({name for name, own in shared if after[name, own] < before[name, own]})


def insert(server: Postgres, rows: int, tables: Sequence[int] = range(TABLES)) -> None:
    server.psql("".join(f"INSERT INTO t{at} SELECT generate_series(1, {rows});" for at in tables))
    eventually(lambda: server.psql(OTHERS) == "0")


def polled(running: Daemon) -> Samples:
    """A page that knows what was done until now; twice, for what the server tells of itself may be a moment old."""
    fresh(running, "table_activity")
    return fresh(running, "table_activity")


def test_table_counters_count_what_was_done_and_no_more(daemon: NewDaemon, new_postgres: NewPostgres) -> None:
    server = new_postgres()
    server.psql("".join(f"CREATE TABLE t{at} (n int);" for at in range(TABLES)))
    insert(server, 1000)
    asked = only("table_activity", "databases")
    asked["table_activity"] |= {"top": 3}
    running = daemon(watched(server, collectors=asked))
    seen = [polled(running)]
    insert(server, 100)
    seen.append(polled(running))
    server.psql("SELECT pg_stat_reset()")
    seen.append(polled(running))
    insert(server, 50)
    seen.append(polled(running))
    server.restart()
    seen.append(polled(running))
    insert(server, 10)
    seen.append(polled(running))
    inserted = increase(seen, CHANGES, operation="insert")
    server.psql("DROP TABLE t0; DROP TABLE t7; CREATE TABLE t7 (n int)")
    for _ in range(4):
        seen.append(polled(running))
        insert(server, 5, range(1, TABLES))
    seen.append(polled(running))
    later = increase(seen, CHANGES, operation="insert") - inserted

    shown = {dict(own)["table"] for own in seen[-1].where(CHANGES)}
    assert (4, True) == (len(shown), "_other" in shown)
    assert TABLES * (100 + 50 + 10) == inserted
    assert 4 * 5 * (TABLES - 2) <= later <= 4 * 5 * (TABLES - 1)
    assert [] == fallen(seen[0], seen[1])
    assert [] == fallen(seen[4], seen[5])


def test_statement_counters_count_what_was_done_and_no_more(daemon: NewDaemon, new_postgres: NewPostgres) -> None:
    server = new_postgres("pg_stat_statements.max = 100")
    running = daemon(watched(server, collectors=only("statements")))

    def calls(number: int) -> Samples:
        server.psql("SELECT 'a'::text || 'b';" * number)
        fresh(running, "statements")
        return fresh(running, "statements")

    calls(1)
    began = time.monotonic()
    seen = [calls(10), calls(7)]
    counted, ours = increase(seen, CALLS), OURS_EACH_SECOND * max(1.0, time.monotonic() - began)
    server.psql("SELECT pg_stat_statements_reset()")
    seen += [calls(5), calls(4)]
    # Two hundred statements push each other out of a table of a hundred.
    server.psql("".join(f"SELECT {', '.join(['1'] * at)};" for at in range(1, 201)))
    seen += [calls(3)]
    total, all_ours = increase(seen, CALLS), OURS_EACH_SECOND * max(5.0, time.monotonic() - began)

    assert 7 <= counted <= 7 + ours
    assert 7 + 5 + 4 + 3 <= total <= 7 + 5 + 4 + 200 + 3 + all_ours
    assert all([] == fallen(before, after) for before, after in pairwise(seen))
