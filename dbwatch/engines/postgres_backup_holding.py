"""How a dump takes hold of a PostgreSQL database: one moment, and a reader's lock on every table."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from dbwatch.core.backups.model import JobReason
from dbwatch.core.backups.unread import some
from dbwatch.engines import postgres_backup_facts as remembered
from dbwatch.errors import EngineError, JobError, Reason

if TYPE_CHECKING:
    from collections.abc import Sequence

    import asyncpg

    from dbwatch.engines.postgres_backup_lookout import Lookout
    from dbwatch.engines.postgres_backup_session import Asker

LOCKED_AT_ONCE, SHOWN = 500, 3
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
        return _kept(database, lock_wait_seconds)
    if error.reason is Reason.MISSING:
        return JobError(JobReason.INCOMPLETE, f"{database}: a table was dropped as the dump began: {AGAIN}")
    return error


def _kept(database: str, lock_wait_seconds: float, now: str = "") -> JobError:
    text = f"{database}: a table stayed locked by the application for more than {lock_wait_seconds:g} s{now}"
    return JobError(JobReason.LOCK, f"{text}: {AGAIN}, or raise lock_wait")


async def by_whom(error: JobError, watch: Lookout, lock_wait_seconds: float, database: str) -> JobError:
    """Which table it was, as far as it can be seen a moment later."""
    if error.reason is not JobReason.LOCK:
        return error
    with suppress(EngineError):
        if rows := await watch.locked():
            return _kept(database, lock_wait_seconds, f" (now: {_tables(rows)})")
    return error


def _tables(rows: Sequence[asyncpg.Record]) -> str:
    told = [f"{row['name']} {'' if row['granted'] else 'awaited '}by {_holder(row['pid'])}" for row in rows]
    return some(told, SHOWN)


def _holder(pid: int | None) -> str:
    return "a prepared transaction" if pid is None else f"process {pid}"


async def unmoved(watch: Asker, tables: Sequence[asyncpg.Record], database: str) -> None:
    """TRUNCATE and ALTER TABLE hide the old rows from a snapshot that is older: the dump would be silently empty."""
    now = {row["storage"] for row in await watch.ask("backup_filenodes")}
    moved = [row["lock_name"] for row in tables if row["lock_name"] and row["storage"] not in now]
    if moved:
        text = f"{database}: {moved[0]} was emptied or rewritten as the dump began"
        raise JobError(JobReason.INCOMPLETE, f"{text}: {AGAIN}")
