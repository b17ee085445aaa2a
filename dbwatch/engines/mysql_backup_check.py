"""What the server itself finds wrong with tables that were restored."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dbwatch.engines import mysql_backup_facts as remembered

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from dbwatch.engines.mysql_backup_session import Asker

MOST_PROBLEMS = 50
FINE = frozenset({"status", "info", "note"})  # what CHECK TABLE says besides errors and warnings


async def problems(opened: Asker, databases: Sequence[str]) -> tuple[str, ...]:
    found: list[str] = []
    await opened.ask("check_begin")
    for table in await remembered.tables(opened, {name: name for name in databases}):
        said = await opened.ask("check_table", {"table": table.sql})
        found += [f"{table.label}: {row['Msg_text']}" for row in said if _is_problem(row)]
    return tuple(found[:MOST_PROBLEMS])


def _is_problem(row: Mapping[str, Any]) -> bool:
    kind, said = str(row["Msg_type"]).lower(), str(row["Msg_text"])
    return kind not in FINE or (kind == "status" and said != "OK")
