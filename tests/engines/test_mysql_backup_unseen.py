"""What a dump of MariaDB would leave out or end at is told before it, and names that differ by case alone are two."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
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

    from dbwatch.engines.preflight import Preflight
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
    (fault,) = found.faults

    assert fault.reason == JobReason.PERMISSION
    assert fault.line.startswith("the account does not see the database sales (")
    grant = f"GRANT SELECT, SHOW VIEW, TRIGGER, EVENT, LOCK TABLES ON `sales`.* TO '{NARROW}'@'%'"
    assert fault.line.endswith(f"{grant}; or exclude it")
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
    assert [each.line for each in found.faults if each.line.startswith("the account lacks SELECT in sales")]


async def test_a_view_that_calls_a_function_is_a_fault_with_the_grant_for_this_function_alone(
    shop: Mariadb, tmp_path: Path
) -> None:
    with also(shop, "CREATE VIEW shop.`v``1` AS SELECT shop.one() AS n", "DROP VIEW shop.`v``1`"):
        refused = await backups.ENGINE.preflight(backups.described(shop), DumpOptions())
        (fault,) = refused.faults
        grant = f"GRANT EXECUTE ON FUNCTION `shop`.`one` TO '{backups.ACCOUNT}'@'%';"
        assert fault.reason == JobReason.PERMISSION
        assert fault.line.startswith("the account lacks EXECUTE on what the view shop.v`1 calls")
        assert fault.line.endswith(grant)
        with also(shop, grant, f"REVOKE EXECUTE ON FUNCTION shop.one FROM {backups.ACCOUNT}"):
            await backups.take(shop, tmp_path)


CALLING = """
CREATE DATABASE calling; CREATE DATABASE `c-2`;
USE calling;
CREATE FUNCTION g() RETURNS INT DETERMINISTIC RETURN 1;
CREATE FUNCTION `abs`(i INT) RETURNS INT DETERMINISTIC RETURN 1;
CREATE FUNCTION `c-2`.g() RETURNS INT DETERMINISTIC RETURN 2;
CREATE VIEW brief AS SELECT G() AS n;
CREATE VIEW native AS SELECT abs(-1) AS n, `abs`(-1) AS m;
CREATE VIEW other AS SELECT `c-2`.g() AS n;
CREATE VIEW `above` AS SELECT n FROM other;
"""


async def test_functions_that_a_view_names_without_a_database_and_views_on_views_are_told_with_their_grants(
    shop: Mariadb, tmp_path: Path
) -> None:
    def granted(database: str) -> str:
        return f"GRANT EXECUTE ON FUNCTION `{database}`.`g` TO '{backups.ACCOUNT}'@'%';"

    calling, options = DumpOptions(include=("calling",)), DumpOptions(include=("calling", "c-2"))
    with also(shop, CALLING, "DROP DATABASE calling; DROP DATABASE `c-2`"):
        refused = await backups.ENGINE.preflight(backups.described(shop), calling)
        shop.sql(granted("calling") + granted("c-2"))
        mended = await backups.ENGINE.preflight(backups.described(shop), options)
        await backups.take(shop, tmp_path, replace(backups.PATIENT, include=("calling", "c-2")))
    told = {each.line.partition(" calls")[0].rpartition(" ")[2]: each.line for each in refused.faults}

    assert told.keys() == {"calling.brief", "calling.other", "calling.above"}
    assert told["calling.brief"].endswith(f": {granted('calling')}")
    assert told["calling.other"].endswith(f": {granted('c-2')}")
    assert told["calling.above"].endswith(f": {granted('c-2')}")
    assert mended.faults == ()


BROKEN = """
CREATE DATABASE broken;
USE broken;
CREATE TABLE t (i INT);
CREATE VIEW `of``gone` AS SELECT i FROM t;
CREATE VIEW well AS SELECT 1 AS i;
CREATE USER gone@localhost;
GRANT EXECUTE ON broken.* TO gone@localhost;
CREATE DEFINER = gone@localhost FUNCTION f() RETURNS INT DETERMINISTIC RETURN 1;
CREATE VIEW of_nobody AS SELECT f() AS n;
CREATE DEFINER = gone@localhost VIEW harmless AS SELECT 1 AS i;
DROP USER gone@localhost;
DROP TABLE t;
"""


async def test_views_that_cannot_be_read_are_named_with_what_mends_them_before_a_dump_ends_at_one(
    shop: Mariadb, tmp_path: Path
) -> None:
    with also(shop, BROKEN, "DROP DATABASE broken"):
        shop.sql(f"GRANT EXECUTE ON FUNCTION broken.f TO {backups.ACCOUNT}")
        refused = await backups.ENGINE.preflight(backups.described(shop), DumpOptions())
        elsewhere = await backups.ENGINE.preflight(backups.described(shop), DumpOptions(exclude=("broken",)))
        shop.sql("DROP VIEW broken.`of``gone`")
        other = await backups.ENGINE.preflight(backups.described(shop), DumpOptions())
        shop.sql("DROP VIEW broken.of_nobody")
        await backups.take(shop, tmp_path, replace(backups.PATIENT, include=("broken",)))
    (fault,) = refused.faults
    (other_fault,) = other.faults

    assert fault.reason == JobReason.OTHER
    assert "cannot be read: broken.of_nobody, broken.of`gone (error 1449: " in fault.line
    assert fault.line.endswith("; or bring back what it names; or exclude its database")
    assert "cannot be read: broken.of_nobody (error 1449: " in other_fault.line
    assert "'gone'@'localhost'" in other_fault.line
    assert "DROP VIEW `broken`.`of_nobody`;" in other_fault.line
    assert elsewhere.faults == ()


ASLEEP = """
CREATE DATABASE asleep;
USE asleep;
CREATE EVENT tidy ON SCHEDULE EVERY 1 DAY DISABLE ON SLAVE DO SELECT 1;
CREATE EVENT awake ON SCHEDULE EVERY 1 DAY DO SELECT 1;
CREATE EVENT by_hand ON SCHEDULE EVERY 1 DAY DISABLE DO SELECT 1;
"""


async def test_events_that_a_replica_keeps_switched_off_are_told_with_what_wakes_them_after_a_restore(
    shop: Mariadb,
) -> None:
    options = replace(backups.PATIENT, include=("asleep",))
    with also(shop, ASLEEP, "DROP DATABASE asleep"):
        found = await backups.ENGINE.preflight(backups.described(shop), options)
    (told,) = (each for each in found.warnings if "events" in each)

    assert told == (
        "events that are switched off on a replica, and so they stay after a restore: asleep.tidy"
        " -> ALTER EVENT ... ENABLE each of them on the server that is to run them"
    )


UNOPENED = """
CREATE DATABASE merged;
USE merged;
CREATE TABLE one (i INT) ENGINE = MyISAM;
CREATE TABLE two (i INT) ENGINE = MyISAM;
CREATE TABLE `of``both` (i INT) ENGINE = MERGE UNION = (one, two);
CREATE TABLE whole (i INT) ENGINE = MERGE UNION = (one);
DROP TABLE two;
"""


async def test_a_table_of_tables_of_which_one_is_gone_is_named_with_what_mends_it_before_a_dump_ends_at_it(
    shop: Mariadb, tmp_path: Path
) -> None:
    accepting = DumpOptions(include=("merged",), accept_non_transactional=True)
    with also(shop, UNOPENED, "DROP DATABASE merged"):
        refused = await backups.ENGINE.preflight(backups.described(shop), accepting)
        shop.sql("DROP TABLE merged.`of``both`")
        mended = await backups.ENGINE.preflight(backups.described(shop), accepting)
        await backups.take(shop, tmp_path, replace(accepting, max_blocking_seconds=30))
    (fault,) = refused.faults

    assert fault.reason == JobReason.OTHER
    what = "no dump gets past a table that cannot be opened: merged.of`both (error 1168) -> bring back the tables"
    assert fault.line.startswith(what)
    assert fault.line.endswith("or DROP TABLE `merged`.`of``both`; or exclude its database")
    assert mended.faults == ()


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
