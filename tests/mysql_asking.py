"""Ask a real MySQL or MariaDB as the daemon does: our engine, our .sql files, our mapping; the answer by sample."""

from __future__ import annotations

from contextlib import asynccontextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from dbwatch.core import catalogue
from dbwatch.core.mapping import Mapper
from dbwatch.core.model import Lane, Query
from dbwatch.engines.mysql import MysqlEngine, MysqlSession
from dbwatch.files import sql_root
from dbwatch.host.machine import Machine
from dbwatch.library import FAMILIES, _builtin
from dbwatch.poller import asking
from dbwatch.settings.models import MysqlInstance

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from dbwatch.core.catalogue import Catalogue
    from dbwatch.core.model import Facts, Rows

Seen = dict[str, float]
ENGINE = "mysql"


@lru_cache
def ours() -> Catalogue:
    """What stands in sql/mysql: another engine's files are not this test's business."""
    families = catalogue.families((sql_root() / FAMILIES).read_text(), FAMILIES)
    return catalogue.build(families, (source for source in _builtin(sql_root()) if source.engine == ENGINE))


def engine() -> MysqlEngine:
    return MysqlEngine(ours())


def instance(described: Mapping[str, object], **overrides: object) -> MysqlInstance:
    return MysqlInstance.model_validate({"name": "db", **described, **overrides})


@asynccontextmanager
async def session(
    described: Mapping[str, object], lane: Lane = Lane.FAST, *, database: str | None = None, **overrides: object
) -> AsyncIterator[MysqlSession]:
    opened = await engine().connect(instance(described, **overrides), lane, database=database)
    try:
        yield opened
    finally:
        await opened.close()


async def facts(opened: MysqlSession) -> Facts:
    """What the server is, and which privileges are proven."""
    known = await asking.read_facts(engine(), ours(), opened)
    return await asking.prove(opened, known, asking.needed_probes(ours(), ours().collectors_for(ENGINE)))


def query(sql: str, timeout_seconds: float = 15.0) -> Query:
    return Query("test", sql, timeout_seconds)


async def see(described: Mapping[str, object], name: str, **mapping: Any) -> Seen:
    """Run one collector once: `dbwatch_sessions{state=idle}` -> 3.0. Labels that are empty are left out."""
    collector = ours().collectors[ENGINE, name]
    async with session(described, collector.lane) as opened:
        known = await facts(opened)
        assert not asking.missing_needs(collector, known)
        return samples(name, (await asking.answer(opened, collector, known, Machine())).rows, **mapping)


async def answer(described: Mapping[str, object], name: str) -> list[dict[str, object]]:
    """The rows of one question of sql/mysql/jobs."""
    async with session(described) as opened:
        known = await facts(opened)
        return (await asking.ask(opened, ours().question(ENGINE, name), known)).dicts()


def samples(name: str, rows: Rows, *, elapsed_seconds: float = 1.0, **mapping: Any) -> Seen:
    mapper = Mapper(ours().collectors[ENGINE, name], ours().families, **mapping)
    blocks = mapper.blocks(rows, now=0.0, elapsed_seconds=elapsed_seconds)
    return {key(block.family, labels): value for block in blocks for labels, value in block.samples()}


def key(family: str, labels: Mapping[str, str]) -> str:
    shown = ",".join(f"{name}={value}" for name, value in sorted(labels.items()) if value)
    return f"{family}{{{shown}}}" if shown else family
