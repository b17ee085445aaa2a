"""What of MySQL's backups needs no server: which lines of a dump are wanted, rights, flags, who waits for whom."""

from __future__ import annotations

from io import BytesIO
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbwatch.core.backups import sections
from dbwatch.core.backups.model import Codec, DatabaseFacts
from dbwatch.core.backups.sections import Picker, Wanted
from dbwatch.engines import mysql_backup_privileges as privileges
from dbwatch.engines import mysql_backup_programs as programs
from dbwatch.engines import mysql_backup_session as sessions
from dbwatch.engines import mysql_backup_watching as watching
from dbwatch.engines import mysql_sections as children
from dbwatch.engines.backing import Blocking, Program, Selection
from dbwatch.engines.preflight import Statement
from dbwatch.errors import JobError
from dbwatch.settings.models import MysqlInstance

DUMP = rb"""/*M!999999\- enable the sandbox mode */
-- MariaDB dump
--
-- Current Database: `shop`
--

CREATE DATABASE /*!32312 IF NOT EXISTS*/ `shop`;

USE `shop`;

--
-- Table structure for table `a``b`
--

CREATE TABLE `a``b` (`id` int);

--
-- Dumping data for table `a``b`
--
-- WHERE:  1

INSERT INTO `a``b` VALUES
(1),
(2);
DELIMITER ;;
CREATE TRIGGER t BEFORE INSERT ON `a``b` FOR EACH ROW BEGIN
--
-- Table structure for table `other`
--
USE `shop`;
END ;;
DELIMITER ;

--
-- Table structure for table `other`
--

CREATE TABLE `other` (`id` int);

--
-- Current Database: `side`
--

CREATE DATABASE /*!32312 IF NOT EXISTS*/ `side`;

USE `side`;

--
-- Current Database: `shop`
--

USE `shop`;
/*!40103 SET TIME_ZONE=@OLD_TIME_ZONE */;

-- Dump completed on 2026-11-22  7:17:31
"""
LINES = DUMP.splitlines(keepends=True)


def picked(wanted: Wanted) -> tuple[bytes, bool]:
    picker = Picker(wanted)
    return b"".join(map(picker.line, LINES)), picker.found


def test_one_table_comes_with_its_rows_and_its_trigger_and_nothing_else() -> None:
    text, found = picked(Wanted("shop", "a`b"))

    assert found
    assert b"CREATE TABLE `a``b`" in text
    assert b"(1),\n(2);" in text
    assert b"END ;;" in text
    assert b"CREATE TABLE `other`" not in text
    assert b"`side`" not in text
    assert text.endswith(LINES[-1])


def test_a_database_may_have_another_name_and_bodies_stay_as_they_were_written() -> None:
    text, found = picked(Wanted("shop", into="new`one"))

    assert found
    assert text.count(b"USE `new``one`;") == 2
    assert b"IF NOT EXISTS*/ `new``one`;" in text
    assert text.count(b"USE `shop`;") == 1  # in the body of the trigger


EVENTS = rb"""--
-- Dumping events for database 'shop'
--
DELIMITER ;;
/*!50106 CREATE*/ /*!50106 EVENT `n` ON SCHEDULE EVERY 1 DAY ON COMPLETION NOT PRESERVE ENABLE DO BEGIN
  SET @a = 'ON COMPLETION PRESERVE ENABLE';
END */ ;;
DELIMITER ;
""".splitlines(keepends=True)


@pytest.mark.parametrize(("into", "expected"), [("copy", b"NOT PRESERVE DISABLE DO"), ("", b"NOT PRESERVE ENABLE DO")])
def test_the_events_of_a_copy_do_not_run_beside_those_of_the_original(into: str, expected: bytes) -> None:
    picker = Picker(Wanted("shop", into=into))
    begin, end = b"".join([*LINES[:-3], *EVENTS[:4]]), b"".join(EVENTS[4:])  # what creates it begins a block

    text = picker.lines(begin) + picker.lines(end)

    assert expected in text
    assert b"SET @a = 'ON COMPLETION PRESERVE ENABLE'" in text


BROKEN = b"""--
-- Table structure for table `c
-- d`
--

DROP TABLE IF EXISTS `c
d`;
CREATE TABLE `c
d` (`id` int);

"""


