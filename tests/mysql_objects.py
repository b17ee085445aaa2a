"""Stories of tables, indexes and waits, told on any MySQL or MariaDB: a database is made, looked at, and dropped."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from dbwatch.poller import asking
from tests.fix_process import eventually
from tests.mysql_asking import ENGINE, facts, ours, samples, see, session

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tests.fix_mariadb import Mariadb
    from tests.mysql_asking import Seen

RATIO = "dbwatch_key_exhaustion_ratio"
LAST_OF_TINYINT = 127
KEYS = """
CREATE TABLE a (id tinyint NOT NULL AUTO_INCREMENT PRIMARY KEY, v int); INSERT INTO a (id) VALUES (63);
CREATE TABLE b (id tinyint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY) AUTO_INCREMENT = 128;
CREATE TABLE c (id smallint NOT NULL AUTO_INCREMENT PRIMARY KEY) AUTO_INCREMENT = 16384;
CREATE TABLE d (id smallint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY) AUTO_INCREMENT = 32768;
CREATE TABLE e (id mediumint NOT NULL AUTO_INCREMENT PRIMARY KEY) AUTO_INCREMENT = 4194304;
CREATE TABLE f (id mediumint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY) AUTO_INCREMENT = 8388608;
CREATE TABLE g (id int NOT NULL AUTO_INCREMENT PRIMARY KEY, o int NOT NULL, KEY (o)) AUTO_INCREMENT = 1073741824;
CREATE TABLE h (id int unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY) AUTO_INCREMENT = 2147483648;
CREATE TABLE i (id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY) AUTO_INCREMENT = 4611686018427387904;
CREATE TABLE j (id bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY) AUTO_INCREMENT = 9223372036854775808;
CREATE TABLE `k é` (t varchar(9), `n é` int NOT NULL AUTO_INCREMENT, PRIMARY KEY (t, `n é`), KEY (`n é`))
    AUTO_INCREMENT = 1073741824;
CREATE TABLE two (t int NOT NULL, id int NOT NULL AUTO_INCREMENT, PRIMARY KEY (t, id), KEY (id)) AUTO_INCREMENT = 9;
CREATE TABLE no (id int NOT NULL PRIMARY KEY, e enum('x') NOT NULL, y year NOT NULL, KEY (e), KEY (y));
"""
INDEXES = """
CREATE TABLE parent (id int PRIMARY KEY, u int, UNIQUE KEY u (u), KEY u_again (u));
CREATE TABLE child (id int PRIMARY KEY, p int, a int, b datetime, m varchar(20),
    FOREIGN KEY of_parent (p) REFERENCES parent (id),
    KEY a (a), KEY a_b (a, b), KEY b_a (b, a), KEY b_a_again (b, a), UNIQUE KEY a_once (a),
    KEY m_part (m(5)), KEY m_whole (m));
CREATE TABLE mailed (id int PRIMARY KEY, m varchar(20), UNIQUE KEY m_once (m), KEY m_again (m));
CREATE TABLE `été "'#` (`clé,` int, KEY `É` (`clé,`), KEY `É2` (`clé,`));
CREATE TABLE heap (a int, b int);
"""


WAITS = "SELECT COUNT(*) FROM information_schema.processlist WHERE state = 'Waiting for table metadata lock'"


@contextmanager
def database(server: Mariadb, name: str, sql: str = "") -> Iterator[None]:
    server.sql(f"SET NAMES utf8mb4; CREATE DATABASE {name}; USE {name}; {sql}")
    try:
        yield
    finally:
        server.sql(f"DROP DATABASE {name}")


@asynccontextmanager
async def holding(server: Mariadb, name: str, hold: str, want: str) -> AsyncIterator[int]:
    """A session that holds a lock and forgets about it, and one that waits behind it; the waiter's number."""
    holder, waiter = await server.admin(name), await server.admin(name)
    try:
        await holder.query("SET autocommit = 0")
        await holder.query(hold)
        waiting = asyncio.ensure_future(waiter.query(want))
        waits = f"{WAITS} AND id = {waiter.thread_id()}"
        await asyncio.to_thread(eventually, lambda: server.sql(waits) == "1")
        await asyncio.sleep(1.1)
        yield waiter.thread_id()
        await holder.query("ROLLBACK")
        await waiting
    finally:
        holder.close()
        waiter.close()
        await asyncio.sleep(0.05)


def is_mysql(server: Mariadb) -> bool:
    return "MariaDB" not in server.sql("SELECT VERSION()")


