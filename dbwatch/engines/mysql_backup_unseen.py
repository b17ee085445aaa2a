"""What a dump would leave out, and no list of rights shows: databases unseen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dbwatch.engines import mysql_backup_privileges as privileges
from dbwatch.engines.mysql_backup_programs import MARIADB
from dbwatch.errors import EngineError, Reason

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from dbwatch.engines.mysql_backup_privileges import Held
    from dbwatch.engines.mysql_backup_session import Asker

NOTHING_TO_SEE = frozenset(
    {Reason.PERMISSION, Reason.MISSING}
)  # PROCESS is asked for by itself; a server without InnoDB


async def databases(opened: Asker, held: Iterable[Held], shown: Collection[str]) -> list[str]:
    """The databases that are there and that the server does not show us."""
    if opened.hello.flavour == MARIADB and privileges.sees_all(held):
        return []  # MySQL can take single databases away again
    try:
        stored = {str(row["name"]) for row in await opened.ask("stored_databases")}
    except EngineError as error:
        if error.reason in NOTHING_TO_SEE:
            return []
        raise
    return sorted(stored - set(shown))
