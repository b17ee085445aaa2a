"""The whole demonstration estate: every engine that this machine can run, started and loaded side by side."""

from __future__ import annotations

import asyncio
import datetime as dt
from contextlib import AsyncExitStack, asynccontextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING, get_args

from dbwatch.demo.databases import Volume, load
from dbwatch.demo.model import DemoEstate, DemoServer, EngineName
from dbwatch.demo.servers import MARIADB_ABSENT, mariadb_programs, mariadb_server, postgres_server
from dbwatch.errors import DbwatchError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection
    from pathlib import Path

ENGINES: tuple[EngineName, ...] = get_args(EngineName)


@asynccontextmanager
async def demo_estate(
    scale: float = 1.0,
    only: Collection[EngineName] | None = None,
    *,
    reference_date: dt.date | None = None,
    postgres_binaries: Path | None = None,
) -> AsyncIterator[DemoEstate]:
    """Start and fill the servers; stop and delete them on the way out, however that is taken.

    An engine that was asked for by name must start; otherwise MariaDB may be absent, with the reason told.
    """
    wanted = tuple(engine for engine in ENGINES if only is None or engine in only)
    absent: dict[EngineName, str] = {}
    if only is None and mariadb_programs() is None:
        wanted, absent = ("postgres",), {"mysql": MARIADB_ABSENT}
    volume = Volume(scale, reference_date or dt.datetime.now(tz=dt.UTC).date())
    async with AsyncExitStack() as stack:
        servers = await start_all(stack, wanted, volume, postgres_binaries)
        yield DemoEstate(servers, MappingProxyType(absent))


async def start_all(
    stack: AsyncExitStack, engines: tuple[EngineName, ...], volume: Volume, postgres_binaries: Path | None
) -> tuple[DemoServer, ...]:
    async def start(engine: EngineName) -> DemoServer:
        opened = postgres_server(postgres_binaries) if engine == "postgres" else mariadb_server()
        return await load(await stack.enter_async_context(opened), volume)

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(start(engine), name=f"demo-{engine}") for engine in engines]
    except* DbwatchError as failures:
        failure = first(failures)
    else:
        return tuple(task.result() for task in tasks)
    raise failure


def first(group: BaseExceptionGroup[DbwatchError]) -> DbwatchError:
    inner = group.exceptions[0]
    return first(inner) if isinstance(inner, BaseExceptionGroup) else inner
