"""What is remembered of a database to compare a restore with: its objects, and the rows of each table."""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dbwatch.core.backups.model import DatabaseFacts, FactsMode, JobReason, TableFacts
from dbwatch.core.backups.unread import Unread
from dbwatch.errors import EngineError, JobError, Reason

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    import asyncpg

    from dbwatch.core.backups.model import Pairs
    from dbwatch.engines.postgres_backup_session import Asker

    Inventory = tuple[tuple[tuple[str, int], ...], str, Pairs]

HASHING_SHARE = 0.8  # of the time there is; the rest is for counting what there was no time to hash
LEAST_SECONDS = 0.05
SERVER_FIRST_SECONDS = 5.0  # the server ends a query before we cut the session
GONE = frozenset({Reason.LOST, Reason.TIMEOUT, Reason.STARTING})
UNKNOWN = frozenset({Reason.SHAPE, Reason.MISSING})  # how the server calls a snapshot that nobody holds
DIGITS = 12
MOST_OBJECTS = 2000  # of one database, whose definitions are remembered one by one


def shortened(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:DIGITS]


async def read_only(asker: Asker, snapshot: str = "") -> None:
    """One moment for all that follows: that of the snapshot, or now."""
    await asker.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    if not snapshot:
        return
    try:
        await asker.execute(f"SET TRANSACTION SNAPSHOT '{snapshot}'")
    except EngineError as error:
        if error.reason not in UNKNOWN:
            raise
        raise JobError(JobReason.LOST, "the server ended the session that held the dump's snapshot") from None


async def inventory(asker: Asker) -> Inventory:
    """How many objects of each kind, one text of `kind=digest` for all of them, and each, unless they are many."""
    rows = await asker.ask("backup_inventory")
    counts, sums = Counter[str](), Counter[str]()
    for row in rows:
        counts[row["kind"]] += int(row["number"])
        sums[row["kind"]] += int(row["digest"])
    objects = sorted((f"{row['kind']} {row['name']}", shortened(row["digest"])) for row in rows)
    return (
        tuple(counts.items()),
        ",".join(f"{kind}={shortened(str(total))}" for kind, total in sums.items()),
        tuple(objects) if len(objects) <= MOST_OBJECTS else (),
    )


async def database(asker: Asker, described: asyncpg.Record | None, name: str) -> DatabaseFacts:
    counts, digest, objects = await inventory(asker)
    extensions = await asker.ask("backup_extensions")
    return DatabaseFacts(
        name=name,
        size_bytes=int(described["bytes"] or 0) if described else 0,
        encoding=str(described["encoding"]) if described else "",
        collation=str(described["collation"]) if described else "",
        extensions=tuple((row["name"], row["version"]) for row in extensions),
        inventory=counts,
        inventory_digest=digest,
        objects=objects,
    )


async def roles(asker: Asker, *, but: Collection[str] = ()) -> tuple[str, ...]:
    rows = await asker.ask("backup_roles")
    return tuple(f"{row['name']} {shortened(row['digest'])}" for row in rows if row["name"] not in but)


@dataclass
class Budget:
    """Seconds from now on."""

    seconds: float

    def __post_init__(self) -> None:
        self._ends_at = asyncio.get_running_loop().time() + self.seconds

    def left(self, share: float = 1.0) -> float:
        return self._ends_at - self.seconds * (1 - share) - asyncio.get_running_loop().time()


@dataclass
class Reading:
    """The tables of one database, the smallest first: what there is no time for stays unknown."""

    asker: Asker
    database: str
    mode: FactsMode
    budget: Budget
    is_standby: bool = False

    async def tables(
        self, rows: Sequence[asyncpg.Record], wanted: Mapping[tuple[str, str], TableFacts] | None = None
    ) -> tuple[TableFacts, ...]:
        """`wanted`: what the source knows of each; no more is asked of the others."""
        found = [await self._table(row, None if wanted is None else wanted.get(_key(row))) for row in rows]
        return tuple([await self._counted(row, each) for row, each in zip(rows, found, strict=True)])

    async def _table(self, row: asyncpg.Record, known: TableFacts | None) -> TableFacts:
        through, within = row["through"], tuple(row["within"])
        empty = TableFacts(self.database, *_key(row), bytes=row["bytes"], through=through, within=within)
        if self.is_standby and row["is_unlogged"]:
            return replace(empty, rows=0, unread=Unread.UNLOGGED)  # as the dump has it
        is_wanted = known is None or known.digest is not None
        if self.mode is not FactsMode.FULL or not is_wanted:
            return empty
        return await self._asked(row["hashing"], empty, self.budget.left(HASHING_SHARE))

    async def _counted(self, row: asyncpg.Record, found: TableFacts) -> TableFacts:
        if found.rows is not None or self.mode is FactsMode.OFF:
            return found
        return await self._asked(row["counting"], found, self.budget.left())

    async def _asked(self, sql: str, empty: TableFacts, seconds: float) -> TableFacts:
        """A query that fails leaves the moment as it is: each has a savepoint of its own."""
        if seconds < LEAST_SECONDS:
            return empty
        await self.asker.execute(f"SAVEPOINT one; SET LOCAL statement_timeout = {max(1, round(seconds * 1000))}")
        try:
            row = (await self.asker.fetch(sql, seconds=seconds + SERVER_FIRST_SECONDS, what="facts"))[0]
        except EngineError as error:
            if self.asker.connection.is_closed() or error.reason in GONE - {Reason.TIMEOUT}:
                raise
            return empty
        finally:
            if not self.asker.connection.is_closed():
                await self.asker.execute("ROLLBACK TO SAVEPOINT one; RELEASE SAVEPOINT one")
        return replace(empty, rows=row["number"], digest=row["digest"])


def _key(row: asyncpg.Record) -> tuple[str, str]:
    return (row["schema"], row["name"])
