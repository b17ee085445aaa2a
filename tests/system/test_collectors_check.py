"""`dbwatch collectors check FILE`: an operator's own collector before it is installed, and what it may never do."""

from __future__ import annotations

import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
import yaml

from dbwatch.cli.collector_check import Request, examined
from dbwatch.errors import UsageError
from tests.fix_daemon import dbwatch_command
from tests.fix_process import environment

if TYPE_CHECKING:
    from pathlib import Path

    from tests.fix_daemon import NewDaemon
    from tests.fix_mariadb import Mariadb
    from tests.fix_postgres import Postgres

pytestmark = [pytest.mark.system, pytest.mark.engine]

FAMILIES = """
dbwatch_shop_orders_waiting:
  {type: gauge, help: "Orders that nobody has packed yet.", labels: [warehouse], engines: [postgres, mysql]}
"""
HEAD = """/* ---
description: Orders by warehouse.
interval: 1m
{keys}metrics:
  dbwatch_shop_orders_waiting: {{value: waiting, labels: {{warehouse: warehouse}}}}
--- */
{sql}
"""
ORDERS = "SELECT 'north' AS warehouse, 7 AS waiting UNION ALL SELECT 'south', 0"


@dataclass(frozen=True)
class Said:
    """What the command printed, and how it ended."""

    code: int
    out: str
    err: str


