"""How a PostgreSQL set is restored: what is asked of the target first, then the processes in their order."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dbwatch.core import quoting
from dbwatch.core.backups import globals as texts
from dbwatch.core.backups import toc
from dbwatch.core.backups.model import JobReason
from dbwatch.core.backups.unread import some
from dbwatch.engines import postgres_backup_archive as reading
from dbwatch.engines import postgres_backup_commands as commands
from dbwatch.engines import postgres_backup_table as one_table
from dbwatch.engines.backing import Command, Pipeline
from dbwatch.engines.postgres_backup_scratch import MAINTENANCE
from dbwatch.engines.postgres_backup_session import asker
from dbwatch.errors import JobError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence
    from pathlib import Path

    from dbwatch.core.backups.model import DatabaseFacts, Manifest
    from dbwatch.engines.backing import Program, Selection, Target
    from dbwatch.engines.base import Questions
    from dbwatch.engines.postgres_backup_archive import Archive

APPLICATION = "dbwatch/bk/restore"
LIST, OF_DATABASE = "restore.list", "database.list"
ICU_SINCE, BUILTIN_SINCE = 15, 17
BUILTIN = "builtin"


@dataclass(frozen=True)
class There:
    """What the target has already."""

    databases: frozenset[str]
    taken: frozenset[str]  # the names of all databases, of templates and of what nobody may enter too
    collations: frozenset[tuple[str, str]]
    identifier: str
    major: int
    is_standby: bool = False


async def look(target: Target, questions: Questions) -> There:
    async with asker(target.instance, questions, APPLICATION) as opened:
        names = frozenset(row["name"] for row in await opened.ask("backup_databases"))
        rows = await opened.ask("backup_collations")
        server = await opened.one("backup_server")
    collations = frozenset((str(row["provider"]), _plain(row["name"])) for row in rows)
    taken = frozenset(server["database_names"])
    is_standby = bool(server["is_standby"])
    return There(names, taken, collations, str(server["system_identifier"]), opened.version[0], is_standby)


def _plain(collation: str) -> str:
    """en_US.UTF-8 and en_US.utf8 are the same."""
    return collation.lower().replace("-", "")


def has_collation(there: There, database: DatabaseFacts | None) -> bool:
    """Whether a database can be made there with the collation that it had."""
    provider, _, name = (database.collation if database else "").partition(":")
    if provider == "icu":
        return there.major >= ICU_SINCE and any(each == "i" for each, _ in there.collations)
    if provider == BUILTIN:
        return there.major >= BUILTIN_SINCE
    return all(("c", _plain(part)) in there.collations for part in name.split("/"))


async def occupied(target: Target, selection: Selection, manifest: Manifest, questions: Questions) -> str:
    """Why not there; '': it is free."""
    there = await look(target, questions)
    name = selection.into or selection.database
    is_aside = bool(selection.into) and selection.into != selection.database
    if there.identifier == manifest.server.identifier and not is_aside:
        return f"{target.instance.name} is the server that this set was taken from"
    if selection.into in there.taken:
        return f"the database {name} of {target.instance.name} is there already: --as names one that is new"
    if selection.table and not selection.into:
        return await _table_is_there(target, selection, questions, there)
    names = [name] if name else [database.name for database in manifest.facts.databases]
    return "; ".join([line async for line in _in_the_way(target, names, questions, there)])


async def _in_the_way(target: Target, names: Sequence[str], questions: Questions, there: There) -> AsyncIterator[str]:
    closed = [name for name in names if name in there.taken - there.databases]
    counts = {name: await _objects(target, name, questions) for name in names if name in there.databases}
    full = [f"{name} (objects: {number})" for name, number in counts.items() if number]
    of = f"of {target.instance.name}"
    if closed:
        yield f"these databases {of} are templates or refuse connections: {some(closed)}"
    if full:
        yield f"these databases {of} hold something already: {some(full)}"


async def _objects(target: Target, database: str, questions: Questions) -> int:
    async with asker(target.instance, questions, APPLICATION, database) as opened:
        return int((await opened.one("backup_occupied"))["objects"])


async def _table_is_there(target: Target, selection: Selection, questions: Questions, there: There) -> str:
    if selection.database not in there.databases:
        return f"{target.instance.name} has no database {selection.database} to put the table into"
    async with asker(target.instance, questions, APPLICATION, selection.database) as opened:
        names = {(row["schema"], row["name"]) for row in await opened.ask("backup_relations")}
    if (selection.schema, selection.table) not in names:
        return ""
    return f"{selection.schema}.{selection.table} is in {selection.database} of {target.instance.name} already"


@dataclass(frozen=True)
class Restoring:
    """One restore: pure, once the target was looked at."""

    manifest: Manifest
    directory: Path
    target: Target
    selection: Selection
    opener: Command | None
    there: There

    @property
    def programs(self) -> tuple[Program, ...]:
        return self.target.programs

    @property
    def passwords(self) -> Path:
        return self.target.directory / commands.PASSWORDS

    @property
    def archives(self) -> tuple[Archive, ...]:
        wanted = self.selection.database
        found = reading.archives(self.manifest, self.directory)
        return tuple(archive for archive in found if wanted in ("", archive.database))

    def pipelines(self, use_list: Path | None = None) -> list[Pipeline]:
        if not self.archives:
            raise JobError(JobReason.OTHER, f"the set holds no database {self.selection.database}")
        made = [*self._roles(), *(each for archive in self.archives for each in self._database(archive, use_list))]
        secrets = commands.passwords(self.target.instance, self.passwords)
        return [replace(pipeline, secrets=secrets) for pipeline in made]

    def _roles(self) -> list[Pipeline]:
        """Owners and grants need them. One table goes where they are."""
        archive = reading.roles(self.manifest, self.directory)
        if archive is None or (self.selection.table and not self.target.is_scratch):
            return []
        how = reading.making_roles("all" if self.target.is_scratch else "keep", self._environment())
        return [reading.reading("restore of roles", archive, self.opener, self.programs, how)]

    def _database(self, archive: Archive, use_list: Path | None) -> list[Pipeline]:
        name = self.selection.into or archive.database
        if use_list is not None and not self.selection.into:
            return [self._restored(archive, name, use_list)]
        first: list[Pipeline] = []
        exists = name in self.there.databases
        if exists and self.target.is_scratch:
            drop = self._command("dropdb", "--no-password", f"--maintenance-db={self._maintenance}", "--", name)
            first, exists = [Pipeline(f"removal of the empty {name}", (drop,))], False
        if exists:
            return [self._restored(archive, name, use_list)]
        if use_list is None and not self.is_created(archive):
            return [*first, self._restored(archive, "", use_list)]
        return [*first, self._created(archive, name), self._restored(archive, name, use_list)]

    @property
    def _maintenance(self) -> str:
        return MAINTENANCE if self.target.is_scratch else commands.server_of(self.target.instance).database

    def _facts(self, archive: Archive) -> DatabaseFacts | None:
        return next((each for each in self.manifest.facts.databases if each.name == archive.database), None)

    def is_created(self, archive: Archive) -> bool:
        """By createdb: under another name, or where its collation is unknown."""
        name = self.selection.into or archive.database
        if name in self.there.databases and not self.target.is_scratch:
            return False
        return name != archive.database or not has_collation(self.there, self._facts(archive))

    def is_bare(self, archive: Archive) -> bool:
        """Whether what createdb made is still to be given what the database had; a rehearsal compares none of it."""
        return self.is_created(archive) and (bool(self.selection.into) or not self.target.is_scratch)

    def given(self, archive: Archive, statements: Path) -> Pipeline:
        """What createdb knows nothing of: owner, settings and grants of the database itself. As in pg_restore, last."""
        secrets = commands.passwords(self.target.instance, self.passwords)
        making = (reading.making_roles("all", self._environment()),)
        name = f"owner, settings and grants of {self.selection.into or archive.database}"
        return Pipeline(name, making, stdin=statements, secrets=secrets, database=archive.database)

    def _created(self, archive: Archive, name: str) -> Pipeline:
        facts = self._facts(archive)
        words = ["--template=template0", "--no-password", f"--maintenance-db={self._maintenance}"]
        if facts is not None and facts.encoding:
            words += [f"--encoding={facts.encoding}", *self._locale(facts)]
        making = self._command("createdb", *words, "--", name)
        return Pipeline(f"making of {name}", (making,), database=archive.database)

    def _locale(self, facts: DatabaseFacts) -> list[str]:
        provider, _, name = facts.collation.partition(":")
        if not has_collation(self.there, facts):
            return ["--locale=C"]
        if provider == "libc":
            collate, _, ctype = name.partition("/")
            return [f"--lc-collate={collate}", f"--lc-ctype={ctype or collate}"]
        if provider == BUILTIN:
            return ["--locale=C", "--locale-provider=builtin", f"--builtin-locale={name}"]
        return ["--locale=C", "--locale-provider=icu", f"--icu-locale={name}"]

    def _restored(self, archive: Archive, into: str, use_list: Path | None) -> Pipeline:
        """`into` '': the archive makes its database itself, with its collation, settings and grants."""
        words = ["--exit-on-error", "--no-password", "--no-tablespaces"]
        words += ["--no-subscriptions"] if self.target.is_scratch or self.selection.into else []
        words += [f"--use-list={use_list}"] if use_list else []
        words += [] if archive.is_stream else [f"--jobs={self.target.parallel}"]
        words += [] if into else ["--create"]
        last = self._command("pg_restore", *words, f"--dbname={quoting.connection_string(into or self._maintenance)}")
        name, whole = f"restore of {archive.database}", use_list is None
        return reading.reading(name, archive, self.opener, self.programs, last, to_its_end=whole)

    def _command(self, name: str, *words: str) -> Command:
        program = commands.named(self.programs, name)
        return Command((str(program.path), *words), self._environment())

    def _environment(self) -> Mapping[str, str]:
        client = commands.named(self.programs, "pg_restore")
        return commands.environment(
            self.target.instance, client, self.passwords, application=APPLICATION, server_major=self.there.major
        )


async def pipelines(plan: Restoring) -> Sequence[Pipeline]:
    """With the archive's list read first, where only one table is wanted."""
    if not plan.selection.table:
        return [*plan.pipelines(), *[await _given(plan, each) for each in plan.archives if plan.is_bare(each)]]
    for archive in plan.archives:
        entries = await reading.contents(archive, plan.opener, plan.programs)
        wanted = await one_table.wanted(archive, entries, plan.selection, plan.target, plan.opener)
        if wanted:
            _refuse_uncertain(plan, entries)
            path = plan.target.directory / LIST
            await asyncio.to_thread(path.write_text, toc.listing(wanted), "utf-8")
            return plan.pipelines(path)
    where = re.sub(r"\s+", " ", f"{plan.selection.schema}.{plan.selection.table}")
    raise JobError(JobReason.OTHER, f"the set holds no table {where} of {plan.selection.database or 'any database'}")


def _refuse_uncertain(plan: Restoring, entries: Sequence[toc.Entry]) -> None:
    schema, name = plan.selection.schema, plan.selection.table
    roles = {role.rpartition(" ")[0] for role in plan.manifest.facts.roles}
    if not toc.is_certain(entries, schema, name, roles):
        what = f"{schema}.{name} of {plan.selection.database} cannot be told from a table with blanks in its name"
        raise JobError(JobReason.OTHER, f"{what}: restore its database beside the original, under another name")


async def _given(plan: Restoring, archive: Archive) -> Pipeline:
    """The archive has the statements, with the name that the database had."""
    entries = await reading.contents(archive, plan.opener, plan.programs)
    listed = plan.target.directory / OF_DATABASE
    await asyncio.to_thread(listed.write_text, toc.listing(each for each in entries if each.is_of_database), "utf-8")
    written = await reading.script(archive, listed, plan.opener, plan.programs, "--create")
    statements = plan.target.directory / f"{archive.path.name}.sql"
    text = texts.of_database(written, plan.selection.into or archive.database)
    await asyncio.to_thread(statements.write_text, text, "utf-8")
    return plan.given(archive, statements)
