"""Follow the log of a real PostgreSQL as the daemon does, and make it write messages of each severity."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

import asyncpg
import pytest

from dbwatch.core.model import Rows
from dbwatch.host.machine import Machine
from dbwatch.poller import asking
from tests.fix_process import eventually
from tests.postgres_asking import ENGINE, facts, ours, samples, session

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.fix_postgres import Postgres
    from tests.postgres_asking import Seen

NAME = "server_log"
COLLECTED = ("logging_collector = on", "log_error_verbosity = verbose", "log_min_messages = warning")
# A severity as text of the client, over two lines and in quotes, and a message of each severity.
TROUBLES = """
DO $$ BEGIN RAISE WARNING E'"quoted",\\nERROR:  no error\\n'; END $$;
DO $$ BEGIN RAISE EXCEPTION E'first\\n2026-03-01 10:00:00.123 CET,FATAL:  \\n"second"'; END $$;
SELECT 'WARNING:  ' || E'\\nFATAL:  ', 1 / 0
"""


def counted(warning: int = 0, error: int = 0, fatal: int = 0, panic: int = 0) -> Seen:
    found = {"warning": warning, "error": error, "fatal": fatal, "panic": panic}
    messages = {f"dbwatch_pg_log_messages_total{{severity={name}}}": count for name, count in found.items()}
    return {**messages, "dbwatch_pg_log_skipped_bytes_total": 0}


class Follower:
    """Looks at one server's log, again and again, as the daemon does."""

    def __init__(self, server: Postgres) -> None:
        self.server = server
        self.machine = Machine()
        self.note = ""

    async def look(self, **instead: str) -> Seen:
        async with told(self.server, **instead) as rows:
            answer = await self.machine.look(rows, 2.0)
        self.note = answer.note
        return samples(NAME, answer.rows)


@asynccontextmanager
async def told(server: Postgres, **instead: str) -> AsyncIterator[Rows]:
    """What the server says of its log, with other values for some facts."""
    collector = ours().collectors[ENGINE, NAME]
    async with session(server.instance()) as opened:
        known = await facts(opened)
        assert ("", ()) == (asking.left_out(collector, known), asking.missing_needs(collector, known))
        rows = await opened.fetch(asking.query(collector, known))
        fact, purpose, value = (rows.column(name) for name in ("fact", "purpose", "value"))
        other = [instead.get(str(of), one) for of, one in zip(fact, value, strict=True)]
        yield Rows(rows.names, (fact, purpose, other))


async def cause_trouble(server: Postgres) -> None:
    """One WARNING, two ERRORs, one FATAL."""
    admin = await server.admin()
    for statement in TROUBLES.split(";\n"):
        with suppress(asyncpg.RaiseError, asyncpg.DivisionByZeroError):
            await admin.execute(statement)
    await admin.close()
    with pytest.raises(asyncpg.InvalidPasswordError):
        await server.connect(password="not it")


async def until(follower: Follower, expected: Seen) -> None:
    """The collector writes a moment after the message was raised."""
    seen = await follower.look()
    for _ in range(600):
        if seen == expected:
            break
        await asyncio.sleep(0.05)
        seen = await follower.look()
    assert expected == seen
    assert "" == follower.note


def files(server: Postgres) -> set[str]:
    return {each.name for each in (server.data_directory / "log").iterdir()}


async def rotate(server: Postgres) -> None:
    """Until the server writes to another file: its name holds the second."""
    before = files(server)

    def rotated() -> set[str]:
        found = files(server) - before
        if not found:
            server.psql("SELECT pg_rotate_logfile()")
        return found

    await asyncio.to_thread(eventually, rotated, every_seconds=0.2)


async def until_written(server: Postgres) -> None:
    """The last of the troubles is in some file of the log."""

    def written() -> bool:
        logs = (server.data_directory / "log").iterdir()
        return any(b"password authentication failed" in each.read_bytes() for each in logs)

    await asyncio.to_thread(eventually, written)


async def story_of_a_rotation(server: Postgres) -> None:
    """What was written before the first look is not counted; the rest is, once, through a rotation."""
    await cause_trouble(server)
    await until_written(server)
    follower = Follower(server)
    assert counted() == await follower.look()
    await cause_trouble(server)
    await until(follower, counted(warning=1, error=2, fatal=1))
    await cause_trouble(server)
    await rotate(server)
    await cause_trouble(server)
    await until(follower, counted(warning=3, error=6, fatal=3))
    assert await follower.look() == await follower.look()
