"""The house holds itself to its rules (tests/architecture.py), and each rule can fail."""

from __future__ import annotations

from pathlib import Path
from statistics import median, quantiles

import pytest

from tests import architecture as rules
from tests.architecture import Module

PACKAGE = rules.package()


def test_every_room_has_a_floor() -> None:
    assert rules.rooms_without_floor(PACKAGE) == []


def test_imports_only_go_down() -> None:
    assert rules.upward_imports(PACKAGE) == []


def test_the_core_knows_no_clock_no_loop_and_no_network() -> None:
    assert rules.impure_core(PACKAGE) == []


def test_each_library_has_one_home() -> None:
    assert rules.strangers(PACKAGE) == []


def test_engines_do_not_know_each_other() -> None:
    assert rules.engines_that_know_each_other(PACKAGE) == []


@pytest.mark.parametrize("room", ["poller", "jobs"])
@pytest.mark.parametrize("engine", ["postgres", "mysql", "mssql"])
def test_who_polls_and_who_runs_jobs_knows_no_concrete_engine(room: str, engine: str) -> None:
    assert rules.forbidden_imports(PACKAGE, f"dbwatch.engines.{engine}", by=f"dbwatch.{room}") == []


@pytest.mark.parametrize("front", ["http", "mailer"])
@pytest.mark.parametrize("worker", ["poller", "jobs"])
def test_pages_and_mails_do_not_know_who_feeds_them(front: str, worker: str) -> None:
    assert rules.forbidden_imports(PACKAGE, f"dbwatch.{worker}", by=f"dbwatch.{front}") == []


def test_only_the_command_line_and_the_demo_start_the_application() -> None:
    assert rules.forbidden_imports(PACKAGE, "dbwatch.app", but=["dbwatch.cli", "dbwatch.demo"]) == []


def test_only_the_command_line_sets_up_logging() -> None:
    assert rules.logging_set_up_outside_cli(PACKAGE) == []


def test_a_module_can_be_read_in_one_sitting() -> None:
    assert rules.long_modules(PACKAGE) == []


def test_functions_are_short() -> None:
    lengths = rules.function_lengths(PACKAGE)

    assert median(lengths) <= 8
    assert quantiles(lengths, n=10)[-1] <= 25


def test_only_the_supervisor_catches_whatever_comes() -> None:
    where = [place.rpartition(":")[0] for place in rules.broad_handlers(PACKAGE)]

    assert where == ["dbwatch.tasks"]


def test_tasks_are_born_in_a_group_and_have_a_name() -> None:
    assert rules.stray_tasks(PACKAGE) == []


def test_sql_stands_in_sql_files() -> None:
    assert rules.sql_in_python(PACKAGE) == []


def test_metric_names_stand_in_sql_files() -> None:
    assert rules.metric_names_in_python(PACKAGE) == []


def test_no_warning_is_silenced() -> None:
    tests = [rules.module(path, Path(__file__).parent) for path in sorted(Path(__file__).parent.rglob("*.py"))]

    assert rules.silenced_warnings([*PACKAGE, *(each for each in tests if each.name != Path(__file__).stem)]) == []


# Every rule is shown something bad, so that none of them passes because it sees nothing.


def bad(source: str, name: str = "dbwatch.core.schedule") -> list[Module]:
    return [Module(name, source)]


@pytest.mark.parametrize(
    "source",
    ["from dbwatch.http import page", "import dbwatch.cli", "from dbwatch import app", "from ..settings import models"],
)
def test_an_upward_import_is_seen(source: str) -> None:
    assert len(rules.upward_imports(bad(source))) == 1


def test_an_import_for_type_checkers_counts() -> None:
    assert rules.upward_imports(bad("if TYPE_CHECKING:\n    from dbwatch.app import App"))


def test_a_neighbour_on_the_same_floor_is_seen() -> None:
    assert rules.upward_imports(bad("from dbwatch.poller import lanes", "dbwatch.jobs.runner"))


def test_a_downward_import_is_welcome() -> None:
    assert rules.upward_imports(bad("from dbwatch.core.model import Facts", "dbwatch.poller.lanes")) == []


