"""A reload that succeeds: instances come, go and change one by one; those that are equal do not notice."""

from __future__ import annotations

import signal
import socket
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

import pytest

from tests.fix_life import command_line, own_collector
from tests.fix_postgres import BARE
from tests.fix_process import eventually

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.fix_daemon import Daemon, NewDaemon
    from tests.fix_network import Proxy
    from tests.fix_postgres import Postgres

pytestmark = [pytest.mark.system, pytest.mark.engine]
FAST = "SELECT pid FROM pg_stat_activity WHERE application_name = 'dbwatch/fast' AND usename = 'dbwatch'"


def post(running: Daemon, path: str = "/-/reload") -> tuple[int, str]:
    try:
        with urllib.request.urlopen(urllib.request.Request(running.url + path, method="POST"), timeout=60) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_instances_come_change_and_go_and_an_equal_one_goes_on_undisturbed(
    daemon: NewDaemon, postgres_18: Postgres, refused_port: int, black_hole: int
) -> None:
    instances = {"pg1": postgres_18.instance(), "gone": postgres_18.instance(port=refused_port)}
    settings = {"http": {"enable_lifecycle": True}}
    running = daemon({"instances": instances, **settings})
    running.wait_for("dbwatch_sessions_max", 100.0, db_instance="pg1")
    fast = postgres_18.psql(FAST)
    assert fast

    instances["bare"] = postgres_18.instance(user=BARE)
    instances["deaf"] = postgres_18.instance(port=black_hole, connect_timeout="5m")
    running.write({"instances": instances, **settings})
    running.send(signal.SIGHUP)
    running.wait_for("dbwatch_up", 1.0, db_instance="bare")
    assert 200 == running.status("/-/ready")  # although one that is new has not been probed yet

    instances["bare"]["labels"] = {"env": "prod"}
    running.write({"instances": instances, **settings})
    assert (200, "reloaded\n") == post(running)
    page = running.wait_for("dbwatch_up", 1.0, db_instance="bare", env="prod")
    assert {} == page.where("dbwatch_up", db_instance="bare", env="")

    del instances["bare"]
    running.write({"instances": instances, **settings})
    done = command_line("reload", "--config", str(running.configuration_file.parent))
    assert (0, "reloaded: 3 instances\n") == (done.returncode, done.stdout)
    assert "bare" not in running.get("/metrics").text
    eventually(lambda: postgres_18.backends(BARE) == 0, timeout_seconds=20)

    assert fast == postgres_18.psql(FAST)
    assert 1 == running.log().count('"event": "instance_down"')  # the one that is down noticed nothing either


def test_a_change_ends_the_old_sessions_and_takes_effect(daemon: NewDaemon, postgres_18: Postgres) -> None:
    running = daemon({"instances": {"pg1": postgres_18.instance()}})
    running.wait_for("dbwatch_sessions_max", 100.0, db_instance="pg1")
    before = postgres_18.psql(FAST)

    running.write({"instances": {"pg1": postgres_18.instance(collectors={"limits": {"enabled": False}})}})
    running.send(signal.SIGHUP)

    running.wait_for("dbwatch_sessions_max", None, db_instance="pg1")
    eventually(lambda: postgres_18.psql(FAST) not in ("", before))
    assert 403 == post(running)[0]  # without the flag, only the signal and the socket reload


def test_an_operators_collector_comes_with_its_file_and_goes_with_it(
    daemon: NewDaemon, postgres_18: Postgres, tmp_path: Path
) -> None:
    configuration = {"instances": {"pg1": postgres_18.instance()}, "collectors_dir": str(tmp_path)}
    running = daemon(configuration)
    shell = ("reload", "--config", str(running.configuration_file.parent))

    own_collector(tmp_path, "answer", "SELECT 42 AS n")
    assert 0 == command_line(*shell).returncode
    running.wait_for("dbwatch_own_answer", 42.0, db_instance="pg1")
    assert "# HELP dbwatch_own_answer Our own." in running.get("/metrics").text

    (tmp_path / "postgres" / "answer.sql").unlink()
    assert 0 == command_line(*shell).returncode
    running.wait_for("dbwatch_sessions_max", 100.0, db_instance="pg1")
    assert "dbwatch_own_answer" not in running.get("/metrics").text


def test_a_stop_in_the_middle_of_a_reload_is_a_stop(
    daemon: NewDaemon, postgres_18: Postgres, proxy: Callable[[int], Proxy], refused_port: int
) -> None:
    """A silent instance is still being closed when the signal comes: one that is new must not start any more."""
    between = proxy(postgres_18.port)
    silent = postgres_18.instance(port=between.port, sampler_interval=None)
    settings = {"http": {"enable_lifecycle": True}}
    running = daemon({"instances": {"silent": silent, "gone": postgres_18.instance(port=refused_port)}, **settings})
    running.wait_for("dbwatch_sessions_max", 100.0, db_instance="silent")
    eventually(lambda: between.connections == 1)
    between.pause()
    running.write({"instances": {"new": postgres_18.instance(user=BARE)}, **settings})

    with socket.create_connection(("127.0.0.1", running.port)) as asking:  # a signal's reload is simply cancelled
        asking.sendall(b"POST /-/reload HTTP/1.1\r\nHost: dbwatch\r\nContent-Length: 0\r\n\r\n")
        page = running.wait_for("dbwatch_up", None, db_instance="gone")
        assert 1.0 == page.value("dbwatch_up", db_instance="silent")
        running.send(signal.SIGTERM)

        assert 0 == running.wait(15)
    assert 0 == postgres_18.backends(BARE)
    assert "Traceback" not in running.log()
