"""Tables whose rows a restore spreads anew over their partitions: the partitions differ, the whole does not. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dbwatch.core.backups.model import Facts, TableFacts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    Roots = Mapping[tuple[str, str, str], str]


def as_wholes(source: Facts, restored: Facts) -> tuple[Facts, Facts]:
    """Both with each such tree as one table. What one side knows holds for both: older sets do not tell of it."""
    known = {table.key: table.through for table in (*restored.tables, *source.tables) if table.through}
    if not known:
        return source, restored
    return _folded(source, known), _folded(restored, known)


def _folded(facts: Facts, roots: Roots) -> Facts:
    trees: dict[tuple[str, str], list[TableFacts]] = {}
    others: list[TableFacts] = []
    for table in facts.tables:
        root = roots.get(table.key, "")
        (trees.setdefault((table.database, root), []) if root else others).append(table)
    wholes = (_whole(database, root, leaves) for (database, root), leaves in trees.items())
    return replace(facts, tables=(*others, *wholes))


def _whole(database: str, root: str, leaves: Iterable[TableFacts]) -> TableFacts:
    """A digest is the sum of its rows' own, wherever they lie."""
    found = list(leaves)
    rows, digests = [each.rows for each in found], [each.digest for each in found]
    return TableFacts(
        database,
        "",
        root,
        None if None in rows else sum(filter(None, rows)),
        None if None in digests else str(sum(int(digest) for digest in digests if digest)),
        unread=next((each.unread for each in found if each.unread), ""),
    )
