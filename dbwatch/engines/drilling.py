"""What drills do on their scratch servers: a session that may write. Never on anybody's own server."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol

from dbwatch.errors import EngineError, Reason

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractAsyncContextManager

    from dbwatch.engines.backing import Target

NOTHING: Mapping[str, str] = MappingProxyType({})
Row = tuple[Any, ...]


class Stage(Protocol):
    """One session."""

    async def run(self, sql: str, seconds: float = 30.0) -> list[Row]:
        """Run one statement, or several of which the last one's rows are given. Raise EngineError."""


def stage(
    engine: str, target: Target, database: str | None = None, settings: Mapping[str, str] = NOTHING
) -> AbstractAsyncContextManager[Stage]:
    """Log in as the administrator of a scratch server. PostgreSQL: what `settings` say, SQL reads by current_setting().

    Raise EngineError, also where the target is no scratch server: nobody writes into anything else here.
    """
    if not target.is_scratch:
        raise EngineError(
            Reason.PERMISSION, f"{target.instance.name} is no scratch server: a drill writes nowhere else"
        )
    if engine == "postgres":
        from dbwatch.engines.postgres_drill import administrator

        return administrator(target.instance, database, settings)
    from dbwatch.engines import mysql_drill

    return mysql_drill.administrator(target.instance, database)
