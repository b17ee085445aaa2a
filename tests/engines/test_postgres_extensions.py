"""F13: an extension left at an old version after an upgrade has the columns of that version, not of the server's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dbwatch import library
from dbwatch.engines.postgres import PostgresEngine
from dbwatch.poller.once import Target, poll_once
from tests.postgres_asking import instance

if TYPE_CHECKING:
    from pathlib import Path

    from tests.fix_postgres import NewPostgres

pytestmark = pytest.mark.engine

FAMILIES = """
dbwatch_own_read_seconds_total:
  {type: counter, unit: seconds, help: Time spent reading., labels: [source], engines: [postgres]}
"""
COLLECTOR = """/* ---
description: Time spent reading, from whichever column this version of the extension has.
interval: 60s
needs: [pg_monitor]
metrics:
  dbwatch_own_read_seconds_total: {value: seconds, labels: {source: source}}
--- */
-- @when extension pg_stat_statements >= 1.11
SELECT coalesce(sum(shared_blk_read_time), 0) / 1000 AS seconds, 'new' AS source FROM public.pg_stat_statements
-- @when extension pg_stat_statements >= 1.8
SELECT coalesce(sum(blk_read_time), 0) / 1000 AS seconds, 'old' AS source FROM public.pg_stat_statements
"""


async def sources(described: dict[str, object], own: Path) -> tuple[list[str], str, str]:
    """Which variant answered, and why none did: a failure, or left out on purpose."""
    catalogue = library.load([own])
    poll = await poll_once(Target(instance(described), PostgresEngine(catalogue), catalogue), ["reading"])
    status = poll.state.collectors["reading"]
    found = [labels["source"] for block in poll.blocks.get("reading", ()) for labels, _ in block.samples()]
    return found, status.message, status.skipped


async def test_columns_follow_the_version_of_the_extension_not_of_the_server(
    new_postgres: NewPostgres, tmp_path: Path
) -> None:
    (tmp_path / "families.yml").write_text(FAMILIES)
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "reading.sql").write_text(COLLECTOR)
    server = new_postgres("shared_preload_libraries = 'pg_stat_statements'")
    described = server.instance()
    server.psql("DROP EXTENSION pg_stat_statements")

    without = await sources(described, tmp_path)
    server.psql("CREATE EXTENSION pg_stat_statements VERSION '1.10'")
    old = await sources(described, tmp_path)
    server.psql("ALTER EXTENSION pg_stat_statements UPDATE")
    new = await sources(described, tmp_path)

    assert ([], "", "optional") == without
    assert (["old"], "", "") == old
    assert (["new"], "", "") == new
