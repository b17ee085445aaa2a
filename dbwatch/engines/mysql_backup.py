"""MySQL's and MariaDB's part in backups: what is looked at before, the dump, what proves it, and the way back."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from dbwatch.core.backups.model import Facts, FactsMode
from dbwatch.core.backups.unread import some
from dbwatch.core.model import Facts as ServerFacts
from dbwatch.core.model import Role
from dbwatch.engines import mysql_backup_check as checked
from dbwatch.engines import mysql_backup_facts as remembered
from dbwatch.engines import mysql_backup_hand_over as hand_over
from dbwatch.engines import mysql_backup_notes as notes
from dbwatch.engines import mysql_backup_privileges as privileges
from dbwatch.engines import mysql_backup_programs as programs_of
from dbwatch.engines import mysql_backup_restore as restore
from dbwatch.engines.base import until_reached
from dbwatch.engines.mysql_backup_commands import Plan
from dbwatch.engines.mysql_backup_preflight import LOOKING, flavour_of, preflight
from dbwatch.engines.mysql_backup_programs import MARIADB, MYSQL
from dbwatch.engines.mysql_backup_session import asker
from dbwatch.engines.mysql_backup_source import MysqlStep
from dbwatch.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

    from dbwatch.core.backups.model import Manifest
    from dbwatch.engines.backing import Aside, Command, DumpOptions, Pipeline, Program, Scratch, Selection, Step, Target
    from dbwatch.engines.base import Questions
    from dbwatch.engines.preflight import Preflight
    from dbwatch.settings.models import Instance

SYSTEM = frozenset({"information_schema", "mysql", "performance_schema", "sys"})


class MysqlBackup:
    """Stateless: it holds no connection."""

    name = "mysql"

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
        flavour = flavour_of(preflight.server.flavour)
        plan = Plan(
            instance,
            options,
            flavour,
            preflight.server.version,
            preflight.programs,
            preflight.codec,
            {name: name for name, _ in preflight.databases},
            directory,
            private,
            application,
        )
        return (MysqlStep(plan, self._questions),)

    async def sweep(self, instance: Instance, application_prefix: str, keep: Collection[str]) -> int:
        async with asker(instance, self._questions, LOOKING) as opened:
            ended = 0
            for row in await opened.ask("orphans"):
                text = str(row["info"])
                if application_prefix in text and not any(each in text for each in keep):
                    with suppress(EngineError):  # it ended by itself
                        await opened.ask("kill", {"id": int(row["id"])})
                        ended += 1
        return ended

    async def client_programs(self, manifest: Manifest, program_directories: Sequence[Path]) -> tuple[Program, ...]:
        flavour = flavour_of(manifest.server.flavour)
        clients = await programs_of.found(programs_of.CLIENT, flavour, program_directories)
        client = programs_of.fitting(clients, flavour, manifest.server.version, programs_of.CLIENT)
        return (client, *(program for _, program in await programs_of.compressors()))

    def decoding(
        self, manifest: Manifest, directory: Path, opener: Command | None, programs: Sequence[Program]
    ) -> Sequence[Pipeline]:
        return restore.decoding(manifest, directory, opener, programs)

    async def scratch_programs(self, manifest: Manifest, program_directories: Sequence[Path]) -> tuple[Program, ...]:
        flavour = flavour_of(manifest.server.flavour)
        servers = await programs_of.servers(flavour, manifest.server.version, program_directories)
        return (*servers, *await self.client_programs(manifest, program_directories))

    def scratch(self, directory: Path, programs: Sequence[Program], account: str | None) -> Scratch:
        flavour = MARIADB if any(each.name in ("mariadbd", "mariadb-install-db") for each in programs) else MYSQL
        program = programs_of.named(programs, programs_of.SERVER, flavour)
        server = ServerFacts(flavour, program.version, program.version_text, Role.PRIMARY)
        return restore.scratch(directory, programs, account, self._questions, server)

    async def wait_ready(self, instance: Instance, seconds: float) -> None:
        await until_reached(lambda: asker(instance, self._questions, LOOKING), seconds)

    async def occupied(self, target: Target, selection: Selection, manifest: Manifest) -> str:
        async with asker(target.instance, self._questions, LOOKING) as opened:
            told = {row["name"]: str(row["value"]) for row in await opened.ask("identity")}
            if told["identifier"] == manifest.server.identifier and not selection.into:
                return "it is the very server that the backup was taken from"
            there = {str(row["name"]) for row in await opened.ask("databases")}
            tables = await remembered.tables(opened, {name: name for name in there})
        if selection.into in there | SYSTEM:
            return f"the database {selection.into} is there already: --as names one that is new"
        return _taken(selection, manifest, {(table.database, table.name) for table in tables})

    async def present(self, target: Target) -> frozenset[str]:
        async with asker(target.instance, self._questions, LOOKING) as opened:
            return frozenset(str(row["name"]) for row in await opened.ask("databases"))

    async def obstacles(
        self, manifest: Manifest, directory: Path, target: Target, selection: Selection, opener: Command | None
    ) -> Sequence[str]:
        _ = directory, opener
        async with asker(target.instance, self._questions, LOOKING) as opened:
            identity = {row["name"]: str(row["value"]) for row in await opened.ask("identity")}
            closed = await notes.closed(opened, target.instance.name, identity)
            held = [(str(row["privilege"]), str(row["database"])) for row in await opened.ask("privileges")]
            roles = await notes.roles_of_others(opened, manifest) if not selection.database else []
        databases = [each for each in manifest.facts.databases if selection.database in ("", each.name)]
        definers = privileges.for_definers(flavour_of(opened.hello.flavour), opened.hello.version)
        lacking = privileges.lacking(held, databases, selection, identity["account"], definers)
        return [*closed, *lacking, *privileges.not_to_give(roles, identity["account"])]

    async def kept(self, *_: object) -> tuple[str, ...]:
        return ()

    async def kind(self, *_: object) -> str:
        return ""  # a stream without a list: only reading all of it would tell

    async def restoring(
        self, manifest: Manifest, directory: Path, target: Target, selection: Selection, opener: Command | None
    ) -> Sequence[Pipeline]:
        async with asker(target.instance, self._questions, LOOKING) as opened:
            packet_bytes, begin = int((await opened.one("packet"))["bytes"]), opened.text("restore_begin")
        plan = restore.Restoring(manifest, directory, target, selection, opener, begin, packet_bytes)
        return tuple(plan.pipelines())

    async def afterwards(self, manifest: Manifest, target: Target, selection: Selection) -> Sequence[str]:
        async with asker(target.instance, self._questions, LOOKING) as opened:
            return await notes.afterwards(opened, manifest, selection)

    async def aside(
        self, manifest: Manifest, directory: Path, target: Target, selection: Selection, opener: Command | None
    ) -> Aside:
        _ = directory, opener
        async with asker(target.instance, self._questions, LOOKING) as opened:
            return await hand_over.columns(opened, selection, manifest)

    async def facts_of(self, target: Target, manifest: Manifest, databases: Mapping[str, str], seconds: float) -> Facts:
        mode, names = manifest.facts.mode, {there: source for source, there in databases.items()}
        async with asker(target.instance, self._questions, LOOKING) as opened:
            found = await remembered.inventory(opened, names)
            tables = await remembered.Survey(opened, names, mode, seconds).take()
            wanted = set(manifest.facts.roles)
            roles = tuple(each for each in await remembered.accounts(opened) if each in wanted)
        return Facts(mode, mode is not FactsMode.OFF, "restored", found, tables, roles)

    def integrity(self, target: Target, databases: Sequence[str]) -> Sequence[Pipeline]:
        _ = target, databases
        return ()

    async def check(self, target: Target, databases: Sequence[str]) -> tuple[str, ...]:
        async with asker(target.instance, self._questions, LOOKING) as opened:
            return await checked.problems(opened, databases)


def _taken(selection: Selection, manifest: Manifest, there: set[tuple[str, str]]) -> str:
    """Databases with tables, or the one table, that would be overwritten."""
    if selection.table and not selection.into:
        taken = (selection.database, selection.table) in there
        return f"table {selection.table} of database {selection.database} is there already" if taken else ""
    chosen = [selection.into or selection.database] if selection.database else _names(manifest)
    full = sorted({database for database, _ in there} & set(chosen))
    return f"tables are there already in: {some(full)}" if full else ""


def _names(manifest: Manifest) -> list[str]:
    return [database.name for database in manifest.facts.databases]