async def unused(server: Mariadb, *, days: int) -> Seen:
    """What the collector would say if so many days were enough."""
    collector = ours().collectors[ENGINE, "unused_indexes"]
    async with session(server.instance(), collector.lane) as opened:
        asked = asking.query(collector, await facts(opened))
        rows = await opened.fetch(replace(asked, sql=asked.sql.replace("30 * 86400", f"{days} * 86400")))
    return samples("unused_indexes", rows)


async def keys_come_near_their_end(server: Mariadb) -> None:
    parts = "CREATE TABLE p (id int NOT NULL AUTO_INCREMENT PRIMARY KEY) PARTITION BY HASH (id) PARTITIONS 3"
    with database(server, "keyz", f"{KEYS} {parts}; INSERT INTO p VALUES (1073741823), (NULL);"):
        seen = {key: round(value, 2) for key, value in (await see(server.instance(), "auto_increment")).items()}
        half = dict.fromkeys("abcdefghij", 0.5)
        expected = {f"{RATIO}{{column=id,database=keyz,table={name}}}": value for name, value in half.items()}
        expected |= {f"{RATIO}{{column=n é,database=keyz,table=k é}}": 0.5}
        if not is_mysql(server):
            expected |= {f"{RATIO}{{column=id,database=keyz,table=p}}": 0.5}
        assert expected == {key: value for key, value in seen.items() if "database=keyz" in key}
        server.sql(f"INSERT INTO keyz.a (id) VALUES ({LAST_OF_TINYINT})")
        full = await see(server.instance(), "auto_increment")
        assert full[f"{RATIO}{{column=id,database=keyz,table=a}}"] == 1


async def superfluous_indexes_are_named(server: Mariadb) -> None:
    with database(server, "redun", INDEXES):
        seen = {key for key in await see(server.instance(), "redundant_indexes") if "database=redun" in key}
        wanted = {
            ("parent", "u_again"),
            ("child", "a"),
            ("child", "b_a_again"),
            ("mailed", "m_again"),
            ("été \"'#", "É2"),
        }
        assert {
            f"dbwatch_index_redundant{{database=redun,index={index},table={table}}}" for table, index in wanted
        } == seen
        server.sql("ALTER TABLE redun.child DROP KEY b_a_again; ALTER TABLE redun.parent DROP KEY u_again")
        left = {key for key in await see(server.instance(), "redundant_indexes") if "database=redun" in key}
        assert {key for key in seen if "b_a_again" not in key and "u_again" not in key} == left


async def tables_without_a_primary_key_are_counted(server: Mariadb) -> None:
    count = "dbwatch_tables_without_primary_key{database=redun}"
    with database(server, "redun", INDEXES):
        assert (await see(server.instance(), "primary_keys"))[count] == 2
        server.sql("ALTER TABLE redun.heap ADD PRIMARY KEY (a)")
        assert (await see(server.instance(), "primary_keys"))[count] == 1


async def indexes_that_nobody_reads_are_named_after_a_month(server: Mariadb) -> None:
    with database(server, "redun", INDEXES):
        assert await see(server.instance(), "unused_indexes") == {}
        assert await unused(server, days=1) == {}
        server.sql("INSERT INTO redun.child (id, a, b) VALUES (1, 1, NOW()), (2, 2, NOW())")
        server.sql("SELECT id FROM redun.child FORCE INDEX (a_b) WHERE a > 0")
        seen = {key for key in await unused(server, days=0) if "table=child" in key}
        wanted = {"a", "b_a", "b_a_again", "m_part", "m_whole"}
        assert {f"dbwatch_index_unused{{database=redun,index={name},table=child}}" for name in wanted} == seen
        everything = " ".join(await unused(server, days=0))
        assert "index=É,table=été \"'#" in everything
        assert "of_parent" not in everything
        assert "_once" not in everything


