"""Names as statements of the engines want them: always between marks, for a table may be called `order`."""

from __future__ import annotations

import re

POSTGRES_MARK, MYSQL_MARK = '"', "`"
PLAIN = re.compile(r"[a-z_][a-z0-9_]*")
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")  # a line break would end a command or a comment, and what follows be run


def marked(name: str, mark: str) -> str:
    """Between these marks; those in it are doubled, as SQL has it for names and for texts."""
    return f"{mark}{name.replace(mark, mark * 2)}{mark}"


def postgres(name: str) -> str:
    return marked(name, POSTGRES_MARK)


def mysql(name: str) -> str:
    return marked(name, MYSQL_MARK)


def connection_string(database: str) -> str:
    """For libpq: a name that is never read as a connection string itself."""
    escaped = re.sub(r"(['\\])", r"\\\1", database)
    return f"dbname='{escaped}'"


def connection(database: str) -> str:
    """The same for people: a plain name stays one."""
    return database if PLAIN.fullmatch(database) else connection_string(database)


def psql_connection(database: str) -> str:
    """What follows psql's command to enter a database. A control character in the name would end that command."""
    if PLAIN.fullmatch(database):
        return database
    return "-reuse-previous=on " + marked(connection(database), POSTGRES_MARK)
