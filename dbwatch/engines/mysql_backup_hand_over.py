"""What the statements need that bring rows of a restored table back: its columns, and its foreign keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dbwatch.engines.backing import Aside, Column

if TYPE_CHECKING:
    from dbwatch.engines.backing import Selection
    from dbwatch.engines.mysql_backup_session import Asker


async def columns(opened: Asker, selection: Selection) -> Aside:
    names = {"database": selection.into.encode().hex(), "table": selection.table.encode().hex()}
    rows = await opened.ask("hand_over", names)
    found = tuple(
        Column(str(row["name"]), str(row["compared"]), str(row["given"]), str(row["matched"] or "")) for row in rows
    )
    keys = {str(row["foreign_keys"]) for row in rows if row["foreign_keys"]}
    return Aside(found, tuple(keys))
