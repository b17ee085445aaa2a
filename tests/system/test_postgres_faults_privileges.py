"""What our role may not see is absent with the GRANT that gives it, never 0 (F2, F9, F10, F14)."""

from __future__ import annotations

import asyncio
import signal
import time
from typing import TYPE_CHECKING

import pytest

from tests.fix_postgres import BARE, MONITOR
from tests.postgres_watching import (
    NEEDS_PG_MONITOR,
    NEVER_EMPTY,
    POLLED,
    SAMPLER,
    accidents,
    families,
    fed,
    fresh,
    page_with,
    pages,
    present,
    quick,
    settled,
    told,
    watched,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.fix_daemon import NewDaemon, Samples
    from tests.fix_postgres import NewPostgres, Postgres

pytestmark = [pytest.mark.system, pytest.mark.engine]
GUARDED = set[str]().union(*map(families, NEEDS_PG_MONITOR))
PROBE_SECONDS, A_MOMENT_SECONDS = 2.0, 1.5  # less than another interval, and enough for a busy machine


@pytest.fixture
async def server(new_postgres: NewPostgres) -> AsyncIterator[Postgres]:
    """A server on which one session waits for another, so that 0 blocked sessions would be a lie."""
    made = new_postgres()
    made.psql("CREATE TABLE seat (id int); INSERT INTO seat VALUES (1)")
    holder, waiter = await made.admin(), await made.admin()
    await holder.execute("BEGIN; UPDATE seat SET id = 2")
    waiting = asyncio.create_task(waiter.execute("UPDATE seat SET id = 3"))
    await asyncio.sleep(0.2)
    yield made
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    for session in (holder, waiter):
        session.terminate()


def of_tables(page: Samples, database: str) -> list[str]:
    return [name for name, own in page if ("database", database) in own and name.startswith("dbwatch_table")]


def lies(page: Samples) -> list[object]:
    """Samples that say nobody waits and nobody works, which is never true here."""
    names = ("dbwatch_blocked_sessions", "dbwatch_blocking_sessions", "dbwatch_blocking_chain_depth")
    zeros = [(name, value) for name in names for value in page.where(name).values() if value != 1.0]
    sessions = page.where("dbwatch_sessions", database="postgres")
    idle = page.where("dbwatch_sessions", database="postgres", state="idle_in_transaction")
    return [*zeros, *(["no session idle in transaction"] if sessions and set(idle.values()) != {1.0} else [])]


async def test_login_revoked_is_down_within_one_probe_interval_and_a_reload_tries_again(
    daemon: NewDaemon, server: Postgres
) -> None:
    running = daemon(watched(server, probe_interval=PROBE_SECONDS))
    settled(running)
    fresh(running, "sessions")
    await asyncio.to_thread(server.psql, f"ALTER ROLE {MONITOR} NOLOGIN")
    revoked = time.monotonic()
    down = running.wait_for("dbwatch_up", 0.0)
    down_seconds = time.monotonic() - revoked
    held = fresh(running, "sessions")  # the session that was open goes on: its values are true
    await asyncio.sleep(3 * PROBE_SECONDS)
    refused = accidents(server)
    server.psql(f"ALTER ROLE {MONITOR} LOGIN")
    running.send(signal.SIGHUP)
    settled(running)

    assert down_seconds < PROBE_SECONDS + A_MOMENT_SECONDS
    assert 1.0 == down.value("dbwatch_up_reason", reason="auth")
    assert 1.0 == held.value("dbwatch_collector_success", collector="sessions")
    assert 1 <= len(refused) <= 4  # the probe, and what was about to log in
    assert all("not permitted to log in" in line for line in refused)


async def test_pg_monitor_revoked_is_absent_with_the_grant_and_granted_is_back(
    daemon: NewDaemon, server: Postgres
) -> None:
    running = daemon(watched(server))
    before = settled(running)
    server.psql(f"REVOKE pg_monitor FROM {MONITOR}")
    seen = []
    for page in pages(running, 60):
        seen.append(page)
        if len(page.where("dbwatch_collector_permission_missing")) == len(NEEDS_PG_MONITOR):
            break
    without, status = seen[-1], told(running)["collectors"]
    server.psql(f"GRANT pg_monitor TO {MONITOR}")
    polled = {name for name in NEEDS_PG_MONITOR if name != SAMPLER} & NEVER_EMPTY
    back = page_with(running, lambda page: polled <= fed(page))

    assert set(NEEDS_PG_MONITOR) & NEVER_EMPTY <= fed(before)
    assert set() == GUARDED & present(without)
    for name in NEEDS_PG_MONITOR:
        missing = without.value("dbwatch_collector_permission_missing", collector=name, privilege="pg_monitor")
        assert (name, 1.0) == (name, missing)
        assert "permission" == status[name]["reason"]
        assert f"GRANT pg_monitor TO {MONITOR};" == status[name]["remedy"]
    assert {"databases", "limits", "table_activity", "table_sizes", "table_count"} <= fed(without)
    assert [[]] * len(seen) == [lies(page) for page in seen]
    assert [] == lies(back)
    assert [] == accidents(server)


async def test_a_role_without_privileges_sees_what_is_open_to_all_and_never_a_zero(
    daemon: NewDaemon, server: Postgres
) -> None:
    running = daemon({"instances": {"bare": quick(server, user=BARE)}})
    page = page_with(
        running,
        lambda page: {dict(own)["collector"] for own in page.where("dbwatch_collector_success")} >= {*POLLED, SAMPLER},
    )
    failed = {dict(own)["collector"] for own, value in page.where("dbwatch_collector_success").items() if value == 0.0}
    told_missing = {dict(own)["collector"] for own in page.where("dbwatch_collector_permission_missing")}

    assert 1.0 == page.value("dbwatch_up")
    assert set(NEEDS_PG_MONITOR) == failed == told_missing
    assert set() == GUARDED & present(page)
    assert set(POLLED) & NEVER_EMPTY - set(NEEDS_PG_MONITOR) <= fed(page) <= set(POLLED) - set(NEEDS_PG_MONITOR)
    assert 100.0 == page.value("dbwatch_sessions_max")
    assert [] == accidents(server)


def test_a_database_that_may_not_be_entered_goes_and_costs_the_others_nothing(
    daemon: NewDaemon, new_postgres: NewPostgres
) -> None:
    server = new_postgres()
    for name in ("etat_civil", "voirie"):
        server.psql(f"CREATE DATABASE {name}")
        server.psql(f"CREATE TABLE of_{name} (n int); ANALYZE of_{name}", database=name)
    running = daemon(watched(server))
    before = settled(running)
    server.psql("REVOKE CONNECT ON DATABASE etat_civil FROM public")
    page = page_with(running, lambda page: not of_tables(page, "etat_civil"), timeout_seconds=60)
    after = fresh(running, "database_sizes")
    server.psql(f"GRANT CONNECT ON DATABASE etat_civil TO {MONITOR}")
    # What costs much is asked less often: on a busy machine that stretches the interval to seconds.
    page_with(running, lambda page: page.where("dbwatch_table_size_bytes", database="etat_civil"), timeout_seconds=60)

    assert before.where("dbwatch_table_size_bytes", database="etat_civil", table="of_etat_civil")
    assert 1.0 == page.value("dbwatch_tables", database="voirie")
    size = after.value("dbwatch_database_size_bytes", database="etat_civil")
    assert size is not None
    assert size > 1e6
    assert after.value("dbwatch_transactions_total", database="etat_civil", outcome="committed") is not None
    # The right may go between the list of databases and the login: that one refusal is in the log, and no other.
    assert accidents(server)[1:] == []
    assert all('permission denied for database "etat_civil"' in line for line in accidents(server))
