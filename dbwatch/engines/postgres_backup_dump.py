"""How one PostgreSQL is dumped: the steps, and the moment that each of them holds."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dbwatch.core.backups.model import Facts, FactsMode, MemberRole
from dbwatch.engines import postgres_backup_commands as commands
from dbwatch.engines import postgres_backup_facts as remembered
from dbwatch.engines.backing import Blocking, Command, Output, Pipeline
from dbwatch.engines.postgres_backup_holding import by_whom, held, unmoved
from dbwatch.engines.postgres_backup_lookout import lookout
from dbwatch.engines.postgres_backup_session import asker
from dbwatch.errors import EngineError, JobError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    import asyncpg

    from dbwatch.core.backups.model import Pairs
    from dbwatch.engines.backing import DumpOptions, Program
    from dbwatch.engines.base import Questions
    from dbwatch.engines.postgres_backup_lookout import Lookout
    from dbwatch.engines.postgres_backup_session import Asker
    from dbwatch.engines.preflight import Preflight
    from dbwatch.settings.models import Instance

GLOBALS = "globals.sql"
LET_GO = "SELECT 1; ROLLBACK"


@dataclass(frozen=True)
class Plan:
    """What all steps of one dump share."""

    instance: Instance
    questions: Questions
    preflight: Preflight
    options: DumpOptions
    directory: Path
    private: Path  # for the password file: not where the set is, which may be a file system of others
    application: str

    @property
    def client(self) -> Program:
        return commands.named(self.preflight.programs, "pg_dump")

    @property
    def zstd(self) -> Program | None:
        return next((each for each in self.preflight.programs if each.name == "zstd"), None)

    @property
    def passwords(self) -> Path:
        return self.private / commands.PASSWORDS

    @property
    def form(self) -> commands.Shape:
        return commands.shape(
            self.client,
            has_zstd=self.zstd is not None,
            wanted=self.options.codec,
            sealed=self.options.seal is not None,
        )

    def command(self, argv: tuple[str, ...]) -> Command:
        major = self.preflight.server.version[0]
        said = commands.environment(
            self.instance, self.client, self.passwords, application=self.application, server_major=major
        )
        return Command(argv, said)

    def pipeline(self, name: str, argv: tuple[str, ...], output: Output, *, squeezed: bool = False) -> Pipeline:
        """A stream goes through zstd(1) and through the seal, where there are such."""
        stream = [self.command(argv)]
        if squeezed and self.zstd is not None:
            stream.append(commands.compressing(self.zstd))
        if output.sealed and self.options.seal is not None:
            stream.append(self.options.seal)
        is_stream = output.role is MemberRole.GLOBALS or self.form.format == commands.CUSTOM
        return Pipeline(
            name,
            tuple(stream),
            stdout=output.path if is_stream else None,
            secrets=commands.passwords(self.instance, self.passwords),
            grows=(output.path,),
            database=output.database,
        )

    def session(self, database: str | None = None) -> AbstractAsyncContextManager[Asker]:
        """It waits for a lock of the application's no longer than the application may wait for us."""
        patience = min(self.options.lock_wait_seconds, self.options.max_blocking_seconds)
        return asker(self.instance, self.questions, self.application, database, lock_seconds=patience)


@dataclass
class GlobalsSource:
    """Roles are no part of any snapshot: they are looked at before and after."""

    asker: Asker
    pipelines: Sequence[Pipeline]
    outputs: Sequence[Output]
    _roles: tuple[str, ...] | None = None

    async def dump_started(self) -> None:
        """Nothing was held."""

    async def facts(self) -> Facts:
        self._roles = await remembered.roles(self.asker)
        return Facts(FactsMode.FULL, comparable=True, evidence="roles", roles=self._roles)

    async def blocking(self) -> Blocking:
        return Blocking()

    async def let_go(self) -> None:
        """Nothing was held."""

    async def progress(self) -> tuple[int | None, int | None]:
        return (None, None)

    async def finished(self) -> tuple[Pairs, bool, str]:
        same = self._roles is None or self._roles == await remembered.roles(self.asker)
        return (), same, "roles" if same else "roles were changed while they were dumped"


@dataclass(frozen=True)
class GlobalsStep:
    """Roles, their settings and memberships."""

    plan: Plan
    name: str = "globals"

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[GlobalsSource]:
        plan, sealed = self.plan, self.plan.options.seal is not None
        path = plan.directory / (GLOBALS + (commands.SEALED if sealed else ""))
        output = Output(path, MemberRole.GLOBALS, sealed=sealed)
        database = commands.server_of(plan.instance).database
        async with plan.session() as opened:
            complete = bool((await opened.one("backup_server"))["reads_passwords"])
            argv = commands.globals_of(plan.client, database, with_passwords=complete)
            yield GlobalsSource(opened, (plan.pipeline("dump of roles", argv, output),), (output,))


