"""What the server's list of sessions says of a running dump: which table it is at, who waits for it. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dbwatch.engines.backing import Blocking

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from typing import Any

GLOBAL = frozenset({"Waiting for backup lock", "Waiting for global read lock", "Waiting for commit lock"})
OF_A_TABLE = frozenset({"Waiting for table metadata lock", "Waiting for table level lock", "Waiting for table flush"})
FROM = re.compile(r"\bFROM `((?:[^`]|``)+)`(?:\.`((?:[^`]|``)+)`)?")


@dataclass(frozen=True, slots=True)
class Seen:
    """One session as the server lists it. `info` is looked at, and neither kept nor shown."""

    id: int
    database: str
    state: str
    seconds: float
    info: str

    @property
    def table(self) -> str:
        """The last table that it reads from, "" where it reads none."""
        found = FROM.findall(self.info)
        return (found[-1][1] or found[-1][0]).replace("``", "`") if found else ""


def seen(row: Mapping[str, Any]) -> Seen:
    return Seen(int(row["id"]), str(row["db"]), str(row["state"]), float(row["seconds"] or 0), str(row["info"]))


def blocking(sessions: Iterable[Seen], ours: Collection[int], reading: Collection[str], *, holds_all: bool) -> Blocking:
    """Who waits for a table that we read now, or for the global lock while we hold it."""
    waiting = [
        each.seconds
        for each in sessions
        if each.id not in ours and ((holds_all and each.state in GLOBAL) or _waits_for(each, reading))
    ]
    return Blocking(len(waiting), max(waiting, default=0.0))


def _waits_for(session: Seen, tables: Collection[str]) -> bool:
    return session.state in OF_A_TABLE and any(table and table in session.info for table in tables)


def stuck_seconds(sessions: Iterable[Seen], dump: Collection[int]) -> float:
    """How long the dump itself waits for somebody's lock on a table."""
    return max((each.seconds for each in sessions if each.id in dump and each.state in OF_A_TABLE), default=0.0)


def position(sessions: Iterable[Seen], dump: Collection[int], order: Sequence[tuple[str, str]]) -> int | None:
    """How many tables are behind it, None where it reads none now."""
    for each in sessions:
        if each.id in dump and (each.database, each.table) in order:
            return order.index((each.database, each.table))
    return None
