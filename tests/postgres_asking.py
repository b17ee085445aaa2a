"""Ask a real PostgreSQL as the daemon does: our engine, our .sql files, our mapping; the answer by sample."""

from __future__ import annotations

from contextlib import asynccontextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from dbwatch.core import catalogue
from dbwatch.core.mapping import Mapper
from dbwatch.core.model import Lane, Query, Scope
from dbwatch.engines.postgres import PostgresEngine, PostgresSession
from dbwatch.files import sql_root
from dbwatch.host.machine import Machine
from dbwatch.library import FAMILIES, _builtin
from dbwatch.poller import asking
from dbwatch.settings.models import PostgresInstance

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from dbwatch.core.catalogue import Catalogue
    from dbwatch.core.model import Facts

Seen = dict[str, float]
ENGINE = "postgres"


@lru_cache
def ours() -> Catalogue:
    """What stands in sql/postgres: another engine's files are not this test's business."""
    families = catalogue.families((sql_root() / FAMILIES).read_text(), FAMILIES)
    return catalogue.build(families, (source for source in _builtin(sql_root()) if source.engine == ENGINE))


def engine() -> PostgresEngine:
    return PostgresEngine(ours())


def instance(described: Mapping[str, object], **overrides: object) -> PostgresInstance:
    return PostgresInstance.model_validate({"name": "db", **described, **overrides})


@asynccontextmanager
async def session(
    described: Mapping[str, object], lane: Lane = Lane.FAST, *, database: str | None = None, **overrides: object
) -> AsyncIterator[PostgresSession]:
    opened = await engine().connect(instance(described, **overrides), lane, database=database)
    try:
        yield opened
    finally:
        await opened.close()


async def facts(opened: PostgresSession) -> Facts:
    """What the server is, and which privileges are proven."""
    known = await asking.read_facts(engine(), ours(), opened)
    return await asking.prove(opened, known, asking.needed_probes(ours(), ours().collectors_for(ENGINE)))


async def see(described: Mapping[str, object], name: str, *, database: str = "postgres", **mapping: Any) -> Seen:
    """Run one collector once: `dbwatch_sessions{app=x,state=idle}` -> 3.0. Labels that are empty are left out."""
    collector = ours().collectors[ENGINE, name]
    async with session(described, collector.lane, database=database) as opened:
        known = await facts(opened)
        assert not asking.missing_needs(collector, known)
        if asking.left_out(collector, known):
            return {}
        given = await asking.answer(opened, collector, known, Machine())
        return samples(name, given.rows, database=database, **mapping)


def samples(name: str, rows: Any, *, database: str = "postgres", elapsed_seconds: float = 1.0, **mapping: Any) -> Seen:
    collector = ours().collectors[ENGINE, name]
    constants = {"database": database} if collector.scope is Scope.DATABASE else {}
    mapper = Mapper(collector, ours().families, constants=constants, **mapping)
    blocks = mapper.blocks(rows, now=0.0, elapsed_seconds=elapsed_seconds)
    return {key(block.family, labels): value for block in blocks for labels, value in block.samples()}


def key(family: str, labels: Mapping[str, str]) -> str:
    shown = ",".join(f"{name}={value}" for name, value in sorted(labels.items()) if value)
    return f"{family}{{{shown}}}" if shown else family


def query(sql: str, *columns: str, timeout_seconds: float = 15.0) -> Query:
    return Query("test", sql, timeout_seconds, columns)
