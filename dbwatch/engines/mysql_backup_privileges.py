"""Which rights a whole dump needs, and the GRANT for what is missing: without them a dump leaves out, and says nothing.

Pure: rows of what we hold in, faults or lines out.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from dbwatch.core import quoting
from dbwatch.core.backups.model import JobReason
from dbwatch.engines.mysql_backup_programs import MARIADB
from dbwatch.engines.preflight import PreflightFault, Statement

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dbwatch.core.backups.model import DatabaseFacts
    from dbwatch.engines.backing import Selection

    Held = tuple[str, str]  # privilege, database; '' is all of them

OBJECTS = ("SELECT", "SHOW VIEW", "TRIGGER", "EVENT", "LOCK TABLES")
EVERYWHERE = {MARIADB: ("PROCESS", "RELOAD", "BINLOG MONITOR"), "mysql": ("PROCESS", "RELOAD", "REPLICATION CLIENT")}
# What says the same. MariaDB called it so before it split the privilege.
SAME = {"BINLOG MONITOR": ("BINLOG MONITOR", "REPLICATION CLIENT")}
SYSTEM = "mysql"
ROUTINES_OF_MYSQL, ROUTINES_OF_MARIADB = ["SHOW_ROUTINE", "SHOW CREATE ROUTINE"]
ANY_DEFINER_SINCE = (8, 2)
# Each of them, held for all databases, makes the server show all of them.
SHOWING = frozenset({*OBJECTS, "SHOW DATABASES", "EXECUTE", "CREATE", "ALTER", "INSERT", "UPDATE", "DELETE", "DROP"})
TO_RESTORE = ("CREATE", "DROP", "ALTER", "INSERT", "SELECT", "LOCK TABLES")
FOR_KIND = {"view": "CREATE VIEW", "trigger": "TRIGGER", "routine": "CREATE ROUTINE", "event": "EVENT"}
REASONS = ("rows and definitions", "views", "triggers", "events", "tables without transactions")
WHY = dict(zip(OBJECTS, REASONS, strict=True)) | {
    "PROCESS": "the moment at which the dump begins",
    "RELOAD": "one moment for all tables",
    "BINLOG MONITOR": "the position in the binary log",
    "REPLICATION CLIENT": "the position in the binary log",
}
HIDDEN_DATABASES = "whether there are databases that the server hides from the account"
CALLS = "whether views call functions that the account may not (MariaDB wants EXECUTE of a dump)"
# What nobody can see without them. A server shows no view's text to who may not read it, and no function's name.
HIDES = {MARIADB: dict.fromkeys(("SELECT", "SHOW VIEW"), CALLS)}


def missing(held: Iterable[Held], databases: Sequence[str], flavour: str, account: str) -> list[PreflightFault]:
    """One fault for each right that is not proven, with the statement that gives it."""
    have = set(held)
    hides = HIDES.get(flavour, {}) | ({} if sees_all(have) else {"PROCESS": HIDDEN_DATABASES})
    faults = [_lacks(name, account, hides=hides.get(name, "")) for name in EVERYWHERE[flavour] if not _has(have, name)]
    for name in OBJECTS:
        without = [database for database in databases if not _has(have, name, database)]
        if without:
            faults.append(_lacks(name, account, without[0], len(without), hides=hides.get(name, "")))
    return [*faults, *_system(have, flavour, account)]


def sees_all(held: Iterable[Held]) -> bool:
    """Whether the server keeps no database from us."""
    return any(name in SHOWING and not database for name, database in held)


def nothing_seen(what: str, account: str) -> PreflightFault:
    """A server shows who has no right on any database none of them."""
    grant = f"GRANT {', '.join(OBJECTS)} ON *.* TO {account};"
    return _denied(f"{what}: {grant}", grant, hides="what else a dump of the databases would lack or end at")


def unseen(names: Sequence[str], account: str) -> list[PreflightFault]:
    """One fault for databases that the server does not show: the dump would leave them out, and say nothing."""
    if not names:
        return []
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    where = "*.*" if more else f"{quoting.mysql(names[0])}.*"
    grant = f"GRANT {', '.join(OBJECTS)} ON {where} TO {account};"
    line = f"the account does not see the database {names[0]}{more} (it would be left out): {grant} or exclude it"
    return [_denied(line, grant, hides=f"what else a dump of {names[0]}{more} would lack or end at")]


def maybe_unseen(account: str) -> str:
    """Where the server shows but what we have a right on: other engines than InnoDB have no list of their own."""
    what = "a database without a table of InnoDB that the account has no right on would go unseen"
    return f"{what}: GRANT SHOW DATABASES ON *.* TO {account};"


def not_callable(view: tuple[str, str], called: Iterable[tuple[str, str]], account: str) -> PreflightFault:
    """The right is named for these functions alone: for all, the account could do what any of their definers may."""
    functions = [".".join(map(quoting.mysql, each)) for each in called]
    grants = [f"GRANT EXECUTE ON FUNCTION {each} TO {account};" for each in functions]
    what = f"the account lacks EXECUTE on what the view {'.'.join(view)} calls (the dump would end there)"
    return _denied(f"{what}: {' '.join(grants)}", *grants)


def lacking(
    held: Iterable[Held], databases: Iterable[DatabaseFacts], selection: Selection, account: str, definers: str
) -> list[str]:
    """The rights without which a restore is sure to end in the middle: one line, with the statement that gives them."""
    have = set(held)
    missing: dict[str, None] = {}
    for database in databases:
        name = selection.into or database.name
        wanted = _wanted(database, selection, definers)
        missing |= {each: None for each in wanted if not _may(have, each, name)}
    if not selection.database and not _has(have, "CREATE USER"):
        missing["CREATE USER"] = None
    if not missing:
        return []
    names = ", ".join(missing)
    # Accounts come back with what they may: nobody gives what he has not.
    given = f"{names} ON *.* TO {account}" if selection.database else f"ALL ON *.* TO {account} WITH GRANT OPTION"
    return [f"the account there lacks {names}: GRANT {given};"]


def not_to_give(roles: Sequence[str], account: str) -> list[str]:
    """Without this the last step of a restore ends in an error, after everything was replaced."""
    if not roles:
        return []
    grants = " ".join(f"GRANT {quoting.mysql(role)} TO {account} WITH ADMIN OPTION;" for role in roles)
    what = "the account may not give to others what the backup says of roles that are there already"
    return [f"{what} ({', '.join(roles)}): drop them first, or who may give them says {grants}"]


def _wanted(database: DatabaseFacts, selection: Selection, definers: str) -> list[str]:
    """What its script does. Views, routines and events stay behind where one table is wanted."""
    has = {kind for kind, count in database.inventory if count} if not selection.table else frozenset[str]()
    rights = [right for kind, right in FOR_KIND.items() if kind in has]
    return [*TO_RESTORE, *rights, *([definers] if rights else [])]


def for_definers(flavour: str, version: tuple[int, ...]) -> str:
    """The right to make what runs in the name of another account: SUPER says the same everywhere."""
    if flavour == MARIADB:
        return "SET USER"
    return "SET_ANY_DEFINER" if version >= ANY_DEFINER_SINCE else "SET_USER_ID"


def _may(have: set[Held], name: str, database: str) -> bool:
    """Of one database: what is given by a pattern counts too."""
    names = (name, "SUPER") if name.startswith("SET") else (name,)
    return any(each in names and (not where or _fits(where, database)) for each, where in have)


def _fits(pattern: str, database: str) -> bool:
    """The server's pattern of names: a backslash stands before what means itself."""
    if pattern == database:
        return True
    wild = pattern.replace("[", "[[]").replace("\\_", "\0").replace("_", "?").replace("\0", "_").replace("%", "*")
    return fnmatchcase(database, wild)