def test_a_table_whose_name_breaks_the_line_comes_with_its_database_and_with_no_other_table() -> None:
    before, other, rest = DUMP.rpartition(b"--\n-- Table structure for table `other`\n")
    lines = (before + BROKEN + other + rest).splitlines(keepends=True)
    texts = {}
    for table in ("", "a`b", "other"):
        picker = Picker(Wanted("shop", table, "new"))
        texts[table] = b"".join(map(picker.line, lines))
        assert picker.found

    assert BROKEN in texts[""]
    assert b"`c\n" not in texts["a`b"]
    assert b"`c\n" not in texts["other"]


def test_what_is_not_there_is_not_found() -> None:
    assert not picked(Wanted("nowhere"))[1]
    assert not picked(Wanted("shop", "nothing"))[1]


@given(st.lists(st.integers(0, len(LINES)), max_size=8), st.sampled_from(["", "a`b", "other"]))
def test_blocks_of_lines_give_what_single_lines_give(cuts: list[int], table: str) -> None:
    wanted = Wanted("shop", table, "new")
    edges = sorted({0, *cuts, len(LINES)})
    picker = Picker(wanted)
    blocks = [picker.lines(b"".join(LINES[start:end])) for start, end in pairwise(edges)]

    assert (b"".join(blocks), picker.found) == picked(wanted)


def test_the_sandbox_line_goes_where_the_client_does_not_know_it() -> None:
    assert LINES[0] not in picked(Wanted("shop", plain_client=True))[0]
    assert LINES[0] in picked(Wanted("shop"))[0]


def test_accounts_become_statements_that_harm_none_that_is_there() -> None:
    assert sections.account_statement(b"CREATE USER `a`@`%` IDENTIFIED BY PASSWORD '*1'\n") == (
        b"CREATE USER IF NOT EXISTS `a`@`%` IDENTIFIED BY PASSWORD '*1';\n"
    )
    grant = b"GRANT ALL PRIVILEGES ON *.* TO `a`@`%` IDENTIFIED VIA x USING '1' OR y WITH GRANT OPTION\n"
    assert sections.account_statement(grant) == b"GRANT ALL PRIVILEGES ON *.* TO `a`@`%` WITH GRANT OPTION;\n"
    assert sections.account_statement(b"GRANT PROXY ON ``@`%` TO `root`@`localhost`\n") == b""


def test_rights_on_what_no_restore_brings_are_left_out() -> None:
    gone = [b"`shop`.`gone`", b"PROCEDURE `shop`.`kept`"]
    left = [
        b"GRANT SELECT, INSERT (`a`) ON `shop`.`gone` TO `u`@`%`\n",
        b"GRANT EXECUTE ON PROCEDURE `shop`.`kept` TO `u`@`%`\n",
    ]
    kept = [b"GRANT SELECT ON `shop`.`gone_too` TO PUBLIC\n", b"GRANT SELECT ON `shop`.`kept` TO `u`@`%`\n"]

    assert [sections.account_statement(line, gone) for line in left] == [b"", b""]
    assert [sections.account_statement(line, gone) for line in kept] == [line.rstrip() + b";\n" for line in kept]
    assert sections.account_part(kept[0]) is sections.AccountPart.GRANT


def test_rights_are_proven_everywhere_or_for_each_database() -> None:
    every = [(name, "") for name in (*privileges.OBJECTS, *privileges.EVERYWHERE["mariadb"])]
    one = [(name, database) for name, database in every if name != "TRIGGER"] + [("TRIGGER", "a")]

    assert privileges.missing(every, ["a", "b"], "mariadb", "'x'@'%'") == []
    assert privileges.missing(one, ["a"], "mariadb", "'x'@'%'") == []
    (fault,) = privileges.missing(one, ["a", "b"], "mariadb", "'x'@'%'")
    assert fault.line.startswith("the account lacks TRIGGER in b")
    assert fault.line.endswith("GRANT TRIGGER ON *.* TO 'x'@'%';")
    assert fault.statements == (Statement("GRANT TRIGGER ON *.* TO 'x'@'%';"),)
    assert fault.hides == ""


def test_what_a_lacking_right_hides_is_known_of_each() -> None:
    def hiding(flavour: str) -> list[str]:
        faults = privileges.missing([], ["a"], flavour, "'x'@'%'")
        return [each.statements[0].text.split()[1] for each in faults if each.hides]

    assert hiding("mariadb") == ["PROCESS", "SELECT", "SHOW"]
    assert hiding("mysql") == ["PROCESS"]


