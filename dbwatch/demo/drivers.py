"""One face for both drivers, as small as the demonstration needs. Whatever a server does becomes an EngineError."""

from __future__ import annotations

import asyncio
import re
from contextlib import contextmanager, suppress
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol

import aiomysql
import asyncpg

from dbwatch.errors import EngineError, Reason
from dbwatch.files import sql_root

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dbwatch.demo.model import Login, ServerAddress

CONNECT_SECONDS = 10.0
CLOSE_SECONDS = 2.0
PLACEHOLDER = re.compile(r"%\((\w+)\)s")
TURN = re.compile(r"@tour\b")
POSTGRES_FAILURES = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError)
MYSQL_FAILURES = (aiomysql.Error, OSError, TimeoutError)
NO_OPTIONS: Mapping[str, str] = MappingProxyType({})


class Connection(Protocol):
    """A session on one server. `turn` is the one argument of a statement: $1 in PostgreSQL, @tour in MySQL."""

    async def script(self, sql: str) -> None:
        """Run many statements at once."""

    async def run(self, sql: str, turn: int | None = None) -> list[tuple[Any, ...]]:
        """Run one statement."""

    async def begin(self) -> None: ...

    async def commit(self) -> None: ...

    async def close(self) -> None:
        """Never raise."""


@contextmanager
def told_as_engine_error(kinds: tuple[type[Exception], ...]) -> Iterator[None]:
    try:
        yield
    except kinds as error:
        raise EngineError(Reason.OTHER, f"{type(error).__name__}: {error}") from error


class PostgresConnection:
    """asyncpg."""

    def __init__(self, session: asyncpg.Connection) -> None:
        self._session = session
        self._transaction: Any = None

    async def script(self, sql: str) -> None:
        with told_as_engine_error(POSTGRES_FAILURES):
            await self._session.execute(sql)

    async def run(self, sql: str, turn: int | None = None) -> list[tuple[Any, ...]]:
        arguments = (turn,) if "$1" in sql else ()
        with told_as_engine_error(POSTGRES_FAILURES):
            return [tuple(row) for row in await self._session.fetch(sql, *arguments)]

    async def begin(self) -> None:
        with told_as_engine_error(POSTGRES_FAILURES):
            self._transaction = self._session.transaction()
            await self._transaction.start()

    async def commit(self) -> None:
        with told_as_engine_error(POSTGRES_FAILURES):
            await self._transaction.commit()

    async def close(self) -> None:
        with suppress(*POSTGRES_FAILURES):
            await self._session.close(timeout=CLOSE_SECONDS)


class MysqlConnection:
    """aiomysql."""

    def __init__(self, session: Any) -> None:
        self._session = session

    async def set_options(self, options: Mapping[str, str]) -> None:
        text = (sql_root() / "mysql" / "dml" / "00_options.sql").read_text(encoding="utf-8")
        values = {name: options.get(name, "") for name in PLACEHOLDER.findall(text)}
        with told_as_engine_error(MYSQL_FAILURES):
            async with self._session.cursor() as cursor:
                await cursor.execute(text, values)

    async def script(self, sql: str) -> None:
        with told_as_engine_error(MYSQL_FAILURES):
            async with self._session.cursor() as cursor:
                await cursor.execute(sql)
                while await cursor.nextset():  # the error of a later statement comes with its result
                    pass

    async def run(self, sql: str, turn: int | None = None) -> list[tuple[Any, ...]]:
        text = sql if turn is None else TURN.sub(str(int(turn)), sql)
        with told_as_engine_error(MYSQL_FAILURES):
            async with self._session.cursor() as cursor:
                await cursor.execute(text)
                return list(await cursor.fetchall())

    async def begin(self) -> None:
        with told_as_engine_error(MYSQL_FAILURES):
            await self._session.begin()

    async def commit(self) -> None:
        with told_as_engine_error(MYSQL_FAILURES):
            await self._session.commit()

    async def close(self) -> None:
        with suppress(*MYSQL_FAILURES):
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._session.ensure_closed()  # a mere close() is an aborted connection in the server's log


async def connect(
    server: ServerAddress,
    login: Login,
    database: str,
    *,
    application: str = "dbwatch-demo",
    options: Mapping[str, str] = NO_OPTIONS,
) -> Connection:
    """Log in. `options` are a script's parameters: dbwatch.name in PostgreSQL, @dbwatch_name in MySQL."""
    opener = {"postgres": connect_postgres, "mysql": connect_mysql}[server.engine]
    return await opener(server, login, database, application, options)


async def connect_postgres(
    server: ServerAddress, login: Login, database: str, application: str, options: Mapping[str, str]
) -> Connection:
    settings = {"application_name": application, **{f"dbwatch.{name}": value for name, value in options.items()}}
    with told_as_engine_error(POSTGRES_FAILURES):
        session = await asyncpg.connect(
            host=server.host,
            port=server.port,
            user=login.user,
            password=login.password,
            database=database,
            timeout=CONNECT_SECONDS,
            ssl=False,
            server_settings=settings,
        )
    return PostgresConnection(session)


async def connect_mysql(
    server: ServerAddress, login: Login, database: str, application: str, options: Mapping[str, str]
) -> Connection:
    with told_as_engine_error(MYSQL_FAILURES):
        session = await aiomysql.connect(
            host=server.host,
            port=server.port,
            user=login.user,
            password=login.password,
            db=database,
            connect_timeout=CONNECT_SECONDS,
            autocommit=True,
            charset="utf8mb4",
            program_name=application,
        )
    connection = MysqlConnection(session)
    if options:
        await connection.set_options(options)
    return connection
