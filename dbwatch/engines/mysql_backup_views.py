"""What a dump would end at: views that are broken or call what the account may not, and tables that do not open."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from dbwatch.core import quoting
from dbwatch.core.backups.model import JobReason
from dbwatch.core.backups.unread import some
from dbwatch.engines import mysql_backup_privileges as privileges
from dbwatch.engines.mysql_backup_programs import MARIADB
from dbwatch.engines.mysql_errors import denied_routine
from dbwatch.engines.preflight import PreflightFault
from dbwatch.errors import EngineError, Reason

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from dbwatch.engines.mysql_backup_session import Asker

    View = tuple[str, str]  # database, name

LOOKING_SECONDS = 30.0  # where a server has views without end, the dump is left to find what is wrong with the last
QUESTIONS = ("view_definition", "view_columns")
BUSY = frozenset({Reason.LOCK, Reason.TIMEOUT})
UNREADABLE = {
    "VIEW": (
        "a view that cannot be read",
        "CREATE OR REPLACE VIEW, or DROP VIEW {name}; or bring back what it names",
    ),
    "BASE TABLE": (
        "a table that cannot be opened",
        "bring back the tables or the storage engine that it needs, or DROP TABLE {name}",
    ),
}


async def faults(opened: Asker, wanted: Collection[str], account: str) -> list[PreflightFault]:
    """Why the dump would end at a view or a table, each with its remedy."""
    ended = await _ended(opened, await _listed(opened, wanted))
    denied = {view: error for view, error in ended.items() if error.reason is Reason.PERMISSION}
    found = await _not_callable(opened, denied, account) if denied else []
    if len(denied) < len(ended):
        there = await _listed(opened, wanted)  # one that was dropped meanwhile is none of the dump's
        broken = {view: error for view, error in ended.items() if view in there and view not in denied}
        found += [PreflightFault(JobReason.OTHER, line) for line in _told(broken, there)]
    return found


async def _listed(opened: Asker, wanted: Collection[str]) -> dict[View, str]:
    """Which there are, and of which type."""
    rows = await opened.ask("views")
    return {(row["database"], row["name"]): str(row["type"]) for row in rows if row["database"] in wanted}


async def _ended(opened: Asker, views: Iterable[View]) -> dict[View, EngineError]:
    """What the server answers to the dump's own questions; who waits for a lock is not asked again."""
    loop, found = asyncio.get_running_loop(), dict[tuple[str, str], EngineError]()
    until = loop.time() + LOOKING_SECONDS
    for view in views:
        if loop.time() > until:
            break
        error = await _error_of(opened, view)
        if error is not None and error.reason not in BUSY:
            found[view] = error
    return found


async def _error_of(opened: Asker, view: View) -> EngineError | None:
    for question in QUESTIONS:
        try:
            await opened.ask(question, {"view": ".".join(map(quoting.mysql, view))})
        except EngineError as error:
            if opened.session.broken:
                raise
            return error
    return None


async def _not_callable(opened: Asker, denied: dict[View, EngineError], account: str) -> list[PreflightFault]:
    """The server names one function at a time, the text of a view the others. A lack of SELECT is told elsewhere."""
    called = await _called(opened)
    faults = []
    for view, error in denied.items():
        functions = called.get(view, [])
        named = denied_routine(error)
        if named and not any((named[0], named[1].lower()) == (each[0], each[1].lower()) for each in functions):
            functions = [*functions, named]
        if functions:
            faults.append(privileges.not_callable(view, functions, account))
    return faults


async def _called(opened: Asker) -> dict[View, list[View]]:
    """Which functions the text of a view names."""
    called: dict[tuple[str, str], list[tuple[str, str]]] = {}
    if opened.hello.flavour == MARIADB:  # MySQL wants no right for that
        for row in await opened.ask("calling_views"):
            called.setdefault((row["database"], row["name"]), []).append((row["of_database"], row["function"]))
    return called


def _told(broken: Mapping[View, EngineError], types: Mapping[View, str]) -> Iterator[str]:
    for kind, (what, mend) in UNREADABLE.items():
        ended = {view: error for view, error in broken.items() if types[view] == kind}
        if ended:
            yield _broken(ended, what, mend)


def _broken(ended: Mapping[View, EngineError], what: str, mend: str) -> str:
    which = some([".".join(view) for view in ended])
    first, error = next(iter(ended.items()))
    mends = mend.format(name=".".join(map(quoting.mysql, first)))
    return f"no dump gets past {what}: {which} ({error.message}) -> {mends}; or exclude its database"
