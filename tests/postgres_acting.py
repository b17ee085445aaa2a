"""Act on a real PostgreSQL in a story, and look until what was caused is seen."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from tests.fix_process import eventually
from tests.patience import Patience
from tests.postgres_asking import see

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    import asyncpg

    from tests.fix_postgres import Postgres
    from tests.postgres_asking import Seen

    Client = asyncpg.Connection[Any]


@asynccontextmanager
async def client(server: Postgres, *statements: str, database: str = "postgres") -> AsyncIterator[Client]:
    """A superuser's session that has said this much."""
    opened = await server.connect("postgres", database=database)
    try:
        for statement in statements:
            await opened.execute(statement)
        yield opened
    finally:
        opened.terminate()


@asynccontextmanager
async def running(server: Postgres, opened: Client, sql: str) -> AsyncIterator[None]:
    """While inside, the statement runs (or waits); at the end of the story its session is ended."""
    task = asyncio.create_task(opened.execute(sql))
    try:
        yield
    finally:
        await ask(server, f"SELECT pg_terminate_backend({opened.get_server_pid()})")
        await asyncio.wait([task])
        task.exception()


async def look(
    server: Postgres, name: str, is_there: Callable[[Seen], bool], *, database: str = "postgres", seconds: float = 30
) -> Seen:
    """What the collector sees once it is there; told at the end where it never was."""
    patience = Patience(seconds)
    while not is_there(seen := await see(server.instance(), name, database=database)):
        if patience.is_over:
            raise AssertionError(f"{name} never showed it; last seen: {seen}")
        await asyncio.sleep(0.05)
    return seen


async def ask(server: Postgres, sql: str, database: str = "postgres") -> str:
    """psql, beside the event loop."""
    return await asyncio.to_thread(server.psql, sql, database)


async def burn(server: Postgres, transactions: int) -> None:
    """Use up that many transaction ids."""
    await ask(server, "SELECT pg_current_xact_id();\n" * transactions)


async def next_xid(server: Postgres) -> int:
    """The id that the next transaction will get."""
    return int(await ask(server, "SELECT pg_snapshot_xmax(pg_current_snapshot())"))


async def caught_up(primary: Postgres, replica: Postgres) -> None:
    """Until the replica has applied what the primary has written so far."""
    written = await ask(primary, "SELECT pg_current_wal_insert_lsn()")
    applied = f"SELECT pg_last_wal_replay_lsn() >= '{written}'"
    await asyncio.to_thread(eventually, lambda: replica.psql(applied) == "t")
