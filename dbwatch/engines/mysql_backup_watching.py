"""What the server's list of sessions says of a running dump: which table it is at, who waits for it. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
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
    is_servers: bool = False  # a thread of the server's own: its seconds say how late a replica is, or nothing

    @property
    def key(self) -> tuple[int, str]:
        """One wait: while this stays, it goes on."""
        return self.id, self.state

    @property
    def table(self) -> str:
        """The last table that it reads from, "" where it reads none."""
        found = FROM.findall(self.info)
        return (found[-1][1] or found[-1][0]).replace("``", "`") if found else ""


def seen(row: Mapping[str, Any]) -> Seen:
    seconds, is_servers = float(row["seconds"] or 0), bool(int(row["is_servers"]))
    return Seen(int(row["id"]), str(row["db"]), str(row["state"]), seconds, str(row["info"]), is_servers)


@dataclass
class Waits:
    """Since when who waits for us. The server tells only how long a statement runs, and it may have worked before."""

    looked_at: float
    _since: dict[tuple[int, str], float] = field(default_factory=dict)

    def blocking(
        self,
        sessions: Iterable[Seen],
        ours: Collection[int],
        reading: Collection[str],
        now: float,
        *,
        holds_all: bool,
    ) -> Blocking:
        """Who waits for a table that we read now, or for the global lock while we hold it."""
        waiting = [each for each in sessions if each.id not in ours and _waits(each, reading, holds_all=holds_all)]
        before = self._since
        self._since = {each.key: before.get(each.key, self._began(each, now)) for each in waiting}
        self.looked_at = now
        seconds = [_waited(each, now - self._since[each.key]) for each in waiting]
        return Blocking(len(seconds), max(seconds, default=0.0))

    def _began(self, session: Seen, now: float) -> float:
        """No earlier than our last look, at which it did not wait."""
        return now if session.is_servers else self.looked_at


def _waited(session: Seen, seen_seconds: float) -> float:
    return seen_seconds if session.is_servers else min(session.seconds, seen_seconds)


def _waits(session: Seen, tables: Collection[str], *, holds_all: bool) -> bool:
    if session.state in GLOBAL:
        return holds_all
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
