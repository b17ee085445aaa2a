"""What a dump would leave out or end at, and no list of rights shows: databases unseen, functions not to be called."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dbwatch.engines import mysql_backup_privileges as privileges
from dbwatch.engines.mysql_backup_programs import MARIADB
from dbwatch.engines.mysql_backup_session import quoted
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


async def functions(opened: Asker, wanted: Collection[str], account: str) -> list[str]:
    """One line for each view that the dump would end at, for it calls a function that we may not."""
    if opened.hello.flavour != MARIADB:
        return []  # which wants no right for that
    called: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for row in await opened.ask("calling_views"):
        if row["database"] in wanted:
            called.setdefault((row["database"], row["name"]), []).append((row["of_database"], row["function"]))
    return [
        privileges.not_callable(view, named, account)
        for view, named in called.items()
        if not await _is_listed(opened, ".".join(map(quoted, view)))
    ]


async def _is_listed(opened: Asker, view: str) -> bool:
    """As the dump will ask it. What else is wrong with a view is not ours to tell."""
    try:
        await opened.ask("view_columns", {"view": view})
    except EngineError as error:
        if opened.session.broken:
            raise
        return error.reason is not Reason.PERMISSION
    return True
