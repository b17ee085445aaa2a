"""What a dump of MySQL or MariaDB rounds, and what may become of a key by that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dbwatch.core.backups.unread import some

if TYPE_CHECKING:
    from collections.abc import Container

    from dbwatch.engines.mysql_backup_session import Asker

ALIKE = "two keys that it writes alike are not restored"
TOLD = {
    "rounded": (
        f"a unique key holds a FLOAT, of which a dump keeps six digits: {ALIKE}"
        " -> make the column DOUBLE, which a dump holds as it is"
    ),
    "empty": (
        "a unique key holds an ENUM or SET with the member '', which a dump writes for what is no member too:"
        f" {ALIKE} -> drop the member '', or leave no two keys that differ by it alone"
    ),
}


async def warnings(asked: Asker, databases: Container[str]) -> list[str]:
    """Of the tables that a restore may stumble over."""
    rows = [row for row in await asked.ask("rounded_keys") if row["database"] in databases]
    named = {why: [f"{row['database']}.{row['name']}" for row in rows if row["why"] == why] for why in TOLD}
    return [f"{some(names)}: {TOLD[why]}" for why, names in named.items() if names]
