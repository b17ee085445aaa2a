"""PostgreSQL 13 and later, directly or behind PgBouncer in transaction pooling."""

from __future__ import annotations

import asyncio
import functools
import re
import sys
from contextlib import ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import asyncpg

from dbwatch.core.model import Facts, Lane, Role
from dbwatch.engines import certificates
from dbwatch.engines.base import completed, deadline
from dbwatch.engines.postgres_errors import EXPECTED, UNKNOWN_PARAMETER, translate
from dbwatch.engines.postgres_login import GUARDS, UNNAMED, guard, is_guarded, login_of, open_connection
from dbwatch.engines.postgres_rows import column_wise, rows_of, rows_of_arrays
from dbwatch.errors import EngineError, Reason
from dbwatch.settings.models import PostgresInstance

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from asyncpg.prepared_stmt import PreparedStatement

    from dbwatch.core.model import Query, Rows
    from dbwatch.engines.base import Purpose, Questions
    from dbwatch.engines.postgres_login import Connection, Login
    from dbwatch.settings.models import Instance

    Statement = PreparedStatement[asyncpg.Record]

LONG_LIVED = frozenset({Lane.FAST, Lane.SLOW, Lane.SAMPLER})
WHOLE_COLUMNS = frozenset({Lane.SLOW, Lane.HEAVY})  # where answers may be long enough for arrays to pay
LONG_ROWS = 300  # a session that reads arrays looks their types up first: 8 ms of the server's CPU
GRACE_SECONDS = 0.25  # the server's own cancel comes first, and leaves the session usable
CLOSE_SECONDS = PING_SECONDS = 1.0
GONE = frozenset({Reason.LOST, Reason.STARTING})
MAX_STATEMENTS = 200
# How the facts question names what there may be many of.
EXTENSION, SCHEMA, DATABASE = "extension ", "schema ", "database "
SETTINGS = frozenset({"account", "database", "logging_collector"})  # of its facts: what a condition or GRANT may name


@dataclass(frozen=True, slots=True)
class Prepared:
    """A query as the server knows it, and how its answer is read: worked out once a session."""

    statement: Statement
    by_column: bool
    names: tuple[str, ...]
    types: tuple[str, ...]

    async def rows(self) -> Rows:
        records = await self.statement.fetch()
        read = rows_of_arrays if self.by_column else rows_of
        return read(self.names, self.types, records)


@dataclass
class PostgresSession:
    """One connection. `pooled`: it may be another backend at each transaction, so each carries its own guards."""

    connection: Connection
    lane: Lane
    hello: Facts
    pooled: bool = False
    lengths: dict[str, int] = field(default_factory=dict)  # rows of each query's last answer in this database
    _cut: bool = False
    _limit_ms: int = 0  # the statement_timeout in force
    _prepared: dict[tuple[object, ...], Prepared] = field(default_factory=dict)

    @property
    def broken(self) -> bool:
        return self._cut or self.connection.is_closed()

    @property
    def certificate_not_after(self) -> float | None:
        return certificates.not_after(getattr(self.connection, "_transport", None))

    async def fetch(self, query: Query) -> Rows:
        return await completed(self._fetch(query))

    async def _fetch(self, query: Query) -> Rows:
        limit_ms = max(1, round(query.timeout_seconds * 1000))
        async with self._guarded(query.timeout_seconds + GRACE_SECONDS, query.name):
            if self.pooled:
                return await self._ask_in_transaction(query, limit_ms)
            if limit_ms != self._limit_ms:
                await self.connection.execute(f"SET statement_timeout = {limit_ms}")
                self._limit_ms = limit_ms
            return await self._ask(query)

    async def ping(self) -> None:
        await completed(self._ping())

    async def _ping(self) -> None:
        async with self._guarded(PING_SECONDS, "ping"):
            await self.connection.execute("SELECT")

    async def close(self) -> None:
        try:
            with suppress(*EXPECTED):
                async with asyncio.timeout(CLOSE_SECONDS):
                    await self.connection.close(timeout=CLOSE_SECONDS)
        finally:
            self.connection.terminate()

    @asynccontextmanager
    async def _guarded(self, seconds: float, what: str) -> AsyncIterator[None]:
        """One deadline, one translation, and a session cut in mid-answer is never used again."""
        self._cut, was_cut = True, self._cut
        try:
            async with deadline(seconds, what):
                yield
        except EngineError:
            raise
        except EXPECTED as error:
            translated = translate(error)
            self._cut = was_cut or translated.reason in GONE
            raise translated from None
        else:
            self._cut = was_cut

    async def _ask(self, query: Query) -> Rows:
        """Parsed and planned once a session: planning a catalogue query costs more than running it."""
        key = (query.name, query.sql, query.columns)
        if key not in self._prepared:
            if len(self._prepared) >= MAX_STATEMENTS:
                self._prepared.clear()
            self._prepared[key] = await self._prepare(query)
        try:
            rows = await self._prepared[key].rows()
        except asyncpg.InvalidCachedStatementError:  # an extension was updated under a prepared statement
            self._prepared[key] = await self._prepare(query)
            rows = await self._prepared[key].rows()
        self.lengths[query.name] = len(rows)
        return rows

    async def _ask_in_transaction(self, query: Query, limit_ms: int) -> Rows:
        limits = GUARDS | {"statement_timeout": str(limit_ms)}
        no_jit = f"SET LOCAL jit = '{limits.pop('jit')}'"
        guards = "".join(f"SET LOCAL {name} = '{value}';" for name, value in limits.items())
        await self.connection.execute(f"BEGIN READ ONLY; {guards}")
        try:
            prepared = await self._prepare(query, name=UNNAMED)
            await self.connection.execute(no_jit)  # not before: what asyncpg finds, it leaves in the backend for good
            rows = await prepared.rows()
        except EXPECTED:
            await self._end_transaction()
            raise
        await self._end_transaction()
        return rows

    async def _end_transaction(self) -> None:
        """COMMIT also ends a failed one, and counts no rollback for the DBA to wonder about."""
        if not self.connection.is_closed():
            await self.connection.execute("COMMIT")

    async def _prepare(self, query: Query, name: str | None = None) -> Prepared:
        text, is_column_wise = _text(query.name, query.sql, query.columns if self._may_be_long(query) else ())
        statement = await self.connection.prepare(text, name=name)
        attributes = statement.get_attributes()
        names = tuple(sys.intern(attribute.name) for attribute in attributes)
        types = tuple(sys.intern(attribute.type.name) for attribute in attributes)
        return Prepared(statement, is_column_wise, names, types)

    def _may_be_long(self, query: Query) -> bool:
        """An answer that nobody has seen yet may be: the event loop must not decode 10,000 rows one by one."""
        return self.lane in WHOLE_COLUMNS and self.lengths.get(query.name, LONG_ROWS) >= LONG_ROWS


