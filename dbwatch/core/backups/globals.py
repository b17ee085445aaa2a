"""What pg_dumpall --globals-only wrote, statement by statement, and which of them suit a server. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dbwatch.core import quoting

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

COMPLETE = "-- PostgreSQL database cluster dump complete"
NAME = r"(?P<name>\"(?:[^\"]|\"\")*\"|[^\s;]+)"
ROLE = re.compile(rf"(?P<verb>CREATE|ALTER) ROLE {NAME}(?: |;|$)")
COMMENT = re.compile(rf"COMMENT ON ROLE {NAME} ")
TABLESPACE = re.compile(
    r"(?:CREATE|ALTER) TABLESPACE |(?:GRANT|REVOKE) .* ON TABLESPACE |COMMENT ON TABLESPACE ", re.DOTALL
)
GRANTED_BY = re.compile(rf" GRANTED BY {NAME};")
OTHER_NAME = NAME.replace("?P<name>", "?:")
OF_DATABASE = re.compile(
    rf"(?P<before>ALTER DATABASE |ALTER ROLE {OTHER_NAME} IN DATABASE |(?:GRANT|REVOKE) [A-Z, ]+ ON DATABASE "
    rf"|COMMENT ON DATABASE |SECURITY LABEL FOR {OTHER_NAME} ON DATABASE ){NAME}(?P<after> .*)",
    re.DOTALL,
)
FOR_PSQL = re.compile(r"^\\(?:(?:un)?restrict \w+|connect .*)$", re.MULTILINE)
PARTS = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|;|[^'\"\-;]+|-")


def is_complete(text: str) -> bool:
    return COMPLETE in text[-2000:]


def statements(text: str) -> Iterator[str]:
    """One at a time, without comments and without what is meant for psql alone."""
    sql = FOR_PSQL.sub("", text)
    current: list[str] = []
    for part in PARTS.findall(sql):
        if part.startswith("--"):
            continue
        current.append(part)
        if part == ";":
            yield "".join(current).strip()
            current = []


def plain(identifier: str) -> str:
    """A name as the catalogue has it."""
    return identifier[1:-1].replace('""', '"') if identifier.startswith('"') else identifier


def created(statement: str) -> str:
    """The role that a statement makes; '': it makes none."""
    found = ROLE.match(statement)
    return plain(found["name"]) if found is not None and found["verb"] == "CREATE" else ""


def suited(statement: str, existing: Collection[str], *, keep: bool) -> str:
    """The statement for a server that has these roles; '': none is needed.

    `keep`: what exists there stays as it is. A grant is made in our own name: who gave it first need not be there yet.
    Tablespaces are directories of another machine.
    """
    if TABLESPACE.match(statement):
        return ""
    found = ROLE.match(statement) or COMMENT.match(statement)
    if keep and found is not None and plain(found["name"]) in existing:
        return ""
    return GRANTED_BY.sub(";", statement) if statement.startswith("GRANT ") else statement


def of_database(text: str, name: str) -> str:
    """What pg_restore --create would do to a database once it is made, for one of another name: a text of its own."""
    found = filter(None, map(OF_DATABASE.match, statements(text)))
    quoted = quoting.postgres(name)
    return "".join(f"{each['before']}{quoted}{each['after']}\n" for each in found) + f"{COMPLETE}\n"
