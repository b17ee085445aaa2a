"""What on-call types first: `ask INSTANCE sessions` and `ask INSTANCE locks`. Pure: rows in, lines out.

Names of accounts are shown: an administrator asked for them. The text of a query is never fetched.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dbwatch.cli import blocking
from dbwatch.cli.tables import table
from dbwatch.http.humanise import duration

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dbwatch.core.model import Rows

    Row = Mapping[str, object]

SESSIONS = (
    *("pid", "user", "application", "database", "state", "age"),
    *("wait", "blocked_by", "root_blocker", "fingerprint"),
)
LOCKS = ("pid", "user", "application", "waits", "lock_type", "relation", "fingerprint")
QUESTIONS = frozenset({"sessions", "locks"})


def sessions_lines(rows: Rows, width: int) -> list[str]:
    """The sessions, the longest in their state first."""
    if not len(rows):
        return ["no session besides ours"]
    ordered = sorted(rows.dicts(), key=lambda row: -seconds(row, "age_seconds"))
    return table(SESSIONS, [_session(row) for row in ordered], width, right=("pid", "age", "root_blocker"))


def _session(row: Row) -> list[str]:
    shown = {**row, "age": _age(row.get("age_seconds"))}
    return [text(shown.get(name)) for name in SESSIONS]


def locks_lines(rows: Rows, width: int) -> list[str]:
    """The sessions that wait, as a tree under each root blocker."""
    known = {int(str(row["pid"])): row for row in rows.dicts()}
    if not known:
        return ["nobody waits for a lock"]
    nodes = blocking.trees({pid: blocking.pids(row.get("blocked_by")) for pid, row in known.items()})
    lines = [
        [place, *_lock({} if node.repeats else known.get(node.pid, {}), waits=node.depth > 0, repeats=node.repeats)]
        for node, place in zip(nodes, blocking.drawn(nodes), strict=True)
    ]
    return table(LOCKS, lines, width)


def _lock(row: Row, *, waits: bool, repeats: bool) -> list[str]:
    """A root blocker does not wait: its line says that it holds."""
    if repeats:
        return ["", "", "(see above)", "", "", ""]
    wait = _age(row.get("wait_seconds")) if waits or row.get("blocked_by") else "holds"
    return [
        text(row.get("user")),
        text(row.get("application")),
        wait,
        text(row.get("lock_type")),
        text(row.get("relation")),
        text(row.get("fingerprint")),
    ]


def as_json(rows: Rows) -> Sequence[Row]:
    """The rows with values that JSON knows."""
    plain = (bool, int, float, str, type(None))
    return [
        {name: value if isinstance(value, plain) else text(value) for name, value in row.items()}
        for row in rows.dicts()
    ]


def seconds(row: Row, name: str) -> float:
    value = row.get(name)
    return 0.0 if value is None else float(str(value))


def _age(value: object) -> str:
    return "" if value is None else duration(float(str(value)))


def text(value: object) -> str:
    if value is None:
        return ""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
