"""A small program: roles on its standard input, as pg_dumpall wrote them, are made on the server that PG* names.

    python -m dbwatch.engines.postgres_backup_globals all     whatever exists is changed (a scratch server)
    python -m dbwatch.engines.postgres_backup_globals keep    roles that exist stay as they are
    python -m dbwatch.engines.postgres_backup_globals check   nothing is done: is the text whole?

Not psql, whose variables and commands a role's comment might reach; and `role exists` is no error here.
"""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

import asyncpg

from dbwatch.core.backups import globals as texts
from dbwatch.engines.postgres_errors import EXPECTED, translate

if TYPE_CHECKING:
    from dbwatch.engines.postgres_login import Connection

CONNECT_SECONDS = 30.0
HOW = ("all", "keep", "check")


async def apply(text: str, *, keep: bool) -> None:
    """Stops at the first error; nothing is left half done."""
    connection = await asyncpg.connect(timeout=CONNECT_SECONDS, statement_cache_size=0)
    existing: set[str] = set()
    try:
        async with connection.transaction():
            for statement in texts.statements(text):
                if wanted := texts.suited(statement, existing, keep=keep):
                    existing |= await _done(connection, wanted)
    finally:
        connection.terminate()


async def _done(connection: Connection, statement: str) -> set[str]:
    """The role that was there already, if the statement was to make it."""
    try:
        async with connection.transaction():
            await connection.execute(statement)
    except asyncpg.DuplicateObjectError:
        if not (role := texts.created(statement)):
            raise
        return {role}
    return set()


def main(arguments: list[str]) -> int:
    if len(arguments) != 1 or arguments[0] not in HOW:
        return _failed(f"say one of: {', '.join(HOW)}")
    text = sys.stdin.buffer.read().decode("utf-8", "surrogateescape")
    if not texts.is_complete(text):
        return _failed("the file of roles is truncated")
    if arguments[0] == "check":
        return 0
    try:
        asyncio.run(apply(text, keep=arguments[0] == "keep"))
    except EXPECTED as error:
        return _failed(translate(error).message)
    return 0


def _failed(why: str) -> int:
    sys.stderr.write(f"globals: error: {why}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
