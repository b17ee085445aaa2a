"""The sections of a dump in SQL, as mysqldump and mariadb-dump write them: which lines one database or table needs.

A section begins with a comment ("-- Table structure for table `x`") after a line that is "--" alone. Values never hold
a raw newline (the dump escapes them); bodies of triggers, routines and events do, and stand between DELIMITER lines.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from dbwatch.core import quoting
from dbwatch.core.backups import renaming

if TYPE_CHECKING:
    from collections.abc import Collection

DELIMITER = b"DELIMITER "
ENDED = b"-- Dump completed"
FOOTER = b"/*!40103 SET TIME_ZONE=@OLD_TIME_ZONE"
SANDBOX = b"sandbox mode */"
LONGEST_SANDBOX_LINE_BYTES = 80
DATABASE = re.compile(rb"-- Current Database: `(?P<name>(?:[^`]|``)+)`\s*$")
OBJECT = re.compile(rb"-- (?P<what>[A-Z][a-z ]+?) (?:for|of) (?P<kind>table|view) `(?P<name>(?:[^`]|``)+)`\s*$")
SEQUENCE = re.compile(rb"-- Sequence structure for `(?P<name>(?:[^`]|``)+)`\s*$")
NAMING = re.compile(rb"(?P<before>(?:CREATE DATABASE (?:/\*!32312 IF NOT EXISTS\*/ )?|USE |ALTER DATABASE ))`")
EVENTS = b"-- Dumping events for database "
CREATES_EVENT = b"/*!50106 CREATE*/"
ENABLED = re.compile(rb"(EVENT `(?:[^`]|``)+` ON SCHEDULE .*? ON COMPLETION (?:NOT )?PRESERVE) ENABLE\b")
MARKS = (b"\n--", b"\nDELIMITER ", b"\nUSE ", b"\nCREATE DATABASE ", b"\nALTER DATABASE ", b"\n" + FOOTER)
LINE = re.compile(rb"[^\n]*\n|[^\n]+")
# MariaDB says the password with the rights too; the account has it from its creation, or had its own before.
IDENTIFIED = re.compile(rb"` IDENTIFIED (?:BY PASSWORD|VIA) .*?(?= REQUIRE | WITH |$)")
# To act as anybody: every server gives it to its own root, and lets nobody else give it.
ANYBODY = (b"GRANT PROXY ON ``@", b"GRANT PROXY ON ''@")
TABLE_PARTS = frozenset({b"Table structure", b"Dumping data"})
DEFINITIONS = frozenset({b"Table structure", b"Final view structure"})


class Place(Enum):
    """Where in the dump a line stands."""

    HEAD = "head"
    DATABASE = "database"
    OTHER = "other"  # another database
    FOOT = "foot"


def quoted(name: str) -> bytes:
    return quoting.mysql(name).encode()


def _plain(name: bytes) -> str:
    return name.replace(b"``", b"`").decode("utf-8", "surrogateescape")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to take: a database, of it one table perhaps, and the name that the database is to have."""

    database: str
    table: str = ""
    into: str = ""
    plain_client: bool = False  # it does not know the sandbox line


class Picker:
    """Fed with every line, in order, says which of them to write."""

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._place = Place.HEAD
        self._in_body = False
        self._after_mark = False
        self._takes = True
        self._in_events = False
        self._in_definition = False
        self.found = False

    def lines(self, block: bytes) -> bytes:
        """What becomes of whole lines; of many rows at once, where no line of them can matter."""
        by_line = self._place is Place.HEAD or self._in_events or self._in_definition
        if by_line or any(mark in b"\n" + block for mark in MARKS):
            return b"".join(map(self.line, LINE.findall(block)))
        self._after_mark = False
        return block if self._takes else b""

    def line(self, line: bytes) -> bytes:
        """What becomes of it; empty where it is not wanted."""
        if line[:2] == b"--" and not self._in_body:
            self._comment(line)
        elif line.startswith(DELIMITER):
            self._in_body = line.strip() != DELIMITER + b";"
        elif line.startswith(FOOTER) and not self._in_body:
            self._place, self._takes = Place.FOOT, True
        elif self._place is Place.HEAD and is_sandbox(line) and self._wanted.plain_client:
            return b""
        self._after_mark = line.strip() == b"--"
        return self._disabled(self._renamed(line)) if self._takes else b""

    def _comment(self, line: bytes) -> None:
        if self._place is Place.FOOT or not self._after_mark or len(line) <= len(b"-- \n"):
            return
        self._in_events = line.startswith(EVENTS)
        defined = OBJECT.match(line)
        self._in_definition = defined is not None and defined["what"] in DEFINITIONS
        if match := DATABASE.match(line):
            here = _plain(match["name"]) == self._wanted.database
            self._place = Place.DATABASE if here else Place.OTHER
            self._takes = here
            self.found |= here and not self._wanted.table
        elif self._place is Place.DATABASE:
            self._takes = self._wants(line)

    def _wants(self, line: bytes) -> bool:
        if not self._wanted.table or line.startswith(b"-- WHERE: "):
            return self._takes or not self._wanted.table
        if SEQUENCE.match(line):
            return bool(self._wanted.into)  # a table's default may ask it; in its own database it still stands
        match = OBJECT.match(line)
        if match is None or match["what"] not in TABLE_PARTS or _plain(match["name"]) != self._wanted.table:
            return False
        self.found = True
        return True

    def _renamed(self, line: bytes) -> bytes:
        """What chooses a database names it, and what servers print of views and defaults; bodies are left."""
        if not self._wanted.into or self._in_body:
            return line
        if self._in_definition:
            line = renaming.renamed(line, quoted(self._wanted.database), quoted(self._wanted.into))
        if line[:1] not in b"CUA":
            return line
        match = NAMING.match(line)
        before = match["before"] + quoted(self._wanted.database) if match else b""
        if not match or not line.startswith(before):
            return line
        return match["before"] + quoted(self._wanted.into) + line[len(before) :]

    def _disabled(self, line: bytes) -> bytes:
        """A copy beside the original does nothing by itself: what acts on the outside would act twice."""
        if not (self._wanted.into and self._in_events and line.startswith(CREATES_EVENT)):
            return line
        return ENABLED.sub(rb"\1 DISABLE", line, count=1)


def is_sandbox(line: bytes) -> bool:
    """The first line by which newer dumps of MariaDB forbid shell commands: other clients stumble over it."""
    return len(line) <= LONGEST_SANDBOX_LINE_BYTES and line.startswith(b"/*") and SANDBOX in line


class AccountPart(Enum):
    """Accounts must be there before objects that they define; rights on objects can be given only after these."""

    CREATE = "create"
    GRANT = "grant"


def account_statement(line: bytes, stranded: Collection[bytes] = ()) -> bytes:
    """What the client printed of one account, as a statement that harms none that is there; none for what is gone."""
    text = line.rstrip(b"\n")
    if text.startswith(ANYBODY) or any(b" ON " + name + b" TO " in text for name in stranded):
        return b""
    if text.startswith(b"GRANT "):
        return IDENTIFIED.sub(b"`", text) + b";\n"
    for kind in (b"CREATE USER ", b"CREATE ROLE "):
        if text.startswith(kind):
            text = kind + b"IF NOT EXISTS " + text[len(kind) :]
    return text + b";\n" if text else b""


def account_part(line: bytes) -> AccountPart | None:
    if line.startswith((b"CREATE USER ", b"CREATE ROLE ")):
        return AccountPart.CREATE
    return AccountPart.GRANT if line.startswith((b"GRANT ", b"SET DEFAULT ROLE ", b"REVOKE ")) else None
