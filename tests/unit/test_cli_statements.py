"""`ask INSTANCE statements`: what takes the time, as a table; the texts only where they are asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dbwatch.cli import ask, looking
from dbwatch.core import catalogue
from dbwatch.core.catalogue import Source
from dbwatch.core.showing import activity
from dbwatch.errors import UsageError
from dbwatch.poller.once import Target
from dbwatch.settings.models import PostgresInstance
from tests.fakes import FakeEngine, rows

if TYPE_CHECKING:
    from pathlib import Path

NAMES = ("queryid", "database", "user", "calls", "total_seconds", "mean_seconds", "rows")
SLOW = ("-12", "rdv", "app", 2, 90.0, 45.0, 7)
QUICK = ("34", "rdv", b"jeanne", 9, 0.009, 0.001, None)
QUESTION = "/* ---\ndescription: Q.\n--- */\nSELECT 1\n"


def test_the_one_that_took_most_time_is_first() -> None:
    lines = activity.statements_lines(rows(*NAMES, of=[QUICK, SLOW]), 200)

    assert ["QUERYID", "DATABASE", "USER", "CALLS", "TOTAL", "MEAN", "ROWS"] == lines[0].split()
    assert ["-12", "rdv", "app", "2", "1", "min", "30", "s", "45", "s", "7"] == lines[1].split()
    assert ["34", "rdv", "jeanne", "9", "9", "ms", "1", "ms"] == lines[2].split()


def test_a_server_without_users_or_statements() -> None:
    assert ["no statement was counted yet"] == activity.statements_lines(rows(*NAMES, of=[]), 80)
    assert "USER" not in activity.statements_lines(rows("queryid", "calls", of=[("a", 1)]), 80)[0]


@pytest.mark.parametrize(("with_texts", "asked"), [(False, "statements"), (True, "statement_texts")])
async def test_texts_are_asked_for_only_where_they_are_wanted(asked: str, *, with_texts: bool) -> None:
    names = ("facts", "statements", "statement_texts")
    built = catalogue.build({}, [Source("postgres", "jobs", name, name, QUESTION) for name in names])
    engine = FakeEngine(answers={asked: rows("queryid", "text", of=[("1", "SELECT $1")])})
    settings = {"name": "pg1", "engine": "postgres", "monitor": {"user": "dbwatch"}}
    target = Target(PostgresInstance.model_validate(settings), engine, built)

    text = await ask.activity_text(target, "statements", "table", 80, with_texts=with_texts)

    assert "SELECT $1" in text
    assert {"facts", asked} == engine.asked.keys()


def test_texts_of_something_else_are_refused(tmp_path: Path) -> None:
    (tmp_path / "dbwatch.yml").write_text("instances: {pg1: {engine: postgres, monitor: {user: dbwatch}}}\n")

    with pytest.raises(UsageError, match="statements alone"):
        looking.ask(tmp_path / "dbwatch.yml", "pg1", ["locks"], [], "table", with_texts=True)


def test_our_own_account_may_be_named_for_its_cost_is_everybodys_business() -> None:
    settings = {"name": "pg1", "engine": "postgres", "monitor": {"user": "dbwatch"}, "service_accounts": ["app"]}

    assert {"app", "dbwatch"} == PostgresInstance.model_validate(settings).named_accounts
