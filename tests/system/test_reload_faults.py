"""A reload that fails: the old world runs on, one clear line a fault, and no secret in it."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tests.fix_life import command_line, own_collector
from tests.fix_process import eventually
from tests.system.test_reload import FAST, post

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.fix_daemon import Daemon, NewDaemon
    from tests.fix_postgres import Postgres

pytestmark = [pytest.mark.system, pytest.mark.engine]
CANARY = "canary-Pa55word"


@dataclass
class Scene:
    """What a fault may spoil."""

    running: Daemon
    collectors: Path
    good: dict[str, Any]

    def write(self, **changes: object) -> None:
        self.running.write(self.good | changes)

    def with_monitor(self, monitor: dict[str, object]) -> None:
        self.write(instances={"pg1": self.good["instances"]["pg1"] | {"monitor": monitor}})

    def append(self, text: str) -> None:
        file = self.running.configuration_file
        file.write_text(file.read_text() + text)

    def mend(self) -> None:
        self.running.write(self.good)
        for file in self.collectors.rglob("*.*"):
            file.unlink()


def broken_head(scene: Scene) -> None:
    own_collector(scene.collectors, "broken", "SELECT 1 AS n")
    (scene.collectors / "postgres" / "broken.sql").write_text("/* ---\ninterval: [10s\n--- */\nSELECT 1 AS n\n")


def unreadable_head(scene: Scene) -> None:
    own_collector(scene.collectors, "deep", "SELECT 1 AS n")
    own_collector(scene.collectors, "date", "SELECT 1 AS n")
    (scene.collectors / "postgres" / "deep.sql").write_text(f"/* ---\ninterval: {'[' * 5000}\n--- */\nSELECT 1\n")
    (scene.collectors / "postgres" / "date.sql").write_text("/* ---\ninterval: 2020-99-99\n--- */\nSELECT 1\n")


def one_metric_twice(scene: Scene) -> None:
    own_collector(scene.collectors, "first", "SELECT 1 AS n")
    own_collector(scene.collectors, "second", "SELECT 2 AS n", metrics={"dbwatch_own_first": {"value": "n"}})


def not_text(scene: Scene) -> None:
    own_collector(scene.collectors, "latin", "SELECT 1 AS n")
    (scene.collectors / "postgres" / "latin.sql").write_bytes(b"\xe9\xff")


def as_a_directory(scene: Scene) -> None:
    scene.with_monitor({"user": "dbwatch", "password_file": str(scene.collectors)})


FAULTS: dict[str, tuple[Callable[[Scene], None], str]] = {
    "bad YAML": (lambda scene: scene.append(f"\n  x: [\n- {CANARY}"), "dbwatch.yml:"),
    "unknown key": (lambda scene: scene.write(collector_dir=CANARY), "did you mean"),
    "password no text": (
        lambda scene: scene.with_monitor({"user": "dbwatch", "password": [CANARY]}),
        "monitor.password",
    ),
    "monitor no section": (lambda scene: scene.with_monitor({"user": {"password": CANARY}}), "monitor.user"),
    "password twice": (
        lambda scene: scene.with_monitor({"user": "x", "password": CANARY, "password_env": "PATH"}),
        "the password comes from two places",
    ),
    "no password file": (
        lambda scene: scene.with_monitor({"user": "dbwatch", "password_file": "/nonexistent/secret"}),
        "password_file",
    ),
    "password file a directory": (as_a_directory, "password_file"),
    "no collectors_dir": (lambda scene: scene.write(collectors_dir="/nonexistent"), "collectors_dir"),
    "broken head": (broken_head, "broken.sql"),
    "unreadable head": (unreadable_head, "deep.sql: the head is not YAML: nested too deep"),
    "metric twice": (one_metric_twice, "dbwatch_own_first"),
    "file of bytes": (not_text, "latin.sql"),
    "no file at all": (lambda scene: scene.running.configuration_file.unlink(), "holds no *.yml file"),
}


@pytest.fixture
def scene(daemon: NewDaemon, postgres_18: Postgres, tmp_path: Path) -> Scene:
    good = {
        "instances": {"pg1": postgres_18.instance()},
        "collectors_dir": str(tmp_path),
        "http": {"enable_lifecycle": True},
        "logging": {"format": "json"},
    }
    running = daemon(good)
    running.wait_for("dbwatch_sessions_max", 100.0, db_instance="pg1")
    return Scene(running, tmp_path, good)


def test_whatever_is_wrong_the_old_world_runs_on_and_a_good_reload_mends_it(
    scene: Scene, postgres_18: Postgres
) -> None:
    running = scene.running
    fast = postgres_18.psql(FAST)
    for name, (spoil, hint) in FAULTS.items():
        scene.mend()
        spoil(scene)

        status, told = post(running)

        assert 500 == status, name
        assert hint in told, f"{name}: {told}"
        assert CANARY not in told, name
        assert "Traceback" not in told, name
        assert len(told.splitlines()) <= 3, f"{name}: {told}"
        page = running.scrape()
        assert 0.0 == page.value("dbwatch_config_last_reload_successful"), name
        assert 1.0 == page.value("dbwatch_up", db_instance="pg1"), name

    unreadable_head(scene)
    running.send(signal.SIGHUP)
    eventually(lambda: running.log().count("reload_failed") == len(FAULTS) + 1)

    scene.mend()
    assert (200, "reloaded\n") == post(running)
    assert 1.0 == running.scrape().value("dbwatch_config_last_reload_successful")
    assert fast == postgres_18.psql(FAST)
    assert CANARY not in running.log() + running.get("/metrics").text
    assert "Traceback" not in running.log()


def test_the_command_prints_the_faults_and_fails(scene: Scene) -> None:
    """The command reads the file itself, to find the socket: so the fault stands in what only the daemon reads."""
    broken_head(scene)

    done = command_line("reload", "--config", str(scene.running.configuration_file.parent))

    assert (1, "") == (done.returncode, done.stdout)
    assert "broken.sql" in done.stderr
    assert "Traceback" not in done.stderr


def test_what_needs_a_restart_is_told_until_it_is_put_back(scene: Scene) -> None:
    """Compared with what the process started with: a second reload changes nothing of it."""
    waits = "changed, and not in use before a restart: http.telemetry_path, max_concurrent_connects"
    scene.write(max_concurrent_connects=3, http={**scene.good["http"], "telemetry_path": "/other"})

    told = [command_line("reload", "--config", str(scene.running.configuration_file.parent)).stdout for _ in range(2)]
    assert [f"reloaded: 1 instance; {waits}\n"] * 2 == told
    assert (200, f"reloaded; {waits}\n") == post(scene.running)
    assert 3 == scene.running.log().count('"event": "restart_needed", "key": "max_concurrent_connects"')

    scene.mend()
    assert (200, "reloaded\n") == post(scene.running)
    assert 6 == scene.running.log().count('"event": "restart_needed"')
