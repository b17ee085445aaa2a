"""Statements by digest as stories on MariaDB, which counts them only where performance_schema is on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dbwatch.poller.once import Target, ask_once, poll_once
from tests.mysql_asking import ENGINE, engine, instance, ours, see
from tests.mysql_statements import CALLS, Watch, what_is_told_is_what_the_server_counted

if TYPE_CHECKING:
    from tests.fix_mariadb import Mariadb, NewMariadb

pytestmark = pytest.mark.engine
COLLECTORS = ["statement_digests", "statement_digests_lost"]
LOST = "dbwatch_mysql_statement_digests_lost_total"


async def test_what_is_told_is_what_the_server_counted_and_a_reset_neither_falls_nor_spikes(mariadb: Mariadb) -> None:
    seen = await what_is_told_is_what_the_server_counted(mariadb)

    assert not any("latency" in name or "cpu" in name for name in seen)  # MariaDB knows neither


async def test_what_comes_when_the_table_is_full_is_in_the_rest_and_counted_as_lost(new_mariadb: NewMariadb) -> None:
    server = new_mariadb("--performance-schema=ON", "--performance-schema-digests-size=30")
    watch = Watch(server)
    await watch.look()
    rest = f"{CALLS}{{database=_other,queryid=_other}}"
    before = watch.last[rest]
    server.sql("".join(f"SELECT 1 AS n{number};" for number in range(100)))
    seen = await watch.look(60.0)
    store = await see(server.instance(), "statement_digests_lost")

    assert 30 == store["dbwatch_statement_entries_max"] == seen["dbwatch_statement_entries"]
    assert store[LOST] >= 70
    assert 70 <= seen[rest] - before <= store[LOST] + 100
    assert [] == watch.fallen


async def test_a_server_that_does_not_count_is_left_out_and_says_why_when_asked(new_mariadb: NewMariadb) -> None:
    server = new_mariadb()
    target = Target(instance(server.instance()), engine(), ours())
    poll = await poll_once(target, COLLECTORS)

    off = "performance_schema_off"
    assert [off, off] == [status.skipped for status in poll.state.collectors.values()]
    with pytest.raises(Exception, match="performance_schema = ON"):
        await ask_once(target, ours().question(ENGINE, "statements"))


async def test_a_text_is_told_only_when_asked_and_without_constants(mariadb: Mariadb) -> None:
    mariadb.sql("TRUNCATE TABLE performance_schema.events_statements_summary_by_digest; SELECT 'canary-hunter2'")
    target = Target(instance(mariadb.instance()), engine(), ours())
    poll = await poll_once(target)
    mariadb.sql("TRUNCATE TABLE performance_schema.events_statements_summary_by_digest; SELECT 'canary-hunter2'")
    plain = await ask_once(target, ours().question(ENGINE, "statements"))
    texts = await ask_once(target, ours().question(ENGINE, "statement_texts"))

    assert "text" not in plain.names
    assert any(str(text).startswith("SELECT ?") for text in texts.column("text"))
    assert "canary" not in f"{plain}{texts}{poll.blocks}"
