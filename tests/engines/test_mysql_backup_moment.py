"""The moment of a dump of MariaDB: how soon it is known to have begun; its waits are bounded without a lock too."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from dbwatch.core.backups.model import FactsMode, JobReason
from dbwatch.core.model import Variant
from dbwatch.engines.backing import Blocking, DumpOptions
from dbwatch.engines.mysql_backup_moment import BOTH, LOOK_SECONDS, TOO_SLOW, Moment
from dbwatch.engines.mysql_backup_session import asker
from dbwatch.engines.mysql_backup_source import MysqlSource
from dbwatch.errors import EngineError, JobError
from tests import mysql_backups as backups
from tests.fix_process import eventually
from tests.mysql_asking import ours

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from dbwatch.core.model import Question
    from dbwatch.engines.backing import Source
    from tests.fix_mariadb import Mariadb, MariadbServers

LARGE = "CREATE TABLE shop.huge (t LONGTEXT); INSERT INTO shop.huge SELECT REPEAT('x', 1000000) FROM shop.seq_1_to_16;"
SENDING = "SELECT id FROM information_schema.processlist WHERE info LIKE '%FROM `huge`%' AND id <> CONNECTION_ID()"
SUM_OF_WIDE = "info LIKE '%SUM(%FROM `shop`.`wide`%' AND id <> CONNECTION_ID()"
SUMMING = f"SELECT id FROM information_schema.processlist WHERE {SUM_OF_WIDE}"
SCHEDULER = "SELECT time_ms / 1000 FROM information_schema.processlist WHERE user = 'event_scheduler'"
QUEUED = "SELECT COUNT(*) FROM information_schema.processlist WHERE state = 'Waiting for table metadata lock'"
BEGUN = "SELECT COUNT(*) FROM information_schema.innodb_trx"


@pytest.fixture(scope="module")
def shop(mariadb_servers: MariadbServers) -> Iterator[Mariadb]:
    with mariadb_servers.new() as server:
        yield backups.furnished(server, backups.MARIADB_ONLY, LARGE)


@asynccontextmanager
async def locked(server: Mariadb, table: str) -> AsyncIterator[None]:
    """The application holds a table for itself: nobody gets the global lock meanwhile."""
    held = await server.admin("shop")
    async with held.cursor() as cursor:
        await cursor.execute(f"LOCK TABLES {table} WRITE")
        try:
            yield
        finally:
            held.close()


@asynccontextmanager
async def standing(server: Mariadb, directory: Path, options: DumpOptions | None = None) -> AsyncIterator[MysqlSource]:
    """A dump that stands still in the middle of a large table: nobody reads what it writes."""
    instance = backups.described(server)
    options = options or DumpOptions(facts=FactsMode.OFF, lock_wait_seconds=1)
    preflight = await backups.ENGINE.preflight(instance, options)
    (step,) = backups.ENGINE.steps(
        instance, preflight, options, directory, private=directory, application=backups.APPLICATION
    )
    async with step.opened() as source, asyncio.timeout(60):
        assert isinstance(source, MysqlSource)
        with backups.unread(source.pipelines[0]):
            await source.dump_started()
            await asyncio.to_thread(eventually, lambda: server.sql(SENDING), timeout_seconds=30)
            yield source


@asynccontextmanager
async def changed(server: Mariadb, source: MysqlSource, column: str) -> AsyncIterator[asyncio.TaskGroup]:
    """Somebody changes the table that is dumped, and is seen to wait."""
    other = await server.admin("shop")
    async with other.cursor() as cursor, asyncio.TaskGroup() as group:
        ddl = group.create_task(cursor.execute(f"ALTER TABLE huge ADD {column} INT"), name="ddl")
        found = Blocking(0, 0.0)
        while not found.sessions:
            await asyncio.sleep(0.05)
            found = await source.blocking()
        yield group
        ddl.cancel()
    other.close()


async def _watched(source: Source) -> None:
    while True:
        await asyncio.sleep(0.2)
        await source.blocking()


async def test_a_dump_that_waits_for_a_table_is_given_up_though_the_global_lock_was_not_had(
    shop: Mariadb, tmp_path: Path
) -> None:
    options = DumpOptions(facts=FactsMode.OFF, lock_wait_seconds=1)
    async with locked(shop, "log"), asyncio.timeout(30):
        with pytest.raises(ExceptionGroup) as raised:
            await backups.take(shop, tmp_path, options, meanwhile=_watched)
    (error,) = raised.value.exceptions

    assert isinstance(error, JobError)
    assert error.reason is JobReason.LOCK
    assert "waited for 1 s for a lock of the application's on a table (lock_wait 1 s)" in error.message


async def test_without_the_global_lock_it_is_seen_where_the_dump_is_and_who_waits_for_it(
    shop: Mariadb, tmp_path: Path
) -> None:
    async with locked(shop, "parent"), standing(shop, tmp_path) as source, changed(shop, source, "extra"):
        progress = await source.progress()

    assert "could not be had" in source.moment.evidence
    assert len(source.moment.dump_ids) == 1
    assert progress == (1, 5)  # `child` is behind it


async def test_who_reads_the_facts_behind_a_change_of_the_table_is_not_counted_among_those_that_wait(
    shop: Mariadb, tmp_path: Path
) -> None:
    options = replace(backups.PATIENT, facts=FactsMode.COUNTS)
    async with standing(shop, tmp_path, options) as source, changed(shop, source, "another") as group:
        facts, counted, queued = group.create_task(source.facts(), name="facts"), {1}, {1}
        while not facts.done():
            counted.add((await source.blocking()).sessions)
            queued.add(int(await asyncio.to_thread(shop.sql, QUEUED)))

    assert max(queued) == 2
    assert counted == {1}


async def test_that_the_dump_has_begun_is_seen_while_it_runs(shop: Mariadb, tmp_path: Path) -> None:
    async with standing(shop, tmp_path) as source:
        evidence = source.moment.evidence

    assert source.moment.exact
    assert evidence.startswith(BOTH)


async def test_a_transaction_is_seen_by_who_looks_at_the_pace_of_a_dump(shop: Mariadb) -> None:
    """InnoDB gives who looks more often what it gave him before."""
    looks, seen = [await shop.admin() for _ in range(2)], 0
    async with looks[0].cursor() as begins, looks[1].cursor() as cursor:
        await cursor.execute(BEGUN)
        await begins.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT")
        for _ in range(5):
            await asyncio.sleep(LOOK_SECONDS)
            await cursor.execute(BEGUN)
            seen = int((await cursor.fetchone())[0])
            if seen:
                break
    for each in looks:
        each.close()

    assert seen == 1


async def test_the_scheduler_of_events_waits_for_the_global_lock_only_since_it_does(
    shop: Mariadb, tmp_path: Path
) -> None:
    shop.sql("SET GLOBAL event_scheduler = ON")
    await asyncio.to_thread(eventually, lambda: float(shop.sql(SCHEDULER) or 0) > 3, timeout_seconds=30)
    instance = backups.described(shop)
    preflight = await backups.ENGINE.preflight(instance, backups.PATIENT)
    (step,) = backups.ENGINE.steps(
        instance, preflight, backups.PATIENT, tmp_path, private=tmp_path, application=backups.APPLICATION
    )
    shop.sql("CREATE EVENT shop.once ON SCHEDULE AT NOW() + INTERVAL 5 SECOND DO DELETE FROM log")
    try:
        async with step.opened() as source, asyncio.timeout(60):
            looked = [await source.blocking()]
            while not looked[-1].sessions:
                await asyncio.sleep(0.2)
                looked.append(await source.blocking())
            await asyncio.sleep(0.2)
            last = await source.blocking()
    finally:
        shop.sql("SET GLOBAL event_scheduler = OFF; DROP EVENT IF EXISTS shop.once")

    assert looked[-1] == Blocking(1, 0.0)
    assert last.longest_seconds >= 0.2


class Stalled:
    """Our questions, of which one is answered late the first time: the server's disk hangs."""

    def __init__(self) -> None:
        self.times = 0

    def question(self, engine: str, name: str) -> Question:
        asked = ours().question(engine, name)
        if name != "backup_coordinates" or self.times:
            return asked
        self.times += 1
        return replace(asked, variants=(Variant("", "SELECT SLEEP(4) AS File, 0 AS Position"),))


