from __future__ import annotations

import datetime as dt
import json
import re
import socket
from typing import TYPE_CHECKING

import pytest

from dbwatch.demo.databases import Volume
from dbwatch.demo.drivers import TURN
from dbwatch.demo.ground import LOOPBACK, Account, find_base, free_port
from dbwatch.demo.guard import Plan, environment
from dbwatch.demo.model import DemoEstate, EngineName, Login
from dbwatch.demo.scripts import named_statements, scripts, workload_statements
from dbwatch.demo.servers import copy_binaries, embedded_postgres, first_statements
from dbwatch.errors import DbwatchError
from dbwatch.files import config_root, data_root, sql_root

if TYPE_CHECKING:
    from pathlib import Path

ENGINES: tuple[EngineName, ...] = ("postgres", "mysql")
SOMEBODY = Account(uid=65534, gid=65534)


def test_named_statements_are_split_and_lose_comments_and_semicolons() -> None:
    text = "-- for people\n\n-- name: first\n-- why\nSELECT 1;\n\n-- name: second (rare)\nSELECT\n  2;\n"

    assert {"first": "SELECT 1", "second": "SELECT\n  2"} == named_statements(text)


def test_both_engines_play_the_same_workload() -> None:
    assert workload_statements("postgres").keys() == workload_statements("mysql").keys()


@pytest.mark.parametrize("engine", ENGINES)
def test_no_statement_of_the_workload_depends_on_chance(engine: EngineName) -> None:
    chance = re.compile(r"\b(random|rand|uuid|gen_random_uuid)\s*\(", re.IGNORECASE)
    for statement in (*workload_statements(engine).values(), *scripts(engine, "dml")):
        assert chance.search(statement) is None


@pytest.mark.parametrize("engine", ENGINES)
def test_the_issue_s_files_are_all_there_and_in_order(engine: EngineName) -> None:
    names = sorted(path.name for path in (sql_root() / engine / "ddl").glob("0[1-7]_*.sql"))

    assert [
        "01_create_schema_referentiel.sql",
        "02_create_schema_metier.sql",
        "03_create_tables_referentiel.sql",
        "04_create_tables_citoyens_rdv.sql",
        "05_indexes_constraints.sql",
        "06_views_reporting.sql",
        "07_views_qualite.sql",
    ] == names
    assert 7 == len(scripts(engine, "ddl"))


@pytest.mark.parametrize("engine", ENGINES)
def test_every_invented_address_is_of_a_domain_that_cannot_exist(engine: EngineName) -> None:
    seed = "".join(scripts(engine, "dml"))

    assert "@example.invalid" in seed
    assert {"example.invalid"} == set(re.findall(r"@(\w+\.\w+)", seed))


def test_a_turn_is_replaced_as_a_number_and_nothing_else_is() -> None:
    assert "SELECT 7, @tours, 7" == TURN.sub("7", "SELECT @tour, @tours, @tour")


def test_a_login_never_shows_its_password() -> None:
    assert "canary" not in repr(Login("dbwatch", "canary"))


def test_an_estate_without_an_engine_says_why() -> None:
    estate = DemoEstate((), {"mysql": "not installed"})

    assert estate.server("mysql") is None
    assert "not installed" == estate.absent["mysql"]


def test_a_volume_is_scaled_and_dated() -> None:
    volume = Volume(0.5, dt.date(2026, 1, 5))

    assert {"scale": "0.1", "reference_date": "2026-01-05"} == volume.options(0.2)


def test_a_directory_too_long_for_a_socket_is_passed_over(tmp_path: Path) -> None:
    long, short = tmp_path / ("x" * 100), tmp_path.parent
    long.mkdir()

    assert short == find_base(None, [long, short])


def test_a_directory_that_the_server_s_account_cannot_enter_is_passed_over(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    private = tmp_path_factory.mktemp("ground") / "private"
    private.mkdir(mode=0o700)

    with pytest.raises(DbwatchError, match="TMPDIR"):
        find_base(SOMEBODY, [private])
    assert private == find_base(None, [private])


def test_a_free_port_can_be_bound() -> None:
    with socket.socket() as listener:
        listener.bind((LOOPBACK, free_port()))


def test_a_missing_package_is_told_with_its_remedy() -> None:
    with pytest.raises(DbwatchError, match=r"pip install 'dbwatch\[demo\]'") as raised:
        embedded_postgres("a_package_that_nobody_has")
    assert "\n" not in str(raised.value)


def test_only_what_a_server_needs_is_copied(tmp_path: Path) -> None:
    package = tmp_path / "installed" / "embedded_postgres"
    for name in ("bin/postgres", "lib/plpgsql.so", "lib/libpq.a", "include/postgres.h", "share/postgres.bki"):
        path = package / "pginstall" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (package.parent / "embedded_postgres.libs").mkdir()

    binaries = copy_binaries(package, tmp_path / "site")

    assert {"bin", "lib", "share"} == {path.name for path in binaries.parent.iterdir()}
    assert ["plpgsql.so"] == [path.name for path in (binaries.parent / "lib").iterdir()]
    assert (tmp_path / "site" / "embedded_postgres.libs").is_dir()


def test_a_plan_survives_its_journey_as_json() -> None:
    plan = Plan(("postgres", "-D", "data"), "/nowhere", "/nowhere/log", uid=1, gid=2)

    received = Plan(**json.loads(plan.to_json()))

    assert list(plan.command) == list(received.command)
    assert (1, 2, False) == (received.uid, received.gid, received.remove)


def test_a_server_inherits_nothing_of_the_caller_s_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGDATA", "/precious")
    monkeypatch.setenv("HOME", "/read-only")

    assert "PGDATA" not in environment("/private")
    assert "/private" == environment("/private")["HOME"]


def test_the_administrator_has_a_password_before_the_server_listens() -> None:
    text = first_statements(Login("root", "s3cr3t"))

    assert "IDENTIFIED BY 's3cr3t'" in text
    assert "{" not in text


def test_files_are_found_in_a_wheel_and_in_a_checkout(tmp_path: Path) -> None:
    package = tmp_path / "dbwatch"
    (tmp_path / "sql").mkdir(parents=True)
    assert tmp_path / "sql" == data_root("sql", package)

    (package / "_data" / "sql").mkdir(parents=True)
    assert package / "_data" / "sql" == data_root("sql", package)


def test_an_installation_without_its_files_says_so(tmp_path: Path) -> None:
    with pytest.raises(DbwatchError, match="install it again"):
        data_root("sql", tmp_path / "dbwatch")


def test_this_installation_has_its_files() -> None:
    assert (sql_root() / "families.yml").is_file()
    assert config_root().is_dir()