def test_databases_that_are_not_shown_are_told_with_the_grant_for_one_or_for_all() -> None:
    given = ", ".join(privileges.OBJECTS)

    assert privileges.unseen([], "'x'@'%'") == []
    assert privileges.unseen(["a`b"], "'x'@'%'")[0].line.endswith(
        f"GRANT {given} ON `a``b`.* TO 'x'@'%'; or exclude it"
    )
    (fault,) = privileges.unseen(["a", "b"], "'x'@'%'")
    assert fault.line.startswith("the account does not see the database a and 1 more (")
    assert fault.statements == (Statement(f"GRANT {given} ON *.* TO 'x'@'%';"),)


def test_a_right_for_all_databases_shows_all_of_them_and_one_for_the_server_does_not() -> None:
    assert privileges.sees_all([("PROCESS", ""), ("EXECUTE", "")])
    assert not privileges.sees_all([("PROCESS", ""), ("SELECT", "a")])


VERSIONS = {
    "mariadb-dump  Ver 10.19 Distrib 10.11.19-MariaDB, for debian-linux-gnu (x86_64)": ("mariadb", (10, 11, 19)),
    "mysqldump from 11.8.3-MariaDB, client 10.19 for debian-linux-gnu (x86_64)": ("mariadb", (11, 8, 3)),
    "mysqldump  Ver 9.7.4-2 for Linux on x86_64 ((Debian))": ("mysql", (9, 7, 4)),
    "mysql  Ver 8.0.44 for Linux on x86_64 (MySQL Community Server - GPL)": ("mysql", (8, 0, 44)),
}


@pytest.mark.parametrize("text", VERSIONS)
def test_a_program_says_whose_it_is(text: str) -> None:
    tool = programs.judged(Program("mysqldump", Path("mysqldump"), (10, 19), text))

    assert (tool.flavour, tool.program.version) == VERSIONS[text]


def test_an_older_client_is_refused_and_the_nearest_is_taken() -> None:
    found = [Program("mysqldump", Path(f"m{major}"), (major, 0, 1), "") for major in (8, 9)]

    assert programs.fitting(found, "mysql", (8, 0, 44), "mysqldump").path == Path("m8")
    with pytest.raises(JobError, match=r"of MySQL 9\.0, the server 9\.7"):
        programs.fitting(found, "mysql", (9, 7, 4), "mysqldump")
    with pytest.raises(JobError, match="no mysqldump of MySQL was found"):
        programs.fitting([], "mysql", (9, 7, 4), "mysqldump")


def test_a_client_is_told_only_what_it_knows() -> None:
    known = "\n".join(flag.partition("=")[0] for flag in programs.REQUIRED)

    assert programs.flags_known(known, "mysql", (8, 0), "m") == programs.REQUIRED
    assert programs.flags_known(known + "\n--set-gtid-purged", "mysql", (8, 0), "m")[-1] == "--set-gtid-purged=OFF"
    assert "--set-gtid-purged=OFF" not in programs.flags_known(known + "\n--set-gtid-purged", "mariadb", (10, 11), "m")
    with pytest.raises(JobError, match="does not know --events"):
        programs.flags_known(known.replace("--events", ""), "mysql", (8, 0), "m")


def test_the_codec_that_was_asked_for_must_be_here() -> None:
    assert programs.chosen_codec(None, {Codec.NONE, Codec.GZIP}) is Codec.GZIP
    assert programs.chosen_codec(Codec.NONE, {Codec.NONE}) is Codec.NONE
    with pytest.raises(JobError, match="zstd"):
        programs.chosen_codec(Codec.ZSTD, {Codec.NONE})


def test_a_password_stands_in_the_option_file_whatever_is_in_it() -> None:
    text = """a'b"c\\d#e f"""
    described = {"name": "x", "engine": "mysql", "monitor": {"user": "m", "password": text}}
    content = sessions.option_file(MysqlInstance.model_validate(described), "mysql").get_secret_value()

    assert 'password="a\\\'b\\"c\\\\d#e f"\n' in content
    assert "ssl-mode=DISABLED" in content


def seen(number: int, info: str, state: str = "", seconds: float = 1.0, *, is_servers: bool = False) -> watching.Seen:
    return watching.Seen(number, "shop", state, seconds, info, is_servers)


WAITS = "Waiting for table metadata lock"


