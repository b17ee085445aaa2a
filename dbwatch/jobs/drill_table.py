"""Scenario 03: pages of a table are damaged for real; that is found, the table is restored, the rest stays as it was.

PostgreSQL alone: it tells damaged pages apart by their checksums, and gives a table back under its own identity.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from dbwatch.core.backups import comparing
from dbwatch.core.backups.drills import DrillPhase, RpoEvidence
from dbwatch.core.backups.model import JobReason
from dbwatch.engines.backing import Selection
from dbwatch.engines.drilling import stage
from dbwatch.errors import JobError
from dbwatch.jobs.drill_damage import damage
from dbwatch.jobs.drill_heartbeat import PACE_SECONDS, Heartbeat
from dbwatch.jobs.drill_sql import statements

if TYPE_CHECKING:
    from dbwatch.core.backups.model import Facts, TableFacts
    from dbwatch.engines.backing import Target
    from dbwatch.jobs.drill_play import Play
    from dbwatch.jobs.scratch import ScratchServer

BESIDE = "dbwatch_restored"
USUAL = ("metier", "demande_rdv")
CHOICE = "an ordinary table, or a partition that is restored by itself"
NAME_ONE = f"name one with --table DATABASE.SCHEMA.TABLE: {CHOICE}"
READ_SECONDS = 3600.0
BEATS_SECONDS = 0.5
HAND_OUT = "drill-table.copy"
FAILURE_LOOKS, FAILURE_LOOK_SECONDS = 20, 0.25


@dataclass(frozen=True, slots=True)
class Chosen:
    """The table."""

    database: str
    schema: str
    table: str

    @property
    def key(self) -> tuple[str, str, str]:
        return (self.database, self.schema, self.table)

    @property
    def settings(self) -> dict[str, str]:
        return {"drill.schema": self.schema, "drill.table": self.table}

    def __str__(self) -> str:
        return ".".join(self.key)


def choose(tables: list[TableFacts], wish: str) -> Chosen:
    """The table wished for, the handbook's own, or the largest. Raise JobError."""
    named = [table for table in tables if wish in ("", *_names(table))]
    alone = [table for table in named if not table.through]
    if not alone:
        raise JobError(JobReason.OTHER, f"{_why_none(tables, wish)} -> {NAME_ONE}")
    best = max(alone, key=lambda table: ((table.schema, table.table) == USUAL, table.bytes or 0, table.rows or 0))
    return Chosen(*best.key)


def _why_none(tables: list[TableFacts], wish: str) -> str:
    """Partitions whose rows come through the whole are restored with it, those that are parted themselves too."""
    if wish and any(table.through and wish in _both(table.database, table.through) for table in tables):
        return f"{wish} is a partitioned table, and this drill damages the pages of one table"
    for table in tables:
        above = [name for each in table.within for name in _both(table.database, each)]
        if table.through and wish in ("", *_names(table), *above):
            return f"{wish or table.table} is restored with all of {table.through} only"
    return f"the set holds no table {wish} with rows of its own" if wish else "the set tells of no table"


def _names(table: TableFacts) -> tuple[str, str]:
    return _both(table.database, f"{table.schema}.{table.table}")


def _both(database: str, name: str) -> tuple[str, str]:
    """With its database and without."""
    return (f"{database}.{name}", name)


async def play_table(play: Play) -> None:
    """Raise JobError or EngineError where it cannot go on."""
    if play.engine_name != "postgres":
        raise JobError(
            JobReason.OTHER, "scenario 03 is PostgreSQL's: MySQL and MariaDB keep no such checksums per table"
        )
    chosen = choose(list(play.manifest.facts.tables), play.table)
    play.table = str(chosen)
    play.notes += ["table_age", "same_machine", "scratch_speed"]
    async with AsyncExitStack() as stack:
        scene = Scene(play, chosen, Heartbeat(play.engine_name))
        with play.phase(DrillPhase.PREPARE):
            await play.find_programs()
            server = await stack.enter_async_context(play.server())
            before = await scene.prepare(server)
        with play.phase(DrillPhase.DETECT):
            await scene.detect(server.target)
        with play.phase(DrillPhase.FETCH):
            await play.read_again(play.subject.repository, play.record)
        with play.phase(DrillPhase.RESTORE):
            beside = Selection(chosen.database, chosen.schema, chosen.table, BESIDE)
            await play.restore(play.manifest, play.directory, server.target, beside)
        with play.phase(DrillPhase.SWAP):
            await scene.swap(server)
        with play.phase(DrillPhase.CHECK):
            await scene.prove(server.target, before)
        with play.phase(DrillPhase.READY):
            await play.serve(server.target, [chosen.database])
        await scene.count_beats(server.target)


