"""The witness of a drill: a row written each moment into a scratch production, and what is read back of it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dbwatch.engines.drilling import stage
from dbwatch.errors import EngineError
from dbwatch.jobs.drill_sql import statements
from dbwatch.jobs.faults import only

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from dbwatch.core.backups.model import Manifest
    from dbwatch.engines.backing import Target

PACE_SECONDS = 0.2
BEAT_SECONDS = 5.0
DATABASE = "dbwatch_heartbeat"  # of the drill itself, apart from everybody's
SCHEMA, TABLE = "dbwatch", "heartbeat"  # what an operator may keep in a database of his own


@dataclass(slots=True)
class Heartbeat:
    """`acknowledged`: beats that the server confirmed; `last_at`: when the last of them was, by its clock."""

    engine: str
    acknowledged: int = 0
    last_at: float | None = None

    async def prepare(self, target: Target) -> None:
        """Its own database and table. Raise EngineError."""
        sql = statements(self.engine, "heartbeat")
        async with stage(self.engine, target) as session:
            await session.run(sql["database"])
        async with stage(self.engine, target, DATABASE) as session:
            await session.run(sql["table"])

    @asynccontextmanager
    async def beating(self, target: Target) -> AsyncIterator[None]:
        """Beat until the context is left, or until the server is gone: then the last answer is what counts."""
        try:
            async with asyncio.TaskGroup() as group:
                task = group.create_task(self._beat(target), name="heartbeat of a drill")
                try:
                    yield
                finally:
                    task.cancel()
        except BaseExceptionGroup as raised:
            raise only(raised) from raised

    async def _beat(self, target: Target) -> None:
        sql = statements(self.engine, "heartbeat")
        with suppress(EngineError):  # the server was killed: that is what the drill is about
            async with stage(self.engine, target, DATABASE) as session:
                while True:
                    await session.run(sql["beat"], BEAT_SECONDS)
                    self.last_at = float((await session.run(sql["last"], BEAT_SECONDS))[0][0])
                    self.acknowledged += 1
                    await asyncio.sleep(PACE_SECONDS)

    async def found(self, target: Target) -> tuple[int, float | None]:
        """How many beats a restored server holds, and when the last of them was. Raise EngineError."""
        async with stage(self.engine, target, DATABASE) as session:
            count, last_at = (await session.run(statements(self.engine, "heartbeat")["beats"]))[0]
        return int(count), None if last_at is None else float(last_at)


def kept_by_source(manifest: Manifest) -> str | None:
    """The database in which the source keeps a heartbeat of its own."""
    for table in manifest.facts.tables:
        where = table.schema or table.database
        if (where, table.table) == (SCHEMA, TABLE):
            return table.database
    return None


async def last_of_source(engine: str, target: Target, database: str) -> float | None:
    """When the source's own heartbeat last beat, as restored. None: never, or it is made otherwise than documented."""
    with suppress(EngineError):
        async with stage(engine, target, database) as session:
            last_at = (await session.run(statements(engine, "heartbeat")["last_of_source"]))[0][0]
            return None if last_at is None else float(last_at)
    return None
