"""MariaDB is dumped, read and restored for real, and what was restored is compared with what was dumped."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Self

import aiomysql
import pytest

from dbwatch.core.backups import comparing
from dbwatch.core.backups.model import FactsMode, JobReason, ProofName
from dbwatch.core.backups.unread import Unread
from dbwatch.engines.backing import Blocking, DumpOptions, Selection, Target
from dbwatch.engines.mysql_backup_source import MysqlSource
from dbwatch.errors import JobError
from dbwatch.settings.models import Credentials
from tests import mysql_backups as backups
from tests.fix_process import eventually

if TYPE_CHECKING:
    import subprocess
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from dbwatch.engines.backing import Source
    from tests.fix_mariadb import Mariadb, MariadbServers, NewReplica
    from tests.mysql_backups import Taken

LONG_WRITE = "UPDATE parent SET amount = 4 + SLEEP(60) * 0 LIMIT 1"
WRITING = "SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE 'UPDATE parent%'"
SESSIONS = f"""
SELECT id FROM information_schema.processlist
WHERE user = '{backups.ACCOUNT}' AND info LIKE '%{backups.APPLICATION}%'
"""
SENDING = SESSIONS + " AND info LIKE '%FROM `huge`%'"
WAITING = "SELECT id FROM information_schema.processlist WHERE state = 'Waiting for table metadata lock'"
LARGE = "CREATE TABLE shop.huge (t LONGTEXT); INSERT INTO shop.huge SELECT REPEAT('x', 1000000) FROM seq_1_to_16"
FILL = "INSERT INTO shop.log (what) SELECT seq FROM seq_1_to_20000"


@pytest.fixture(scope="module")
def shop(mariadb_servers: MariadbServers) -> Iterator[Mariadb]:
    with mariadb_servers.new() as server:
        yield backups.furnished(server, backups.MARIADB_ONLY, FILL + ";")


class Writer:
    """An application that inserts one row after the other, and knows how long the slowest took."""

    def __init__(self, server: Mariadb) -> None:
        self.slowest_seconds, self.rows = 0.0, 0
        self._server, self._stop = server, threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._write()))

    def __enter__(self) -> Self:
        self._thread.start()
        eventually(lambda: self.rows > 0)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(30)

    async def _write(self) -> None:
        connection = await self._server.admin("shop")
        async with connection.cursor() as cursor:
            while not self._stop.is_set():
                began = time.monotonic()
                await cursor.execute("INSERT INTO log (what) VALUES (0)")
                self.rows += 1
                self.slowest_seconds = max(self.slowest_seconds, time.monotonic() - began)
        await connection.ensure_closed()


async def compared(taken: Taken, target: Target) -> None:
    names = {each.name: each.name for each in taken.manifest.facts.databases}
    restored = await backups.ENGINE.facts_of(target, taken.manifest, names, 60)
    found = comparing.compare(taken.manifest.facts, restored)

    assert found.differences == ()
    assert comparing.proven(taken.manifest.facts, found)[0] is ProofName.COMPARED
    assert (found.tables_by_content, found.tables_by_rows, found.tables_total) == (3, 1, 4)  # one holds a long FLOAT
    assert await backups.ENGINE.check(target, list(names)) == ()


async def test_what_was_dumped_under_writes_is_restored_whole_and_in_parts(shop: Mariadb, tmp_path: Path) -> None:
    with Writer(shop) as writer:
        taken = await backups.take(shop, tmp_path)
    facts = taken.manifest.facts
    await backups.decode(taken)

    rows = {each.table: each.rows for each in facts.tables}
    assert facts.comparable
    assert "global read lock (binlog_file binlog." in taken.evidence
    assert dict(taken.manifest.coordinates).keys() == {"binlog_file", "binlog_position", "gtid"}
    assert int(shop.sql("SELECT COUNT(*) FROM shop.log")) > (rows["log"] or 0) >= 20000
    assert writer.slowest_seconds < backups.PATIENT.max_blocking_seconds
    async with backups.scratch(taken) as target:
        assert await backups.ENGINE.occupied(target, Selection(), taken.manifest) == ""
        await backups.restore(taken, target)
        await compared(taken, target)
        assert "GRANT `clerk` TO `app`@`%`" in backups.asked(target, "SHOW GRANTS FOR app@'%'")
        await _with_roles_of_others(taken, target)
        assert "already in: od-d `one, shop" in await backups.ENGINE.occupied(target, Selection(), taken.manifest)
        await _in_parts(taken, target)


async def _with_roles_of_others(taken: Taken, target: Target) -> None:
    """Only who made a role, or was told so, may give it: else a restore would end in an error at its very last step."""
    backups.asked(target, "CREATE USER restorer@localhost; GRANT ALL ON *.* TO restorer@localhost WITH GRANT OPTION")
    account = target.instance.model_copy(update={"monitor": Credentials(user="restorer")})
    other = replace(target, instance=account)
    where = (taken.manifest, taken.directory, other)

    (told,) = await backups.ENGINE.obstacles(*where, Selection(), None)
    remedy = "GRANT `clerk` TO 'restorer'@'localhost' WITH ADMIN OPTION;"
    assert told.endswith(remedy)
    assert await backups.ENGINE.obstacles(*where, Selection("shop"), None) == []
    with pytest.raises(JobError, match="ERROR 1698"):
        await backups.restore(taken, other)
    backups.asked(target, remedy)
    assert await backups.ENGINE.obstacles(*where, Selection(), None) == []
    await backups.restore(taken, other)


async def _in_parts(taken: Taken, target: Target) -> None:
    whole = Selection("shop", into="other")
    await backups.restore(taken, target, whole)
    assert backups.asked(target, "SELECT COUNT(*) FROM child; SELECT one()", "other") == "3\n1"
    assert "family" in backups.asked(target, "SHOW TABLES", "other").split()
    events = "SELECT event_schema, status FROM information_schema.events ORDER BY event_schema"
    assert backups.asked(target, events) == "other\tDISABLED\nshop\tENABLED"

    table = Selection("shop", table="child", into="side")
    assert await backups.ENGINE.occupied(target, table, taken.manifest) == ""
    await backups.restore(taken, target, table)
    backups.asked(target, "GRANT ALL ON side.* TO app@'%'")  # who defined the trigger has no rights there yet
    backups.asked(target, "SET foreign_key_checks = 0; INSERT INTO child VALUES (9, 1, NULL)", "side")
    assert backups.asked(target, "SHOW TABLES", "side").split() == ["child", "numbers"]
    assert backups.asked(target, "SELECT note FROM child WHERE id = 9", "side") == "none"  # by the trigger
    assert "side" in await backups.ENGINE.occupied(target, table, taken.manifest)

    backups.asked(target, "SET foreign_key_checks = 0; DROP TABLE child", "shop")
    await backups.restore(taken, target, Selection("shop", table="child"))
    await compared(taken, target)
    with pytest.raises(JobError, match="holds no table nothing of database shop"):
        await backups.restore(taken, target, Selection("shop", table="nothing", into="void"))


async def test_the_lock_that_cannot_be_had_lowers_the_proof_and_holds_nobody_up(shop: Mariadb, tmp_path: Path) -> None:
    busy = await shop.admin("shop")
    async with busy.cursor() as cursor, asyncio.TaskGroup() as group:
        group.create_task(_until_killed(cursor, LONG_WRITE), name="busy")
        await asyncio.to_thread(eventually, lambda: shop.sql(WRITING) == "1")
        with Writer(shop) as writer:
            taken = await backups.take(shop, tmp_path, DumpOptions(lock_wait_seconds=1))
        shop.sql(f"KILL {busy.thread_id()}")
    busy.close()

    assert not taken.manifest.facts.comparable
    assert "global lock" in taken.evidence
    assert {each.rows for each in taken.manifest.facts.tables} == {None}
    assert writer.slowest_seconds < 5  # one, and what a busy machine adds
    await backups.decode(taken)


async def test_a_missing_privilege_is_told_with_its_grant(shop: Mariadb) -> None:
    shop.sql(f"REVOKE TRIGGER, SELECT ON *.* FROM {backups.ACCOUNT}")
    try:
        found = await backups.ENGINE.preflight(backups.described(shop), DumpOptions())
    finally:
        shop.sql(f"GRANT TRIGGER, SELECT ON *.* TO {backups.ACCOUNT}")
    lines = "\n".join(each.line for each in found.faults)

    assert {each.reason for each in found.faults} == {JobReason.PERMISSION}
    assert f"GRANT TRIGGER ON *.* TO '{backups.ACCOUNT}'@'%';" in lines
    assert f"GRANT SELECT ON mysql.proc TO '{backups.ACCOUNT}'@'%';" in lines


OURS = f"SELECT COUNT(*) FROM mysql.user WHERE user = '{backups.ACCOUNT}'"


async def test_nothing_is_restored_to_a_replica_nor_to_what_is_read_only(
    shop: Mariadb, mariadb_replica: NewReplica, tmp_path: Path
) -> None:
    taken = await backups.take(shop, tmp_path)
    replica = mariadb_replica(shop)
    await asyncio.to_thread(eventually, lambda: replica.sql(OURS) == "1")
    there = Target(backups.described(replica), tmp_path)

    async def told() -> str:
        return (await backups.ENGINE.obstacles(taken.manifest, tmp_path, there, Selection("shop"), None))[0]

    follows = await told()
    replica.sql(f"STOP SLAVE; GRANT SLAVE MONITOR ON *.* TO {backups.ACCOUNT}")
    stopped = await told()
    replica.sql("RESET SLAVE ALL")
    closed = await told()
    replica.sql("SET GLOBAL read_only = 0")

    assert "replicates from another server, which breaks at what is written here alone -> restore to its" in follows
    assert stopped == follows
    assert closed.endswith("is read-only -> SET GLOBAL read_only = 0, if it is nobody's replica")
    assert "read" not in await told()


async def test_what_a_restore_may_not_do_there_is_told_with_its_grant(shop: Mariadb, tmp_path: Path) -> None:
    taken = await backups.take(shop, tmp_path)
    target = Target(backups.described(shop), tmp_path)

    async def told(wanted: Selection) -> str:
        return " ".join(await backups.ENGINE.obstacles(taken.manifest, tmp_path, target, wanted, None))

    table = Selection("shop", table="child", into="side")
    assert f"GRANT CREATE, DROP, ALTER, INSERT ON *.* TO '{backups.ACCOUNT}'@'%';" in await told(table)
    assert "CREATE VIEW, CREATE ROUTINE, SET USER ON *.*" in await told(Selection("shop", into="side"))
    assert f"GRANT ALL ON *.* TO '{backups.ACCOUNT}'@'%' WITH GRANT OPTION;" in await told(Selection())
    shop.sql(f"GRANT CREATE, DROP, ALTER, INSERT ON `s_d%`.* TO {backups.ACCOUNT}")
    try:
        assert await told(table) == ""
    finally:
        shop.sql(f"REVOKE CREATE, DROP, ALTER, INSERT ON `s_d%`.* FROM {backups.ACCOUNT}")
    taken_name = Selection("shop", into="mysql")
    assert "mysql is there already: --as" in await backups.ENGINE.occupied(target, taken_name, taken.manifest)


async def test_tables_without_transactions_are_refused_unless_accepted(shop: Mariadb, tmp_path: Path) -> None:
    shop.sql(
        "CREATE DATABASE old; CREATE TABLE old.counter (n INT) ENGINE = MyISAM; INSERT INTO old.counter VALUES (1)"
    )
    try:
        refused = await backups.ENGINE.preflight(backups.described(shop), DumpOptions())
        taken = await backups.take(shop, tmp_path, DumpOptions(accept_non_transactional=True))
    finally:
        shop.sql("DROP DATABASE old")

    assert [each for each in refused.faults if "old.counter know no transactions" in each.line]
    assert [line for line in taken.preflight.warnings if "old.counter" in line]
    assert [each.rows for each in taken.manifest.facts.tables if each.database == "old"] == [None]


OPTIONS = """
CREATE DATABASE options;
USE options;
CREATE TABLE aria (i INT) ENGINE = Aria;
CREATE TABLE unsummed (i INT) ENGINE = Aria PAGE_CHECKSUM = 0;
CREATE TABLE asked (i INT) ENGINE = Aria ROW_FORMAT = DYNAMIC;
CREATE TABLE crashes (i INT) ENGINE = Aria ROW_FORMAT = FIXED TRANSACTIONAL = 0;
CREATE TABLE parts (i INT) ENGINE = Aria PARTITION BY HASH (i) PARTITIONS 2;
CREATE TABLE packed (i INT) ROW_FORMAT = COMPRESSED KEY_BLOCK_SIZE = 8;
CREATE TABLE pages (i INT) PAGE_COMPRESSED = 1 PAGE_COMPRESSION_LEVEL = 4;
CREATE TABLE clear (i INT) ENCRYPTED = NO STATS_PERSISTENT = 1 STATS_SAMPLE_PAGES = 17;
CREATE TABLE sums (i INT) ENGINE = MyISAM CHECKSUM = 1 DELAY_KEY_WRITE = 1 MAX_ROWS = 1000;
CREATE TABLE fleeting (i INT) ENGINE = MEMORY MAX_ROWS = 22;
CREATE TABLE kept (i INT) WITH SYSTEM VERSIONING;
"""


async def test_what_a_dump_spells_out_is_no_difference_and_what_is_one_has_a_name(
    shop: Mariadb, tmp_path: Path
) -> None:
    shop.sql(OPTIONS)
    try:
        taken = await backups.take(shop, tmp_path, replace(backups.PATIENT, accept_non_transactional=True))
    finally:
        shop.sql("DROP DATABASE options")
    facts = taken.manifest.facts
    names = {each.name: each.name for each in facts.databases}
    async with backups.scratch(taken) as target:
        await backups.restore(taken, target)
        found = comparing.compare(facts, await backups.ENGINE.facts_of(target, taken.manifest, names, 60))
        backups.asked(target, "ALTER TABLE aria TRANSACTIONAL = 0; ALTER TABLE crashes ROW_FORMAT = DYNAMIC", "options")
        changed = comparing.compare(facts, await backups.ENGINE.facts_of(target, taken.manifest, names, 60))

    assert found.differences == ()
    advice = comparing.proven(facts, found)[1]
    assert "options.fleeting are held in memory" in advice
    assert "options.kept are versioned" in advice
    assert "options.sums know no transactions" not in advice  # it is one of several
    assert "options.aria, options.asked, options.crashes, options.parts, options.sums and 1 more know no" in advice
    assert "facts_seconds" not in advice
    assert changed.differences == ("database options: definitions differ of kind table: aria, crashes",)


UNITED = """
CREATE DATABASE united;
USE united;
CREATE TABLE early (i INT, KEY (i)) ENGINE = MyISAM;
CREATE TABLE late (i INT, KEY (i)) ENGINE = MyISAM;
CREATE TABLE both_of_them (i INT, KEY (i)) ENGINE = MERGE UNION = (early, late) INSERT_METHOD = LAST;
INSERT INTO early VALUES (1);
INSERT INTO late VALUES (2);
"""


async def test_a_table_that_is_made_of_others_is_checked_and_not_called_corrupt(shop: Mariadb, tmp_path: Path) -> None:
    shop.sql(UNITED)
    options = replace(backups.PATIENT, include=("united",), accept_non_transactional=True)
    try:
        taken = await backups.take(shop, tmp_path, options)
    finally:
        shop.sql("DROP DATABASE united")
    async with backups.scratch(taken) as target:
        await backups.restore(taken, target)
        assert backups.asked(target, "SELECT SUM(i) FROM united.both_of_them") == "3"
        assert await backups.ENGINE.check(target, ["united"]) == ()


CHANGING = """
SET sql_mode = '';
CREATE DATABASE changing;
USE changing;
CREATE TABLE floats (f FLOAT, exact FLOAT(10, 2), derived FLOAT AS (f * 1.1));
INSERT INTO floats (f, exact) VALUES (16777217, 1), (1.1, 99999.99);
CREATE TABLE short (f FLOAT, exact FLOAT(10, 2), derived FLOAT AS (f * 1.1));
INSERT INTO short (f, exact) VALUES (1.1, 99999.99), (1e-40, 0.01), (-0.5, NULL), (NULL, 1e7);
CREATE TABLE kinds (kind ENUM('a', '', 'b'));
INSERT INTO kinds VALUES ('none of them'), ('');
CREATE TABLE few (kind ENUM('a', '', 'b'), other ENUM('a'));
INSERT INTO few VALUES ('', 'none of them'), (NULL, 'a');
CREATE TABLE many (kinds SET('', 'a'));
INSERT INTO many VALUES (1), (2);
"""


async def test_values_that_a_dump_changes_are_told_and_never_called_equal(shop: Mariadb, tmp_path: Path) -> None:
    shop.sql(CHANGING)
    try:
        taken = await backups.take(shop, tmp_path, replace(backups.PATIENT, include=("changing",)))
    finally:
        shop.sql("DROP DATABASE changing")
    async with backups.scratch(taken) as target:
        await backups.restore(taken, target)
        restored = await backups.ENGINE.facts_of(target, taken.manifest, {"changing": "changing"}, 60)
    found = comparing.compare(taken.manifest.facts, restored)

    assert found.differences == ()
    assert dict(found.unread) == dict.fromkeys(("changing.floats", "changing.kinds", "changing.many"), Unread.CHANGED)
    assert (found.tables_by_content, found.tables_by_rows) == (2, 3)


NO_DAYS = """
CREATE DATABASE calendar;
USE calendar;
CREATE TABLE days (day DATE, at DATETIME(3), plain DATETIME);
CREATE TABLE fine (day DATE, at DATETIME(3), plain DATETIME);
SET sql_mode = 'ALLOW_INVALID_DATES';
INSERT INTO days VALUES ('2024-02-29', '2023-11-31 10:00:00.5', NULL);
INSERT INTO fine VALUES ('2024-02-29', '2024-00-00', '0000-00-00'), (NULL, '0000-00-00', '2023-02-28 01:02:03');
"""


async def test_days_that_their_month_has_not_are_told_where_a_restore_loses_them(shop: Mariadb, tmp_path: Path) -> None:
    shop.sql(NO_DAYS)
    try:
        taken = await backups.take(shop, tmp_path, replace(backups.PATIENT, include=("calendar",)))
    finally:
        shop.sql("DROP DATABASE calendar")
    async with backups.scratch(taken) as target:
        await backups.restore(taken, target)
        restored = await backups.ENGINE.facts_of(target, taken.manifest, {"calendar": "calendar"}, 60)
    (difference,) = comparing.compare(taken.manifest.facts, restored).differences

    assert {each.table: each.unread for each in taken.manifest.facts.tables} == {"days": Unread.CHANGED, "fine": ""}
    assert difference.startswith("table calendar.days: other content (it held values that a dump changes; days that")
    assert "WHERE DAYOFMONTH(column) > DAYOFMONTH(LAST_DAY(column))" in difference


STRANDED = """
CREATE DATABASE granted;
CREATE TABLE granted.kept (i INT, j INT);
CREATE TABLE granted.gone (i INT, j INT);
CREATE VIEW granted.seen AS SELECT i FROM granted.kept;
CREATE PROCEDURE granted.called() SELECT 1;
CREATE USER reader@localhost;
GRANT SELECT ON granted.gone TO reader@localhost;
GRANT SELECT (i), UPDATE (i, j) ON granted.gone TO reader@localhost;
GRANT SELECT (i) ON granted.kept TO reader@localhost;
GRANT SELECT ON granted.seen TO reader@localhost;
GRANT EXECUTE ON PROCEDURE granted.called TO reader@localhost;
GRANT SELECT ON granted.kept TO PUBLIC;
DROP TABLE granted.gone;
"""


async def test_a_right_whose_database_the_server_wrote_in_another_character_set_is_not_taken_for_lost(
    mariadb_servers: MariadbServers,
) -> None:
    routine = "PROCEDURE `od-d ``dbé`.called"
    with mariadb_servers.new("--character-set-server=latin1") as server:
        server.sql(f"SET NAMES utf8mb4; {backups.SCRIPT} CREATE DATABASE `od-d ``dbé`; CREATE USER reader@localhost")
        server.sql(f"SET NAMES utf8mb4; CREATE {routine}() SELECT 1")
        server.sql(f"SET NAMES utf8mb4; GRANT EXECUTE ON {routine} TO reader@localhost")
        found = await backups.ENGINE.preflight(backups.described(server), DumpOptions())

    assert "are left out" not in " ".join(found.warnings)


async def test_rights_on_what_is_gone_or_not_in_the_set_are_left_out_and_told(shop: Mariadb, tmp_path: Path) -> None:
    shop.sql(STRANDED)
    try:
        taken = await backups.take(shop, tmp_path, replace(backups.PATIENT, include=("granted",)))
    finally:
        shop.sql("DROP USER reader@localhost; REVOKE SELECT ON granted.kept FROM PUBLIC; DROP DATABASE granted")
    async with backups.scratch(taken) as target:
        await backups.restore(taken, target)
        given = backups.asked(target, "SHOW GRANTS FOR reader@localhost; SHOW GRANTS FOR PUBLIC")
        rows = backups.asked(target, "SHOW GRANTS FOR app@'%'")

    assert "are left out: `granted`.`gone`, `shop`.`family`" in " ".join(taken.preflight.warnings)
    assert "gone" not in given
    assert "GRANT SELECT (`i`) ON `granted`.`kept` TO `reader`@`localhost`" in given
    assert "GRANT SELECT ON `granted`.`seen` TO `reader`@`localhost`" in given
    assert "GRANT EXECUTE ON PROCEDURE `granted`.`called` TO `reader`@`localhost`" in given
    assert "GRANT SELECT ON `granted`.`kept` TO PUBLIC" in given
    assert "`shop`.* TO `app`" in rows


UNCHECKED = """
CREATE DATABASE odd;
USE odd;
CREATE TABLE checked (i INT, CONSTRAINT positive CHECK (i > 0));
SET check_constraint_checks = 0;
INSERT INTO checked VALUES (1), (-1);
CREATE SEQUENCE numbers;
CREATE TABLE asking (i INT DEFAULT NEXTVAL(numbers), j INT);
CREATE DATABASE earlier;
CREATE TABLE earlier.borrowing (i INT DEFAULT (NEXT VALUE FOR odd.numbers), j INT);
INSERT INTO asking (j) VALUES (1), (2);
INSERT INTO earlier.borrowing VALUES (1, 2);
"""


async def test_rows_beside_their_checks_and_defaults_of_sequences_are_restored(shop: Mariadb, tmp_path: Path) -> None:
    shop.sql(UNCHECKED)
    try:
        taken = await backups.take(shop, tmp_path, replace(backups.PATIENT, include=("odd", "earlier")))
    finally:
        shop.sql("DROP DATABASE earlier; DROP DATABASE odd")
    names = {each.name: each.name for each in taken.manifest.facts.databases}
    async with backups.scratch(taken) as target:
        await backups.restore(taken, target)
        found = comparing.compare(
            taken.manifest.facts, await backups.ENGINE.facts_of(target, taken.manifest, names, 60)
        )
        following = backups.asked(target, "INSERT INTO odd.asking (j) VALUES (3); SELECT MAX(i) FROM odd.asking")

    assert found.differences == ()
    assert found.tables_by_content == found.tables_total == 3
    assert int(following) > 2


async def test_an_account_of_a_host_by_name_is_restored_where_the_host_has_that_name(
    mariadb_servers: MariadbServers, tmp_path: Path
) -> None:
    account = f"root@`{socket.gethostname()}`"  # the server makes it, and the scratch server makes its own
    with mariadb_servers.new("--skip-name-resolve=0") as server:
        backups.furnished(server).sql(f"GRANT SELECT ON shop.* TO {account}")
        taken = await backups.take(server, tmp_path)
    async with backups.scratch(taken) as target:
        await backups.restore(taken, target)
        assert f"root@{socket.gethostname()}" in taken.manifest.facts.roles
        assert "ALL PRIVILEGES" in backups.asked(target, f"SHOW GRANTS FOR {account}")


async def test_ddl_during_the_dump_is_told(shop: Mariadb, tmp_path: Path) -> None:
    async def meanwhile(source: Source) -> None:
        await asyncio.sleep(0)
        assert isinstance(source, MysqlSource)
        await source.moment.over.wait()
        # A function: the client ends at a table that came after its snapshot, if it has not listed that database yet.
        await asyncio.to_thread(shop.sql, "CREATE FUNCTION `od-d ``one`.new() RETURNS INT DETERMINISTIC RETURN 1")

    try:
        taken = await backups.take(shop, tmp_path, meanwhile=meanwhile)
    finally:
        shop.sql("DROP FUNCTION `od-d ``one`.new")

    assert not taken.manifest.facts.comparable
    assert "created, changed or dropped while the dump ran" in taken.evidence


@pytest.mark.parametrize("damage", ["cut", "no last line", "flipped"])
async def test_a_damaged_member_is_not_decoded(shop: Mariadb, tmp_path: Path, damage: str) -> None:
    taken = await backups.take(shop, tmp_path)
    member = tmp_path / "dump.sql.zst"
    content = bytearray(member.read_bytes())
    if damage == "cut":
        content = content[: len(content) // 2]
    elif damage == "flipped":
        content[len(content) // 2] ^= 0xFF
    else:
        content = bytearray(await asyncio.to_thread(backups.without_end, member))
    member.write_bytes(content)

    with pytest.raises(JobError):
        await backups.decode(taken)


@asynccontextmanager
async def standing(server: Mariadb, directory: Path) -> AsyncIterator[tuple[MysqlSource, subprocess.Popen[bytes]]]:
    """A dump that stands still in the middle of a large table: nobody reads what it writes."""
    instance, options = backups.described(server), DumpOptions(facts=FactsMode.OFF)
    server.sql(LARGE)
    try:
        preflight = await backups.ENGINE.preflight(instance, options)
        (step,) = backups.ENGINE.steps(
            instance, preflight, options, directory, private=directory, application=backups.APPLICATION
        )
        async with step.opened() as source, asyncio.timeout(60):
            assert isinstance(source, MysqlSource)
            with backups.unread(source.pipelines[0]) as dump:
                await source.dump_started()
                await asyncio.to_thread(eventually, lambda: server.sql(SENDING), timeout_seconds=30)
                yield source, dump
    finally:
        server.sql("DROP TABLE shop.huge")


async def test_a_dump_whose_connection_is_killed_fails(shop: Mariadb, tmp_path: Path) -> None:
    async with standing(shop, tmp_path) as (source, dump):
        assert len(source.moment.dump_ids) == 1
        shop.sql(f"KILL {source.moment.dump_ids[0]}")
        written, _ = await asyncio.to_thread(dump.communicate, timeout=120)

    assert dump.returncode != 0
    assert b"-- Dump completed" not in written[-200:]


async def test_who_waits_for_a_table_that_the_dump_reads_is_seen(shop: Mariadb, tmp_path: Path) -> None:
    async with standing(shop, tmp_path) as (source, dump), asyncio.TaskGroup() as group:
        assert await source.blocking() == Blocking()
        assert await source.progress() == (1, 5)
        waiting = asyncio.to_thread(shop.sql, "ALTER TABLE shop.huge ADD COLUMN late INT")
        group.create_task(waiting, name="waiting")
        await asyncio.to_thread(eventually, lambda: shop.sql(WAITING))
        assert (await source.blocking()).sessions == 1
        dump.kill()


async def test_sessions_that_nobody_runs_any_more_are_ended(shop: Mariadb) -> None:
    left = await shop.connect(backups.ACCOUNT, password=backups.PASSWORD)
    async with left.cursor() as cursor, asyncio.TaskGroup() as group:
        group.create_task(_until_killed(cursor, f"SELECT SLEEP(60) /* {backups.APPLICATION} */"), name="left over")
        await asyncio.to_thread(eventually, lambda: shop.sql(SESSIONS))
        instance = backups.described(shop)

        assert await backups.ENGINE.sweep(instance, "dbwatch/bk/", [backups.APPLICATION]) == 0
        assert await backups.ENGINE.sweep(instance, "dbwatch/bk/", []) == 1
    left.close()


async def _until_killed(cursor: aiomysql.Cursor, sql: str) -> None:
    with pytest.raises(aiomysql.OperationalError):
        await cursor.execute(sql)