@dataclass(frozen=True, slots=True)
class Scene:
    """The database in which it happens."""

    play: Play
    chosen: Chosen
    heart: Heartbeat

    async def prepare(self, server: ScratchServer) -> Facts:
        """Restore the database, remember how it is, and damage the table."""
        play, target = self.play, server.target
        await play.restore(play.manifest, play.directory, target, Selection(self.chosen.database))
        before = await self.facts(target)
        await self.heart.prepare(target)
        async with self.heart.beating(target):
            await asyncio.sleep(BEATS_SECONDS)
        await self.strike(server)
        async with self.heart.beating(target):
            await asyncio.sleep(BEATS_SECONDS)
        return before

    async def strike(self, server: ScratchServer) -> None:
        """The server is stopped meanwhile: it could write a sound page over a damaged one."""
        target, sql = server.target, statements("postgres", "damage")
        async with stage("postgres", target, self.chosen.database, self.chosen.settings) as session:
            places = await session.run(sql["place"])
            await session.run(sql["flush"], READ_SECONDS)
        if not places:
            raise JobError(JobReason.OTHER, f"{self.chosen} has no pages of its own: name another table with --table")
        path, pages, page_bytes, checksums = places[0]
        if checksums != "on":
            raise JobError(JobReason.OTHER, "the scratch server keeps no checksums of its pages")
        await server.stop()
        await asyncio.to_thread(damage, data_directory(server) / str(path), int(pages), int(page_bytes))
        self.play.strikes()
        await server.start()

    async def detect(self, target: Target) -> None:
        """As dbwatch does: every table read to its end, and what the server counted meanwhile."""
        sql = statements("postgres", "damage")
        async with stage("postgres", target, self.chosen.database, self.chosen.settings) as session:
            await session.run(sql["read_all"], READ_SECONDS)
            bad = [tuple(row) for row in await session.run(sql["unreadable"])]
            sound = (await session.run(sql["readable"]))[0][0]
            await session.run(sql["read_pages"], READ_SECONDS)
            pages = (await session.run(sql["bad_pages"]))[0][0]
        failures = await self._failures(target)
        mine = (self.chosen.schema, self.chosen.table)
        found_by = f"SQLSTATE XX001, pg_stat_database.checksum_failures = {failures}"
        self.play.check("damaged", holds=mine in bad and failures > 0, pages=pages, found_by=found_by)
        others = tuple(".".join(row) for row in bad if row != mine)
        self.play.check("confined", others, holds=not others, tables=sound)

    async def _failures(self, target: Target) -> int:
        """Sessions tell of theirs when they end, or a little later."""
        for _ in range(FAILURE_LOOKS):
            async with stage("postgres", target, self.chosen.database) as session:
                count = int((await session.run(statements("postgres", "damage")["checksum_failures"]))[0][0])
            if count:
                break
            await asyncio.sleep(FAILURE_LOOK_SECONDS)
        return count

    async def swap(self, server: ScratchServer) -> None:
        """The rows change hands inside of the server: they never pass through us."""
        sql = statements("postgres", "swap")
        settings = self.chosen.settings | {"drill.file": str(server.scratch.log.parent / HAND_OUT)}
        for database, statement in ((BESIDE, sql["hand_out"]), (self.chosen.database, sql["swap"])):
            async with stage("postgres", server.target, database, settings) as session:
                await session.run(statement, READ_SECONDS)

    async def facts(self, target: Target) -> Facts:
        return await self.play.facts(target, self.play.manifest, {self.chosen.database: self.chosen.database})

    async def prove(self, target: Target, before: Facts) -> None:
        """The table is the set's; everything else is what it was."""
        after = await self.facts(target)
        self._prove_table(after)
        rest = comparing.compare(self.without(before), self.without(after))
        self.play.check("rest", rest.differences, holds=not rest.differences, tables=rest.tables_compared)
        objects = comparing.compare(replace(before, tables=()), replace(after, tables=()))
        count = sum(number for database in after.databases for _, number in database.inventory)
        self.play.check("objects", objects.differences, holds=not objects.differences, objects=count)
        await self.play.look_at_every_page(target, [self.chosen.database])

    def _prove_table(self, after: Facts) -> None:
        wanted, found = _of(self.play.manifest.facts, self.chosen), _of(after, self.chosen)
        has_both = wanted is not None and found is not None
        differences = _differences(wanted, found) if wanted is not None and found is not None else ("it is not there",)
        by_content = has_both and wanted is not None and wanted.digest is not None
        rows = found.rows if found is not None else None
        self.play.check(
            "table",
            tuple(f"{self.chosen}: {each}" for each in differences),
            holds=has_both and not differences and rows is not None,
            rows=rows,
            compared="yes" if by_content else "no",
        )

    def without(self, facts: Facts) -> Facts:
        """Everything but the table, and but the objects: those are compared apart."""
        others = tuple(table for table in facts.tables if table.key != self.chosen.key)
        return replace(facts, tables=others, databases=())

    async def count_beats(self, target: Target) -> None:
        """What was written elsewhere before and after the damage is still there."""
        count, last_at = await self.heart.found(target)
        self.play.check("beats", holds=0 < self.heart.acknowledged <= count, found=count)
        if last_at is not None and self.heart.last_at is not None:
            self.play.lost(self.heart.last_at - last_at, RpoEvidence.HEARTBEAT, PACE_SECONDS)


def data_directory(server: ScratchServer) -> Path:
    """As the server's own command names it."""
    argv = server.scratch.serve.argv
    return Path(argv[argv.index("-D") + 1])


def _of(facts: Facts, chosen: Chosen) -> TableFacts | None:
    return next((table for table in facts.tables if table.key == chosen.key), None)


def _differences(wanted: TableFacts, found: TableFacts) -> tuple[str, ...]:
    pairs = (("rows", wanted.rows, found.rows), ("content", wanted.digest, found.digest))
    return tuple(f"{what} differ" for what, one, other in pairs if None not in (one, other) and one != other)
