"""DBWATCH_<SECTION>__<KEY> over the files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, get_args, get_origin

import pytest
from pydantic import BaseModel

from dbwatch.errors import ConfigError
from dbwatch.settings.load import load
from dbwatch.settings.models import PostgresInstance, Settings
from dbwatch.settings.overrides import apply_environment
from dbwatch.settings.tree import Node, Place, place_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FILE = """\
defaults: {monitor: {user: u}}
instances:
  pg-main.1: {engine: postgres}
  pg: {engine: postgres, monitor: {password_env: DBWATCH_PG_PASSWORD}, host: h2}
"""


def loaded(directory: Path, text: str = FILE, **environ: str) -> Settings:
    path = directory / "dbwatch.yml"
    path.write_text(text, encoding="utf-8")
    return load(path, {"DBWATCH_PG_PASSWORD": "x", **environ})


def fault(directory: Path, text: str = FILE, **environ: str) -> str:
    with pytest.raises(ConfigError) as caught:
        loaded(directory, text, **environ)
    (only,) = caught.value.faults
    return str(only)


def test_a_variable_wins_over_the_file(tmp_path: Path) -> None:
    settings = loaded(
        tmp_path,
        DBWATCH_HTTP__ENABLE_LIFECYCLE="true",
        DBWATCH_HTTP__LISTEN_ADDRESSES="['127.0.0.1:1', ':2']",
        DBWATCH_INSTANCES__PG_MAIN_1__MONITOR__USER="other",
        DBWATCH_INSTANCES__PG_MAIN_1__COLLECTORS__LOCKS__INTERVAL="5m",
        DBWATCH_DEFAULTS__FAST_INTERVAL="20",
        DBWATCH_STATE_DIRECTORY="/elsewhere",
    )
    instance = settings.instances["pg-main.1"]
    assert (True, ("127.0.0.1:1", ":2")) == (settings.http.enable_lifecycle, settings.http.listen_addresses)
    assert ("other", 20.0, 300.0) == (
        instance.monitor.user,
        instance.fast_interval,
        instance.collectors["locks"].interval,
    )
    assert "/elsewhere" == str(settings.state_directory)


def every_setting(model: type[BaseModel], *above: str) -> Iterator[tuple[str, ...]]:
    """Its keys as a file writes them, all the way down; what stands in lists and below free names is another matter."""
    for key, field in model.model_fields.items():
        kinds = (field.annotation, *get_args(field.annotation))
        inner = next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)), None)
        if get_origin(field.annotation) in (Mapping, tuple):
            continue
        yield from [(*above, key)] if inner is None else every_setting(inner, *above, key)


@pytest.mark.parametrize("prefix", [(), ("defaults",), ("instances", "pg")])
def test_any_setting_can_be_set_by_a_variable(prefix: tuple[str, ...]) -> None:
    tree = Node({"instances": Node({"pg": Node({}, Place("f"))}, Place("f"))}, Place("f"))
    paths = [(*prefix, *path) for path in every_setting(PostgresInstance if prefix else Settings)]

    assert 15 <= len(paths)
    for path in paths:
        found, faults = apply_environment(tree, {f"DBWATCH_{'__'.join(path).upper()}": "7"})
        assert [] == faults, path
        assert place_of(found, path)[1] == (), path


def test_a_directory_of_backups_can_be_given_by_a_variable(tmp_path: Path) -> None:
    settings = loaded(tmp_path, DBWATCH_BACKUPS__DIRECTORY="/srv/sets", DBWATCH_BACKUPS__DRILLS__RTO_TARGET="1h")

    assert ("/srv/sets", 3600.0) == (str(settings.backups.directory), settings.backups.drills.rto_target)


@pytest.mark.parametrize("nothing", ["~", "null", ""])
def test_a_variable_takes_a_section_away(tmp_path: Path, nothing: str) -> None:
    """As `section: ~` does. A variable has no lines that could be commented out: it is not ignored."""
    text = FILE.replace("host: h2", "host: h2, labels: {env: prod}, backup: {user: b}")
    variables = {f"DBWATCH_INSTANCES__PG__{section}": nothing for section in ("LABELS", "BACKUP")}
    instance = loaded(tmp_path, text, **variables).instances["pg"]
    assert ("", None) == (instance.labels.env, instance.backup)


def test_a_port_is_no_service_link_of_kubernetes(tmp_path: Path) -> None:
    """Kubernetes sets names that end in _PORT too, but none with two underscores in a row."""
    settings = loaded(tmp_path, DBWATCH_INSTANCES__PG__PORT="6432", DBWATCH_DEFAULTS__PORT="7432")
    assert [6432, 7432] == [settings.instances[name].port for name in ("pg", "pg-main.1")]
    assert "no file has" in fault(tmp_path, DBWATCH_INSTANCES__NOPE__PORT="1")


def test_a_password_is_taken_as_it_is_and_displaces_the_others(tmp_path: Path) -> None:
    monitor = loaded(tmp_path, DBWATCH_INSTANCES__PG__MONITOR__PASSWORD="0123: *x").instances["pg"].monitor
    assert monitor.password is not None
    assert ("0123: *x", None) == (monitor.password.get_secret_value(), monitor.password_env)


@pytest.mark.parametrize(
    ("variable", "told"),
    [
        ("DBWATCH_HTTP__ENABLE_LIFECYCL", ": http.enable_lifecycl: is no setting -> did you mean enable_lifecycle?"),
        ("DBWATCH_HTPP__ENABLE_LIFECYCLE", ": is no setting -> "),
        ("DBWATCH_STATE_DIR", ": is no setting -> did you mean DBWATCH_STATE_DIRECTORY?"),
        ("DBWATCH_HTTP", ": is no setting -> "),
        ("DBWATCH_INSTANCES__PGG__HOST", ": names an instance that no file has -> did you mean PG?"),
        ("DBWATCH_INSTANCES__PG__MONITOR__USR", ": instances.pg.monitor.usr: is no setting -> did you mean user?"),
        ("DBWATCH_" + "HTTP__" * 3000 + "X", ": is no setting -> check its spelling"),
    ],
)
def test_an_unknown_variable_is_refused_by_its_name(tmp_path: Path, variable: str, told: str) -> None:
    assert fault(tmp_path, **{variable: "x"}).startswith(f"environment variable {variable}{told}")


@pytest.mark.parametrize(
    "variable",
    [
        "DBWATCH_CONFIG",
        "DBWATCH_LAB",
        "DBWATCH_BENCH_PEER",
        "DBWATCH_SERVICE_HOST",
        "DBWATCH_SERVICE_PORT_HTTP",
        "DBWATCH_PORT",
        "DBWATCH_PORT_10432_TCP_ADDR",
        "DBWATCHER",
    ],
)
def test_a_variable_with_another_meaning_is_left_alone(tmp_path: Path, variable: str) -> None:
    assert loaded(tmp_path) == loaded(tmp_path, **{variable: "x"})


def test_a_value_that_is_no_scalar_is_refused_without_printing_it(tmp_path: Path) -> None:
    for value in ("{a: canary}", "*canary", "'canary"):
        told = fault(tmp_path, DBWATCH_HTTP__TELEMETRY_PATH=value)
        assert "is neither one YAML value nor a [list]" in told
        assert "canary" not in told


def test_two_names_that_are_spelled_alike_cannot_be_meant(tmp_path: Path) -> None:
    text = FILE + "  a-b: &i {engine: postgres, host: x}\n  a.b: {<<: *i, host: y}\n"
    assert "names 2 instances: a-b, a.b" in fault(tmp_path, text, DBWATCH_INSTANCES__A_B__HOST="x")


def test_a_wrong_section_of_the_file_is_still_told(tmp_path: Path) -> None:
    path = tmp_path / "dbwatch.yml"
    path.write_text("http: [1]\n" + FILE.replace("DBWATCH_PG_PASSWORD", "PATH"), encoding="utf-8")
    with pytest.raises(ConfigError):
        load(path, {"DBWATCH_HTTP__ENABLE_LIFECYCLE": "true", "PATH": "x"})
