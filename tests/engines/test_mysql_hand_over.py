"""What is printed after the restore of a table of MariaDB: names as they are spelt, and values that a dump changes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from dbwatch.core.backups.model import Facts, FactsMode, TableFacts
from dbwatch.core.backups.restore_plans import Part
from dbwatch.core.backups.unread import Unread
from dbwatch.engines.backing import Selection, Target
from dbwatch.jobs.restoring_hand_over import hand_over
from tests import mysql_backups as backups
from tests.fix_process import program, run
from tests.unit.test_backup_hand_over import MYSQL, planned

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.fix_mariadb import Mariadb, MariadbServers

pytestmark = pytest.mark.engine
MADE = """
SET sql_mode = '';
CREATE DATABASE live; CREATE DATABASE side; CREATE DATABASE `Side`; CREATE DATABASE `LIVE`; USE live;
CREATE TABLE measured (at FLOAT, place INT, n INT, PRIMARY KEY (at, place));
INSERT INTO measured VALUES (123456.7, 1, 10), (0.1, 1, 20), (-1234567.8, 2, 30);
CREATE TABLE numbered (at FLOAT NOT NULL, id INT NOT NULL, e ENUM('a', ''), PRIMARY KEY (at, id), UNIQUE (id));
INSERT INTO numbered VALUES (123456.7, 1, ''), (0.1, 2, 'none of them');
CREATE TABLE kinds (e ENUM('a', '') PRIMARY KEY);
INSERT INTO kinds VALUES ('none of them'), ('a');
CREATE TABLE loose (at FLOAT, n INT);
INSERT INTO loose VALUES (123456.7, 1), (123456.7, 1), (0.1, 2);
CREATE TABLE decimals (at FLOAT(9, 2) PRIMARY KEY, d DOUBLE, n INT);
INSERT INTO decimals VALUES (1234.56, 0.1 + 0.2, 1), (1234567.89, PI() * 1e9, 2);
CREATE TABLE `Spelt` (id INT PRIMARY KEY, other INT);
CREATE TABLE spelt (id INT PRIMARY KEY, n VARCHAR(9));
INSERT INTO spelt VALUES (1, 'a'), (2, 'b');
CREATE TABLE `LIVE`.spelt (id INT PRIMARY KEY, wide INT);
CREATE TABLE `Side`.spelt (id INT PRIMARY KEY, wide INT);
CREATE TRIGGER of_other BEFORE INSERT ON `Spelt` FOR EACH ROW SET NEW.other = 1;
"""
MEMBERS = """
CREATE DATABASE members;
USE members;
CREATE TABLE chosen (e ENUM('a', ''), n INT, UNIQUE (n, e));
CREATE TABLE several (s SET('', 'b') PRIMARY KEY);
CREATE TABLE quoted (e ENUM('a'',''b', 'c''') PRIMARY KEY);
CREATE TABLE without (e ENUM('a', 'b') PRIMARY KEY);
CREATE TABLE no_key (e ENUM('a', ''), KEY (e));
"""
ROWS = "SELECT COUNT(*), SUM(n), GROUP_CONCAT(at ORDER BY at) FROM live."


@pytest.fixture(scope="module")
def server(mariadb_servers: MariadbServers) -> Iterator[Mariadb]:
    with mariadb_servers.new() as server:
        yield backups.furnished(server, MADE)


def dumped(server: Mariadb, table: str) -> None:
    """A copy, as a dump of the table makes it."""
    client = program("mariadb-dump", want="mariadb-client")
    words = ["--no-defaults", f"--socket={server.socket}", "--user=root", "live", table]
    server.sql(run([client, *words], server.directory), "side")


async def printed(server: Mariadb, table: str, directory: Path, facts: TableFacts | None = None) -> str:
    wanted = planned(Part("live", "", table, "side"), "mysql")
    known = Facts(FactsMode.FULL, comparable=True, tables=(facts,) if facts else ())
    manifest = replace(wanted.record.manifest, facts=known)
    target = Target(backups.described(server), directory)
    aside = await backups.ENGINE.aside(manifest, directory, target, Selection("live", "", table, "side"), None)
    return hand_over(wanted, aside, MYSQL)


async def test_rows_of_which_a_dump_cuts_the_key_are_asked_about_and_none_comes_twice(
    server: Mariadb, tmp_path: Path
) -> None:
    dumped(server, "measured")
    before = server.sql(ROWS + "measured")
    server.sql("DELETE FROM live.measured WHERE place = 2")
    pasted = await printed(server, "measured", tmp_path)

    with pytest.raises(RuntimeError, match="a dump cuts values of the key"):
        server.sql(pasted)
    server.sql("SET @dbwatch_cut_keys = 'on';" + pasted)

    assert server.sql(ROWS + "measured") == before
    assert "come back with what a dump keeps of `at` (six digits" in pasted
    assert "as they were" not in pasted
    assert "cut to the same" in pasted


async def test_an_enum_beside_its_members_is_not_taken_for_another_row(server: Mariadb, tmp_path: Path) -> None:
    dumped(server, "kinds")
    server.sql("DELETE FROM live.kinds WHERE e = 'a'")

    server.sql("SET @dbwatch_cut_keys = 'on';" + await printed(server, "kinds", tmp_path))

    assert server.sql("SELECT GROUP_CONCAT(e + 0 ORDER BY e + 0) FROM live.kinds") == "0,1"


async def test_a_key_that_a_dump_keeps_is_taken_before_one_that_it_cuts(server: Mariadb, tmp_path: Path) -> None:
    dumped(server, "numbered")
    server.sql("DELETE FROM live.numbered WHERE id = 2")
    pasted = await printed(server, "numbered", tmp_path)

    server.sql(pasted)

    assert server.sql("SELECT GROUP_CONCAT(id ORDER BY id) FROM live.numbered") == "1,2"
    assert "what a dump keeps of `at`, `e` (" in pasted
    assert "Rows are known by the key:" in pasted


async def test_whole_rows_are_compared_as_a_dump_prints_them(server: Mariadb, tmp_path: Path) -> None:
    dumped(server, "loose")
    before = server.sql(ROWS + "loose")
    server.sql("DELETE FROM live.loose WHERE n = 1 LIMIT 1")

    server.sql(await printed(server, "loose", tmp_path))

    assert server.sql(ROWS + "loose") == before


async def test_what_was_seen_to_be_in_the_dump_as_it_is_comes_back_as_it_was(server: Mariadb, tmp_path: Path) -> None:
    exact = TableFacts("live", "", "measured", 3, "1")

    assert "as they were" in await printed(server, "measured", tmp_path, exact)
    for unlike in (replace(exact, unread=Unread.CHANGED), replace(exact, digest=None, unread=Unread.TIME)):
        assert "as they were" not in await printed(server, "measured", tmp_path, unlike)


async def test_a_double_or_a_float_of_fixed_decimals_is_dumped_as_it_is(server: Mariadb, tmp_path: Path) -> None:
    dumped(server, "decimals")
    before = server.sql("SELECT * FROM live.decimals ORDER BY n")
    server.sql("DELETE FROM live.decimals WHERE n = 2")
    pasted = await printed(server, "decimals", tmp_path)

    server.sql(pasted)

    assert server.sql("SELECT * FROM live.decimals ORDER BY n") == before
    assert "as they were" in pasted


async def test_a_float_in_a_unique_key_is_told_before_the_dump(server: Mariadb) -> None:
    options = replace(backups.PATIENT, include=("live",))
    *_, told, _ = (await backups.ENGINE.preflight(backups.described(server), options)).warnings

    assert told.startswith("live.measured, live.numbered: a unique key holds a FLOAT")
    assert told.endswith("make the column DOUBLE, which a dump holds as it is")


async def test_an_enum_or_set_of_a_unique_key_that_has_the_empty_member_is_told_before_the_dump(
    server: Mariadb,
) -> None:
    server.sql(MEMBERS)
    options = replace(backups.PATIENT, include=("members",))
    *_, told = (await backups.ENGINE.preflight(backups.described(server), options)).warnings

    assert told.startswith("members.chosen, members.several: a unique key holds an ENUM or SET with the member ''")
    assert "drop the member ''" in told


async def test_a_name_is_no_other_that_differs_by_case(server: Mariadb, tmp_path: Path) -> None:
    dumped(server, "spelt")
    server.sql("DELETE FROM live.spelt WHERE id = 2")
    pasted = await printed(server, "spelt", tmp_path)

    server.sql(pasted)

    assert server.sql("SELECT GROUP_CONCAT(id, n ORDER BY id) FROM live.spelt") == "1a,2b"
    assert "other" not in pasted
    assert "wide" not in pasted
