"""What on-call types first: `ask INSTANCE sessions`, `locks` or `statements`. Pure: rows in, lines out.

Names of accounts are shown: an administrator asked for them. The text of a query is never fetched, save for that of
statements, without their constants, where --text asks for it.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from dbwatch.core.showing import blocking
from dbwatch.core.showing.humanise import duration
from dbwatch.core.showing.tables import table
from dbwatch.core.showing.units import value_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dbwatch.core.model import Rows

    Row = Mapping[str, object]

SESSIONS = (
    *("pid", "user", "application", "database", "state", "age"),
    *("wait", "blocked_by", "root_blocker", "fingerprint"),
)
LOCKS = (
    *("pid", "user", "application", "database", "state", "transaction"),
    *("waits", "lock_type", "relation", "fingerprint", "gid"),
)
NO_SESSION = 0  # what PostgreSQL gives as the pid of each prepared transaction
ENDED_BY = "COMMIT PREPARED or ROLLBACK PREPARED and its GID, in its database, as its coordinator decided"
STATEMENTS = ("queryid", "database", "user", "calls", "total", "mean", "rows", "text")


def sessions_lines(rows: Rows, width: int) -> list[str]:
    """The sessions, the longest in their state first."""
    if not len(rows):
        return ["no session besides ours"]
    ordered = sorted(rows.dicts(), key=lambda row: -seconds(row, "age_seconds"))
    lines = table(SESSIONS, [_session(row) for row in ordered], width, right=("pid", "age", "root_blocker"))
    if any(NO_SESSION in blocking.pids(row.get("blocked_by")) for row in ordered):
        lines += ["", "blocked by 0: by a prepared transaction, which no session holds; ask for locks to see which"]
    return lines


def _session(row: Row) -> list[str]:
    shown = {**row, "age": _age(row.get("age_seconds"))}
    return [text(shown.get(name)) for name in SESSIONS]


def locks_lines(rows: Rows, width: int) -> list[str]:
    """The sessions that wait, as a tree under each root blocker."""
    known: dict[int, list[Row]] = {}  # of prepared transactions there may be several, all of them 0
    for row in rows.dicts():
        known.setdefault(int(str(row["pid"])), []).append(row)
    if not known:
        return ["nobody waits for a lock"]
    nodes = blocking.trees({pid: blocking.pids(told[0].get("blocked_by")) for pid, told in known.items()})
    lines = [
        [place, *_lock(row, waits=node.depth > 0, repeats=node.repeats)]
        for node, place in zip(nodes, blocking.drawn(nodes), strict=True)
        for row in ([{}] if node.repeats else known.get(node.pid, [{}]))
    ]
    note = ["", f"a prepared transaction (pid 0) has no session to end: {ENDED_BY}"] if _has_prepared(rows) else []
    return [*table(LOCKS, lines, width), *note]


def _has_prepared(rows: Rows) -> bool:
    return any(row.get("gid") for row in rows.dicts())


def _lock(row: Row, *, waits: bool, repeats: bool) -> list[str]:
    """A root blocker does not wait: its line says that it holds."""
    if repeats:
        return ["(see above)" if name == "waits" else "" for name in LOCKS[1:]]
    wait = _age(row.get("wait_seconds")) if waits or row.get("blocked_by") else "holds"
    shown = {**row, "waits": wait, "transaction": _age(row.get("transaction_seconds"))}
    return [text(shown.get(name)) for name in LOCKS[1:]]


def statements_lines(rows: Rows, width: int) -> list[str]:
    """The statements, the one that took most time first."""
    if not len(rows):
        return ["no statement was counted yet"]
    ordered = sorted(rows.dicts(), key=lambda row: -seconds(row, "total_seconds"))
    return table(STATEMENTS, list(map(_statement, ordered)), width, right=("calls", "total", "mean", "rows"))


def _statement(row: Row) -> list[str]:
    shown = {**row, "total": _time(row.get("total_seconds")), "mean": _time(row.get("mean_seconds"))}
    return [text(shown.get(name)) for name in STATEMENTS]


def _time(value: object) -> str:
    return "" if value is None else value_text(float(str(value)), "seconds")


VIEWS = {"sessions": sessions_lines, "locks": locks_lines, "statements": statements_lines}


def as_json(rows: Rows) -> Sequence[Row]:
    """The rows with values that JSON knows; who blocks a session is a list of numbers, whatever the engine sends."""
    return [{name: _plain(name, value) for name, value in row.items()} for row in rows.dicts()]


def _plain(name: str, value: object) -> object:
    if name == "blocked_by":
        return list(blocking.pids(value))
    if isinstance(value, Decimal):
        return int(value) if value == int(value) else float(value)
    return value if isinstance(value, bool | int | float | str | None) else text(value)


def seconds(row: Row, name: str) -> float:
    value = row.get(name)
    return 0.0 if value is None else float(str(value))


def _age(value: object) -> str:
    return "" if value is None else duration(float(str(value)))


def text(value: object) -> str:
    if value is None:
        return ""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
