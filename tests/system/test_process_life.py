"""How the process ends: SIGTERM in every state that servers and clients can put it in, and kill -9."""

from __future__ import annotations

import signal
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tests.fix_life import Stopwatch, half_a_request, hung_driver, own_collector
from tests.fix_process import eventually

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.fix_daemon import NewDaemon
    from tests.fix_network import Proxy
    from tests.fix_postgres import Postgres

pytestmark = [pytest.mark.system, pytest.mark.engine]
STOP_AT_MOST_SECONDS, A_MOMENT_SECONDS = 5.0, 3.0  # what a busy machine may add
SLEEPS = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)%' AND pid <> pg_backend_pid()"


def test_sigterm_ends_a_healthy_daemon_in_order_and_closes_every_session(
    daemon: NewDaemon, postgres_18: Postgres
) -> None:
    running = daemon({"instances": {"pg1": postgres_18.instance()}})
    running.wait_for("dbwatch_sessions_max", 100.0, db_instance="pg1")
    watch = Stopwatch()

    running.send(signal.SIGTERM)

    assert 0 == running.wait()
    assert watch.seconds < 2.9  # those that hang are waited for during three
    eventually(lambda: postgres_18.backends() == 0, timeout_seconds=10)
    assert not (running.directory / "control.sock").exists()
    assert "Traceback" not in running.log()


def test_sigterm_ends_it_within_five_seconds_whatever_hangs(
    daemon: NewDaemon, postgres_18: Postgres, black_hole: int, proxy: Callable[[int], Proxy], tmp_path: Path
) -> None:
    own_collector(tmp_path, "sleep", "SELECT 1 AS n FROM pg_sleep(60)", interval="30m", timeout="70s", lane="slow")
    between = proxy(postgres_18.port)
    quiet: dict[str, Any] = {"sampler_interval": None, "collectors": {"sleep": {"enabled": False}}}
    silent: dict[str, Any] = {
        "monitor": {"user": "dbwatch_bare", "password": postgres_18.password},
        "port": between.port,
    }
    instances = {
        "asking": postgres_18.instance(collectors={"active_sessions": {"enabled": False}}),
        "deaf": postgres_18.instance() | {"port": black_hole, "connect_timeout": "30s"} | quiet,
        "silent": postgres_18.instance() | silent | quiet,
    }
    running = daemon({"instances": instances, "collectors_dir": str(tmp_path)}, wait=False)
    eventually(lambda: running.status("/-/healthy") == 200)
    running.wait_for("dbwatch_up", 1.0, db_instance="silent")
    eventually(lambda: postgres_18.psql(SLEEPS) == "1")
    eventually(lambda: between.connections > 0)
    between.pause()

    with half_a_request(running.port):
        watch = Stopwatch()
        running.send(signal.SIGTERM)

        assert 0 == running.wait(STOP_AT_MOST_SECONDS + A_MOMENT_SECONDS), running.log()
        assert watch.seconds < STOP_AT_MOST_SECONDS + A_MOMENT_SECONDS
    between.stop()
    eventually(lambda: postgres_18.backends() == 0, timeout_seconds=10)
    eventually(lambda: postgres_18.backends("dbwatch_bare") == 0, timeout_seconds=10)
    assert "Traceback" not in running.log()


def test_a_thread_that_hangs_in_a_driver_cannot_keep_the_process(tmp_path: Path) -> None:
    with hung_driver(tmp_path) as process:
        watch = Stopwatch()

        process.send_signal(signal.SIGTERM)
        process.wait(30)

        assert watch.seconds < STOP_AT_MOST_SECONDS + A_MOMENT_SECONDS


def test_a_second_sigterm_ends_it_at_once(tmp_path: Path) -> None:
    with hung_driver(tmp_path) as process:
        process.send_signal(signal.SIGTERM)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.7)
        watch = Stopwatch()

        process.send_signal(signal.SIGTERM)
        process.wait(30)

        assert watch.seconds < 2.0  # of three


def test_after_kill_9_it_starts_again_at_once_and_remembers(daemon: NewDaemon, postgres_18: Postgres) -> None:
    running = daemon({"instances": {"pg1": postgres_18.instance()}})
    running.wait_for("dbwatch_sessions_max", 100.0, db_instance="pg1")
    before = set(_pids(postgres_18))

    running.kill()
    assert (running.directory / "control.sock").exists()
    running.start_again()

    running.wait_for("dbwatch_sessions_max", 100.0, db_instance="pg1")
    assert before
    eventually(lambda: not before & set(_pids(postgres_18)), timeout_seconds=20)


def _pids(server: Postgres) -> list[str]:
    return server.psql("SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'dbwatch/%'").split()