class Bench:
    """An operator's directory of collectors, and a configuration that knows one instance of each engine."""

    def __init__(self, directory: Path, *servers: Postgres | Mariadb) -> None:
        self.collectors = directory / "own"
        self.config = directory / "dbwatch.yml"
        instances = {str(server.instance()["engine"]): server.instance() for server in servers}
        self.config.write_text(yaml.safe_dump({"instances": instances}))
        (self.collectors / "postgres").mkdir(parents=True)
        (self.collectors / "mysql").mkdir()
        (self.collectors / "families.yml").write_text(FAMILIES)

    def write(self, sql: str = ORDERS, *, name: str = "orders", engine: str = "postgres", keys: str = "") -> Path:
        file = self.collectors / engine / f"{name}.sql"
        file.write_text(HEAD.format(keys=keys, sql=sql))
        return file

    def check(self, file: Path, against: str = "", *databases: str) -> Said:
        """The same without a process of its own."""
        lines: list[str] = []
        fine = examined(Request(file, against, self.config, databases), lines.append)
        return Said(0 if fine else 1, "\n".join(lines), "")

    def run(self, *words: str | Path) -> Said:
        """The command itself."""
        command = [*dbwatch_command(), "collectors", *map(str, words), "--config", str(self.config)]
        done = subprocess.run(
            command, env=environment(), cwd=self.config.parent, capture_output=True, text=True, timeout=120, check=False
        )
        return Said(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def bench(tmp_path: Path, postgres_18: Postgres, mariadb: Mariadb) -> Bench:
    return Bench(tmp_path, postgres_18, mariadb)


@pytest.mark.parametrize("engine", ["postgres", "mysql"])
def test_a_file_that_is_right_shows_the_samples_that_it_would_give_and_what_they_cost(
    bench: Bench, engine: str
) -> None:
    file = bench.write(engine=engine)
    said = bench.run("check", file, "--against", engine) if engine == "postgres" else bench.check(file, engine)

    assert (0, "") == (said.code, said.err)
    samples = [line.split() for line in said.out.splitlines() if "warehouse=" in line]
    family = "dbwatch_shop_orders_waiting"
    assert [[family, "warehouse=north", "7"], [family, "warehouse=south", "0"]] == samples
    assert "2 series of at most 1000, in " in said.out
    assert "of at most 1 s" in said.out
    assert 0 == bench.check(file).code  # without a server its form is looked at


def test_every_mistake_is_told_with_its_file_line_and_key(bench: Bench) -> None:
    file = bench.write(keys="intervall: 5m\ntimeout: soon\n")
    said = bench.check(file, "postgres")

    assert 1 == said.code
    assert f"{file}:4: intervall: " in said.out
    assert f"{file}:5: timeout: " in said.out
    (bench.collectors / "families.yml").write_text(FAMILIES.replace("gauge", "gage").replace("[warehouse]", "[engine]"))
    said = bench.check(bench.write())
    assert "dbwatch_shop_orders_waiting: type: " in said.out
    assert "the label engine is taken" in said.out


TAKEN = {
    "a collector's name": ("limits", "", "there is a limits for postgres already"),
    "a family's name": ("orders", "dbwatch_sessions", "dbwatch_sessions is a built-in family"),
    "a family of the daemon itself": ("orders", "dbwatch_up", "dbwatch_up is a built-in family"),
}


@pytest.mark.parametrize("what", TAKEN)
def test_a_built_in_name_is_refused(bench: Bench, what: str) -> None:
    name, family, told = TAKEN[what]
    file = bench.write(name=name)
    if family:
        (bench.collectors / "families.yml").write_text(FAMILIES.replace("dbwatch_shop_orders_waiting", family))
    said = bench.check(file)

    assert 1 == said.code
    assert told in said.out


def test_what_dbwatch_gives_by_itself_cannot_be_added_to_under_another_label(bench: Bench) -> None:
    file = bench.write()
    column = "{value: waiting, labels: {database: warehouse, outcome: =lost}}"
    text = file.read_text().replace("dbwatch_shop_orders_waiting", "dbwatch_transactions_total")
    file.write_text(text.replace("{value: waiting, labels: {warehouse: warehouse}}", column))

    assert "dbwatch_transactions_total is " in bench.check(file).out
    assert 1 == bench.check(file).code


def test_two_files_feed_one_family_only_where_a_constant_keeps_them_apart(bench: Bench) -> None:
    bench.write(name="a_first")
    second = bench.write(name="second")
    assert "is already given by the collector a_first" in bench.check(second).out
    for name in ("a_first", "second"):
        file = bench.collectors / "postgres" / f"{name}.sql"
        file.write_text(
            file.read_text()
            .replace("warehouse: warehouse", f"warehouse: ={name}")
            .replace("SELECT 'north' AS warehouse, 7 AS waiting UNION ALL SELECT 'south', 0", "SELECT 7 AS waiting")
        )

    assert 0 == bench.check(second, "postgres").code


def test_what_is_no_number_is_no_sample_and_said_so(bench: Bench) -> None:
    file = bench.write(
        "SELECT * FROM (VALUES ('north', 'NaN'::float8), ('south', 'Infinity')) AS v (warehouse, waiting)"
    )
    said = bench.check(file, "postgres")

    assert "0 series of at most" in said.out
    assert "no sample: the query gave no row, or only what is no number: NULL, NaN, Infinity" in said.out


def test_what_takes_too_long_is_cut_within_its_timeout(bench: Bench) -> None:
    file = bench.write("SELECT 'north' AS warehouse, 1 AS waiting FROM pg_sleep(20)", keys="timeout: 300ms\n")
    started = time.monotonic()
    said = bench.check(file, "postgres")

    assert 1 == said.code
    assert "orders: timeout: " in said.out
    assert time.monotonic() - started < 10  # of twenty
    assert "the lane fast gives one second at most" in bench.check(bench.write(keys="timeout: 20s\n")).out
    assert "the sampler is dbwatch's own" in bench.check(bench.write(keys="lane: sampler\n")).out


def test_more_series_than_its_budget_are_left_out_and_counted(bench: Bench) -> None:
    many = "SELECT 'w' || n AS warehouse, n AS waiting FROM generate_series(1, 5000) AS n"
    said = bench.check(bench.write(many, keys="max_series: 100\n"), "postgres")

    assert 1 == said.code
    assert "100 series of at most 100, in " in said.out
    assert "4900 series were left out" in said.out
    assert "and 50 more" in said.out


@pytest.mark.parametrize(
    ("engine", "sql"),
    [
        ("postgres", "WITH gone AS (DELETE FROM shelf RETURNING n) SELECT 'a' AS warehouse, n AS waiting FROM gone"),
        ("postgres", "CREATE TABLE mine (n int)"),
        ("mysql", "CREATE TABLE mysql.mine (n INT)"),
        ("mysql", "INSERT INTO shelf.shelf VALUES (1)"),
    ],
)
def test_it_writes_nothing_even_where_the_account_could(
    bench: Bench, postgres_18: Postgres, mariadb: Mariadb, engine: str, sql: str
) -> None:
    postgres_18.psql("DROP TABLE IF EXISTS shelf; CREATE TABLE shelf (n int); INSERT INTO shelf VALUES (1)")
    postgres_18.psql(f"GRANT ALL ON shelf TO {postgres_18.user}; GRANT CREATE ON SCHEMA public TO {postgres_18.user}")
    mariadb.sql("CREATE DATABASE IF NOT EXISTS shelf; CREATE TABLE IF NOT EXISTS shelf.shelf (n INT)")
    mariadb.sql(f"GRANT ALL ON shelf.* TO '{mariadb.user}'@'127.0.0.1'")
    try:
        said = bench.check(bench.write(sql.replace("FROM shelf", "FROM public.shelf"), engine=engine), engine)
        assert 1 == said.code
        assert "A collector may only read" in said.out + said.err
        assert "1" == postgres_18.psql("SELECT count(*) FROM shelf")
        assert "0" == mariadb.sql("SELECT count(*) FROM shelf.shelf")
    finally:
        postgres_18.psql(f"DROP TABLE shelf; REVOKE CREATE ON SCHEMA public FROM {postgres_18.user}")
        mariadb.sql(f"DROP DATABASE shelf; REVOKE ALL ON shelf.* FROM '{mariadb.user}'@'127.0.0.1'")


def test_a_privilege_that_is_missing_is_told_with_its_grant(bench: Bench, postgres_18: Postgres) -> None:
    bench.config.write_text(yaml.safe_dump({"instances": {"postgres": postgres_18.instance(user="dbwatch_bare")}}))
    said = bench.check(bench.write(keys="needs: [pg_monitor]\n"), "postgres")

    assert 1 == said.code
    assert "GRANT pg_monitor TO dbwatch_bare;" in said.out


def test_of_many_databases_three_are_asked_or_those_that_are_named(bench: Bench, postgres_18: Postgres) -> None:
    names = [f"shop_{number}" for number in range(5)]
    for name in names:
        postgres_18.psql(f"CREATE DATABASE {name}")
    (bench.collectors / "families.yml").write_text(FAMILIES.replace("[warehouse]", "[database]"))
    file = bench.write("SELECT 1 AS waiting", keys="scope: database\nlane: slow\ndatabases: [shop_*]\n")
    file.write_text(file.read_text().replace("{warehouse: warehouse}", "{database: database}"))
    try:
        assert 3 == bench.check(file, "postgres").out.count("database=shop_")
        said = bench.check(file, "postgres", "shop_[34]", "postgres")
        assert ["database=shop_3", "database=shop_4"] == [word for word in said.out.split() if "database=" in word]
    finally:
        for name in names:
            postgres_18.psql(f"DROP DATABASE {name}")


def test_wrong_usage_is_told_as_such(bench: Bench) -> None:
    file = bench.write()

    assert 2 == bench.run("check", file, "--against", "mysql").code  # the file is for PostgreSQL
    with pytest.raises(UsageError, match="no instance 'nobody'"):
        bench.check(file, "nobody")
    assert "put it in postgres/ or mysql/" in bench.check(bench.config.parent / "nowhere.sql").out
    assert "cannot be read" in bench.check(bench.collectors / "postgres" / "none.sql").out


def test_the_daemon_bounds_what_an_operator_adds_and_the_others_go_on(
    bench: Bench, daemon: NewDaemon, postgres_18: Postgres
) -> None:
    bench.write(
        "SELECT 'w' || n AS warehouse, n AS waiting FROM generate_series(1, 5000) AS n", keys="max_series: 100\n"
    )
    slow = bench.write("SELECT 1 AS waiting FROM pg_sleep(20)", name="slow_orders", keys="timeout: 300ms\n")
    slow.write_text(slow.read_text().replace("warehouse: warehouse", "warehouse: =slow"))
    first = bench.collectors / "postgres" / "orders.sql"
    first.write_text(first.read_text().replace("{warehouse: warehouse}", "{warehouse: warehouse, kind: =plain}"))
    slow.write_text(slow.read_text().replace("{warehouse: =slow}", "{warehouse: =slow, kind: =slow}"))
    (bench.collectors / "families.yml").write_text(FAMILIES.replace("[warehouse]", "[warehouse, kind]"))
    running = daemon({"instances": {"pg": postgres_18.instance()}, "collectors_dir": str(bench.collectors)})

    page = running.wait_for("dbwatch_series_dropped_total", 4900, collector="orders", reason="cardinality")
    assert 100 == len(page.where("dbwatch_shop_orders_waiting"))
    running.wait_for("dbwatch_collector_errors_total", 1, collector="slow_orders", reason="timeout")
    running.wait_for("dbwatch_collector_success", 1, collector="limits")