def test_who_waits_for_the_dumps_table_is_counted_and_others_are_not() -> None:
    dump = seen(7, "SELECT /*!40001 SQL_NO_CACHE */ `a` FROM `order``s` WHERE 1 /* dbwatch/bk/x */")
    mine = seen(8, "ALTER TABLE order`s ADD b INT", WAITS, 3.0)
    others = [seen(9, "ALTER TABLE parcels ADD b INT", WAITS, 9.0), seen(10, "COMMIT", "Waiting for backup lock")]
    assert dump.table == "order`s"
    every = [dump, mine, *others]

    def blocking(reading: str, *, holds_all: bool) -> Blocking:
        return watching.Waits(0.0).blocking(every, {7}, {reading}, 60.0, holds_all=holds_all)

    assert blocking(dump.table, holds_all=False) == Blocking(1, 3.0)
    assert blocking("", holds_all=False) == Blocking()
    assert blocking("", holds_all=True) == Blocking(1, 1.0)
    assert watching.stuck_seconds([seen(7, "SHOW CREATE TABLE x", WAITS, 4.0), *every[1:]], {7}) == 4.0
    assert watching.position(every, {7}, [("shop", "a"), ("shop", "order`s")]) == 1


GLOBAL = "Waiting for backup lock"


def test_who_worked_before_it_waited_has_waited_since_our_last_look_at_most() -> None:
    waits, reads = watching.Waits(100.0), seen(7, "SELECT 1 FROM `a`")
    rebuilds = "ALTER TABLE a FORCE"

    def waited(now: float, *sessions: watching.Seen) -> float:
        return waits.blocking([reads, *sessions], {7}, {"a"}, now, holds_all=True).longest_seconds

    assert waited(101.0, seen(9, rebuilds, "copy to tmp table", 900.0)) == 0
    assert waited(102.0, seen(9, rebuilds, WAITS, 901.0)) == 1.0
    assert waited(104.0, seen(9, rebuilds, WAITS, 903.0)) == 3.0
    assert waited(105.0, seen(9, rebuilds, WAITS, 0.5)) == 0.5  # another statement of the same session
    assert waited(106.0, seen(9, "COMMIT", GLOBAL, 0.2)) == 0.2
    assert waited(107.0, seen(9, rebuilds, "", 3.0)) == 0
    assert waited(108.0, seen(9, rebuilds, WAITS, 900.0)) == 1.0


@pytest.mark.parametrize("told_seconds", [0.0, 987.0])  # a replica's thread: how late it is
def test_threads_of_the_server_wait_from_when_we_first_see_them_wait(told_seconds: float) -> None:
    waits = watching.Waits(0.0)

    def blocking(now: float, state: str) -> Blocking:
        scheduler = seen(2, "", state, told_seconds, is_servers=True)
        return waits.blocking([scheduler], {7}, {"a"}, now, holds_all=True)

    assert blocking(50.0, GLOBAL) == Blocking(1, 0.0)
    assert blocking(53.0, GLOBAL) == Blocking(1, 3.0)
    assert blocking(54.0, "Waiting for next activation") == Blocking()
    assert blocking(60.0, GLOBAL) == Blocking(1, 0.0)


def test_what_a_restore_needs_may_be_held_for_a_pattern_of_databases() -> None:
    database = DatabaseFacts("shop", inventory=(("event", 0), ("view", 2)))

    def lacking(*held: tuple[str, str]) -> list[str]:
        return privileges.lacking(held, [database], Selection("shop"), "'x'@'%'", "SET_USER_ID")

    on_pattern = [(name, "sho_") for name in (*privileges.TO_RESTORE, "CREATE VIEW")]
    assert lacking(*on_pattern, ("SUPER", "")) == []
    assert lacking(*on_pattern) == [
        "the account there lacks SET_USER_ID: GRANT SET_USER_ID ON *.* TO 'x'@'%';",
    ]
    assert "CREATE, DROP" in lacking(*((name, "sho\\_") for name, _ in on_pattern))[0]
    versions = [privileges.for_definers("mysql", version) for version in ((8, 0, 40), (8, 4, 1))]
    assert versions == ["SET_USER_ID", "SET_ANY_DEFINER"]


@pytest.mark.parametrize(("row_bytes", "code"), [(2 * 1024**2 - children.BESIDE_BYTES, 0), (2 * 1024**2, 5)])
def test_a_row_that_no_statement_of_the_server_holds_is_found(
    row_bytes: int, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    text = b"INSERT INTO `t` VALUES\n" + b"x" * row_bytes + b"\n(2);\n"  # of several blocks

    assert children._short(BytesIO(text), 2 * 1024**2) == code
    assert ("SET GLOBAL max_allowed_packet = 2162688; there" in capsys.readouterr().err) is bool(code)