def test_a_room_without_floor_is_seen() -> None:
    assert rules.rooms_without_floor(bad("", "dbwatch.cellar"))


@pytest.mark.parametrize(
    "source",
    ["import asyncio", "from time import monotonic", "import socket", "import requests", "datetime.now(UTC)"],
)
def test_an_impure_core_is_seen(source: str) -> None:
    assert rules.impure_core(bad(source))


def test_a_library_away_from_home_is_seen() -> None:
    assert rules.strangers(bad("import asyncpg", "dbwatch.engines.mysql"))
    assert rules.strangers(bad("from aiohttp import web", "dbwatch.cli.run"))
    assert not rules.strangers(bad("import asyncpg", "dbwatch.engines.postgres_session"))


def test_an_engine_that_knows_another_is_seen() -> None:
    assert rules.engines_that_know_each_other(bad("from dbwatch.engines import mysql", "dbwatch.engines.postgres"))


def test_a_forbidden_import_is_seen() -> None:
    source = "from dbwatch.engines import postgres"

    assert rules.forbidden_imports(bad(source, "dbwatch.poller.x"), "dbwatch.engines.postgres", by="dbwatch.poller")
    assert not rules.forbidden_imports(bad(source, "dbwatch.app"), "dbwatch.engines.postgres", by="dbwatch.poller")


def test_logging_set_up_elsewhere_is_seen() -> None:
    assert rules.logging_set_up_outside_cli(bad("structlog.configure(processors=[])", "dbwatch.app"))


def test_a_long_module_is_seen() -> None:
    assert rules.long_modules(bad("\n" * 301))
    assert not rules.long_modules(bad("\n" * 300))


def test_a_docstring_is_not_counted_as_length() -> None:
    assert rules.function_lengths(bad('def f() -> None:\n    """One\n    two."""\n    a()\n    b()\n')) == [2]


@pytest.mark.parametrize(
    "source",
    [
        "try:\n    f()\nexcept Exception:\n    pass",
        "try:\n    f()\nexcept (OSError, BaseException):\n    pass",
        "try:\n    f()\nexcept:\n    pass",
        "with contextlib.suppress(Exception):\n    f()",
    ],
)
def test_a_broad_handler_is_seen(source: str) -> None:
    assert len(rules.broad_handlers(bad(source))) == 1


@pytest.mark.parametrize(
    "source",
    [
        "asyncio.create_task(f(), name='x')",
        "loop.create_task(f(), name='x')",
        "asyncio.get_running_loop().create_task(f(), name='x')",
        "create_task(f(), name='x')",
        "group.create_task(f())",
        "asyncio.ensure_future(f())",
        "await asyncio.gather(f(), g())",
    ],
)
def test_a_stray_task_is_seen(source: str) -> None:
    assert len(rules.stray_tasks(bad(source))) == 1


def test_a_named_task_of_a_group_is_welcome() -> None:
    assert rules.stray_tasks(bad("group.create_task(f(), name='x')")) == []


@pytest.mark.parametrize(
    "text",
    ["SELECT a\nFROM b", "select 1 from t", "SHOW GLOBAL STATUS", "  DROP TABLE x", "CREATE ROLE a", "INSERT INTO t"],
)
def test_sql_in_a_string_is_seen(text: str) -> None:
    assert rules.sql_in_python(bad(f"query = {text!r}"))
    assert rules.sql_in_python(bad(f"query = f{text + ' {x}'!r}"))


def test_prose_is_not_sql() -> None:
    assert rules.sql_in_python(bad('"""SELECT x FROM y"""\nhelp = "Show what was selected from the list"')) == []


def test_a_metric_name_in_a_string_is_seen() -> None:
    assert rules.metric_names_in_python(bad("name = 'dbwatch_up'"))
    assert not rules.metric_names_in_python(bad("name = 'dbwatch_up'", "dbwatch.poller.self_metrics"))


def test_a_silenced_warning_is_seen() -> None:
    assert rules.silenced_warnings(bad("import os  # " + "noqa: F401"))