def _has(have: set[Held], name: str, database: str = "") -> bool:
    return any((each, "") in have or (each, database) in have for each in SAME.get(name, (name,)))


def _denied(line: str, *statements: str, hides: str = "") -> PreflightFault:
    return PreflightFault(JobReason.PERMISSION, line, tuple(map(Statement, statements)), hides)


def _lacks(name: str, account: str, database: str = "", count: int = 0, *, hides: str) -> PreflightFault:
    where = f" in {database}" + (f" and {count - 1} more databases" if count > 1 else "") if database else ""
    mend = f"GRANT {name} ON *.* TO {account};"
    line = f"the account lacks {name}{where} ({WHY[name]} would be left out or unproven): {mend}"
    return _denied(line, mend, hides=hides)


def _system(have: set[Held], flavour: str, account: str) -> list[PreflightFault]:
    """Accounts stand in the schema mysql; the bodies of routines of others too, or behind a right of their own."""
    if _has(have, "SELECT", SYSTEM):
        return []
    grant = f"GRANT SELECT ON {SYSTEM}.* TO {account};"
    found = [_denied(f"the account lacks SELECT in {SYSTEM} (accounts would be left out): {grant}", grant)]
    own = ROUTINES_OF_MARIADB if flavour == MARIADB else ROUTINES_OF_MYSQL
    if not _has(have, own) and not (flavour != MARIADB and _has(have, "SELECT")):
        mend = (
            f"GRANT SELECT ON {SYSTEM}.proc TO {account};"
            if flavour == MARIADB
            else f"GRANT {own} ON *.* TO {account};"
        )
        what = "the account cannot read the bodies of procedures and functions of others"
        found.append(_denied(f"{what}: {mend}", mend))
    return found
