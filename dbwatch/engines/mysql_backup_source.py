"""The one step of a dump of MySQL or MariaDB: all databases and all accounts, as the server was at one moment."""

from __future__ import annotations

import time
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from dbwatch.core.backups.model import Facts, FactsMode, JobReason, TableFacts
from dbwatch.engines import mysql_backup_accounts as accounts_of
from dbwatch.engines import mysql_backup_facts as remembered
from dbwatch.engines import mysql_backup_programs as programs_of
from dbwatch.engines import mysql_backup_watching as watching
from dbwatch.engines.mysql_backup_commands import accounts_pipeline, dump_pipeline, outputs
from dbwatch.engines.mysql_backup_moment import Moment
from dbwatch.engines.mysql_backup_session import asker
from dbwatch.errors import EngineError, JobError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from contextlib import AbstractAsyncContextManager

    from dbwatch.core.backups.model import DatabaseFacts, Pairs
    from dbwatch.engines.backing import Blocking, Output, Pipeline
    from dbwatch.engines.base import Questions
    from dbwatch.engines.mysql_backup_commands import Plan
    from dbwatch.engines.mysql_backup_session import Asker

STUCK = "the dump waited for {seconds:.0f} s for a lock of the application's on a table (lock_wait {limit:g} s)"
CHANGED = "tables or other objects were created, changed or dropped while the dump ran"


@dataclass(frozen=True, slots=True)
class MysqlStep:
    """All of the instance at once."""

    plan: Plan
    questions: Questions
    name: str = "instance"

    def opened(self) -> AbstractAsyncContextManager[MysqlSource]:
        return _opened(self.plan, self.questions)


@asynccontextmanager
async def _opened(plan: Plan, questions: Questions) -> AsyncIterator[MysqlSource]:
    options, instance, mark = plan.options, plan.instance, plan.application
    async with asker(instance, questions, mark) as reader, asker(instance, questions, mark) as watcher:
        log_bin = {row["name"]: row["value"] for row in await reader.ask("identity")}.get("log_bin") == "ON"
        dump = programs_of.named(plan.programs, programs_of.DUMP, plan.flavour)
        flags = await programs_of.flags(dump, plan.flavour, plan.server)
        plan = replace(plan, flags=flags, stranded=await accounts_of.stranded(reader, plan.databases))
        tables = await remembered.tables(reader, plan.databases)
        before = await remembered.inventory(reader, plan.databases)
        script, roles = await accounts_of.script(reader)
        moment = Moment(
            instance, questions, mark, options.lock_wait_seconds, options.max_blocking_seconds, has_binary_log=log_bin
        )
        source = MysqlSource(plan, reader, watcher, moment, tables, before, roles, script)
        try:
            await moment.begin(reader, [watcher])
            yield source
        finally:
            await moment.end()
            if reader.session.broken:
                await _ended(moment)


async def _ended(moment: Moment) -> None:
    """Our reader was cut in the middle of a sum, perhaps. The server goes on with it, though nobody reads the answer,
    and who changes the table would wait for that.
    """
    with suppress(EngineError):  # as it was: it ends by its own limit
        async with asker(moment.instance, moment.questions, moment.application) as opened:
            for row in await opened.ask("orphans"):
                if int(row["id"]) == moment.reader_id and moment.application in str(row["info"]):
                    await opened.ask("kill", {"id": moment.reader_id})


@dataclass
class MysqlSource:
    """The server while its dump runs. `reader` sees the dump's moment, `watcher` sees the present."""

    plan: Plan
    reader: Asker
    watcher: Asker
    moment: Moment
    tables: Sequence[remembered.Table]
    before: tuple[DatabaseFacts, ...]
    roles: tuple[str, ...]
    script: str
    _survey: remembered.Survey | None = None
    _sessions: Sequence[watching.Seen] = ()
    _waits: watching.Waits = field(default_factory=lambda: watching.Waits(time.monotonic()))
    _at: int = 0
    _order: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._order = [(table.database, table.name) for table in self.tables]

    @property
    def pipelines(self) -> Sequence[Pipeline]:
        return (dump_pipeline(self.plan), accounts_pipeline(self.plan, self.script))

    @property
    def outputs(self) -> Sequence[Output]:
        return outputs(self.plan)

    async def dump_started(self) -> None:
        await self.moment.dump_started()

    async def facts(self) -> Facts:
        """Rows and content only where they are of the dump's own moment."""
        await self.moment.over.wait()
        mode, exact = self.plan.options.facts, self.moment.exact
        read = self._known() if not exact or mode is FactsMode.OFF else await self._read()
        databases = self.before if mode is not FactsMode.OFF else tuple(_unlooked(each) for each in self.before)
        return Facts(mode, exact and mode is not FactsMode.OFF, self.moment.evidence, databases, read, self.roles)

    def _known(self) -> tuple[TableFacts, ...]:
        return tuple(TableFacts(table.database, "", table.name, bytes=table.bytes) for table in self.tables)

    async def _read(self) -> tuple[TableFacts, ...]:
        options = self.plan.options
        self._survey = remembered.Survey(
            self.reader, self.plan.databases, options.facts, options.facts_seconds, in_snapshot=True
        )
        return await self._survey.take()

    async def blocking(self) -> Blocking:
        """Raise JobError where the dump itself waits too long: its program knows no limit of its own."""
        dump, limit = await self.moment.find_dump(self.watcher), self.plan.options.lock_wait_seconds
        ids = ",".join(map(str, dump or (0,)))
        self._sessions = [watching.seen(row) for row in await self.watcher.ask("watching", {"ids": ids})]
        if (seconds := watching.stuck_seconds(self._sessions, dump)) > limit:
            raise JobError(JobReason.LOCK, STUCK.format(seconds=seconds, limit=limit))
        reading = {each.table for each in self._sessions if each.id in dump}
        reading.add(self._survey.reading if self._survey else "")
        now, ours = time.monotonic(), {*dump, *self.moment.own_ids}
        return self._waits.blocking(self._sessions, ours, reading, now, holds_all=self.moment.is_held)

    async def let_go(self) -> None:
        """The dump's session ends with its program. What we read for the facts goes on, and it is waited for too."""
        if self._survey is not None and self._survey.reading:
            await self.watcher.ask("kill", {"id": self.moment.reader_id})

    async def progress(self) -> tuple[int | None, int | None]:
        """By what `blocking` saw: the dump goes through the tables in order."""
        found = watching.position(self._sessions, self.moment.dump_ids, self._order)
        self._at = max(self._at, found or 0)
        return self._at, len(self._order)

    async def finished(self) -> tuple[Pairs, bool, str]:
        """Definitions know no snapshot: they are looked at again."""
        moment = self.moment
        if self.plan.options.facts is not FactsMode.OFF and _bare(
            await remembered.inventory(self.watcher, self.plan.databases)
        ) != _bare(self.before):
            return moment.coordinates, False, CHANGED
        return moment.coordinates, moment.exact, moment.evidence


def _bare(databases: Sequence[DatabaseFacts]) -> tuple[DatabaseFacts, ...]:
    """Without what grows by itself, and without names, which the digests hold."""
    return tuple(replace(each, size_bytes=0, objects=()) for each in databases)


def _unlooked(database: DatabaseFacts) -> DatabaseFacts:
    return replace(database, inventory=(), inventory_digest="", objects=())
