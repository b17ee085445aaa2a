"""Sessions of a backup: without the guards of the monitoring ones, named so that they can be found and ended."""

from __future__ import annotations

from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dbwatch.core.conditions import choose
from dbwatch.core.model import Facts, Lane, Role
from dbwatch.engines.base import deadline
from dbwatch.engines.postgres import version_of
from dbwatch.engines.postgres_errors import EXPECTED, translate
from dbwatch.engines.postgres_login import login_of, open_connection
from dbwatch.errors import EngineError, Reason
from dbwatch.settings.models import PostgresInstance

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    import asyncpg

    from dbwatch.engines.base import Questions
    from dbwatch.engines.postgres_login import Connection
    from dbwatch.settings.models import Instance

    Records = list[asyncpg.Record]

ENGINE = "postgres"
SHORT_SECONDS = 30.0
MAX_APPLICATION_LENGTH = 63  # the server cuts it
# Nothing of the server's may end us while we hold the snapshot; values are written the same way on every server.
SETTINGS = {
    "search_path": "pg_catalog",
    "client_min_messages": "error",
    "statement_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "jit": "off",
    "max_parallel_workers_per_gather": "0",
    "tcp_keepalives_idle": "60",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "6",
    "TimeZone": "UTC",
    "DateStyle": "ISO, YMD",
    "IntervalStyle": "postgres",
    "extra_float_digits": "1",
    "bytea_output": "hex",
    "lc_monetary": "C",
    "xmlbinary": "base64",
    "row_security": "off",  # an error rather than fewer rows
}
NEWER_SETTINGS = {14: {"idle_session_timeout": "0"}, 17: {"transaction_timeout": "0"}}


@asynccontextmanager
async def translated() -> AsyncIterator[None]:
    """What the driver raises, as ours."""
    try:
        yield
    except EngineError:
        raise
    except EXPECTED as error:
        raise translate(error) from None


@dataclass
class Asker:
    """One connection that puts our questions."""

    connection: Connection
    questions: Questions
    version: tuple[int, ...]

    async def ask(self, name: str, *arguments: object, seconds: float | None = None) -> Records:
        """The rows of a question of sql/postgres/jobs."""
        question = self.questions.question(ENGINE, name)
        sql = choose(question.variants, Facts("postgres", self.version, "", Role.PRIMARY))
        if sql is None:
            raise EngineError(Reason.MISSING, f"{name} has no text for PostgreSQL {self.version[0]}")
        return await self.fetch(sql, *arguments, seconds=seconds or question.timeout_seconds, what=name)

    async def one(self, name: str) -> asyncpg.Record:
        return (await self.ask(name))[0]

    async def fetch(self, sql: str, *arguments: object, seconds: float = SHORT_SECONDS, what: str = "query") -> Records:
        """After a deadline the connection is cut: what it would answer is nobody's any more."""
        try:
            async with translated(), deadline(seconds, what):
                return await self.connection.fetch(sql, *arguments)
        except EngineError as error:
            if error.reason is Reason.TIMEOUT:
                self.connection.terminate()
            raise

    async def execute(self, sql: str, *, seconds: float = SHORT_SECONDS, what: str = "statement") -> None:
        async with translated(), deadline(seconds, what):
            await self.connection.execute(sql)


@asynccontextmanager
async def asker(
    instance: Instance,
    questions: Questions,
    application: str,
    database: str | None = None,
    *,
    lock_seconds: float | None = None,
) -> AsyncIterator[Asker]:
    """A session of the account for backups. `lock_seconds`: it waits no longer for a lock, None: as the server says."""
    if not isinstance(instance, PostgresInstance):
        raise TypeError(f"{instance.name} is no PostgreSQL instance")
    login = login_of(instance, Lane.HEAVY, database, "backup")
    async with translated(), deadline(instance.connect_timeout, "login"):
        connection = await open_connection(
            replace(login, application=application[:MAX_APPLICATION_LENGTH]), guarded=False
        )
    try:
        opened = Asker(connection, questions, _version(connection))
        settings = dict(_settings(opened.version)) | _locks(lock_seconds)
        await opened.execute("".join(f"SET {name} = '{value}';" for name, value in settings.items()))
        yield opened
    finally:
        await _closed(connection)


def _version(connection: Connection) -> tuple[int, ...]:
    return version_of(str(connection.get_settings().server_version).partition(" ")[0])


def _settings(version: tuple[int, ...]) -> Iterator[tuple[str, str]]:
    yield from SETTINGS.items()
    for since, settings in NEWER_SETTINGS.items():
        if version >= (since,):
            yield from settings.items()


def _locks(seconds: float | None) -> dict[str, str]:
    return {} if seconds is None else {"lock_timeout": str(max(1, round(seconds * 1000)))}


async def _closed(connection: Connection) -> None:
    try:
        with suppress(*EXPECTED, EngineError):
            async with deadline(1.0, "goodbye"):
                await connection.close(timeout=1.0)
    finally:
        connection.terminate()
