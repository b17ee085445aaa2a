"""What a restore into a PostgreSQL needs that its account may not do: asked of the target before anything is done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dbwatch.core.backups import toc
from dbwatch.core.backups.unread import some
from dbwatch.engines import postgres_backup_archive as reading
from dbwatch.engines import postgres_backup_facts as remembered
from dbwatch.engines import postgres_backup_table as one_table
from dbwatch.engines.postgres_backup_commands import server_of
from dbwatch.engines.postgres_backup_restore import APPLICATION, look
from dbwatch.engines.postgres_backup_session import asker
from dbwatch.errors import JobError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import asyncpg

    from dbwatch.core.backups.model import Manifest
    from dbwatch.engines.backing import Command, Program, Selection, Target
    from dbwatch.engines.base import Questions

SHOWN, MANY = 3, 20
FIRST = "postgres"  # every server has it from the beginning
KEEPS = "keeps its owner, the grants on it and its settings: it is there already"
READ_ONLY = "on {} default_transaction_read_only is on for the account ({}): {}"
UNTIL = "(and NOSUPERUSER again when it is restored)"


@dataclass(frozen=True, slots=True)
class Files:
    """A set to read from."""

    manifest: Manifest
    directory: Path
    opener: Command | None
    programs: Sequence[Program]

    async def roles_of_table(self, target: Target, selection: Selection) -> set[str]:
        """Without which it cannot be restored; empty where the set cannot be read: who restores is told why."""
        for archive in reading.archives(self.manifest, self.directory):
            if archive.database == selection.database:
                try:
                    entries = await reading.contents(archive, self.opener, self.programs)
                    found = await one_table.wanted(archive, entries, selection, target, self.opener)
                    return await one_table.roles(archive, found, _roles(self.manifest), target, self.opener)
                except (JobError, OSError):
                    return set()
        return set()

    async def entries(self, database: str) -> tuple[toc.Entry, ...]:
        """Of one database, or of all; empty where they cannot be read: who restores is told why."""
        found: list[toc.Entry] = []
        for archive in reading.archives(self.manifest, self.directory):
            if database in ("", archive.database):
                try:
                    found += await reading.contents(archive, self.opener, self.programs)
                except (JobError, OSError):
                    return ()
        return tuple(found)


async def lacking(files: Files, target: Target, selection: Selection, questions: Questions) -> list[str]:
    """Each line names what is missing, and the statement that gives it. Only what is sure to fail is told."""
    there = await look(target, questions)
    if there.is_standby:
        return [f"{target.instance.name} is a standby, where nothing can be written -> restore to its primary"]
    databases = [selection.into or selection.database] if selection.database else _databases(files.manifest)
    new = [name for name in databases if name not in there.databases]
    written = {*databases, *([server_of(target.instance).database] if new or not selection.database else [])}
    async with asker(target.instance, questions, APPLICATION) as opened:
        rows = await opened.ask("backup_rights")
        closed = await opened.ask("backup_read_only", sorted(written))
    owners: set[str] = set()
    if not all(row["may_become"] for row in rows):
        owners = await _owners(files, selection, {str(row["name"]) for row in rows})
    told = [READ_ONLY.format(target.instance.name, some(row["names"], SHOWN), row["remedy"]) for row in closed]
    told += list(_lines(target.instance.name, rows, new, () if selection.table else _roles(files.manifest), owners))
    return told + await _absent(files, target, selection, questions) if selection.table else told


async def _absent(files: Files, target: Target, selection: Selection, questions: Questions) -> list[str]:
    """A table goes where its roles are: who restores one is not to bring the accounts of a whole server along."""
    needed = await files.roles_of_table(target, selection)
    async with asker(target.instance, questions, APPLICATION) as opened:
        rows = await opened.ask("backup_roles_absent", sorted(needed))
    if not rows:
        return []
    names = some([str(row["name"]) for row in rows], MANY)
    what = f"own {selection.schema}.{selection.table} or what it needs, or are named by its grants and policies"
    making = " ".join(str(row["to_make_it"]) for row in rows)
    return [f"on {target.instance.name} there are no roles of these names, which {what} ({names}): {making}"]


async def kept(manifest: Manifest, target: Target, selection: Selection, questions: Questions) -> list[str]:
    """Roles and databases that are there: nothing of theirs is changed. One table takes neither along."""
    if selection.table:
        return []
    there = await look(target, questions)
    async with asker(target.instance, questions, APPLICATION) as opened:
        roles = [role for role in await remembered.roles(opened) if _name(role) != FIRST]
    if there.identifier == manifest.server.identifier:
        roles = [role for role in roles if role not in manifest.facts.roles]  # the others are the set's own
    wanted = [selection.into or selection.database] if selection.database else _databases(manifest)
    told = [f"the database {name} of {target.instance.name} {KEEPS}" for name in wanted if name in there.databases]
    return [*_kept_roles(target.instance.name, roles, manifest), *told]


def _kept_roles(instance: str, there: Sequence[str], manifest: Manifest) -> Iterator[str]:
    """A role as the facts have it: its name, and a number of all that it may; nobody compares passwords."""
    held = {_name(role) for role in manifest.facts.roles}
    same = [role for role in there if _name(role) in held]
    others = [_name(role) for role in same if role not in manifest.facts.roles]
    differ = f" (other rights, settings or memberships than in the set: {some(others, MANY)})" if others else ""
    if same:
        names = some(list(map(_name, same)), MANY)
        yield f"roles that {instance} has already stay as they are, with their own passwords: {names}{differ}"


def _lines(
    instance: str, rows: Sequence[asyncpg.Record], databases: Sequence[str], roles: Sequence[str], owners: set[str]
) -> Iterator[str]:
    mine, there = rows[0], {str(row["name"]) for row in rows}
    missing = [role for role in roles if role not in there]
    others = [str(row["name"]) for row in rows if row["name"] in owners and not row["may_become"]]
    if databases and not mine["makes_databases"]:
        yield f"on {instance} the account may make no database ({some(databases, SHOWN)}): {mine['to_make_databases']}"
    if missing and not mine["makes_roles"]:
        yield f"on {instance} the account may make no role ({some(missing, SHOWN)}): {mine['to_do_all']} {UNTIL}"
    elif others:
        what = f"may not give what it restores to its owners ({some(others, SHOWN)})"
        yield f"on {instance} the account {what}: {mine['to_do_all']} {UNTIL}"


async def _owners(files: Files, selection: Selection, roles: set[str]) -> set[str]:
    """Of what would be restored. Whose name is not on the target is made there first."""
    entries = await files.entries(selection.database)
    if selection.table:
        entries = toc.table(entries, selection.schema, selection.table, aside=bool(selection.into))
    return toc.owners(entries, roles, with_database=not selection.table)


def _databases(manifest: Manifest) -> list[str]:
    return [database.name for database in manifest.facts.databases]


def _roles(manifest: Manifest) -> list[str]:
    return [_name(role) for role in manifest.facts.roles]


def _name(role: str) -> str:
    return role.rpartition(" ")[0]


async def kind(files: Files, selection: Selection) -> str:
    """What the set has under this name; '': nothing, or it cannot be told."""
    return toc.kind(await files.entries(selection.database), selection.schema, selection.table)
