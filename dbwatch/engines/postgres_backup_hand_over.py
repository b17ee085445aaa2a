"""What the statements need that bring rows of a restored table back: its columns, and the foreign keys left out."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from dbwatch.core.backups import toc
from dbwatch.engines import postgres_backup_archive as reading
from dbwatch.engines import postgres_backup_restore as restore
from dbwatch.engines.backing import Aside, Column
from dbwatch.engines.postgres_backup_session import asker

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dbwatch.engines.backing import Selection, Target
    from dbwatch.engines.base import Questions
    from dbwatch.engines.postgres_backup_archive import Archive
    from dbwatch.engines.postgres_backup_restore import Restoring

ENTRY = re.compile(r"^-- Name: .*; Type: FK CONSTRAINT; .*$", re.MULTILINE)
NO_STATEMENT = ("--", "\\")
LIST = "foreign_keys.list"
PARTITIONED = "p"  # in pg_class


async def columns(target: Target, selection: Selection, questions: Questions) -> Aside:
    async with asker(target.instance, questions, restore.APPLICATION, selection.into) as opened:
        rows = await opened.ask("backup_hand_over", selection.schema, selection.table)
    found = tuple(Column(row["name"], row["compared"], row["given"], row["matched"] or "", row["type"]) for row in rows)
    return Aside(found, is_partitioned=any(row["relkind"] == PARTITIONED for row in rows))


async def with_foreign_keys(aside: Aside, plan: Restoring) -> Aside:
    """The list of the archive has their names only: their statements are what pg_restore would have run."""
    for archive in plan.archives:
        entries = await reading.contents(archive, plan.opener, plan.programs)
        wanted = left_out(entries, plan.selection)
        if wanted:
            return replace(aside, foreign_keys=await _statements(archive, wanted, plan))
    return aside


def left_out(entries: Sequence[toc.Entry], selection: Selection) -> tuple[toc.Entry, ...]:
    """Foreign keys of the table, and those that refer to it: they depend on its key."""
    whole = {entry.id for entry in toc.table(entries, selection.schema, selection.table, aside=False)}
    kept = {entry.id for entry in toc.table(entries, selection.schema, selection.table, aside=True)}
    foreign = (entry for entry in entries if entry.kind == "FK CONSTRAINT" and entry.id not in kept)
    return tuple(entry for entry in foreign if whole & {entry.id, *entry.needs})


async def _statements(archive: Archive, wanted: Sequence[toc.Entry], plan: Restoring) -> tuple[str, ...]:
    path = plan.target.directory / LIST
    await asyncio.to_thread(path.write_text, toc.listing(wanted), "utf-8")
    written = await reading.script(archive, path, plan.opener, plan.programs)
    return tuple(filter(None, (_joined(each) for each in ENTRY.split(written)[1:])))


def _joined(text: str) -> str:
    """On one line, without what stands around it."""
    lines = (line.strip() for line in text.splitlines())
    return " ".join(line for line in lines if line and not line.startswith(NO_STATEMENT))
