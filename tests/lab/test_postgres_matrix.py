"""Every collector and question on every older PostgreSQL, with the documented grants and without any."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from dbwatch.core.model import Lane
from dbwatch.files import sql_root
from dbwatch.poller import asking
from tests.fix_postgres import BARE, PASSWORD
from tests.postgres_asking import ENGINE, facts, ours, see, session

if TYPE_CHECKING:
    from dbwatch.core.model import Question
    from tests.fix_postgres import Postgres

pytestmark = pytest.mark.engine
COLLECTORS = sorted(name for _, name in ours().collectors)
QUESTIONS = sorted(name for _, name in ours().questions)
OF_AN_EXTENSION = ("index_bloat", "shared_buffers", "table_bloat")  # which the monitoring database need not have


@pytest.fixture
def granted(lab_postgres: Postgres) -> Postgres:
    """The server after a DBA ran the documented script (twice: it is idempotent)."""
    script = (sql_root() / ENGINE / "security" / "01_role_monitoring.sql").read_text()
    lab_postgres.psql(f"SET dbwatch.monitoring_password = '{PASSWORD}'; {script} {script}")
    return lab_postgres


@pytest.mark.parametrize("name", COLLECTORS)
async def test_a_collector_answers_with_the_documented_grants(granted: Postgres, name: str) -> None:
    logged = len(granted.log())
    collector = ours().collectors[ENGINE, name]
    seen = await see(granted.instance(), name)
    async with session(granted.instance(), collector.lane) as opened:
        known = await facts(opened)

    assert asking.left_out(collector, known) in ("", "role", "logging_collector_off") or name in OF_AN_EXTENSION
    assert all(value >= 0 for sample, value in seen.items() if not sample.startswith("dbwatch_setting_value"))
    assert "ERROR" not in granted.log()[logged:]


@pytest.mark.parametrize("name", COLLECTORS)
async def test_without_grants_it_is_left_out_with_the_reason_or_needs_none(lab_postgres: Postgres, name: str) -> None:
    collector = ours().collectors[ENGINE, name]
    async with session(lab_postgres.instance(user=BARE), collector.lane) as opened:
        known = await facts(opened)
        missing = asking.missing_needs(collector, known)
        if missing:
            assert "GRANT" in asking.remedy(ours(), collector, known, BARE)
        elif not asking.left_out(collector, known):
            await opened.fetch(asking.query(collector, known))

    assert ("pg_monitor" in collector.needs) is ("pg_monitor" in missing)


GIVEN = {"$1::text[]": "'{pg_monitor, nobody}'::text[]", "$1": "'pg_catalog'", "$2": "'pg_class'"}


def with_words(question: Question) -> Question:
    """Where it asks for names: roles, and a table that every server has."""
    variants = question.variants
    for place, word in GIVEN.items():
        variants = tuple(replace(each, sql=each.sql.replace(place, word)) for each in variants)
    return replace(question, variants=variants)


@pytest.mark.parametrize("name", QUESTIONS)
async def test_a_question_is_answered_with_the_documented_grants(granted: Postgres, name: str) -> None:
    logged = len(granted.log())
    async with session(granted.instance(), Lane.FAST) as opened:
        rows = await asking.ask(opened, with_words(ours().question(ENGINE, name)), await facts(opened))

    assert rows.names
    assert "ERROR" not in granted.log()[logged:]
