"""What of a PostgreSQL set restores one table, and the roles that it names: more than the archive's list tells."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from dbwatch.core.backups import granting, toc
from dbwatch.engines import postgres_backup_archive as reading

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from dbwatch.engines.backing import Command, Program, Selection, Target
    from dbwatch.engines.postgres_backup_archive import Archive

LIST = "statements.list"
WITH_ROLES = frozenset({"ACL", "POLICY"})


async def wanted(
    archive: Archive, entries: Sequence[toc.Entry], selection: Selection, target: Target, opener: Command | None
) -> tuple[toc.Entry, ...]:
    """What is restored; empty: the archive has no such table. Raise JobError."""
    found = toc.table(entries, selection.schema, selection.table, aside=bool(selection.into))
    constraints = [entry for entry in found if entry.kind == "CONSTRAINT"]
    if not selection.into or not constraints:
        return found
    text = await _written(archive, constraints, target, opener)
    return toc.with_needs_of_exclusions(entries, found, text)


async def roles(
    archive: Archive, restored: Sequence[toc.Entry], known: Iterable[str], target: Target, opener: Command | None
) -> set[str]:
    """To whom it belongs, of those that are known, and whom grants and policies name. Raise JobError."""
    statements = [entry for entry in restored if entry.kind in WITH_ROLES]
    text = await _written(archive, statements, target, opener) if statements else ""
    return toc.owners(restored, known, with_database=False) | granting.roles(text)


async def _written(archive: Archive, entries: Iterable[toc.Entry], target: Target, opener: Command | None) -> str:
    path: Path = target.directory / LIST
    await asyncio.to_thread(path.write_text, toc.listing(entries), "utf-8")
    programs: tuple[Program, ...] = target.programs
    return await reading.script(archive, path, opener, programs)
