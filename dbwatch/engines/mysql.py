"""MySQL, Percona Server and MariaDB through aiomysql."""

from __future__ import annotations

import re
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from dbwatch.core.conditions import choose, parse_version
from dbwatch.core.model import Facts, Role, Rows
from dbwatch.engines.base import completed, deadline
from dbwatch.engines.mysql_binlog import added_up
from dbwatch.engines.mysql_driver import ERRORS, Wire, wire
from dbwatch.engines.mysql_errors import is_fatal, translated
from dbwatch.engines.mysql_replica import normalised
from dbwatch.errors import EngineError, Reason
from dbwatch.settings.models import MysqlInstance
from dbwatch.settings.secrets import read_password
from dbwatch.settings.tls import ssl_context, tls_mode

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from dbwatch.core.model import Lane, Query
    from dbwatch.engines.base import Purpose, Questions
    from dbwatch.settings.models import Instance

PING_SECONDS = 1.0
# MariaDB up to 10.11 hides its version behind one that replicas of old took for a MySQL's.
MARIADB_DISGUISE = "5.5.5-"
# The server gives up first, and says so on a session that stays usable; our own limit is for a server that cannot.
SERVER_SHARE = 0.9
SILENT = (
    "What listens there says nothing, while MySQL and MariaDB speak first: are `engine` and `port` right? Where they "
    "are, the server hangs, or something between it and us does."
)
LEAST_SERVER_SECONDS = 0.05


class MysqlSession:
    """One connection. The driver cannot cancel: the server's own limit ends a statement that we gave up."""

    def __init__(self, line: Wire, questions: Questions) -> None:
        self._wire = line
        self._questions = questions
        self._hello = hello(line.version_text)
        self._limit_seconds = 0.0
        self._is_whole = True

    @property
    def hello(self) -> Facts:
        return self._hello

    @property
    def broken(self) -> bool:
        return not self._is_whole or self._wire.is_closed

    @property
    def certificate_not_after(self) -> float | None:
        return self._wire.certificate_not_after

    @property
    def phases(self) -> dict[str, float]:
        return self._wire.phases

    async def prepare(self) -> None:
        """Read-only, autocommit, and never long in a queue for a lock."""
        await self._wire.ask(self._sql_of("session"))

    async def fetch(self, query: Query) -> Rows:
        return await completed(self._fetch(query))

    async def _fetch(self, query: Query) -> Rows:
        async with self._whole_or_cut(), deadline(query.timeout_seconds, query.name):
            return await self._answer(query)

    async def ping(self) -> None:
        await completed(self._ping())

    async def _ping(self) -> None:
        async with self._whole_or_cut(), deadline(PING_SECONDS, "ping"):
            await self._wire.ping()

    async def close(self) -> None:
        await self._wire.close()

    def cut(self) -> None:
        """End it now: the server lets go of what it held."""
        self._wire.cut()

    async def _answer(self, query: Query) -> Rows:
        await self._limit(query.timeout_seconds)
        names, lines = await self._wire.ask(f"/* dbwatch:{query.name} */ {query.sql}")
        columns = tuple(map(_texts, zip(*lines, strict=True))) if lines else tuple(() for _ in names)
        return added_up(normalised(Rows(names, columns)))

    async def _limit(self, seconds: float) -> None:
        """Bound what follows on the server too; a round-trip only where the limit differs from the last one."""
        limit = max(LEAST_SERVER_SECONDS, round(seconds * SERVER_SHARE, 3))
        if limit == self._limit_seconds:
            return
        sql = self._sql_of("session_limit")
        await self._wire.ask(sql.replace("{seconds}", f"{limit:g}").replace("{milliseconds}", f"{limit * 1000:.0f}"))
        self._limit_seconds = limit

    @asynccontextmanager
    async def _whole_or_cut(self) -> AsyncIterator[None]:
        """After an answer, or an error that the server sent, the session is whole; after anything else it is cut."""
        if self.broken:
            raise EngineError(Reason.LOST, "the session is closed")
        self._is_whole = False
        try:
            yield
            self._is_whole = True
        except ERRORS as error:
            self._is_whole = not is_fatal(error)
            raise translated(error) from None
        finally:
            if not self._is_whole:
                self._wire.cut()

    def _sql_of(self, question: str) -> str:
        sql = choose(self._questions.question(MysqlEngine.name, question).variants, self._hello)
        if sql is None:
            raise EngineError(Reason.OTHER, f"no {question} is written for {self._hello.version_text}")
        return sql


class MysqlEngine:
    """MySQL, Percona Server and MariaDB: which of them it is, the server says."""

    name = "mysql"

    def __init__(self, questions: Questions) -> None:
        self._questions = questions

    async def connect(
        self, instance: Instance, lane: Lane, *, database: str | None = None, purpose: Purpose = "monitor"
    ) -> MysqlSession:
        line = _wire_to(instance, lane, database, purpose)
        return await completed(self._log_in(line, instance), undo=MysqlSession.close)

    async def _log_in(self, line: Wire, instance: Instance) -> MysqlSession:
        done = False
        try:
            async with deadline(instance.connect_timeout, "login"):
                await line.open()
                session = MysqlSession(line, self._questions)
                await session.prepare()
            done = True
        except ERRORS as error:
            raise translated(error) from None
        except EngineError as error:
            if error.reason is not Reason.TIMEOUT or not line.is_silent:
                raise
            raise EngineError(error.reason, "connected, and no greeting in time", SILENT) from None
        finally:
            if not done:
                line.cut()
        return session

    def facts(self, hello: Facts, answer: Rows) -> Facts:
        told = {str(name): str(value) for name, value in zip(*answer.columns, strict=True) if value is not None}
        version = told.get("version", hello.version_text)
        comment = told.get("version_comment", "")
        return Facts(
            flavour="percona" if "percona" in comment.lower() else hello.flavour,
            version=parse_version(version),
            version_text=version,
            role=Role(told.get("role", hello.role)),
            edition=comment,
            started_at=_number(told.get("started_at")),
            clock=_number(told.get("clock")),
            system_identifier=told.get("system_identifier", ""),
            settings=told,
        )


def hello(version_text: str) -> Facts:
    """What the handshake tells. A role is not known yet; Percona Server looks like MySQL until the facts are read."""
    text = version_text.removeprefix(MARIADB_DISGUISE)
    flavour = "mariadb" if re.search("mariadb", text, re.IGNORECASE) else "mysql"
    return Facts(flavour=flavour, version=parse_version(text), version_text=text, role=Role.PRIMARY)


def _wire_to(instance: Instance, lane: Lane, database: str | None, purpose: Purpose) -> Wire:
    if not isinstance(instance, MysqlInstance):
        raise TypeError(f"{instance.name} is not a MySQL instance")
    credentials = getattr(instance, purpose) or instance.monitor
    password = read_password(credentials)
    return wire(
        instance,
        lane,
        credentials,
        password.get_secret_value() if password else "",
        database=database,
        tls=ssl_context(instance),
        may_be_plain=tls_mode(instance) == "preferred",
    )


def _number(text: str | None) -> float | None:
    return float(text) if text else None


def _texts(column: Sequence[object]) -> Sequence[object]:
    """What the server calls binary (names out of InnoDB, concatenations) is text in UTF-8 all the same."""
    if not any(type(value) is bytes for value in column):
        return column
    return [value.decode("utf-8", "replace") if isinstance(value, bytes) else value for value in column]
