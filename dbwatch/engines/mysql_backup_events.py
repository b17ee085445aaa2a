"""Events that a replica keeps switched off: its dump says so of them, and they stay off where it is restored."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dbwatch.core.backups.unread import some

if TYPE_CHECKING:
    from collections.abc import Container

    from dbwatch.engines.mysql_backup_session import Asker

OFF = "off on a replica, and so they stay after a restore"
MEND = "ALTER EVENT ... ENABLE each of them on the server that is to run them"


async def warnings(asked: Asker, databases: Container[str]) -> list[str]:
    rows = await asked.ask("replica_events")
    names = [f"{row['database']}.{row['name']}" for row in rows if row["database"] in databases]
    return [f"events that are switched {OFF}: {some(names)} -> {MEND}"] if names else []
