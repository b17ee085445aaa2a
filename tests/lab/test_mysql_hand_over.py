"""What is printed after the restore of a table, pasted on MySQL 9: lost rows as they were, or an error."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dbwatch.core.backups.restore_plans import Part
from dbwatch.engines import mysql_backup_hand_over
from dbwatch.engines.backing import Selection
from dbwatch.engines.mysql_backup_session import asker
from dbwatch.jobs.restoring_hand_over import hand_over
from tests import mysql_backups as backups
from tests.fix_process import workspace
from tests.lab.conftest import Mysql, prepared
from tests.mysql_asking import ours
from tests.unit.test_backup_hand_over import MYSQL, planned

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.engine
MADE = """
CREATE DATABASE live; USE live; SET sql_mode = '';
CREATE TABLE good (id INT PRIMARY KEY, d DATE, n VARCHAR(9), j JSON, twice INT AS (id * 2) STORED, UNIQUE ((id + 1)));
INSERT INTO good (id, d, n, j) VALUES (1, '0000-00-00', 'x ', '{"a": 1.0}'), (2, NULL, 'y', NULL);
CREATE TABLE loose (n VARCHAR(9), f FLOAT);
INSERT INTO loose VALUES ('a', 1.5), ('A', 1.5), ('a', 1.5);
CREATE DATABASE side; USE side;
CREATE TABLE good LIKE live.good; INSERT INTO good (id, d, n, j) SELECT id, d, n, j FROM live.good;
CREATE TABLE loose LIKE live.loose; INSERT INTO loose SELECT * FROM live.loose;
"""
GOOD = "SELECT GROUP_CONCAT(CONCAT_WS('|', id, d, HEX(n), j, twice) ORDER BY id) FROM live.good"
LOOSE = "SELECT GROUP_CONCAT(HEX(n), f ORDER BY 1) FROM live.loose"


async def printed(server: Mysql, table: str) -> str:
    async with asker(backups.described(server), ours(), backups.APPLICATION) as opened:
        wanted = planned(Part("live", "", table, "side"), "mysql")
        aside = await mysql_backup_hand_over.columns(
            opened, Selection("live", "", table, "side"), wanted.record.manifest
        )
    return hand_over(wanted, aside, MYSQL)


async def test_lost_rows_come_back_unchanged_or_an_error_says_why_not(mysql_root: Path) -> None:
    with workspace() as directory, prepared(Mysql(mysql_root, directory)) as server:
        assert isinstance(server, Mysql)
        backups.furnished(server, MADE)
        keyed, keyless = await printed(server, "good"), await printed(server, "loose")
        good, loose = server.sql(GOOD), server.sql(LOOSE)
        server.sql("DELETE FROM live.good WHERE id = 1; DELETE FROM live.loose WHERE BINARY n = 'a' LIMIT 1")
        server.sql(keyed)
        server.sql(keyless)
        assert (server.sql(GOOD), server.sql(LOOSE)) == (good, loose)

        server.sql(
            "SET sql_mode = ''; ALTER TABLE live.good MODIFY n VARCHAR(5); UPDATE live.loose SET n = 'new' LIMIT 1"
        )
        with pytest.raises(RuntimeError, match="columns are not as in the copy: n"):
            server.sql(keyed)
        with pytest.raises(RuntimeError, match="no key, and rows not in the copy"):
            server.sql(keyless)
        server.sql("CREATE TRIGGER live.fires BEFORE INSERT ON live.good FOR EACH ROW SET NEW.n = 'z'")
        server.sql("SET sql_mode = ''; ALTER TABLE live.good MODIFY n VARCHAR(9)")
        with pytest.raises(RuntimeError, match=r"triggers would fire.*fires"):
            server.sql(keyed)
