"""Every fault at once: what is wrong in one place must not hide what is wrong in another."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from dbwatch import library
from dbwatch.app.world import Flags
from dbwatch.errors import ConfigError, EngineError
from dbwatch.poller import advice
from dbwatch.settings import paces
from dbwatch.settings.load import examine, load, load_with_warnings
from dbwatch.settings.models import Credentials, Http
from dbwatch.settings.report import check_report
from dbwatch.settings.secrets import read_password
from dbwatch.settings.tree import placed

if TYPE_CHECKING:
    from pathlib import Path

ONE = "instances:\n  pg1:\n    engine: postgres\n    monitor: {user: u}\n"


def faults_of(directory: Path, text: str, **environ: str) -> list[str]:
    path = directory / "dbwatch.yml"
    path.write_text(text, encoding="utf-8")
    return [str(fault).removeprefix(f"{directory}/dbwatch.yml:") for fault in examine(path, environ).faults]


@pytest.mark.parametrize(
    ("instance", "expected"),
    [
        ("engine: postgresql, port: x", ["engine: must be one of postgres, mysql, mariadb -> did you mean postgres?"]),
        ("engin: mysql, socket: /s, port: x", ["engin: is no setting -> did you mean engine?"]),
        ("socket: /s, port: x", ["engine: is missing -> add `engine: postgres`, or mysql for MySQL and MariaDB"]),
        ("engine: [], port: x", ["engine: must be one of postgres, mysql, mariadb -> correct `engine:`"]),
    ],
)
def test_a_wrong_engine_hides_no_other_fault(tmp_path: Path, instance: str, expected: list[str]) -> None:
    faults = faults_of(tmp_path, f"instances:\n  a: {{{instance}, monitor: {{user: u}}}}\n")
    port = "port: must be a whole number -> write digits only"
    assert sorted(f"2: instances.a.{each}" for each in [*expected, port]) == sorted(faults)


def test_a_missing_user_hides_neither_the_password_file_nor_two_passwords(tmp_path: Path) -> None:
    text = "instances:\n  a:\n    engine: postgres\n    monitor: {password_file: nowhere}\n"
    assert ["a.monitor.user: is missing", "a.monitor.password_file: cannot be read"] == [
        each.partition("instances.")[2].partition(" ->")[0].partition(": No such")[0]
        for each in faults_of(tmp_path, text)
    ]
    text = "instances:\n  a:\n    engine: postgres\n    monitor: {password: x, password_env: y}\n"
    told = "\n".join(faults_of(tmp_path, text))
    assert "a.monitor.user: is missing" in told
    assert "the password comes from two places" in told


@pytest.mark.parametrize(
    ("content", "problem"),
    [(b"\xff", "is not UTF-8"), (b"a\nb\n", "holds more than one line"), (b"\n", "is empty")],
)
def test_a_password_file_of_another_form_is_a_fault_before_anybody_logs_in(
    tmp_path: Path, content: bytes, problem: str
) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(content)
    (fault,) = faults_of(tmp_path, ONE.replace("user: u", "user: u, password_file: secret"))
    assert f"password_file: {problem} -> create it with the password as its only line" in fault
    with pytest.raises(EngineError) as caught:
        read_password(Credentials(user="u", password_file=secret))
    assert "the server was not asked" in advice.of(caught.value)


def test_a_variable_that_cannot_be_a_password_is_a_fault(tmp_path: Path) -> None:
    text = ONE.replace("user: u", "user: u, password_env: SECRET")
    assert "names a variable that holds more than one line" in faults_of(tmp_path, text, SECRET="a\nb")[0]
    assert "names a variable that is not UTF-8" in faults_of(tmp_path, text, SECRET=os.fsdecode(b"\xff"))[0]
    assert "names a variable that is not set" in faults_of(tmp_path, text)[0]


def test_a_pipe_hangs_nobody(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yml")
    (tmp_path / "dbwatch.yml").write_text(ONE.replace("user: u", "user: u, password_file: pipe.yml"))
    for path in (tmp_path, tmp_path / "pipe.yml", tmp_path / "dbwatch.yml"):
        assert "It is a pipe or a device, not a file" in "\n".join(map(str, examine(path, {}).faults))


@pytest.mark.parametrize(
    "path",
    ["/", "/-/ready", "/alerts", "/api/v1/x", "/sd/prometheus", "/instances/x", "/runbooks/x", "/static", "/m{x}"],
)
def test_a_telemetry_path_that_is_taken_or_none_is_refused(tmp_path: Path, path: str) -> None:
    assert faults_of(tmp_path, f"http: {{telemetry_path: '{path}'}}\n{ONE}")
    with pytest.raises(ConfigError) as caught:
        Flags(telemetry_path=path).over(Http())
    (fault,) = caught.value.faults
    assert "command line: telemetry_path" == fault.where
    assert "^" not in str(fault)
    assert fault.mend


@pytest.mark.parametrize("port", ["08", "'08'", "05432", "'05432'", "-09"])
def test_a_number_that_begins_with_0_is_refused_whichever_digits_follow(tmp_path: Path, port: str) -> None:
    """05432 is octal to YAML 1.1 and 08 is text, which was then read as 8."""
    (fault,) = faults_of(tmp_path, f"{ONE}    port: {port}\n")
    assert fault.startswith("5: instances.pg1.port: begins with 0, and ")


def test_a_pace_that_would_hurt_is_refused(tmp_path: Path) -> None:
    paces = "probe_interval: 1ms, fast_interval: 49ms, sampler_interval: 0.05"
    assert ["probe_interval", "fast_interval", "sampler_interval"] == [
        each.partition("defaults.")[2].partition(":")[0]
        for each in faults_of(tmp_path, f"defaults: {{{paces}}}\n{ONE}")
    ]


def test_an_interval_that_is_not_kept_is_a_warning(tmp_path: Path) -> None:
    overrides = "{locks: {interval: 5s}, database_sizes: {interval: 5m}, active_sessions: {interval: 2s}}"
    (warning,) = odd_paces(tmp_path, overrides)
    assert "yml:5: instances.pg1.collectors.locks.interval: is under fast_interval: it runs every 10s" in warning


def test_the_sampler_has_a_pace_of_its_own_under_fast_interval(tmp_path: Path) -> None:
    assert [] == odd_paces(tmp_path, "{active_sessions: {interval: 500ms}}")
    (warning,) = odd_paces(tmp_path, "{active_sessions: {interval: 200ms}}")
    assert "collectors.active_sessions.interval: asks the server more than twice a second" in warning


def test_a_sampler_that_would_hurt_is_refused_by_whatever_key_it_is_given(tmp_path: Path) -> None:
    """Its override goes before sampler_interval."""
    (tmp_path / "dbwatch.yml").write_text(ONE + "    collectors: {active_sessions: {interval: 1ms}}\n")
    with pytest.raises(ConfigError) as caught:
        library.load_for(load(tmp_path, {}))
    (fault,) = caught.value.faults
    assert "instances.pg1.collectors.active_sessions.interval: must be at least 0.1s" in str(fault)


def odd_paces(directory: Path, overrides: str) -> list[str]:
    (directory / "dbwatch.yml").write_text(ONE + f"    collectors: {overrides}\n")
    found = examine(directory, {})
    assert ((), ()) == (found.faults, found.warnings)
    return list(map(str, paces.odd(found.settings, library.load(), placed(found.tree))))


def test_a_file_that_is_not_read_is_told_beside_the_faults(tmp_path: Path) -> None:
    (tmp_path / "3.yaml").write_text("{")
    (tmp_path / "1.yml").write_text("htp: {}\n" + ONE)
    fault, warning = check_report(tmp_path, {}).lines
    assert "htp: is no setting" in fault
    assert "3.yaml: is not read" in warning
    (tmp_path / "1.yml").write_text(ONE)
    assert "3.yaml" in load_with_warnings(tmp_path, {}).warnings[0].where


COLLECTOR = "/* ---\ndescription: C.\ninterval: {interval}\nmetrics:\n  {family}: {{value: n}}\n--- */\nSELECT 1 AS n\n"


def test_no_file_of_a_collectors_directory_hides_what_is_wrong_in_another(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir()
    (tmp_path / "families.yml").write_text(
        "own_things: {type: counter, help: Things., engines: [postgres]}\n"
        "dbwatch_own: {type: gauge, help: Own., unit: seconds, engines: [postgres]}\n"
    )
    (tmp_path / "postgres" / "bad.sql").write_text(COLLECTOR.format(interval="soon", family="own_things"))
    (tmp_path / "postgres" / "good.sql").write_text(COLLECTOR.format(interval="5m", family="dbwatch_own"))
    (tmp_path / "postgres" / "odd.sql").write_bytes(b"\xff")
    (tmp_path / "stray.sql").write_text("")
    with pytest.raises(ConfigError) as caught:
        library.load([tmp_path])
    assert [
        "stray.sql: not read",
        "postgres/odd.sql: is not UTF-8 text",
        "families.yml: own_things: a family's name begins with dbwatch_",
        "families.yml: own_things: counters, and only counters, end in _total",
        "families.yml: dbwatch_own: the unit seconds must end the name",
        "postgres/bad.sql: interval: not a duration",
    ] == [str(fault).removeprefix(f"{tmp_path}/").partition(" ->")[0] for fault in caught.value.faults]


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        ("include: []", ["include: names no database"]),
        ("include: ['']", ["include: names no database"]),
        ("exclude: ['*']", ["exclude: leaves none"]),
        ("include: [shop, 'shop_*'], exclude: 's*'", ["exclude: leaves none"]),
        ("include: [shop], exclude: [shop]", ["exclude: leaves none"]),
        ("include: ['*'], exclude: ['test_*']", []),
        ("include: ['sh?p'], exclude: [shop]", []),
        ("include: ['s*'], exclude: ['s?']", []),
        ("include: ['a[?]'], exclude: ['a?']", []),
        ("include: ['a[!b]'], exclude: ['*b]']", []),
    ],
)
def test_patterns_that_leave_no_database_to_back_up_are_a_fault_at_their_place(
    tmp_path: Path, patterns: str, expected: list[str]
) -> None:
    faults = faults_of(tmp_path, f"{ONE}    backup: {{user: b}}\n    backups: {{logical: {{{patterns}}}}}\n")

    assert len(faults) == len(expected)
    for fault, told in zip(faults, expected, strict=True):
        assert f"backups.logical.{told}" in fault


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("port: yes", "port: must be a whole number"),
        ("port: 05432", "port: begins with 0, and would be read as an octal number"),
        ("enabled: 'no'", "enabled: must be true or false"),
        ("enabled: 0", "enabled: must be true or false"),
        ("backups: {logical: {parallel: on}}", "backups.logical.parallel: must be a whole number"),
        ("collectors: {sessions: {max_series: true}}", "collectors.sessions.max_series: must be a whole number"),
        ("host: 'host=db;password=canary'", "host: not a host name"),
        ("host: 'db;canary'", "host: not a host name"),
        ('host: "db\\0canary"', "host: holds a NUL character"),
        ('database: "db\\0canary"', "database: holds a NUL character"),
        ("canary: x", "?: is no setting"),
        ("'host=db;password=canary': x", "?: is no setting"),
        ("fast_intervall: 1s", "fast_intervall: is no setting"),
    ],
)
def test_what_would_be_read_as_something_else_is_refused_and_not_repeated(
    tmp_path: Path, written: str, told: str
) -> None:
    (fault,) = faults_of(tmp_path, f"{ONE}    {written}\n")
    assert f"instances.pg1.{told}" in fault
    assert "canary" not in fault


def test_a_user_with_a_nul_in_it_is_refused(tmp_path: Path) -> None:
    (fault,) = faults_of(tmp_path, ONE.replace("user: u", 'user: "u\\0canary"'))
    assert "instances.pg1.monitor.user: holds a NUL character -> " in fault
    assert "canary" not in fault


def test_a_switch_or_a_number_of_the_whole_is_no_less_strict(tmp_path: Path) -> None:
    text = "max_concurrent_connects: true\nhttp: {enable_lifecycle: 'no'}\nbackups: {reserve_ratio: yes}\n"
    assert [
        "1: max_concurrent_connects: must be a whole number -> write digits only",
        "2: http.enable_lifecycle: must be true or false",
        "3: backups.reserve_ratio: must be a number",
    ] == sorted(faults_of(tmp_path, text + ONE))