@functools.lru_cache(maxsize=1024)
def _text(name: str, sql: str, columns: tuple[str, ...]) -> tuple[str, bool]:
    """What is sent, and whether it gives whole columns: one text for all sessions of all instances."""
    label = re.sub(r"\W", "_", name)
    text = column_wise(sql, columns)
    return f"/* dbwatch:{label} */ {text}", text is not sql


class PostgresEngine:
    """Logs in, and reads facts. It remembers where a pooler refused our settings, and which answers were long."""

    name = "postgres"

    def __init__(self, questions: Questions) -> None:
        self.questions = questions
        self._pooled: set[tuple[str, int]] = set()
        self._lengths: dict[tuple[tuple[str, int], str], dict[str, int]] = {}

    async def connect(
        self, instance: Instance, lane: Lane, *, database: str | None = None, purpose: Purpose = "monitor"
    ) -> PostgresSession:
        if not isinstance(instance, PostgresInstance):
            raise TypeError(f"{instance.name} is no PostgreSQL instance")
        login = login_of(instance, lane, database, purpose)
        keep = lane in LONG_LIVED and database is None
        return await completed(self._log_in(instance, lane, login, keep=keep), undo=PostgresSession.close)

    async def _log_in(self, instance: Instance, lane: Lane, login: Login, *, keep: bool) -> PostgresSession:
        try:
            async with deadline(instance.connect_timeout, "login"):
                return await self._session(login, lane, keep=keep)
        except EXPECTED as error:
            raise translate(error) from None

    def facts(self, hello: Facts, answer: Rows) -> Facts:
        names, values = map(str, answer.column("name")), answer.column("value")
        given = {name: str(value) for name, value in zip(names, values, strict=True) if value is not None}
        extensions = {
            name.removeprefix(EXTENSION): value for name, value in given.items() if name.startswith(EXTENSION)
        }
        return replace(
            hello,
            role=Role(given["role"]),
            started_at=float(given["started_at"]),
            system_identifier=given["system_identifier"],
            clock=float(given["clock"]),
            settings={name: value for name, value in given.items() if name in SETTINGS or name.startswith(SCHEMA)},
            databases=frozenset(name.removeprefix(DATABASE) for name in given if name.startswith(DATABASE)),
            extensions={name: version_of(value) for name, value in extensions.items()},
        )

    async def _session(self, login: Login, lane: Lane, *, keep: bool) -> PostgresSession:
        connection = await self._connection(login)
        with ExitStack() as unless_it_succeeds:
            unless_it_succeeds.callback(connection.terminate)
            pooled = login.server in self._pooled
            hello = _hello(connection)
            if not pooled and lane is not Lane.PROBE:
                await guard(connection, hello.version, keep=keep)
            unless_it_succeeds.pop_all()
        lengths = self._lengths.setdefault((login.server, login.database), {})
        return PostgresSession(connection, lane, hello, pooled, lengths)

    async def _connection(self, login: Login) -> Connection:
        if login.server in self._pooled:
            return await open_connection(login, guarded=False)
        try:
            if (connection := await _guarded_connection(login)) is not None:
                return connection
        except asyncpg.ProtocolViolationError as error:
            if UNKNOWN_PARAMETER not in str(error):
                raise
        connection = await open_connection(login, guarded=False)
        self._pooled.add(login.server)
        return connection


async def _guarded_connection(login: Login) -> Connection | None:
    """None: a pooler ignored what was to protect the server."""
    connection = await open_connection(login)
    with ExitStack() as unless_it_is:
        unless_it_is.callback(connection.terminate)
        if await is_guarded(connection):
            unless_it_is.pop_all()
            return connection
        await connection.close(timeout=CLOSE_SECONDS)
    return None


def _hello(connection: Connection) -> Facts:
    told = connection.get_settings()
    version_text = str(told.server_version).partition(" ")[0]
    role = Role.REPLICA if getattr(told, "in_hot_standby", "off") == "on" else Role.PRIMARY
    return Facts("postgres", version_of(version_text), version_text, role)


def version_of(text: str) -> tuple[int, ...]:
    """`17.2`, `18beta1`, `3.5.0dev` as numbers, as far as they go."""
    return tuple(map(int, re.findall(r"\d+", re.split(r"[^\d.]", text)[0])))
