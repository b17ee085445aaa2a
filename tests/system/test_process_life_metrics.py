"""What a running process shows of itself: its page under strict readers, its log, its memory."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics_families

from tests.fix_daemon import parse_page
from tests.fix_postgres import BARE, PASSWORD
from tests.fix_process import eventually, program

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.fix_daemon import Daemon, NewDaemon
    from tests.fix_mariadb import Mariadb
    from tests.fix_postgres import Postgres

pytestmark = [pytest.mark.system, pytest.mark.engine]
CANARIES = ("canary-Inline1", "canary-Env2", "canary-File3")
RSS_MAX_BYTES = 100 * 2**20


@pytest.fixture
def three(daemon: NewDaemon, postgres_18: Postgres, refused_port: int) -> Daemon:
    """Three instances: one in good health, one without privileges, one that is down."""
    running = daemon(
        {
            "instances": {
                "pg1": postgres_18.instance(labels={"env": "prod", "site": 'n"or\\th'}),
                "bare": postgres_18.instance(user=BARE),
                "down": postgres_18.instance(port=refused_port),
            }
        }
    )
    running.wait_for("dbwatch_sessions_max", 100.0, db_instance="pg1")
    running.wait_for("dbwatch_up", 1.0, db_instance="bare")
    return running


def test_strict_readers_accept_the_page_of_three_instances(three: Daemon) -> None:
    text = three.get("/metrics").text
    checked = subprocess.run(
        [str(program("promtool", want="prometheus")), "check", "metrics"],
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (0, "", "") == (checked.returncode, checked.stdout, checked.stderr)

    page = parse_page(text)
    assert [1.0, 1.0, 0.0] == [page.value("dbwatch_up", db_instance=name) for name in ("pg1", "bare", "down")]
    assert 1.0 == page.value("dbwatch_up_reason", db_instance="down", reason="refused")
    assert 1.0 == page.value("dbwatch_build_info")
    assert 1.0 == page.value("dbwatch_config_last_reload_successful")
    assert 1.6e9 < (page.value("dbwatch_config_last_reload_success_timestamp_seconds") or 0)
    assert 3.0 == page.value("dbwatch_instances")
    assert 0 < (page.value("dbwatch_event_loop_lag_seconds_count") or 0)

    fetched = subprocess.run(
        [str(program("curl")), "--silent", "--fail", "--compressed", f"{three.url}/metrics"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert {name for name, _ in page} <= {name for name, _ in parse_page(fetched.stdout)}

    answer = three.get("/metrics", {"Accept": "application/openmetrics-text; version=1.0.0"})
    assert answer.headers["Content-Type"].startswith("application/openmetrics-text; version=1.0.0")
    families = {family.name for family in openmetrics_families(answer.text)}
    assert {"dbwatch_up", "dbwatch_build", "dbwatch_sessions", "dbwatch_connect_duration_seconds"} <= families


def test_a_strict_reader_of_openmetrics_accepts_the_page_of_a_mariadb(daemon: NewDaemon, mariadb: Mariadb) -> None:
    running = daemon({"instances": {"shop": mariadb.instance()}})
    awaited = ("dbwatch_mysql_status_value{", "dbwatch_mysql_threads{")
    eventually(lambda: all(name in running.get("/metrics").text for name in awaited))
    page = running.get("/metrics", {"Accept": "application/openmetrics-text; version=1.0.0"}).text

    names = [family.name for family in openmetrics_families(page)]

    assert {"dbwatch_mysql_status", "dbwatch_mysql_status_value", "dbwatch_mysql_threads"} <= set(names)
    assert len(names) == len(set(names))


def test_no_secret_leaves_by_the_log_and_transitions_are_told_once(
    daemon: NewDaemon, postgres_18: Postgres, refused_port: int, tmp_path: Path
) -> None:
    inline, in_environment, in_file = CANARIES
    (tmp_path / "secret").write_text(in_file)
    monitors = {
        "inline": {"user": "dbwatch", "password": inline},
        "environment": {"user": "dbwatch", "password_env": "SECRET_OF_MINE"},
        "file": {"user": "dbwatch", "password_file": str(tmp_path / "secret")},
    }
    instances: dict[str, Any] = {name: postgres_18.instance() | {"monitor": each} for name, each in monitors.items()}
    instances["good"] = postgres_18.instance()
    instances["down"] = postgres_18.instance(port=refused_port)
    configuration = {"instances": instances, "logging": {"format": "json", "level": "debug"}}
    running = daemon(configuration, env={"SECRET_OF_MINE": in_environment})
    for name in monitors:
        running.wait_for("dbwatch_up_reason", 1.0, db_instance=name, reason="auth")
    running.wait_for("dbwatch_up", 1.0, db_instance="good")
    _wait_for_attempts(running, "down", 3)
    pages = "".join(running.get(path).text for path in ("/", "/metrics", "/api/v1/instances", "/instances/inline"))
    assert 0 == running.stop()

    events = [json.loads(line) for line in running.log().splitlines()]
    assert all({"timestamp", "level", "event"} <= event.keys() for event in events)
    told = [event["instance"] for event in events if event["event"] == "instance_down"]
    assert sorted([*monitors, "down"]) == sorted(told)  # once each, however often it was tried
    for secret in (*CANARIES, PASSWORD):
        assert secret not in running.log()
        assert secret not in pages


def _wait_for_attempts(running: Daemon, instance: str, count: int) -> None:
    """Wait until a login was tried so often, by the moments at which it was."""
    moments: set[float | None] = set()

    def enough() -> bool:
        moments.add(json.loads(running.get(f"/api/v1/instances/{instance}").text)["checked_at"])
        return len(moments - {None}) >= count

    eventually(enough)


def test_one_small_instance_costs_little_memory(
    daemon: NewDaemon, postgres_18: Postgres, record_property: Callable[[str, object], None]
) -> None:
    running = daemon({"instances": {"pg1": postgres_18.instance()}})
    running.wait_for("dbwatch_sessions_max", 100.0, db_instance="pg1")
    for _ in range(5):
        running.get("/metrics", {"Accept-Encoding": "gzip"})

    rss_bytes = running.rss_bytes()

    record_property("rss_mib", round(rss_bytes / 2**20, 1))
    assert rss_bytes <= RSS_MAX_BYTES
