"""A PostgreSQL that cannot be reached, in every way there is: what the page says, and how it comes back."""

from __future__ import annotations

import math
import shutil
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.fix_postgres import BARE, MONITOR, PASSWORD
from tests.fix_process import eventually
from tests.postgres_watching import accidents, fed, page_with, quick, settled, told, watched

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.fix_daemon import NewDaemon, Samples
    from tests.fix_network import Proxy
    from tests.fix_postgres import NewPostgres, Postgres

pytestmark = [pytest.mark.system, pytest.mark.engine]
ABOUT_LOGINS = {"dbwatch_up", "dbwatch_up_reason", "dbwatch_maintenance"}
SETTINGS = {"dbwatch_threshold"}  # what alert rules compare with is known of a server that nobody reached, too


def reasons(page: Samples) -> dict[str, str]:
    """Why each instance that is down is down."""
    labels = [dict(own) for own in page.where("dbwatch_up_reason")]
    return {each["db_instance"]: each["reason"] for each in labels}


def shown_of(page: Samples, instance: str) -> set[str]:
    return {name for name, own in page if ("db_instance", instance) in own}


def starting(server: Postgres) -> None:
    """Make the server one that has begun to start and lets nobody in yet."""
    server.stop()
    (server.data_directory / "standby.signal").touch()
    server.configure("hot_standby = off")
    server.launch()
    eventually(lambda: "entering standby mode" in server.log())


def test_every_server_down_at_start_is_told_and_each_comes_up_by_itself(
    daemon: NewDaemon,
    new_postgres: NewPostgres,
    proxy: Callable[[int], Proxy],
    black_hole: int,
    unresolvable_host: str,
) -> None:
    stopped, strict, recovering, behind = new_postgres(), new_postgres(), new_postgres(), new_postgres()
    silent = proxy(behind.port)
    silent.pause()
    stopped.stop()
    starting(recovering)
    strict.psql(f"ALTER ROLE {BARE} CONNECTION LIMIT 0")
    began = time.monotonic()
    nobody: dict[str, Any] = {"tls": {"mode": "disable"}, "host": unresolvable_host}
    down = {
        "stopped": ("refused", quick(stopped)),
        "silent": ("timeout", quick(behind, port=silent.port)),
        "recovering": ("starting", quick(recovering)),
        "full": ("too_many_connections", quick(strict, user=BARE)),
        "deaf": ("timeout", quick(stopped, port=black_hole)),
        "nowhere": ("dns", quick(stopped, **nobody)),
        "wrong": ("auth", quick(strict, monitor={"user": MONITOR, "password": "wrong"})),
    }
    running = daemon({"instances": {name: instance for name, (_, instance) in down.items()}}, wait=False)
    eventually(lambda: running.status("/-/healthy") == 200)
    started = time.monotonic()
    running.wait_ready()
    ready_seconds = time.monotonic() - started
    at_start = page_with(running, lambda page: len(reasons(page)) == len(down))
    time.sleep(3)
    crowding = [line for line in accidents(strict) if "too many connections" in line]
    crowded_seconds = time.monotonic() - began
    stopped.start()
    silent.resume()
    recovering.stop("immediate")
    (recovering.data_directory / "standby.signal").unlink()
    recovering.start()
    strict.psql(f"ALTER ROLE {BARE} CONNECTION LIMIT 4")
    for name in ("stopped", "silent", "recovering"):
        settled(running, db_instance=name)
    later = running.wait_for("dbwatch_up", 1.0, db_instance="full")
    time.sleep(max(0.0, started + 15 - time.monotonic()))
    refused = [line for line in accidents(strict) if "password authentication failed" in line]

    assert ready_seconds < 5
    assert {name: reason for name, (reason, _) in down.items()} == reasons(at_start)
    assert [ABOUT_LOGINS | SETTINGS] * len(down) == [shown_of(at_start, name) for name in down]
    assert {0.0} == set(at_start.where("dbwatch_up").values())
    assert {"deaf": "timeout", "nowhere": "dns", "wrong": "auth"} == reasons(later)
    # Ever more seldom: after half a second at the earliest, and each time twice as long.
    assert 2 <= len(crowding) <= 1 + math.log2(1 + 2 * crowded_seconds)
    assert 1 == len(refused)  # in 15 s: no account gets locked by us


