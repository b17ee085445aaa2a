"""A drill's session on a scratch MySQL or MariaDB."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dbwatch.core.model import Lane
from dbwatch.engines.base import completed, deadline
from dbwatch.engines.mysql_driver import ERRORS, Wire, wire
from dbwatch.engines.mysql_errors import translated
from dbwatch.settings.models import MysqlInstance
from dbwatch.settings.secrets import read_password

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from dbwatch.engines.drilling import Row, Stage
    from dbwatch.settings.models import Instance

LOGIN_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class MysqlStage:
    """One session of the administrator."""

    line: Wire

    async def run(self, sql: str, seconds: float = 30.0) -> list[Row]:
        """The driver is told never to send two statements at once."""
        return await completed(self._run(sql, seconds))

    async def _run(self, sql: str, seconds: float) -> list[Row]:
        async with deadline(seconds, "drill"):
            try:
                return list((await self.line.ask(sql))[1])
            except ERRORS as error:
                raise translated(error) from None


@asynccontextmanager
async def administrator(instance: Instance, database: str | None) -> AsyncIterator[Stage]:
    line = _line(instance, database)
    await completed(_logged_in(line))
    try:
        yield MysqlStage(line)
    finally:
        line.cut()


def _line(instance: Instance, database: str | None) -> Wire:
    if not isinstance(instance, MysqlInstance):
        raise TypeError
    credentials = instance.backup or instance.monitor
    password = read_password(credentials)
    secret = password.get_secret_value() if password else ""
    return wire(instance, Lane.HEAVY, credentials, secret, database=database, tls=None, may_be_plain=False)


async def _logged_in(line: Wire) -> None:
    done = False
    try:
        async with deadline(LOGIN_SECONDS, "login"):
            await line.open()
        await line.ask("SET autocommit = 1")
        done = True
    except ERRORS as error:
        raise translated(error) from None
    finally:
        if not done:
            line.cut()
