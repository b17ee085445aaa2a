"""What we leave behind: nothing in a healthy server's log, and after a thousand polls with faults nothing in memory."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.fix_life import own_collector
from tests.fix_postgres import MONITOR
from tests.fix_process import eventually
from tests.postgres_watching import accidents, only, quick, settled, watched

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.fix_daemon import Daemon, NewDaemon
    from tests.fix_network import Proxy
    from tests.fix_postgres import NewPostgres, NewStandby, Postgres

pytestmark = [pytest.mark.system, pytest.mark.engine]

POLLS = 1000
INTERVAL = 0.06
RSS_TOLERANCE_BYTES = 4 * 1024 * 1024
NAPS = f"SELECT count(*) FROM pg_stat_activity WHERE usename = '{MONITOR}' AND wait_event = 'PgSleep'"
KILL_OURS = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{MONITOR}'"


def test_a_healthy_server_has_nothing_to_say_about_us_from_start_to_stop(
    daemon: NewDaemon, new_postgres: NewPostgres, standby: NewStandby
) -> None:
    plain, encrypted = new_postgres(), new_postgres(tls=True)
    replica = standby(encrypted)
    servers = (plain, encrypted, replica)
    for server in (plain, encrypted):
        server.psql("CREATE DATABASE voirie")
        server.psql("CREATE TABLE t (n int PRIMARY KEY)", database="voirie")
    eventually(lambda: replica.psql("SELECT status FROM pg_stat_wal_receiver") == "streaming")
    assert encrypted.certificates is not None
    verified: dict[str, Any] = {"tls": {"mode": "verify-full", "ca_file": str(encrypted.certificates.ca_file)}}
    instances = {
        "plain": quick(plain),
        "encrypted": quick(encrypted, **verified),
        "replica": quick(replica, **verified),
    }
    marks = [len(server.log()) for server in servers]
    for _ in range(2):
        running = daemon({"instances": instances})
        page = [settled(running, db_instance=name) for name in instances][-1]
        assert 0 == running.stop()

    assert {1.0} == set(page.where("dbwatch_up").values())
    assert [[]] * 3 == [accidents(server, mark) for server, mark in zip(servers, marks, strict=True)]
    eventually(lambda: [0] * 3 == [server.backends() for server in servers])


def test_a_statement_that_is_under_way_at_the_stop_is_answered_and_not_cancelled(
    daemon: NewDaemon, new_postgres: NewPostgres, tmp_path: Path
) -> None:
    server = new_postgres()
    own_collector(tmp_path, "nap", "SELECT 1 AS n FROM pg_sleep(0.3)", interval="1s", lane="slow")
    alone: dict[str, Any] = {"sampler_interval": None, "collectors": only(), "fast_interval": 1.0}
    instances = {"pg": server.instance() | alone}
    running = daemon({"instances": instances, "collectors_dir": str(tmp_path)})
    running.wait_for("dbwatch_collector_success", 1.0, collector="nap")
    mark = len(server.log())
    eventually(lambda: server.psql(NAPS) == "1", every_seconds=0.01)

    assert 0 == running.stop()

    assert [] == accidents(server, mark)
    eventually(lambda: server.backends() == 0)


def polls(daemon: Daemon) -> float:
    return daemon.scrape().value("dbwatch_poll_lateness_seconds_count") or 0.0


def poll_on(daemon: Daemon, count: float) -> None:
    """Wait until so many more collectors have run."""
    limit = polls(daemon) + count
    eventually(lambda: polls(daemon) >= limit, timeout_seconds=120, every_seconds=0.2)


def calm(daemon: Daemon, server: Postgres) -> tuple[int, int]:
    """Sessions at the server and descriptors of the process, between two rounds of the slow lane."""
    settled(daemon)
    backends = min(server.backends() for _ in range(20))
    descriptors = []
    for _ in range(60):
        descriptors.append(daemon.fd_count())
        time.sleep(0.015)
    return backends, min(descriptors)


def trouble(server: Postgres, between: Proxy) -> None:
    """Everything that makes sessions break."""
    server.psql(KILL_OURS)
    time.sleep(0.8)
    between.pause()
    time.sleep(0.7)
    between.resume()
    between.cut()
    time.sleep(0.5)
    server.restart()


@pytest.mark.slow
def test_a_thousand_polls_with_faults_leave_nothing_behind(
    daemon: NewDaemon, new_postgres: NewPostgres, proxy: Callable[[int], Proxy]
) -> None:
    server = new_postgres()
    server.psql("SELECT format('CREATE TABLE t%s (n int)', g) FROM generate_series(1, 50) AS g \\gexec")
    between = proxy(server.port)
    running = daemon(watched(server, interval=INTERVAL, port=between.port, probe_interval=0.5, connect_timeout=0.4))
    trouble(server, between)
    poll_on(running, POLLS / 5)
    before, rss_before = calm(running, server), running.rss_bytes()
    for _ in range(2):
        trouble(server, between)
        poll_on(running, POLLS / 2.5)
    after, rss_after = calm(running, server), running.rss_bytes()

    assert (2, 2) == (before[0], after[0])
    assert after[1] <= before[1]
    assert rss_after - rss_before < RSS_TOLERANCE_BYTES
    assert 0.0 == sum(running.scrape().where("dbwatch_task_crashes_total").values())