async def test_a_dump_goes_on_though_the_time_of_the_global_lock_was_up_before_the_position_was_told(
    shop: Mariadb,
) -> None:
    instance, mark = backups.described(shop), backups.APPLICATION
    async with asker(instance, ours(), mark) as reader, asyncio.timeout(30):
        moment = Moment(instance, Stalled(), mark, 5, 2, has_binary_log=True)
        await moment.begin(reader, [])
        await moment.end()

    assert (moment.is_held, moment.exact) == (False, False)
    assert moment.evidence == TOO_SLOW.format(seconds=1)


async def _read(source: Source) -> None:
    with suppress(EngineError):
        await source.facts()


async def _ended(shop: Mariadb) -> None:
    """Long before the sum itself would."""
    await asyncio.to_thread(eventually, lambda: not shop.sql(SUMMING), timeout_seconds=1)


async def test_who_reads_the_facts_and_is_given_up_reads_no_longer_on_the_server(shop: Mariadb, tmp_path: Path) -> None:
    """The driver cannot cancel, and a server does not see that nobody waits for a sum: a change of the table would."""
    shop.sql("CREATE TABLE shop.wide (id INT PRIMARY KEY) SELECT seq AS id FROM shop.seq_1_to_3000000")
    instance = backups.described(shop)
    preflight = await backups.ENGINE.preflight(instance, backups.PATIENT)
    (step,) = backups.ENGINE.steps(
        instance, preflight, backups.PATIENT, tmp_path, private=tmp_path, application=backups.APPLICATION
    )
    try:
        for gives_way in (False, True):
            async with step.opened() as source, asyncio.timeout(60), asyncio.TaskGroup() as group:
                await source.dump_started()
                facts = group.create_task(_read(source), name="facts")
                await asyncio.to_thread(eventually, lambda: shop.sql(SUMMING), timeout_seconds=30)
                if gives_way:
                    await source.let_go()
                    await _ended(shop)
                facts.cancel()
            await _ended(shop)
    finally:
        shop.sql("DROP TABLE shop.wide")
