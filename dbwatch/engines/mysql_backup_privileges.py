"""Which rights a whole dump needs, and the GRANT for what is missing: without them a dump leaves out, and says nothing.

Pure: rows of what we hold in, lines out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dbwatch.engines.mysql_backup_programs import MARIADB

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    Held = tuple[str, str]  # privilege, database; '' is all of them

OBJECTS = ("SELECT", "SHOW VIEW", "TRIGGER", "EVENT", "LOCK TABLES")
EVERYWHERE = {MARIADB: ("PROCESS", "RELOAD", "BINLOG MONITOR"), "mysql": ("PROCESS", "RELOAD", "REPLICATION CLIENT")}
# What says the same. MariaDB called it so before it split the privilege.
SAME = {"BINLOG MONITOR": ("BINLOG MONITOR", "REPLICATION CLIENT")}
SYSTEM = "mysql"
ROUTINES_OF_MYSQL, ROUTINES_OF_MARIADB = ["SHOW_ROUTINE", "SHOW CREATE ROUTINE"]
REASONS = ("rows and definitions", "views", "triggers", "events", "tables without transactions")
WHY = dict(zip(OBJECTS, REASONS, strict=True)) | {
    "PROCESS": "the moment at which the dump begins",
    "RELOAD": "one moment for all tables",
    "BINLOG MONITOR": "the position in the binary log",
    "REPLICATION CLIENT": "the position in the binary log",
}


def missing(held: Iterable[Held], databases: Sequence[str], flavour: str, account: str) -> list[str]:
    """One line for each right that is not proven, with the statement that gives it."""
    have = set(held)
    lines = [_line(name, account) for name in EVERYWHERE[flavour] if not _has(have, name)]
    for name in OBJECTS:
        without = [database for database in databases if not _has(have, name, database)]
        if without:
            lines.append(_line(name, account, without[0], len(without)))
    return [*lines, *_system(have, flavour, account)]


def _has(have: set[Held], name: str, database: str = "") -> bool:
    return any((each, "") in have or (each, database) in have for each in SAME.get(name, (name,)))


def _line(name: str, account: str, database: str = "", count: int = 0) -> str:
    where = f" in {database}" + (f" and {count - 1} more databases" if count > 1 else "") if database else ""
    mend = f"GRANT {name} ON *.* TO {account};"
    return f"the account lacks {name}{where} ({WHY[name]} would be left out or unproven): {mend}"


def _system(have: set[Held], flavour: str, account: str) -> list[str]:
    """Accounts stand in the schema mysql; the bodies of routines of others too, or behind a right of their own."""
    if _has(have, "SELECT", SYSTEM):
        return []
    found = [
        f"the account lacks SELECT in {SYSTEM} (accounts would be left out): GRANT SELECT ON {SYSTEM}.* TO {account};"
    ]
    own = ROUTINES_OF_MARIADB if flavour == MARIADB else ROUTINES_OF_MYSQL
    if not _has(have, own) and not (flavour != MARIADB and _has(have, "SELECT")):
        mend = (
            f"GRANT SELECT ON {SYSTEM}.proc TO {account};"
            if flavour == MARIADB
            else f"GRANT {own} ON *.* TO {account};"
        )
        found.append(f"the account cannot read the bodies of procedures and functions of others: {mend}")
    return found
