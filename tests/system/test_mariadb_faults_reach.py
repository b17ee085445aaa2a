"""A MariaDB that cannot be reached, in every way there is: what the page says, and how it comes back."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING

import pytest

from tests.fix_mariadb import BARE, MONITOR, PASSWORD
from tests.mariadb_watching import (
    NEVER_EMPTY,
    accidents,
    failing,
    fed,
    page_with,
    quick,
    reasons,
    refreshed,
    settled,
    told,
    watched,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.fix_daemon import NewDaemon
    from tests.fix_mariadb import Mariadb, NewMariadb
    from tests.fix_network import Proxy

pytestmark = [pytest.mark.system, pytest.mark.engine]
ACCOUNT = f"'{MONITOR}'@'127.0.0.1'"
PROBE_SECONDS, A_MOMENT_SECONDS = 2.5, 2.0  # less than another interval, and enough for a busy machine
GRANTS = f"GRANT PROCESS, BINLOG MONITOR, SLAVE MONITOR ON *.* TO {ACCOUNT}"


def denials(server: Mariadb) -> list[str]:
    return [line for line in accidents(server) if "Access denied" in line or "locked" in line]


def test_every_server_down_at_start_is_told_and_each_comes_up_by_itself(
    daemon: NewDaemon, new_mariadb: NewMariadb, proxy: Callable[[int], Proxy], black_hole: int
) -> None:
    server = new_mariadb()
    server.sql(f"ALTER USER {ACCOUNT} WITH MAX_USER_CONNECTIONS 8")  # two of our instances are this one server
    silent = proxy(server.port)
    silent.pause()
    server.stop()
    down = {
        "stopped": quick(server),
        "deaf": quick(server, port=black_hole),
        "silent": quick(server, port=silent.port),
        "nowhere": quick(server, host="no-such-host.invalid", tls={"mode": "disabled"}),
    }
    running = daemon({"instances": down})
    at_start = page_with(running, lambda page: len(reasons(page)) == 4)
    server.start()
    silent.resume()
    settled(running, db_instance="stopped")
    later = settled(running, db_instance="silent")

    assert {"stopped": "refused", "deaf": "timeout", "silent": "timeout", "nowhere": "dns"} == reasons(at_start)
    assert set() == fed(at_start)
    assert {"deaf": "timeout", "nowhere": "dns"} == reasons(later)


def test_a_wrong_password_is_one_failed_login_until_the_password_file_changes(
    daemon: NewDaemon, new_mariadb: NewMariadb, tmp_path: Path
) -> None:
    server = new_mariadb()
    password_file = tmp_path / "password"
    password_file.write_text("wrong")
    password_file.chmod(0o600)
    running = daemon(watched(server, monitor={"user": MONITOR, "password_file": str(password_file)}))
    down = page_with(running, reasons)
    time.sleep(2)  # seven probe intervals
    failed = denials(server)
    password_file.write_text(PASSWORD)
    settled(running)

    assert {"maria": "auth"} == reasons(down)
    assert 1 == len(failed)
    assert failed == denials(server)


def test_a_server_gone_silent_in_mid_stream_keeps_its_last_values_for_three_intervals(
    daemon: NewDaemon, mariadb: Mariadb, proxy: Callable[[int], Proxy]
) -> None:
    between = proxy(mariadb.port)
    running = daemon(watched(mariadb, port=between.port, interval=1.5, connect_timeout=0.5))
    settled(running)
    between.pause()
    down = page_with(running, reasons)
    late = page_with(running, lambda page: "sessions" in failing(page))
    page_with(running, lambda page: not fed(page))
    between.resume()
    settled(running)

    assert {"maria": "timeout"} == reasons(down)
    assert "sessions" in fed(late)
    assert down.value("dbwatch_role", role="primary") is None
    assert mariadb.backends() <= 4


def test_what_a_killed_server_said_goes_and_what_its_successor_says_comes(
    daemon: NewDaemon, new_mariadb: NewMariadb
) -> None:
    server = new_mariadb()
    server.sql("CREATE DATABASE shop; CREATE TABLE shop.t (id int PRIMARY KEY)")
    running = daemon(watched(server))
    before = page_with(running, lambda page: page.value("dbwatch_tables", database="shop") == 1)
    server.kill()
    # A login that is under way then is lost; the next one is refused.
    page_with(running, lambda page: reasons(page) == {"maria": "refused"})
    page_with(running, lambda page: not fed(page))
    server.start()
    server.sql("DROP DATABASE shop")
    after = settled(running)
    since = len(server.log())
    page_with(running, lambda page: page.value("dbwatch_tables", database="shop") is None)

    started = "dbwatch_server_start_timestamp_seconds"
    assert (after.value(started) or 0.0) > (before.value(started) or 0.0)
    assert [] == accidents(server, since)


def test_a_revoked_login_is_down_within_one_probe_interval_although_old_sessions_work(
    daemon: NewDaemon, new_mariadb: NewMariadb
) -> None:
    server = new_mariadb()
    running = daemon(watched(server, probe_interval=PROBE_SECONDS))
    settled(running)
    for revoke, restore in (
        (f"ALTER USER {ACCOUNT} ACCOUNT LOCK", f"ALTER USER {ACCOUNT} ACCOUNT UNLOCK"),
        (f"DROP USER {ACCOUNT}", f"CREATE USER {ACCOUNT} IDENTIFIED BY '{PASSWORD}'; {GRANTS}"),
    ):
        before = len(denials(server))
        server.sql(revoke)
        at = time.monotonic()
        down = page_with(running, reasons)
        seconds = time.monotonic() - at
        time.sleep(PROBE_SECONDS)
        failed = denials(server)[before:]
        server.sql(restore)
        running.send(signal.SIGHUP)
        page_with(running, lambda page: page.value("dbwatch_up") == 1)
        refreshed(running, *NEVER_EMPTY)

        assert {"maria": "auth"} == reasons(down)
        assert 0 == down.value("dbwatch_up")
        assert seconds < PROBE_SECONDS + A_MOMENT_SECONDS
        assert len(failed) <= 3  # the probe's, and those of a lane that saw it first


async def test_a_full_server_is_too_many_connections_and_has_us_back_when_there_is_room(
    daemon: NewDaemon, new_mariadb: NewMariadb
) -> None:
    server = new_mariadb("--max-connections=10")
    crowd = [await server.connect(BARE) for _ in range(10)]
    running = daemon(watched(server))
    down = page_with(running, reasons)
    for each in crowd:
        await each.ensure_closed()
    settled(running)

    assert {"maria": "too_many_connections"} == reasons(down)


def test_an_account_at_its_limit_is_told_and_recovers(daemon: NewDaemon, new_mariadb: NewMariadb) -> None:
    server = new_mariadb()
    server.sql(f"ALTER USER {ACCOUNT} WITH MAX_USER_CONNECTIONS 1")
    running = daemon(watched(server))
    down = page_with(running, reasons)
    server.sql(f"ALTER USER {ACCOUNT} WITH MAX_USER_CONNECTIONS 4")
    settled(running)

    assert {"maria": "too_many_connections"} == reasons(down)
    assert told(running)["up"]