@dataclass
class DatabaseSource:
    """One database, held at the moment of its exported snapshot."""

    plan: Plan
    database: str
    holder: Asker
    lookout: Lookout
    snapshot: str
    lsn: str
    tables: Sequence[asyncpg.Record]
    pipelines: Sequence[Pipeline]
    outputs: Sequence[Output]
    described: asyncpg.Record | None = None
    is_standby: bool = False
    is_over: bool = False  # nothing is held any more
    _objects: remembered.Inventory | None = field(default=None, repr=False)

    async def dump_started(self) -> None:
        """Nothing that others wait for: our locks are those of a reader."""

    async def facts(self) -> Facts:
        """In a session of its own, which sees what the dump sees."""
        options = self.plan.options
        budget = remembered.Budget(options.facts_seconds)
        async with self.plan.session(self.database) as reader:
            await remembered.read_only(reader, self.snapshot)
            known = await remembered.database(reader, self.described, self.database)
            self._objects = (known.inventory, known.inventory_digest, known.objects)
            reading = remembered.Reading(reader, self.database, options.facts, budget, self.is_standby)
            rows = [row for row in self.tables if row["has_rows"]]
            found = () if options.facts is FactsMode.OFF else await reading.tables(rows)
        comparable = options.facts is not FactsMode.OFF
        return Facts(options.facts, comparable, f"exported snapshot {self.snapshot}", (known,), found)

    async def blocking(self) -> Blocking:
        return await self.lookout.blocking()

    async def let_go(self) -> None:
        await self.lookout.let_go()

    async def progress(self) -> tuple[int | None, int | None]:
        """A file of a directory is one table's rows; a stream does not tell."""
        if self.plan.form.format != commands.DIRECTORY:
            return (None, None)
        expected = sum(1 for row in self.tables if row["has_rows"] and not (self.is_standby and row["is_unlogged"]))
        return (min(expected, await asyncio.to_thread(_files, self.outputs[0].path)), expected)

    async def finished(self) -> tuple[Pairs, bool, str]:
        """The snapshot was held to the end; it is let go before we look whether anybody changed a definition meanwhile:
        to see one we may have to wait behind somebody who waits for us.
        """
        await self.holder.execute(LET_GO, what="the session that holds the snapshot")
        self.is_over = True
        coordinates = ((f"snapshot {self.database}", self.snapshot), (f"lsn {self.database}", self.lsn))
        moved = await self._moved()
        return coordinates, not moved, moved or f"exported snapshot {self.snapshot}"

    async def _moved(self) -> str:
        """Why the definitions may not be those of the snapshot: the dump itself is whole, and is kept."""
        if self._objects is None:
            return ""
        try:
            now = await self.lookout.during(self._objects_now())
        except (EngineError, JobError) as error:
            return f"it could not be seen whether objects of {self.database} were changed meanwhile: {error.message}"
        return "" if now == self._objects else f"objects of {self.database} were changed while it was dumped"

    async def _objects_now(self) -> remembered.Inventory:
        async with self.plan.session(self.database) as looking:
            return await remembered.inventory(looking)


@dataclass(frozen=True)
class DatabaseStep:
    """One database."""

    plan: Plan
    number: int
    name: str

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[DatabaseSource]:
        plan = self.plan
        async with AsyncExitStack() as stack:
            holder = await stack.enter_async_context(plan.session(self.name))
            limit = plan.options.max_blocking_seconds
            watch = await stack.enter_async_context(lookout(lambda: plan.session(self.name), limit))
            server = await watch.asker.one("backup_server")
            databases = await watch.asker.ask("backup_databases")
            snapshot, tables = await self._watched(holder, watch)
            is_standby = bool(server["is_standby"])
            pipeline, output = self._pipeline(snapshot, is_standby=is_standby)
            source = DatabaseSource(
                plan,
                self.name,
                holder,
                watch,
                snapshot,
                str(server["lsn"]),
                tables,
                (pipeline,),
                (output,),
                next((row for row in databases if row["name"] == self.name), None),
                is_standby,
            )
            try:
                yield source
            finally:
                if not source.is_over:  # sessions of programs that were ended may live on, behind a lock
                    with suppress(EngineError):
                        await watch.let_go()

    async def _watched(self, holder: Asker, watch: Lookout) -> tuple[str, list[asyncpg.Record]]:
        try:
            return await watch.during(self._held(holder))
        except JobError as error:
            raise await by_whom(error, watch, self.plan.options.lock_wait_seconds, self.name) from None

    async def _held(self, holder: Asker) -> tuple[str, list[asyncpg.Record]]:
        snapshot, tables = await held(holder, self.plan.options.lock_wait_seconds, self.name)
        async with self.plan.session(self.name) as looking:
            await unmoved(looking, tables, self.name)
        return snapshot, tables

    def _pipeline(self, snapshot: str, *, is_standby: bool) -> tuple[Pipeline, Output]:
        plan, form = self.plan, self.plan.form
        sealed = plan.options.seal is not None
        suffix = (".dump" if form.format == commands.CUSTOM else "") + (commands.SQUEEZED if form.outside else "")
        path = plan.directory / (commands.slug(self.number, self.name) + suffix + (commands.SEALED if sealed else ""))
        output = Output(path, codec=form.codec, database=self.name, sealed=sealed)
        argv = commands.dump(plan.client, form, plan.options, self.name, snapshot, target=path, standby=is_standby)
        return plan.pipeline(f"dump of {self.name}", argv, output, squeezed=form.outside), output


def _files(directory: Path) -> int:
    return sum(1 for path in directory.glob("*.dat*")) if directory.is_dir() else 0
