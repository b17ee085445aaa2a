"""What systemd hears: sd_notify(3) on a real datagram socket."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.fix_life import notifications

if TYPE_CHECKING:
    from pathlib import Path

    from tests.fix_daemon import NewDaemon

pytestmark = pytest.mark.system
NOBODY: dict[str, Any] = {"instances": {}}


def test_systemd_is_told_of_start_reload_watchdog_and_stop(daemon: NewDaemon, tmp_path: Path) -> None:
    with notifications(str(tmp_path / "notify")) as ear:
        running = daemon(NOBODY, env={"NOTIFY_SOCKET": ear.address, "WATCHDOG_USEC": "400000"}, wait=False)
        ear.wait_for("READY=1")
        assert 200 == running.status("/-/healthy")  # ready was not said too early
        ear.wait_for("WATCHDOG=1", count=3)

        before = time.monotonic_ns() // 1000
        running.send(signal.SIGHUP)
        ear.wait_for("READY=1", count=2)
        reloading = next(message for message in ear.messages if message.startswith("RELOADING=1\n"))
        stamp = int(reloading.partition("MONOTONIC_USEC=")[2].partition("\n")[0])
        assert before <= stamp <= time.monotonic_ns() // 1000

        assert 0 == running.stop()
        told = [line for line in ear.lines() if not line.startswith(("STATUS=", "WATCHDOG=", "MONOTONIC_USEC="))]
    assert ["READY=1", "RELOADING=1", "READY=1", "STOPPING=1"] == told


def test_an_abstract_socket_is_spoken_to_and_another_process_s_watchdog_is_not_fed(daemon: NewDaemon) -> None:
    with notifications(f"@dbwatch-test-{os.getpid()}-{time.monotonic_ns()}") as ear:
        daemon(NOBODY, env={"NOTIFY_SOCKET": ear.address, "WATCHDOG_USEC": "200000", "WATCHDOG_PID": "1"}, wait=False)
        ear.wait_for("READY=1")
        time.sleep(0.5)

        assert "WATCHDOG=1" not in ear.lines()


def test_a_process_that_stands_still_is_not_fed(daemon: NewDaemon, tmp_path: Path) -> None:
    with notifications(str(tmp_path / "notify")) as ear:
        running = daemon(NOBODY, env={"NOTIFY_SOCKET": ear.address, "WATCHDOG_USEC": "200000"}, wait=False)
        ear.wait_for("WATCHDOG=1")
        running.send(signal.SIGSTOP)
        time.sleep(0.1)
        before = ear.lines().count("WATCHDOG=1")
        time.sleep(0.6)
        after = ear.lines().count("WATCHDOG=1")
        running.send(signal.SIGCONT)

        assert before == after
        ear.wait_for("WATCHDOG=1", count=after + 1)


def test_nobody_listens_and_it_runs_all_the_same(daemon: NewDaemon, tmp_path: Path) -> None:
    running = daemon(NOBODY, env={"NOTIFY_SOCKET": str(tmp_path / "gone")})

    assert 0 == running.stop()
    assert "notify_failed" in running.log()
