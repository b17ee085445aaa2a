"""Every collector and question on MySQL 9, with the documented grants and without any, and on a replica."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from dbwatch.errors import EngineError, Reason
from dbwatch.poller import asking
from tests.fix_mariadb import BARE
from tests.mysql_asking import ENGINE, answer, facts, ours, see, session

if TYPE_CHECKING:
    from tests.lab.conftest import Mysql
    from tests.mysql_asking import Seen

pytestmark = pytest.mark.engine
COLLECTORS = sorted(name for _, name in ours().collectors)
ASKED = {name for _, name in ours().questions if not name.startswith("backup_")}  # these have tests of their own
QUESTIONS = sorted(ASKED - {"session", "session_limit"})  # every session sends these
# what any account may read
OPEN_TO_ALL = {
    "buffer_pool",
    "host",
    "innodb",
    "limits",
    "operations",
    "semi_sync",
    "server_status",
    "settings",
    "statements",
}

NOT_ON_MYSQL = {"galera"}  # Percona XtraDB Cluster and MariaDB have it


def complaints(server: Mysql, since: int) -> list[str]:
    return [line for line in server.log()[since:].splitlines() if "[ERROR]" in line or "Aborted" in line]


@pytest.mark.parametrize("name", COLLECTORS)
async def test_a_collector_answers_with_the_documented_grants(lab_mysql: Mysql, name: str) -> None:
    logged = len(lab_mysql.log())
    collector = ours().collectors[ENGINE, name]
    async with session(lab_mysql.instance(), collector.lane) as opened:
        known = await facts(opened)
        assert (asking.left_out(collector, known) == "version") is (name in NOT_ON_MYSQL)
        assert () == asking.missing_needs(collector, known)
    if not asking.left_out(collector, known):
        seen = await see(lab_mysql.instance(), name)
        assert all(value >= 0 for value in seen.values())
    assert [] == complaints(lab_mysql, logged)


@pytest.mark.parametrize("name", COLLECTORS)
async def test_without_grants_it_is_left_out_with_the_reason_or_needs_none(lab_mysql: Mysql, name: str) -> None:
    collector = ours().collectors[ENGINE, name]
    async with session(lab_mysql.instance(user=BARE)) as opened:
        known = await facts(opened)
        missing = asking.missing_needs(collector, known)
        if name in OPEN_TO_ALL - NOT_ON_MYSQL:
            await opened.fetch(asking.query(collector, known))

    assert (name in OPEN_TO_ALL | NOT_ON_MYSQL) is not bool(missing)
    assert bool(missing) is (BARE in asking.remedy(ours(), collector, known, BARE))


@pytest.mark.parametrize("name", ["sessions", "locks", "table_sizes"])
async def test_what_an_account_may_not_see_is_refused_by_the_server_too(lab_mysql: Mysql, name: str) -> None:
    async with session(lab_mysql.instance(user=BARE)) as opened:
        known = await facts(opened)
        with pytest.raises(EngineError) as caught:
            await opened.fetch(asking.query(ours().collectors[ENGINE, name], known))

    assert Reason.PERMISSION is caught.value.reason


@pytest.mark.parametrize("name", QUESTIONS)
async def test_a_question_is_answered_with_the_documented_grants(lab_mysql: Mysql, name: str) -> None:
    logged = len(lab_mysql.log())

    assert isinstance(await answer(lab_mysql.instance(), name), list)
    assert [] == complaints(lab_mysql, logged)


@pytest.mark.parametrize("name", sorted(name for _, name in ours().probes))
async def test_the_grant_that_a_probe_names_makes_it_true(lab_mysql: Mysql, name: str) -> None:
    account = "'granted'@'127.0.0.1'"
    lab_mysql.sql(f"CREATE USER {account} IDENTIFIED BY 'monitor-pass'")
    try:
        async with session(lab_mysql.instance(user="granted")) as opened:
            known = await facts(opened)
            assert not known.probes[name]
        lab_mysql.sql(asking.grant(ours().probes[ENGINE, name], known, "granted"))
        async with session(lab_mysql.instance(user="granted")) as opened:
            assert (await facts(opened)).probes[name]
    finally:
        lab_mysql.sql(f"DROP USER {account}")


async def test_a_statement_that_has_just_ended_is_no_idleness_whatever_the_process_list_says(lab_mysql: Mysql) -> None:
    idle, age = "dbwatch_longest_idle_in_transaction_seconds", "dbwatch_longest_transaction_seconds{state=idle}"
    lab_mysql.sql("CREATE DATABASE naps; CREATE TABLE naps.t (v int); INSERT INTO naps.t VALUES (1)")
    opened = await lab_mysql.admin("naps")
    try:
        for statement in ("SET autocommit = 0", "UPDATE t SET v = 2", "SELECT SLEEP(3)"):
            await opened.query(statement)
        ended = await see(lab_mysql.instance(), "transactions")
        await asyncio.sleep(1.5)
        asleep = await see(lab_mysql.instance(), "transactions")
    finally:
        opened.close()
        await asyncio.sleep(0.3)  # its socket closes in the loop's next turns, and its transaction ends
        lab_mysql.sql("DROP DATABASE naps")

    assert ended[age] >= 3
    assert ended[idle] < 1.5
    assert 1.5 <= asleep[idle] < 3


async def until(server: Mysql, wanted: Seen) -> Seen:
    """The collector asked until the replica has caught up: with several appliers no state of a thread tells."""
    for _ in range(50):
        told = await see(server.instance(), "replication")
        seen = {name: value for name, value in told.items() if name.startswith("dbwatch_replication")}
        if seen == wanted:
            break
        await asyncio.sleep(0.2)
    return seen


async def test_a_replica_tells_its_link_and_no_lag_when_it_is_broken(lab_mysql: Mysql, lab_replica: Mysql) -> None:
    running: Seen = {
        "dbwatch_replication_connected": 1,
        "dbwatch_replication_lag_seconds": 0,
        "dbwatch_replication_lag_bytes": 0,
        "dbwatch_replication_thread_running{thread=io}": 1,
        "dbwatch_replication_thread_running{thread=sql}": 1,
    }
    lab_mysql.sql("CREATE DATABASE IF NOT EXISTS told; DROP DATABASE told")
    linked = await until(lab_replica, running)
    async with session(lab_replica.instance()) as opened:
        role = (await facts(opened)).role
    applied = await see(lab_replica.instance(), "replication_applied")
    lab_replica.sql("STOP REPLICA IO_THREAD; CHANGE REPLICATION SOURCE TO source_port = 1; START REPLICA IO_THREAD")
    broken = await see(lab_replica.instance(), "replication")

    assert "replica" == role
    assert running == linked
    assert applied["dbwatch_replication_last_applied_timestamp_seconds"] > 1_700_000_000
    assert 0 == broken["dbwatch_replication_connected"]
    assert "dbwatch_replication_lag_seconds" not in broken
