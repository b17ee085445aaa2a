"""A start that cannot be: one clear line (what, where, how to mend), an exit code, no traceback, nothing damaged."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.fix_life import command_line, fill, full_disk
from tests.fix_process import free_port

if TYPE_CHECKING:
    from pathlib import Path

    from tests.fix_daemon import NewDaemon

pytestmark = pytest.mark.system
CANARY = "canary-Pa55word"
PG1 = {"engine": "postgres", "port": 1, "monitor": {"user": "dbwatch"}}


class Start:
    """Starts with a configuration that is good but for what a test says."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.port = free_port()

    def refused(self, **changes: Any) -> str:
        """The one line on stderr beside the log."""
        (line,) = self.refused_in_lines(**changes)
        return line

    def refused_in_lines(self, **changes: Any) -> list[str]:
        good = {
            "instances": {},
            "http": {"listen_addresses": [f"127.0.0.1:{self.port}"]},
            "state_directory": str(self.directory / "state"),
            "control_socket": str(self.directory / "control.sock"),
        }
        file = self.directory / "dbwatch.yml"
        file.write_text(yaml.safe_dump(good | changes))
        return self.lines(file)

    def told(self, configuration: Path) -> str:
        (line,) = self.lines(configuration)
        return line

    def lines(self, configuration: Path) -> list[str]:
        done = command_line("run", "--log.format", "json", "--config", str(configuration))
        assert 1 == done.returncode, done.stderr
        assert "Traceback" not in done.stderr
        assert CANARY not in done.stderr
        first, *others = [line for line in done.stderr.splitlines() if not line.startswith("{")]
        assert first.startswith("dbwatch: ")
        return [first.removeprefix("dbwatch: "), *others]


@pytest.fixture
def start(tmp_path: Path) -> Start:
    return Start(tmp_path)


def test_a_port_in_use(start: Start) -> None:
    with socket.create_server(("127.0.0.1", start.port)):
        line = start.refused()

    assert f"cannot listen on 127.0.0.1:{start.port}: the port is in use; does another dbwatch run?" in line


def test_a_state_directory_that_cannot_be_made(start: Start) -> None:
    (start.directory / "file").touch()

    assert "cannot use state_directory" in start.refused(state_directory=str(start.directory / "file" / "below"))


def test_a_control_socket_whose_path_is_too_long(start: Start) -> None:
    path = start.directory / ("x" * 110)

    assert f"{path}: the path is too long for a socket -> shorten it" in start.refused(control_socket=str(path))


def test_a_second_daemon_on_the_same_state_or_socket_is_refused_and_the_first_goes_on(
    daemon: NewDaemon, start: Start
) -> None:
    running = daemon({"instances": {}})

    assert "is in use: another dbwatch runs on it" in start.refused(state_directory=str(running.directory / "state"))
    socket_in_use = start.refused(control_socket=str(running.directory / "control.sock"))
    assert "another dbwatch answers there" in socket_in_use

    assert 200 == running.status("/-/healthy")
    done = command_line("reload", "--config", str(running.configuration_file))
    assert (0, "reloaded: 0 instances\n") == (done.returncode, done.stdout)


def test_a_configuration_that_is_missing_or_empty(start: Start) -> None:
    assert "nowhere.yml: cannot be read" in start.told(start.directory / "nowhere.yml")
    (start.directory / "empty").mkdir()
    assert "holds no *.yml file -> run `dbwatch init DIR`" in start.told(start.directory / "empty")


def test_a_secret_at_the_wrong_place_is_not_repeated(start: Start) -> None:
    line = start.refused(instances={"pg1": PG1 | {"monitor": {"user": "dbwatch", "password": {CANARY: CANARY}}}})

    assert "instances.pg1.monitor.password: must be text" in line


def test_a_full_disk_costs_the_maintenance_window_and_nothing_else(daemon: NewDaemon, tmp_path: Path) -> None:
    with full_disk(tmp_path / "small") as directory:
        running = daemon({"instances": {"pg1": PG1}, "state_directory": str(directory)})
        config = ("--config", str(running.configuration_file))
        fill(directory)

        done = command_line("maintenance", "start", "pg1", "--reason", "x" * 400, *config)

        assert (1, "") == (done.returncode, done.stdout)
        where = directory / "history.sqlite"
        mend = "free space there; nothing was changed"
        assert f"dbwatch: cannot use the history {where}: database or disk is full -> {mend}\n" == done.stderr
        assert 0.0 == running.scrape().value("dbwatch_maintenance", db_instance="pg1")
        assert 200 == running.status("/-/healthy")
        assert "Traceback" not in running.log()

        (directory / "filler").unlink()
        assert 0 == command_line("maintenance", "start", "pg1", *config).returncode
        running.wait_for("dbwatch_maintenance", 1.0, db_instance="pg1")
        assert 0 == running.stop()


def test_a_broken_rulebook_is_told_in_lines_as_config_check_tells_it(start: Start) -> None:
    for name in ("rules", "templates/fr"):
        (start.directory / name).mkdir(parents=True)
    (start.directory / "rules" / "own.yml").write_text("groups: [{name: own, rules: [{alert: A, expr: '1 >'}]}]")
    (start.directory / "rules" / "thresholds.yml").write_text("own_ratio: {value: -1, help: Ours.}")
    (start.directory / "templates" / "fr" / "alert.txt").write_text("{{ nope.x.y }}")
    told = start.refused_in_lines(
        alerting={"notify": "direct", "rules_dir": "rules", "templates_dir": "templates"},
        mail={"from": "a@example.org", "to": "b@example.org", "relays": [{"host": "127.0.0.1"}]},
    )

    checked = command_line("config", "check", "--config", str(start.directory / "dbwatch.yml"))

    assert 1 == checked.returncode
    assert sorted(checked.stdout.splitlines()) == sorted(told)
    assert ["not PromQL", "own_ratio.value: must not be negative", "template fr/alert: 'nope' is undefined"] == [
        words
        for words in ("not PromQL", "own_ratio.value: must not be negative", "template fr/alert: 'nope' is undefined")
        if any(words in line for line in told)
    ]


def test_a_full_disk_at_the_start_is_one_line(start: Start) -> None:
    with full_disk(start.directory / "small") as directory:
        fill(directory)

        assert f"{directory}/history.sqlite" in start.refused(state_directory=str(directory))
