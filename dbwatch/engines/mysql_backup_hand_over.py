"""What the statements need that bring rows of a restored table back: its columns, and its foreign keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dbwatch.engines.backing import Aside, Column

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from dbwatch.core.backups.model import Manifest
    from dbwatch.engines.backing import Selection
    from dbwatch.engines.mysql_backup_session import Asker


async def columns(opened: Asker, selection: Selection, manifest: Manifest) -> Aside:
    names = {
        "database": selection.into.encode().hex(),
        "table": selection.table.encode().hex(),
        "is_exact": int(_is_exact(manifest, selection)),
    }
    rows = await opened.ask("hand_over", names)
    keys = {str(row["foreign_keys"]) for row in rows if row["foreign_keys"]}
    return Aside(tuple(map(_column, rows)), tuple(keys))


def _column(row: Mapping[str, Any]) -> Column:
    told = (str(row["name"]), str(row["compared"]), str(row["given"]), str(row["matched"] or ""))
    return Column(*told, is_cut=bool(int(row["is_cut"])))


def _is_exact(manifest: Manifest, selection: Selection) -> bool:
    """Whether all of the table was read at the dump's moment, and no value was found that a dump changes."""
    facts, wanted = manifest.facts, (selection.database, "", selection.table)
    is_read = any(each.key == wanted and each.digest is not None and not each.unread for each in facts.tables)
    return facts.comparable and is_read
