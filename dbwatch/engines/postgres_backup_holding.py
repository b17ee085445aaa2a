"""How a dump takes hold of a PostgreSQL database: one moment, and a reader's lock on every table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dbwatch.core.backups.model import JobReason
from dbwatch.engines import postgres_backup_facts as remembered
from dbwatch.errors import EngineError, JobError, Reason

if TYPE_CHECKING:
    from collections.abc import Sequence

    import asyncpg

    from dbwatch.engines.postgres_backup_session import Asker

LOCKED_AT_ONCE = 500
SPARE_SECONDS = 30.0
AGAIN = "run the backup again, when no migration runs"
EXPORT = "SELECT pg_export_snapshot() AS id"


async def held(holder: Asker, lock_wait_seconds: float, database: str) -> tuple[str, list[asyncpg.Record]]:
    """A moment that others can share, and from then on a reader's lock on every table: no ALTER, no TRUNCATE."""
    try:
        await holder.execute(f"SET lock_timeout = {max(1, round(lock_wait_seconds * 1000))}")
        await remembered.read_only(holder)
        snapshot = str((await holder.fetch(EXPORT))[0]["id"])
        tables = await holder.ask("backup_tables")
        names = [row["lock_name"] for row in tables if row["lock_name"]]
        for first in range(0, len(names), LOCKED_AT_ONCE):
            some = ", ".join(f"ONLY {name}" for name in names[first : first + LOCKED_AT_ONCE])
            await _locked(holder, some, lock_wait_seconds + SPARE_SECONDS)
    except EngineError as error:
        raise _explained(error, database, lock_wait_seconds) from None
    return snapshot, tables


async def _locked(holder: Asker, tables: str, seconds: float) -> None:
    """The server's limit is that of each single lock: what takes longer waits for several, and the server is there."""
    try:
        await holder.execute(f"LOCK TABLE {tables} IN ACCESS SHARE MODE", seconds=seconds)
    except EngineError as error:
        raise EngineError(Reason.LOCK, error.message) if error.reason is Reason.TIMEOUT else error from None


def _explained(error: EngineError, database: str, lock_wait_seconds: float) -> EngineError | JobError:
    if error.reason is Reason.LOCK:
        text = f"{database}: a table stayed locked by the application for more than {lock_wait_seconds:g} s"
        return JobError(JobReason.LOCK, f"{text}: {AGAIN}, or raise lock_wait")
    if error.reason is Reason.MISSING:
        return JobError(JobReason.INCOMPLETE, f"{database}: a table was dropped as the dump began: {AGAIN}")
    return error


async def unmoved(watch: Asker, tables: Sequence[asyncpg.Record], database: str) -> None:
    """TRUNCATE and ALTER TABLE hide the old rows from a snapshot that is older: the dump would be silently empty."""
    now = {row["storage"] for row in await watch.ask("backup_filenodes")}
    moved = [row["lock_name"] for row in tables if row["lock_name"] and row["storage"] not in now]
    if moved:
        text = f"{database}: {moved[0]} was emptied or rewritten as the dump began"
        raise JobError(JobReason.INCOMPLETE, f"{text}: {AGAIN}")
