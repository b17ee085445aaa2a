"""PostgreSQL's part in backups: dumps of one exported snapshot, and restores that are compared with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dbwatch.core.backups.model import Facts, FactsMode, JobReason
from dbwatch.engines import postgres_backup_archive as archive
from dbwatch.engines import postgres_backup_commands as commands
from dbwatch.engines import postgres_backup_facts as remembered
from dbwatch.engines import postgres_backup_hand_over as hand_over
from dbwatch.engines import postgres_backup_programs as programs_of
from dbwatch.engines import postgres_backup_restore as restore
from dbwatch.engines import postgres_backup_rights as rights
from dbwatch.engines import postgres_backup_scratch as throw_away
from dbwatch.engines.backing import Command, Pipeline
from dbwatch.engines.base import until_reached
from dbwatch.engines.postgres_backup_dump import DatabaseStep, GlobalsStep, Plan
from dbwatch.engines.postgres_backup_preflight import preflight
from dbwatch.engines.postgres_backup_session import asker
from dbwatch.errors import JobError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

    from dbwatch.core.backups.model import DatabaseFacts, Manifest, TableFacts
    from dbwatch.engines.backing import Aside, DumpOptions, Program, Scratch, Selection, Step, Target
    from dbwatch.engines.base import Questions
    from dbwatch.engines.preflight import Preflight
    from dbwatch.settings.models import Instance

# They want a place in shared_preload_libraries, and would begin to work by themselves: never on a scratch server.
PRELOADED = frozenset({"citus", "pg_cron", "pg_partman_bgw", "pglogical", "timescaledb"})
TERMINATE = "SELECT pg_terminate_backend($1)"


class PostgresBackup:
    """Stateless; see engines.backing.BackupEngine."""

    name = "postgres"

    def __init__(self, questions: Questions) -> None:
        self._questions = questions

    async def preflight(self, instance: Instance, options: DumpOptions) -> Preflight:
        return await preflight(instance, options, self._questions)

    def steps(
        self,
        instance: Instance,
        preflight: Preflight,
        options: DumpOptions,
        directory: Path,
        *,
        private: Path,
        application: str,
    ) -> Sequence[Step]:
        plan = Plan(instance, self._questions, preflight, options, directory, private, application)
        names = [name for name, _ in preflight.databases]
        return (GlobalsStep(plan), *(DatabaseStep(plan, number, name) for number, name in enumerate(names)))

    async def sweep(self, instance: Instance, application_prefix: str, keep: Collection[str]) -> int:
        ended = 0
        async with asker(instance, self._questions, f"{application_prefix.rstrip('/')}/sweep") as opened:
            for row in await opened.ask("backup_sessions"):
                if not any(name.startswith(row["application"]) for name in keep):
                    ended += bool((await opened.fetch(TERMINATE, row["pid"]))[0][0])
        return ended

    def decoding(
        self, manifest: Manifest, directory: Path, opener: Command | None, programs: Sequence[Program]
    ) -> Sequence[Pipeline]:
        return archive.decoding(manifest, directory, opener, programs)

    async def client_programs(self, manifest: Manifest, program_directories: Sequence[Path]) -> tuple[Program, ...]:
        reader = await programs_of.reader(_needed(manifest), program_directories, archive.compressed_inside(manifest))
        beside = [await programs_of.companion(reader, name) for name in ("createdb", "dropdb")]
        zstd = await programs_of.on_path(programs_of.ZSTD)
        return (reader, *beside, *([zstd] if zstd else []))

    async def scratch_programs(self, manifest: Manifest, program_directories: Sequence[Path]) -> tuple[Program, ...]:
        wanted = {name for database in manifest.facts.databases for name, _ in database.extensions}
        initdb, lacking = await programs_of.scratch_server(_needed(manifest), program_directories, wanted)
        lacking = (*lacking, *sorted(wanted & PRELOADED - set(lacking)))
        if lacking:
            text = f"a scratch server of {initdb.path.parent} cannot have {', '.join(lacking)}"
            raise JobError(JobReason.NO_EXTENSION, f"{text}: install the extension's package on this machine")
        beside = [await programs_of.companion(initdb, name) for name in ("postgres", "createdb", "dropdb")]
        return (initdb, *beside, await _reader(initdb, manifest, program_directories), *await _optional(initdb))

    def scratch(self, directory: Path, programs: Sequence[Program], account: str | None) -> Scratch:
        return throw_away.scratch(directory, programs, account)

    async def wait_ready(self, instance: Instance, seconds: float) -> None:
        await until_reached(lambda: asker(instance, self._questions, restore.APPLICATION), seconds)

    async def occupied(self, target: Target, selection: Selection, manifest: Manifest) -> str:
        return await restore.occupied(target, selection, manifest, self._questions)

    async def present(self, target: Target) -> frozenset[str]:
        return (await restore.look(target, self._questions)).taken

    async def obstacles(
        self, manifest: Manifest, directory: Path, target: Target, selection: Selection, opener: Command | None
    ) -> Sequence[str]:
        files = rights.Files(manifest, directory, opener, target.programs)
        return await rights.lacking(files, target, selection, self._questions)

    async def kept(self, manifest: Manifest, target: Target, selection: Selection) -> Sequence[str]:
        return await rights.kept(manifest, target, selection, self._questions)

    async def kind(
        self,
        manifest: Manifest,
        directory: Path,
        programs: Sequence[Program],
        selection: Selection,
        opener: Command | None,
    ) -> str:
        return await rights.kind(rights.Files(manifest, directory, opener, programs), selection)

    async def restoring(
        self, manifest: Manifest, directory: Path, target: Target, selection: Selection, opener: Command | None
    ) -> Sequence[Pipeline]:
        there = await restore.look(target, self._questions)
        return await restore.pipelines(restore.Restoring(manifest, directory, target, selection, opener, there))

    async def afterwards(self, *_: object) -> tuple[str, ...]:
        return ()  # a copy is a database of its own, and names no other; who makes a role there is told before

    async def aside(
        self, manifest: Manifest, directory: Path, target: Target, selection: Selection, opener: Command | None
    ) -> Aside:
        there = await restore.look(target, self._questions)
        plan = restore.Restoring(manifest, directory, target, selection, opener, there)
        return await hand_over.with_foreign_keys(await hand_over.columns(target, selection, self._questions), plan)

    async def facts_of(self, target: Target, manifest: Manifest, databases: Mapping[str, str], seconds: float) -> Facts:
        budget = remembered.Budget(seconds)
        known: list[DatabaseFacts] = []
        tables: list[TableFacts] = []
        for source, there in databases.items():
            found, rows = await self._facts_of(target, manifest, source, there, budget)
            known.append(found)
            tables += rows
        roles = await self._roles_of(target, manifest)
        return Facts(manifest.facts.mode, manifest.facts.comparable, "restored", tuple(known), tuple(tables), roles)

    async def _facts_of(
        self, target: Target, manifest: Manifest, source: str, there: str, budget: remembered.Budget
    ) -> tuple[DatabaseFacts, Sequence[TableFacts]]:
        async with asker(target.instance, self._questions, restore.APPLICATION, there) as opened:
            described = [row for row in await opened.ask("backup_databases") if row["name"] == there]
            await remembered.read_only(opened)
            found = await remembered.database(opened, described[0] if described else None, source)
            mode = manifest.facts.mode
            if mode is FactsMode.OFF:
                return found, ()
            rows = [row for row in await opened.ask("backup_tables") if row["has_rows"]]
            wanted = {(each.schema, each.table): each for each in manifest.facts.tables if each.database == source}
            return found, await remembered.Reading(opened, source, mode, budget).tables(rows, wanted)

    async def _roles_of(self, target: Target, manifest: Manifest) -> tuple[str, ...]:
        """Those of the set. A scratch server has one of its own beside them, and a real one may have others."""
        named = {role.rpartition(" ")[0] for role in manifest.facts.roles}
        async with asker(target.instance, self._questions, restore.APPLICATION) as opened:
            found = await remembered.roles(opened)
        return tuple(role for role in found if role.rpartition(" ")[0] in named)

    def integrity(self, target: Target, databases: Sequence[str]) -> Sequence[Pipeline]:
        pg_amcheck = next((program for program in target.programs if program.name == "pg_amcheck"), None)
        if pg_amcheck is None:
            return ()
        passwords = target.directory / commands.PASSWORDS
        major = pg_amcheck.version[0]  # with a limit of statements that was restored along, no large table is read
        said = commands.environment(
            target.instance, pg_amcheck, passwords, application=restore.APPLICATION, server_major=major
        )
        words = (str(pg_amcheck.path), "--heapallindexed", "--install-missing", f"--jobs={target.parallel}")
        secrets = commands.passwords(target.instance, passwords)
        return [
            Pipeline(
                f"check of {name}",
                (Command((*words, "--no-password", f"--database={commands.pattern(name)}"), said),),
                secrets=secrets,
                database=name,
            )
            for name in databases
        ]

    async def check(self, target: Target, databases: Sequence[str]) -> tuple[str, ...]:
        found: list[str] = []
        for name in databases:
            async with asker(target.instance, self._questions, restore.APPLICATION, name) as opened:
                found += [f"{name}: {row['what']}" for row in await opened.ask("backup_unsound")]
        return tuple(found)


def _needed(manifest: Manifest) -> int:
    """The least major version that can read it: that of the server, or of a pg_dump that was newer."""
    told = (programs_of.version_in(text) for name, text in manifest.tools if name == "pg_dump")
    return max([manifest.server.version[0], *(version[0] for version in told if version)])


async def _reader(initdb: Program, manifest: Manifest, program_directories: Sequence[Path]) -> Program:
    """The scratch server's own pg_restore, another where that one cannot decompress what was written."""
    own, inside = await programs_of.companion(initdb, "pg_restore"), archive.compressed_inside(manifest)
    return (
        own
        if await programs_of.reads(own, inside)
        else await programs_of.reader(_needed(manifest), program_directories, inside)
    )


async def _optional(initdb: Program) -> list[Program]:
    """What makes a restore better where it is there."""
    found = [await programs_of.on_path(programs_of.ZSTD), await programs_of.on_path(programs_of.SETPRIV)]
    found += [await programs_of.isolation(), await programs_of.asked(programs_of.beside(initdb, "psql"))]
    if (await programs_of.extension_directory(initdb) / "amcheck.control").is_file():
        found.append(await programs_of.asked(programs_of.beside(initdb, "pg_amcheck")))
    return [program for program in found if program is not None]
