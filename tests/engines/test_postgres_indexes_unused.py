"""An index is unused only where nobody used it for long, on no server of the cluster; else nothing is said of it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.fix_process import eventually
from tests.postgres_asking import key, see
from tests.postgres_polling import Polling

if TYPE_CHECKING:
    from tests.fix_postgres import NewPostgres, NewStandby

pytestmark = pytest.mark.engine

UNUSED = "dbwatch_index_unused_bytes"
EVIDENCE = "dbwatch_pg_index_usage_evidence_seconds"
TABLES = """
CREATE TABLE agent (n int PRIMARY KEY, code int UNIQUE, name text);
CREATE TABLE rdv (agent int REFERENCES agent, at date, note text, more int);
CREATE INDEX under_a_key ON rdv (agent); CREATE INDEX by_date ON rdv (at); CREATE INDEX by_note ON rdv (note);
CREATE INDEX by_more ON rdv (more); CREATE INDEX by_name ON agent (name);
ALTER TABLE agent ADD CONSTRAINT no_two EXCLUDE USING btree (n WITH =, name WITH =);
INSERT INTO agent VALUES (1, 1, 'x'); INSERT INTO rdv VALUES (1, current_date, 'x', 1); ANALYZE;
"""
USE = "SET enable_seqscan = off; SELECT at FROM rdv WHERE {} = {}"


class Scene(Polling):
    """Our collector, to which evidence of no time at all is enough."""

    def __init__(self) -> None:
        super().__init__("index_unused", {"30 * 86400": "0"})

    def listed(self, name: str = "first") -> set[str]:
        return {labels["index"] for labels, _ in self.samples(name, UNUSED)}

    async def lists(self, *indexes: str, reason: str = "") -> None:
        """Wait until exactly these are unused, or none for that reason."""
        await self.until(
            lambda: self.listed() == set(indexes) and reason in self.status("first").message,
            lambda: (self.listed(), self.status("first").message),
        )


async def test_nothing_is_unused_before_there_is_evidence_enough(new_postgres: NewPostgres) -> None:
    server = new_postgres()
    server.psql("CREATE DATABASE shop")
    server.psql(TABLES, "shop")
    seen = await see(server.instance(), "index_unused", database="shop")

    assert [key(EVIDENCE, {"database": "shop"})] == list(seen)
    assert 0 < seen[key(EVIDENCE, {"database": "shop"})] < 60
    server.psql("SELECT pg_stat_reset()", "shop")
    after = await see(server.instance(), "index_unused", database="shop")
    assert after[key(EVIDENCE, {"database": "shop"})] < seen[key(EVIDENCE, {"database": "shop"})]


async def test_an_index_counts_as_unused_when_no_server_of_the_cluster_used_it(
    new_postgres: NewPostgres, standby: NewStandby
) -> None:
    primary, scene = new_postgres(), Scene()
    primary.psql("CREATE DATABASE shop")
    primary.psql(TABLES, "shop")
    async with scene.watching(first=primary, databases="shop"):
        # Those that guard something are never among them, nor is one that was read here.
        await scene.lists("by_date", "by_note", "by_more", "by_name")
        primary.psql(USE.format("at", "current_date"), "shop")
        await scene.lists("by_note", "by_more", "by_name")
        size = int(primary.psql("SELECT pg_relation_size('by_more')", "shop"))
        assert size == {labels["index"]: bytes_ for labels, bytes_ in scene.samples("first", UNUSED)}["by_more"]
        replica = await asyncio.to_thread(standby, primary)
        await scene.lists(reason="1 replicas are connected, 0 of them watched")
        async with scene.watching(second=replica, databases="shop"):
            await scene.lists("by_note", "by_more", "by_name")
            await asyncio.to_thread(replica.psql, USE.format("note", "'x'"), "shop")
            await scene.lists("by_more", "by_name")
            assert set() == scene.listed("second")
            await asyncio.to_thread(replica.stop)
            await scene.lists(reason="second has not answered lately")
            await asyncio.to_thread(replica.start)
            await asyncio.to_thread(eventually, lambda: primary.psql("SELECT count(*) FROM pg_stat_replication") == "1")
            await scene.lists("by_more", "by_name")
        # No longer watched, and still connected: it may read what we do not see.
        await scene.lists(reason="1 replicas are connected, 0 of them watched")
