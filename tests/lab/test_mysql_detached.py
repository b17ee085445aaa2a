"""The stories of transactions that no session holds, on MySQL 9 and MariaDB 11.8; what a replica has applied."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest

from dbwatch.poller import asking
from tests.fix_process import eventually
from tests.lab.conftest import new_mysql
from tests.mysql_asking import ENGINE, facts, ours, see, session
from tests.mysql_detached import STORIES, a_crash_leaves_a_prepared_transaction_behind

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from tests.fix_mariadb import Mariadb
    from tests.lab.conftest import Linked

pytestmark = pytest.mark.engine
APPLIED = "dbwatch_replication_last_applied_timestamp_seconds"


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
async def test_story(lab_pair: Linked, story: Callable[[Mariadb], Awaitable[None]]) -> None:
    await story(lab_pair.source)


async def test_a_prepared_transaction_outlives_a_crash_and_is_told_after_it(mysql_root: Path) -> None:
    with new_mysql(mysql_root) as server:
        await a_crash_leaves_a_prepared_transaction_behind(server)


async def test_a_replica_tells_when_the_last_transaction_it_applied_was_committed(lab_pair: Linked) -> None:
    """MariaDB 10.11 does not: the collector is left out, and says why."""
    async with session(lab_pair.replica.instance()) as opened:
        reason = asking.left_out(ours().collectors[ENGINE, "replication_applied"], await facts(opened))
    if "10.11" in lab_pair.replica.sql("SELECT VERSION()"):
        assert "version" == reason
        return
    lab_pair.source.sql("CREATE DATABASE applied; CREATE TABLE applied.t (id int PRIMARY KEY, v int)")
    lab_pair.source.sql("INSERT INTO applied.t VALUES (1, 0)")
    eventually(lambda: lab_pair.replica.sql("SHOW TABLES FROM applied") == "t")
    eventually(lambda: lab_pair.replica.sql("SELECT COUNT(*) FROM applied.t") == "1")
    before = (await see(lab_pair.replica.instance(), "replication_applied"))[APPLIED]
    holder = await lab_pair.replica.admin("applied")
    try:
        await holder.query("BEGIN")
        await holder.query("SELECT * FROM t FOR UPDATE")
        await asyncio.sleep(2)
        earliest = int(time.time())
        lab_pair.source.sql("UPDATE applied.t SET v = 1")
        await asyncio.sleep(2)
        held = (await see(lab_pair.replica.instance(), "replication_applied"))[APPLIED]
    finally:
        holder.close()
        await asyncio.sleep(0.05)
    eventually(lambda: lab_pair.replica.sql("SELECT v FROM applied.t") == "1")
    after = (await see(lab_pair.replica.instance(), "replication_applied"))[APPLIED]
    lab_pair.source.sql("DROP DATABASE applied")

    assert before == held < earliest
    assert earliest <= after <= earliest + 2
