"""How one PostgreSQL is dumped: the steps, and the moment that each of them holds."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dbwatch.core.backups.model import Facts, FactsMode, JobReason, MemberRole
from dbwatch.engines import postgres_backup_commands as commands
from dbwatch.engines import postgres_backup_facts as remembered
from dbwatch.engines.backing import Blocking, Command, Output, Pipeline
from dbwatch.engines.postgres_backup_session import asker
from dbwatch.errors import EngineError, JobError, Reason

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    import asyncpg

    from dbwatch.core.backups.model import Pairs
    from dbwatch.engines.backing import DumpOptions, Preflight, Program
    from dbwatch.engines.base import Questions
    from dbwatch.engines.postgres_backup_session import Asker
    from dbwatch.settings.models import Instance

GLOBALS = "globals.sql"
LOCKED_AT_ONCE = 500
AGAIN = "run the backup again, when no migration runs"
EXPORT = "SELECT pg_export_snapshot() AS id"


@dataclass(frozen=True)
class Plan:
    """What all steps of one dump share."""

    instance: Instance
    questions: Questions
    preflight: Preflight
    options: DumpOptions
    directory: Path
    application: str

    @property
    def client(self) -> Program:
        return commands.named(self.preflight.programs, "pg_dump")

    @property
    def zstd(self) -> Program | None:
        return next((each for each in self.preflight.programs if each.name == "zstd"), None)

    @property
    def passwords(self) -> Path:
        return self.directory / commands.PASSWORDS

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
        return asker(self.instance, self.questions, self.application, database)


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
    watch: Asker
    snapshot: str
    lsn: str
    tables: Sequence[asyncpg.Record]
    pipelines: Sequence[Pipeline]
    outputs: Sequence[Output]
    described: asyncpg.Record | None = None
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
            reading = remembered.Reading(reader, self.database, options.facts, budget)
            rows = [row for row in self.tables if row["has_rows"]]
            found = () if options.facts is FactsMode.OFF else await reading.tables(rows)
        comparable = options.facts is not FactsMode.OFF
        return Facts(options.facts, comparable, f"exported snapshot {self.snapshot}", (known,), found)

    async def blocking(self) -> Blocking:
        row = await self.watch.one("backup_blocking")
        return Blocking(int(row["sessions"]), float(row["longest_seconds"]))

    async def progress(self) -> tuple[int | None, int | None]:
        """A file of a directory is one table's rows; a stream does not tell."""
        if self.plan.form.format != commands.DIRECTORY:
            return (None, None)
        expected = sum(1 for row in self.tables if row["has_rows"])
        return (min(expected, await asyncio.to_thread(_files, self.outputs[0].path)), expected)

    async def finished(self) -> tuple[Pairs, bool, str]:
        """The snapshot was held to the end, and nobody changed a definition meanwhile."""
        await self.holder.execute("SELECT 1", what="the session that holds the snapshot")
        unchanged = self._objects is None or self._objects == await remembered.inventory(self.watch)
        evidence = f"exported snapshot {self.snapshot}"
        coordinates = ((f"snapshot {self.database}", self.snapshot), (f"lsn {self.database}", self.lsn))
        if unchanged:
            return coordinates, True, evidence
        return coordinates, False, f"objects of {self.database} were changed while it was dumped"


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
            watch = await stack.enter_async_context(plan.session(self.name))
            server = await watch.one("backup_server")
            databases = await watch.ask("backup_databases")
            snapshot, tables = await held(holder, plan.options.lock_wait_seconds, self.name)
            await unmoved(watch, tables, self.name)
            is_standby = bool(server["is_standby"])
            pipeline, output = self._pipeline(snapshot, is_standby=is_standby)
            yield DatabaseSource(
                plan,
                self.name,
                holder,
                watch,
                snapshot,
                str(server["lsn"]),
                [row for row in tables if not (is_standby and row["is_unlogged"])],
                (pipeline,),
                (output,),
                next((row for row in databases if row["name"] == self.name), None),
            )

    def _pipeline(self, snapshot: str, *, is_standby: bool) -> tuple[Pipeline, Output]:
        plan, form = self.plan, self.plan.form
        sealed = plan.options.seal is not None
        suffix = (".dump" if form.format == commands.CUSTOM else "") + (commands.SQUEEZED if form.outside else "")
        path = plan.directory / (commands.slug(self.number, self.name) + suffix + (commands.SEALED if sealed else ""))
        output = Output(path, codec=form.codec, database=self.name, sealed=sealed)
        argv = commands.dump(plan.client, form, plan.options, self.name, snapshot, target=path, standby=is_standby)
        return plan.pipeline(f"dump of {self.name}", argv, output, squeezed=form.outside), output


async def held(holder: Asker, lock_wait_seconds: float, database: str) -> tuple[str, list[asyncpg.Record]]:
    """A moment that others can share, and from then on a reader's lock on every table: no ALTER, no TRUNCATE."""
    try:
        await holder.execute(f"SET lock_timeout = {max(1, round(lock_wait_seconds * 1000))}")
        await remembered.read_only(holder)
        snapshot = str((await holder.fetch(EXPORT))[0]["id"])
        tables = await holder.ask("backup_tables")
        names = [row["lock_name"] for row in tables if row["lock_name"]]
        for first in range(0, len(names), LOCKED_AT_ONCE):
            some = ", ".join(f"ONLY {name}" for name in names[first : first + LOCKED_AT_ONCE])
            await holder.execute(f"LOCK TABLE {some} IN ACCESS SHARE MODE", seconds=lock_wait_seconds + 30)
    except EngineError as error:
        raise _explained(error, database, lock_wait_seconds) from None
    return snapshot, tables


def _explained(error: EngineError, database: str, lock_wait_seconds: float) -> EngineError | JobError:
    if error.reason is Reason.LOCK:
        text = f"{database}: a table stayed locked by the application for more than {lock_wait_seconds:g} s"
        return JobError(JobReason.LOCK, f"{text}: {AGAIN}, or raise lock_wait")
    if error.reason is Reason.MISSING:
        return JobError(JobReason.INCOMPLETE, f"{database}: a table was dropped as the dump began: {AGAIN}")
    return error


async def unmoved(watch: Asker, tables: Sequence[asyncpg.Record], database: str) -> None:
    """TRUNCATE and ALTER TABLE hide the old rows from a snapshot that is older: the dump would be silently empty."""
    now = {row["storage"] for row in await watch.ask("backup_filenodes")}
    moved = [row["lock_name"] for row in tables if row["lock_name"] and row["storage"] not in now]
    if moved:
        text = f"{database}: {moved[0]} was emptied or rewritten as the dump began"
        raise JobError(JobReason.INCOMPLETE, f"{text}: {AGAIN}")


def _files(directory: Path) -> int:
    return sum(1 for path in directory.glob("*.dat*")) if directory.is_dir() else 0