async def a_table_with_holes_is_fragmented_until_it_is_made_anew(server: Mariadb) -> None:
    ten = "(SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4 UNION ALL SELECT 5) AS"
    rows = f"FROM {ten} a, {ten} b, {ten} c, {ten} d, {ten} e, {ten} f, (SELECT 1 UNION ALL SELECT 2) AS g"
    fill = f"INSERT INTO t (v) SELECT REPEAT('x', 500) {rows}"
    name = "dbwatch_mysql_table_free_bytes{database=holes,table=t}"
    used = "dbwatch_mysql_table_used_bytes{component=data,database=holes,table=t}"
    read = "ANALYZE TABLE holes.t; SELECT COUNT(*) FROM holes.t; SET SESSION information_schema_stats_expiry = 0"
    columns = "SELECT data_free, data_length FROM information_schema.tables WHERE table_schema = 'holes'"
    read = read if is_mysql(server) else read.rpartition(";")[0]
    with database(server, "holes", f"CREATE TABLE t (id int PRIMARY KEY AUTO_INCREMENT, v varchar(500)); {fill}"):
        server.sql("DELETE FROM holes.t WHERE id > 1000")

        def told() -> list[int]:
            return [int(each) for each in server.sql(f"{read}; {columns}").split("\n")[-1].split("\t")]

        def purged() -> bool:  # nothing tells that the last of it is: no more gets free
            before = told()
            time.sleep(1)
            return before[0] >= 4 << 20 and before == told()

        eventually(purged, timeout_seconds=60)
        free, data = told()
        seen = await see(server.instance(), "table_sizes")
        assert 4 << 20 <= free <= seen[name] <= free + (4 << 20)
        assert data == seen[used]
        server.sql("OPTIMIZE TABLE holes.t")
        server.sql(read)
        assert (await see(server.instance(), "table_sizes"))[name] < seen[name] / 2


async def rows_read_and_written_are_counted_by_table_and_index(server: Mariadb) -> None:
    create = (
        "CREATE TABLE t (id int PRIMARY KEY, k int, v int, KEY k (k)); INSERT INTO t VALUES (1,1,1), (2,2,2), (3,3,3)"
    )
    with database(server, "busy", create):
        before = await see(server.instance(), "table_io") | await see(server.instance(), "index_io")
        work = "SELECT SUM(v) FROM busy.t IGNORE INDEX (k); SELECT v FROM busy.t FORCE INDEX (k) WHERE k = 2;"
        server.sql(f"{work} UPDATE busy.t SET v = 9 WHERE id = 1; DELETE FROM busy.t WHERE id = 3")
        after = await see(server.instance(), "table_io") | await see(server.instance(), "index_io")
    at = "database=busy"
    rows = "dbwatch_mysql_table_io_operations_total"
    assert before[f"{rows}{{{at},operation=insert,table=t}}"] == 3
    assert after[f"{rows}{{{at},operation=update,table=t}}"] == 1
    assert after[f"{rows}{{{at},operation=delete,table=t}}"] == 1
    assert 3 <= after[f"dbwatch_mysql_table_scan_rows_total{{{at},table=t}}"] <= 4
    assert 1 <= after[f"dbwatch_mysql_index_rows_read_total{{{at},index=k,table=t}}"] <= 2
    assert 0 < after[f"dbwatch_mysql_table_io_seconds_total{{{at},operation=fetch,table=t}}"] < 1
    assert 0 < after[f"dbwatch_mysql_index_io_seconds_total{{{at},index=k,table=t}}"] < 1


async def files_are_told_apart_by_what_they_are_for(server: Mariadb) -> None:
    name = "dbwatch_mysql_file_io_bytes_total{class=binlog,operation=write}"
    written = "SELECT SUM(sum_number_of_bytes_write) FROM performance_schema.file_summary_by_event_name"
    with database(server, "files", "CREATE TABLE t (v mediumtext)"):
        before = (await see(server.instance(), "file_io"))[name]
        server.sql("INSERT INTO files.t VALUES (REPEAT('x', 100000))")
        after = await see(server.instance(), "file_io")
        direct = int(server.sql(f"{written} WHERE event_name LIKE 'wait/io/file/sql/binlog%'"))
    assert 0 < after[name] - before < 200_000
    assert after[name] == direct
    assert after["dbwatch_mysql_file_io_seconds_total{class=data,operation=read}"] > 0


