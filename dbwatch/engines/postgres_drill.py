"""A drill's session on a scratch PostgreSQL."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dbwatch.core.model import Lane
from dbwatch.engines.base import deadline
from dbwatch.engines.postgres_backup_commands import without_limits
from dbwatch.engines.postgres_errors import EXPECTED, translate
from dbwatch.engines.postgres_login import login_of, open_connection
from dbwatch.settings.models import PostgresInstance

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from dbwatch.engines.drilling import Row, Stage
    from dbwatch.engines.postgres_login import Connection
    from dbwatch.settings.models import Instance

LOGIN_SECONDS = 5.0
ONE_SETTING = "SELECT set_config($1, $2, false)"


@dataclass(frozen=True, slots=True)
class PostgresStage:
    """One session of the administrator."""

    connection: Connection

    async def run(self, sql: str, seconds: float = 30.0) -> list[Row]:
        """Several statements give no rows: asyncpg knows them only without."""
        async with deadline(seconds, "drill"):
            try:
                if ";" in sql.strip().rstrip(";"):
                    await self.connection.execute(sql)
                    return []
                return [tuple(row) for row in await self.connection.fetch(sql)]
            except EXPECTED as error:
                raise translate(error) from None


@asynccontextmanager
async def administrator(instance: Instance, database: str | None, settings: Mapping[str, str]) -> AsyncIterator[Stage]:
    if not isinstance(instance, PostgresInstance):
        raise TypeError
    login = replace(login_of(instance, Lane.HEAVY, database, "backup"), application="dbwatch/drill")
    async with deadline(LOGIN_SECONDS, "login"):
        try:
            connection = await open_connection(login, guarded=False)
            unlimited = without_limits(connection.get_server_version().major)
            for name, value in {**unlimited, **settings}.items():
                await connection.fetch(ONE_SETTING, name, value)
        except EXPECTED as error:
            raise translate(error) from None
    try:
        yield PostgresStage(connection)
    finally:
        connection.terminate()