def test_a_page_is_answered_at_once_while_servers_are_black_holes(
    daemon: NewDaemon, postgres_18: Postgres, black_hole: int
) -> None:
    deaf = {f"deaf{number}": quick(postgres_18, port=black_hole) for number in range(20)}
    running = daemon({"instances": {"pg": quick(postgres_18), **deaf}})
    page = settled(running, db_instance="pg")
    seconds = []
    for _ in range(20):
        started = time.monotonic()
        running.get("/metrics")
        seconds.append(time.monotonic() - started)

    assert 20 == len(reasons(page))
    assert sorted(seconds)[-4] < 0.5  # a black hole costs a whole one


def test_a_server_gone_silent_in_mid_stream_keeps_its_last_values_for_three_intervals(
    daemon: NewDaemon, postgres_18: Postgres, proxy: Callable[[int], Proxy]
) -> None:
    between = proxy(postgres_18.port)
    running = daemon(watched(postgres_18, port=between.port, interval=1.0, connect_timeout=0.5))
    settled(running)
    between.pause()
    down = running.wait_for("dbwatch_up", 0.0)
    failing = page_with(running, lambda page: page.value("dbwatch_collector_success", collector="sessions") == 0.0)
    empty = page_with(running, lambda page: not fed(page))
    between.resume()
    running.wait_for("dbwatch_up", 1.0)
    settled(running)  # a lane that failed once more waits its 30 s once more

    assert {"pg": "timeout"} == reasons(down)
    assert "sessions" in fed(failing)
    assert down.value("dbwatch_role", role="primary") is None
    assert empty.value("dbwatch_collector_success", collector="sessions") == 0.0
    assert postgres_18.backends() <= 4


def test_tls_is_verified_and_each_refusal_names_its_remedy(daemon: NewDaemon, new_postgres: NewPostgres) -> None:
    server, elsewhere = new_postgres(tls=True), new_postgres(tls=True)
    assert server.certificates is not None
    assert elsewhere.certificates is not None
    shutil.copy(elsewhere.certificates.wrong_name_certificate, elsewhere.certificates.server_certificate)
    elsewhere.reload()
    ca_file, stranger = str(server.certificates.ca_file), str(server.certificates.other_ca_file)
    running = daemon(
        {
            "instances": {
                "verified": quick(server, tls={"mode": "verify-full", "ca_file": ca_file}),
                "stranger": quick(server, tls={"mode": "verify-full", "ca_file": stranger}),
                "elsewhere": quick(
                    elsewhere, tls={"mode": "verify-full", "ca_file": str(elsewhere.certificates.ca_file)}
                ),
            }
        }
    )
    page = settled(running, db_instance="verified")
    encrypted = server.psql(
        "SELECT bool_and(s.ssl) FROM pg_stat_activity AS a JOIN pg_stat_ssl AS s USING (pid)"
        f" WHERE a.usename = '{MONITOR}'"
    )

    assert {"stranger": "tls", "elsewhere": "tls"} == reasons(page)
    assert "t" == encrypted
    assert "tls.ca_file" in told(running, "stranger")["message"]
    assert "verify-ca" in told(running, "elsewhere")["message"]
    assert [] == accidents(server)


def test_a_new_password_file_ends_the_wait_after_a_refused_password(
    daemon: NewDaemon, new_postgres: NewPostgres, tmp_path: Path
) -> None:
    server = new_postgres()
    password_file = tmp_path / "password"
    password_file.write_text("wrong")
    password_file.chmod(0o600)
    running = daemon(watched(server, monitor={"user": MONITOR, "password_file": str(password_file)}))
    running.wait_for("dbwatch_up", 0.0)
    password_file.write_text(PASSWORD)
    settled(running)

    assert 1 == len(accidents(server))


def test_a_password_changed_under_a_running_daemon_is_tried_once_by_each_session_at_the_most(
    daemon: NewDaemon, new_postgres: NewPostgres
) -> None:
    server = new_postgres()
    running = daemon(watched(server))
    settled(running)
    server.psql(f"ALTER ROLE {MONITOR} PASSWORD 'another'")
    down = running.wait_for("dbwatch_up", 0.0)
    server.psql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{MONITOR}'")
    time.sleep(2.5)
    failed = [line for line in accidents(server) if "password authentication failed" in line]

    assert {"pg": "auth"} == reasons(down)
    assert 1 <= len(failed) <= 4
    assert "password" in told(running)["remedy"]


async def test_a_full_server_is_too_many_connections_until_a_place_is_free(
    daemon: NewDaemon, new_postgres: NewPostgres
) -> None:
    server = new_postgres("max_connections = 8")
    others = [await server.connect(BARE) for _ in range(5)]
    running = daemon(watched(server))
    down = running.wait_for("dbwatch_up", 0.0)
    for other in others:
        await other.close()
    settled(running)

    assert {"pg": "too_many_connections"} == reasons(down)