async def a_wait_for_a_metadata_lock_is_seen_and_counted(server: Mariadb) -> None:
    switch = "UPDATE performance_schema.setup_instruments SET enabled = '{0}', timed = '{0}' WHERE name = '{1}'"
    mdl = "wait/lock/metadata/sql/mdl"
    counted = "dbwatch_wait_seconds_total{wait_class=metadata_lock}"
    waits, longest = "dbwatch_mysql_metadata_lock_waits", "dbwatch_mysql_metadata_lock_wait_longest_seconds"
    blockers = "dbwatch_mysql_metadata_lock_blockers"
    quiet = {f"{waits}{{lock={lock}}}": 0.0 for lock in ("table", "schema", "global", "other")} | {longest: 0.0}
    quiet |= {blockers: 0.0} if is_mysql(server) else {}
    with database(server, "mdl", "CREATE TABLE t (id int PRIMARY KEY)"):
        assert await see(server.instance(), "metadata_locks") == quiet
        assert (counted in await see(server.instance(), "wait_events")) is is_mysql(server)
        server.sql(switch.format("YES", mdl))
        before = (await see(server.instance(), "wait_events"))[counted]
        async with holding(server, "mdl", "SELECT id FROM t", "ALTER TABLE t ADD COLUMN v int"):
            seen = await see(server.instance(), "metadata_locks")
        after = (await see(server.instance(), "wait_events"))[counted]
        if not is_mysql(server):
            server.sql(switch.format("NO", mdl))
            assert counted not in await see(server.instance(), "wait_events")
        assert 1 <= seen[longest] < 10
        blocked = {f"{waits}{{lock=table}}": 1.0, longest: seen[longest]}
        assert quiet | blocked | dict.fromkeys(quiet.keys() & {blockers}, 1.0) == seen
        assert 1 <= after - before < 10


async def a_fulltext_index_adds_no_table_and_long_names_have_rows(server: Mariadb) -> None:
    long_name = "é" * 40
    long = f"CREATE TABLE `{long_name}` (id int PRIMARY KEY); INSERT INTO `{long_name}` VALUES (1), (2)"
    read = f"ANALYZE TABLE `{long_name}`; SELECT COUNT(*) FROM `{long_name}`"
    with database(server, "names", f"CREATE TABLE x (t text, FULLTEXT (t)); {long}; {read}"):
        assert (await see(server.instance(), "database_sizes"))["dbwatch_tables{database=names}"] == 2
        seen = await see(server.instance(), "table_sizes")
        assert seen[f"dbwatch_table_rows{{database=names,table={long_name}}}"] == 2


async def an_open_transaction_tells_its_rows_and_its_session_holds_memory(server: Mariadb) -> None:
    modified, locked = (f"dbwatch_mysql_transaction_rows_{what}_max" for what in ("modified", "locked"))
    with database(
        server, "open", "CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t VALUES (1, 0), (2, 0), (3, 0)"
    ):
        client = await server.admin("open")
        try:
            await client.query("SET autocommit = 0")
            await client.query("UPDATE t SET v = 1")
            seen = await see(server.instance(), "innodb_transactions")
            held = await see(server.instance(), "session_memory")
        finally:
            client.close()
            await asyncio.sleep(0.05)
        assert seen[modified] == 3
        assert 3 <= seen[locked] <= 8
        assert held["dbwatch_mysql_sessions_memory_bytes"] > 1000
        assert held["dbwatch_mysql_client_hosts"] == 1
        eventually(lambda: server.sql("SELECT COUNT(*) FROM information_schema.innodb_trx") == "0", every_seconds=0.3)
        assert (await see(server.instance(), "innodb_transactions"))[modified] == 0


async def a_table_in_a_shared_tablespace_has_the_size_of_its_pages(server: Mariadb) -> None:
    per_table = "SET GLOBAL innodb_file_per_table = {}"
    where = "TABLESPACE innodb_system" if is_mysql(server) else ""
    name = "dbwatch_table_size_bytes{component=shared,database=common,table=t}"
    with database(server, "common"):
        make = f"CREATE TABLE common.t (id int PRIMARY KEY, k int, KEY (k)) {where}; INSERT INTO common.t VALUES (1, 1)"
        try:
            server.sql(f"{per_table.format('OFF')}; {make}; SELECT COUNT(*) FROM common.t")
        finally:
            server.sql(per_table.format("ON"))
        seen = await see(server.instance(), "table_sizes")
        pages = int(server.sql("SELECT @@innodb_page_size"))
        assert seen[name] == 2 * pages
        assert "dbwatch_table_size_bytes{component=file,database=common,table=t}" not in seen
        assert "dbwatch_mysql_table_free_bytes{database=common,table=t}" not in seen


STORIES = (
    a_table_in_a_shared_tablespace_has_the_size_of_its_pages,
    an_open_transaction_tells_its_rows_and_its_session_holds_memory,
    keys_come_near_their_end,
    superfluous_indexes_are_named,
    tables_without_a_primary_key_are_counted,
    indexes_that_nobody_reads_are_named_after_a_month,
    a_table_with_holes_is_fragmented_until_it_is_made_anew,
    rows_read_and_written_are_counted_by_table_and_index,
    files_are_told_apart_by_what_they_are_for,
    a_wait_for_a_metadata_lock_is_seen_and_counted,
    a_fulltext_index_adds_no_table_and_long_names_have_rows,
)
