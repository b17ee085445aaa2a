"""A small living workload: a town hall's ordinary day, and now and then what an operator should notice.

All SQL is in sql/<engine>/dml/workload, by name. Rates are gentle: a few statements a second in all.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, TypeAlias

from dbwatch.demo.drivers import connect
from dbwatch.demo.scripts import workload_statements
from dbwatch.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

    from dbwatch.demo.drivers import Connection
    from dbwatch.demo.model import DemoEstate, DemoServer, Login

RETRY_SECONDS = 2.0
BLOCKED_SECONDS = 75.0  # long enough to be told, short enough to see it resolve
CALM_SECONDS = 270.0  # an alert of it lasts three minutes longer than it, so that a flicker is not told twice
FORGOTTEN_SECONDS = 25.0


@dataclass(frozen=True, slots=True)
class Stage:
    """One server with its statements: what every activity needs."""

    server: DemoServer
    statements: Mapping[str, str]

    @asynccontextmanager
    async def application(self, name: str) -> AsyncIterator[Connection]:
        async with self._session(self.server.application, self.server.databases[0], name) as connection:
            yield connection

    @asynccontextmanager
    async def reporting(self, name: str, database: str) -> AsyncIterator[Connection]:
        async with self._session(self.server.reporting, database, name) as connection:
            yield connection

    @asynccontextmanager
    async def _session(self, login: Login, database: str, name: str) -> AsyncIterator[Connection]:
        connection = await connect(self.server.address, login, database, application=name)
        try:
            yield connection
        finally:
            await connection.close()


Play: TypeAlias = "Callable[[Stage], Awaitable[None]]"


async def run_workload(estate: DemoEstate, stop: asyncio.Event) -> None:
    """Keep every server busy until `stop` is set. A server that goes away is waited for."""
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(keep_playing(play, stage), name=f"workload-{stage.server.engine}-{name}")
            for stage in (Stage(server, workload_statements(server.engine)) for server in estate.servers)
            for name, play in PLAYS.items()
        ]
        await stop.wait()
        for task in tasks:
            task.cancel()


async def keep_playing(play: Play, stage: Stage) -> None:
    while True:
        try:
            await play(stage)
        except* EngineError:
            await asyncio.sleep(RETRY_SECONDS)


async def take_turns(connection: Connection, stage: Stage, names: tuple[str, ...], period_seconds: float) -> None:
    """One statement a turn, in rotation, for ever."""
    for turn in count():
        await connection.run(stage.statements[names[turn % len(names)]], turn)
        await asyncio.sleep(period_seconds)


async def counters(stage: Stage) -> None:
    async with stage.application("guichet") as connection:
        names = ("guichet_agenda", "guichet_citoyen", "guichet_agenda", "guichet_accueil", "guichet_file")
        await take_turns(connection, stage, names, 0.4)


async def portal(stage: Stage) -> None:
    async with stage.application("portail") as connection:
        names = ("portail_demande", "portail_acte", "portail_demande", "portail_reserver", "portail_planifier")
        await take_turns(connection, stage, names, 0.5)


async def figures(stage: Stage) -> None:
    """Every database in turn, each time on a fresh session: management's tool does not keep any."""
    names = ("reporting_delai", "reporting_occupation", "reporting_file", "reporting_urbanisme")
    databases = stage.server.reporting_databases
    for turn in count():
        async with stage.reporting("reporting", databases[turn % len(databases)]) as connection:
            await connection.run(stage.statements[names[turn // len(databases) % len(names)]])
        await asyncio.sleep(5)


async def long_query(stage: Stage) -> None:
    while True:
        await asyncio.sleep(4)
        async with stage.reporting("reporting", stage.server.reporting_databases[0]) as connection:
            await connection.run(stage.statements["incident_longue_requete"])
        await asyncio.sleep(60)


async def blockade(stage: Stage, *, first_after_seconds: float = 2.0, calm_seconds: float = CALM_SECONDS) -> None:
    """One session keeps a row; a second waits for it, a third behind the second; then all is released, and calm."""
    await asyncio.sleep(first_after_seconds)
    while True:
        await block_once(stage, BLOCKED_SECONDS)
        await asyncio.sleep(calm_seconds)


async def block_once(stage: Stage, seconds: float) -> None:
    update = stage.statements["incident_verrou"]
    async with AsyncExitStack() as stack:
        holder, *waiting = [
            await stack.enter_async_context(stage.application(name)) for name in ("guichet", "portail", "portail")
        ]
        await holder.begin()
        await holder.run(update)
        async with asyncio.TaskGroup() as group:
            for number, session in enumerate(waiting):
                await session.run(stage.statements["incident_patience"])
                group.create_task(session.run(update), name=f"blocked-{number}")
                await asyncio.sleep(0.1)
            await asyncio.sleep(seconds)
            await holder.commit()


async def forgotten_transaction(stage: Stage) -> None:
    await asyncio.sleep(6)
    while True:
        async with stage.application("guichet") as connection:
            await connection.begin()
            await connection.run(stage.statements["incident_oubli"])
            await asyncio.sleep(FORGOTTEN_SECONDS)
            await connection.commit()
        await asyncio.sleep(65)


PLAYS: Mapping[str, Play] = {
    "counters": counters,
    "portal": portal,
    "figures": figures,
    "long-query": long_query,
    "blockade": blockade,
    "forgotten-transaction": forgotten_transaction,
}
