"""What a restore is compared with: rows and content of each table, inventory, accounts; all computed by the server.

The content of a table is the sum of 64 bits of a hash of each row: independent of the order, a change by accident goes
unseen once in 2^64. FLOAT counts as the six digits that the server prints, which is all that a dump keeps of it: where
that is less than the table holds, it is told.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dbwatch.core import quoting
from dbwatch.core.backups.model import DatabaseFacts, Facts, FactsMode, TableFacts
from dbwatch.core.backups.unread import Unread
from dbwatch.errors import EngineError, Reason

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from dbwatch.core.backups.model import Pairs
    from dbwatch.engines.mysql_backup_session import Asker

    Row = dict[str, Any]
    Texts = Mapping[tuple[str, str], Mapping[str, object]]

LEAST_SECONDS = 0.5
CONTENT_SHARE = 0.7  # of the time; what is left goes into counting what there was no time to hash
MOST_OBJECTS = 2000  # of one database, whose definitions are remembered one by one
VERSIONED, IN_MEMORY = "SYSTEM VERSIONED", "MEMORY"
GIVEN_UP = frozenset({Reason.TIMEOUT, Reason.LOCK})


@dataclass(frozen=True, slots=True)
class Table:
    """One table as the server lists it; `moving`: no transaction holds it at one moment."""

    database: str
    name: str
    bytes: int
    moving: bool
    versioned: bool
    in_memory: bool = False

    @property
    def unread(self) -> Unread:
        """Why its content is not known, where it is not."""
        if self.in_memory:
            return Unread.MEMORY
        if self.moving:
            return Unread.MOVING
        return Unread.VERSIONED if self.versioned else Unread.TIME

    @property
    def label(self) -> str:
        return f"{self.database}.{self.name}"

    @property
    def sql(self) -> str:
        return f"{quoting.mysql(self.database)}.{quoting.mysql(self.name)}"


async def tables(asker: Asker, databases: Mapping[str, str]) -> list[Table]:
    """Of these databases, in the order of a dump: by database as given, then by name."""
    order = {name: number for number, name in enumerate(databases)}
    found = [_table(row) for row in await asker.ask("tables") if row["database"] in order]
    return sorted(found, key=lambda table: (order[table.database], table.name))


def _table(row: Row) -> Table:
    transactional = bool(int(row["transactional"]))
    versioned = row["type"] == VERSIONED
    in_memory = str(row["engine"]).upper() == IN_MEMORY
    return Table(row["database"], row["name"], int(row["bytes"]), not transactional, versioned, in_memory)


@dataclass
class Survey:
    """Facts of one moment, or of what was restored. `databases`: name there -> name in the source."""

    asker: Asker
    databases: Mapping[str, str]
    mode: FactsMode
    seconds: float
    in_snapshot: bool = False
    reading: str = ""  # the table that is read now: who waits for it waits for us

    async def take(self) -> tuple[TableFacts, ...]:
        """Small tables first; what there is no time for stays unknown."""
        if self.mode is FactsMode.OFF:
            return ()
        until = asyncio.get_running_loop().time() + self.seconds
        todo = sorted(await tables(self.asker, self.databases), key=lambda table: table.bytes)
        texts = await self._expressions() if self.mode is FactsMode.FULL else {}
        share = CONTENT_SHARE * self.seconds
        return tuple([await self._one(table, texts, until, until - self.seconds + share) for table in todo])

    async def _expressions(self) -> Texts:
        return {(row["database"], row["name"]): row for row in await self.asker.ask("columns")}

    async def _one(self, table: Table, texts: Texts, until: float, hashing_until: float) -> TableFacts:
        read: Row = {}
        if not (table.moving and self.in_snapshot):
            text = None if table.versioned else texts.get((table.database, table.name))
            if text:
                read = await self._read(table, "table_facts", hashing_until, text)
            read = read or await self._read(table, "table_count", until, {})
        rows = int(read["counted"]) if read else None
        digest = str(read["digest"]) if "digest" in read else None
        changed = Unread.CHANGED if int(read.get("changing", 0)) else ""
        unread = table.unread if digest is None else changed
        return TableFacts(self.databases[table.database], "", table.name, rows, digest, table.bytes, unread)

    async def _read(self, table: Table, question: str, until: float, text: Mapping[str, object]) -> Row:
        """Empty where time is up; a snapshot's session lets go of each table after it."""
        seconds = until - asyncio.get_running_loop().time()
        if seconds < LEAST_SECONDS:
            return {}
        self.reading = table.name
        fill = {**text, "table": table.sql}
        try:
            return (await self._in_savepoint(question, fill, seconds))[0]
        except EngineError as error:
            if error.reason in GIVEN_UP and not self.asker.session.broken:
                return {}
            raise
        finally:
            self.reading = ""

    async def _in_savepoint(self, question: str, fill: Mapping[str, object], seconds: float) -> list[Row]:
        if not self.in_snapshot:
            return await self.asker.ask(question, fill, seconds=seconds)
        await self.asker.ask("savepoint")
        try:
            return await self.asker.ask(question, fill, seconds=seconds)
        finally:
            if not self.asker.session.broken:
                await self.asker.ask("release")


async def inventory(asker: Asker, databases: Mapping[str, str]) -> tuple[DatabaseFacts, ...]:
    """How many objects of each kind, and a digest of their definitions, for each database."""
    listed = {row["name"]: row for row in await asker.ask("databases")}
    rows = await asker.ask("inventory")
    return tuple(
        _database(listed[name], source, [row for row in rows if row["database"] == name])
        for name, source in databases.items()
        if name in listed
    )


def _database(listed: Row, source: str, rows: list[Row]) -> DatabaseFacts:
    counts, sums = Counter[str](), Counter[str]()
    for row in rows:
        counts[str(row["kind"])] += int(row["objects"])
        sums[str(row["kind"])] += int(row["digest"])
    digests = ",".join(sorted(f"{kind}={_short(str(total))}" for kind, total in sums.items()))
    return DatabaseFacts(
        source,
        int(listed["bytes"]),
        str(listed["encoding"]),
        str(listed["collation"]),
        inventory=tuple(sorted(counts.items())),
        inventory_digest=digests or "empty",
        objects=_objects(rows) if len(rows) <= MOST_OBJECTS else (),
    )


def _objects(rows: list[Row]) -> Pairs:
    return tuple(sorted((f"{row['kind']} {row['name']}", _short(str(row["digest"]))) for row in rows))


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


async def accounts(asker: Asker) -> tuple[str, ...]:
    """The names of accounts and roles."""
    return tuple(sorted({str(row["account"]) for row in await asker.ask("accounts")}))


def nothing(reason: str, mode: FactsMode) -> Facts:
    return Facts(mode=mode, comparable=False, evidence=reason)
