"""Why the content of a table was not compared, or not all of it: only one of the reasons is a matter of time."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dbwatch.core.backups.model import TableFacts

MOST_NAMED = 5


class Unread(StrEnum):
    """What TableFacts.unread says."""

    MOVING = "moving"  # no transaction holds it at one moment
    MEMORY = "memory"  # neither, and its rows go with the server
    VERSIONED = "versioned"
    UNLOGGED = "unlogged"  # on a standby
    CHANGED = "changed"  # compared as a dump prints it, which is not all that the source holds
    TIME = "time"


WHY = {
    Unread.MOVING: "know no transactions",
    Unread.MEMORY: "are held in memory",
    Unread.VERSIONED: "are versioned, and a dump lacks their history",
    Unread.UNLOGGED: "are unlogged, and a standby has none of their rows",
    Unread.CHANGED: (
        "hold values that a dump changes: FLOAT of more than six digits, ENUM or SET beside their members, or days that"
        " their month has not (ALLOW_INVALID_DATES)"
    ),
    Unread.TIME: "there was no time for: give facts_seconds more",
}


def changed(tables: Iterable[TableFacts]) -> tuple[str, ...]:
    """The warning of a set of which not all values come back as they were."""
    names = [".".join(filter(None, table.key)) for table in tables if table.unread == Unread.CHANGED]
    return (f"{some(names)} {WHY[Unread.CHANGED]}: counted, and compared as the dump has them",) if names else ()


def emptied(tables: Iterable[TableFacts]) -> tuple[str, ...]:
    """Of a server that is started anew once it is filled, so that it can stay after us."""
    names = [".".join(filter(None, table.key)) for table in tables if table.unread == Unread.MEMORY]
    what = f"{some(names)} {WHY[Unread.MEMORY]}, and will be EMPTY there: the server is started anew once it is filled"
    return (f"{what} -> their rows are in the set: restore them into an instance, with --to",) if names else ()


def some(names: Sequence[str], most: int = MOST_NAMED) -> str:
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")
