"""The accounts of a dump: what writes each down, and what of it nobody could give again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dbwatch.core.backups.unread import some
from dbwatch.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Container
    from typing import Any

    from dbwatch.engines.mysql_backup_session import Asker

    Row = dict[str, Any]

CREATES = 1  # the part of a statement that makes an account
SYSTEM = frozenset({"information_schema", "mysql", "performance_schema", "sys"})


async def account_statements(asked: Asker) -> tuple[list[Row], tuple[str, ...]]:
    """What writes each account down, and the accounts that the server lists and cannot show."""
    shown: list[Row] = []
    hidden: set[str] = set()
    for row in await asked.ask("accounts"):
        account = str(row["account"])
        if account in hidden:
            continue
        try:
            await asked.raw(f"account {asked.application}", str(row["statement"]), seconds=5.0)
        except EngineError:
            if asked.session.broken:
                raise
            hidden.add(account)
        else:
            shown.append(row)
    return [row for row in shown if str(row["account"]) not in hidden], tuple(sorted(hidden))


async def script(asked: Asker) -> tuple[str, tuple[str, ...]]:
    """All that the client is to ask, and the accounts that it makes of the answers."""
    rows, _ = await account_statements(asked)
    texts = (asked.text("accounts_begin"), *(str(row["statement"]) for row in rows))
    made = {str(row["account"]) for row in rows if int(row["part"]) == CREATES}
    return "".join(f"{text.strip()};\n" for text in texts), tuple(sorted(made))


async def stranded(asked: Asker, databases: Container[str]) -> tuple[str, ...]:
    """The tables and routines that rights are given on and that a restore of these databases does not bring."""
    return tuple(
        str(row["quoted"])
        for row in await asked.ask("grants_on")
        if not row["is_there"] or (str(row["database"]) not in databases and row["database"] not in SYSTEM)
    )


async def warnings(asked: Asker, databases: Container[str]) -> list[str]:
    """What a restore will lack of accounts and their rights."""
    _, hidden = await account_statements(asked)
    lacking = await stranded(asked, databases)
    lines = [f"accounts that the server cannot show are not in the backup: {some(hidden)}"] if hidden else []
    if lacking:
        lines.append(f"rights on what this backup does not hold (dropped, or excluded) are left out: {some(lacking)}")
    return lines
