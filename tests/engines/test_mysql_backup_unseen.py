"""What a dump of MariaDB would leave out or end at is told before it, and names that differ by case alone are two."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from dbwatch.core.backups import comparing
from dbwatch.core.backups.model import JobReason
from dbwatch.engines.backing import DumpOptions
from tests import mysql_backups as backups
from tests.mysql_asking import instance

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dbwatch.engines.backing import Preflight
    from tests.fix_mariadb import Mariadb, MariadbServers

NARROW = "narrow"
DATABASES = f"""
CREATE DATABASE sales; CREATE TABLE sales.t (i INT PRIMARY KEY);
CREATE DATABASE `été-1`; CREATE TABLE `été-1`.t (i INT PRIMARY KEY);
CREATE USER {NARROW}@'%' IDENTIFIED BY 'secret';
GRANT PROCESS, RELOAD, BINLOG MONITOR ON *.* TO {NARROW}@'%';
GRANT SELECT ON mysql.* TO {NARROW}@'%';
GRANT SELECT, SHOW VIEW, TRIGGER, EVENT, LOCK TABLES ON shop.* TO {NARROW}@'%';
GRANT SELECT, SHOW VIEW, TRIGGER, EVENT, LOCK TABLES ON `od-d ``one`.* TO {NARROW}@'%';
GRANT SELECT, SHOW VIEW, TRIGGER, EVENT, LOCK TABLES ON `été-1`.* TO {NARROW}@'%';
"""
BY_CASE = """
CREATE DATABASE twins; CREATE DATABASE Twins;
CREATE TABLE twins.t (i INT PRIMARY KEY, k INT); CREATE TABLE twins.T (i INT PRIMARY KEY);
CREATE TABLE Twins.other (i INT PRIMARY KEY);
INSERT INTO twins.t VALUES (1, 2); INSERT INTO twins.T VALUES (3); INSERT INTO Twins.other VALUES (4);
"""


@pytest.fixture(scope="module")
def shop(mariadb_servers: MariadbServers) -> Iterator[Mariadb]:
    with mariadb_servers.new("--character-set-server=utf8mb4") as server:
        yield backups.furnished(server, backups.MARIADB_ONLY, DATABASES)


async def looked(server: Mariadb, options: DumpOptions | None = None) -> Preflight:
    account = {"user": NARROW, "password": "secret"}
    return await backups.ENGINE.preflight(instance(server.instance(), backup=account), options or DumpOptions())


@contextmanager
def also(server: Mariadb, more: str, undone: str) -> Iterator[None]:
    server.sql(more)
    try:
        yield
    finally:
        server.sql(undone)


async def test_a_database_that_the_account_cannot_see_at_all_is_a_fault_with_its_grant(shop: Mariadb) -> None:
    found = await looked(shop)
    ((reason, line),) = found.faults

    assert reason == JobReason.PERMISSION
    assert line.startswith("the account does not see the database sales (")
    grant = f"GRANT SELECT, SHOW VIEW, TRIGGER, EVENT, LOCK TABLES ON `sales`.* TO '{NARROW}'@'%'"
    assert line.endswith(f"{grant}; or exclude it")
    with also(shop, grant, grant.replace("GRANT", "REVOKE").replace(" TO ", " FROM ")):
        mended = await looked(shop)
    assert mended.faults == ()
    assert "sales" in dict(mended.databases)


async def test_a_database_that_is_not_wanted_need_not_be_seen(shop: Mariadb) -> None:
    assert (await looked(shop, DumpOptions(exclude=("sales",)))).faults == ()
    assert (await looked(shop, DumpOptions(include=("shop",)))).faults == ()


async def test_that_databases_of_other_engines_would_go_unseen_is_a_warning_until_all_are_shown(shop: Mariadb) -> None:
    def told(found: Preflight) -> list[str]:
        return [line for line in found.warnings if "GRANT SHOW DATABASES ON *.*" in line]

    assert told(await looked(shop))
    assert not told(await looked(shop, DumpOptions(include=("shop",))))
    with also(shop, f"GRANT SHOW DATABASES ON *.* TO {NARROW}", f"REVOKE SHOW DATABASES ON *.* FROM {NARROW}"):
        found = await looked(shop)
    assert not told(found)
    assert [line for _, line in found.faults if line.startswith("the account lacks SELECT in sales")]


async def test_a_view_that_calls_a_function_is_a_fault_with_the_grant_for_this_function_alone(
    shop: Mariadb, tmp_path: Path
) -> None:
    with also(shop, "CREATE VIEW shop.`v``1` AS SELECT shop.one() AS n", "DROP VIEW shop.`v``1`"):
        refused = await backups.ENGINE.preflight(backups.described(shop), DumpOptions())
        ((reason, line),) = refused.faults
        grant = f"GRANT EXECUTE ON FUNCTION `shop`.`one` TO '{backups.ACCOUNT}'@'%';"
        assert reason == JobReason.PERMISSION
        assert line.startswith("the account lacks EXECUTE on what the view shop.v`1 calls")
        assert line.endswith(grant)
        with also(shop, grant, f"REVOKE EXECUTE ON FUNCTION shop.one FROM {backups.ACCOUNT}"):
            await backups.take(shop, tmp_path)


async def test_names_that_differ_by_case_alone_are_all_dumped_and_compared(shop: Mariadb, tmp_path: Path) -> None:
    with also(shop, BY_CASE, "DROP DATABASE twins; DROP DATABASE Twins"):
        taken = await backups.take(shop, tmp_path)
    facts = taken.manifest.facts
    async with backups.scratch(taken) as target:
        await backups.restore(taken, target)
        names = {each.name: each.name for each in facts.databases}
        restored = await backups.ENGINE.facts_of(target, taken.manifest, names, 60)
        backups.asked(target, "ALTER TABLE twins.T ADD extra INT")
        changed = await backups.ENGINE.facts_of(target, taken.manifest, names, 60)
    found = comparing.compare(facts, restored)

    assert {"Twins", "twins"} <= {each.name for each in facts.databases}
    assert found.differences == ()
    assert [table for table, _ in found.unread if table.lower().startswith("twins")] == []
    assert [each.table for each in facts.tables if each.database == "twins"] == ["T", "t"]
    assert "database twins: definitions differ of kind column: T" in comparing.compare(facts, changed).differences
