"""What a dump of MySQL or MariaDB rounds, and what may become of a key by that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dbwatch.core.backups.unread import some

if TYPE_CHECKING:
    from collections.abc import Container

    from dbwatch.engines.mysql_backup_session import Asker

KEPT = "a unique key holds a FLOAT, of which a dump keeps six digits: two keys that it writes alike are not restored"
MEND = "make the column DOUBLE, which a dump holds as it is"


async def warnings(asked: Asker, databases: Container[str]) -> list[str]:
    """Of the tables that a restore may stumble over."""
    rows = await asked.ask("rounded_keys")
    names = [f"{row['database']}.{row['name']}" for row in rows if row["database"] in databases]
    return [f"{some(names)}: {KEPT} -> {MEND}"] if names else []
