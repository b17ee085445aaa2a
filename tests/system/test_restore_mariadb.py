"""Restores of MariaDB that a person asks for: a copy works on itself, and what is left to do is told."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.marseille_backed import Marseille, backed_up, marseille

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.fix_mariadb import Mariadb, MariadbServers

pytestmark = [pytest.mark.system, pytest.mark.engine]
OTHER = "CREATE DATABASE other; CREATE TABLE other.b (id INT PRIMARY KEY); INSERT INTO other.b VALUES (1), (2);"
SHOP = (
    OTHER
    + """
CREATE DATABASE shop; USE shop;
CREATE SEQUENCE sq;
CREATE TABLE a (id INT PRIMARY KEY, n INT DEFAULT 0, k INT);
INSERT INTO a VALUES (1, 0, 1), (2, 0, 2);
CREATE TABLE `dotted.name` (id INT PRIMARY KEY, t TEXT);
INSERT INTO `dotted.name` VALUES (1, 'é');
CREATE TABLE numbered (id INT PRIMARY KEY DEFAULT nextval(sq), n INT);
INSERT INTO numbered (n) VALUES (7);
CREATE VIEW mixed AS SELECT a.id, a.n, b.id AS other FROM a JOIN other.b AS b ON b.id = a.id;
CREATE VIEW aliased AS SELECT shop.id, shop.n FROM a AS shop JOIN other.b AS b ON b.id = shop.id;
CREATE VIEW own AS SELECT id FROM a;
CREATE TABLE big (id INT PRIMARY KEY, t LONGTEXT);
CREATE PROCEDURE clear() DELETE FROM shop.a;
CREATE PROCEDURE harmless() SELECT 'a workshop.' FROM a;
CREATE TRIGGER counts AFTER INSERT ON big FOR EACH ROW UPDATE `shop` . a SET n = n + 1;
CREATE ROLE r1; CREATE ROLE `r``2`; GRANT SELECT ON shop.* TO r1;
CREATE USER app@'%'; GRANT r1 TO app@'%';
"""
)
KEEPER = "CREATE USER b@'127.0.0.1' IDENTIFIED BY 'x'; GRANT ALL ON *.* TO b@'127.0.0.1' WITH GRANT OPTION;"
LOGIN = {"user": "b", "password": "x"}


@pytest.fixture(scope="module")
def source(mariadb_servers: MariadbServers) -> Iterator[Mariadb]:
    with mariadb_servers.new() as server:
        server.sql(SHOP + KEEPER)
        yield server


@pytest.fixture(scope="module")
def rescue(mariadb_servers: MariadbServers) -> Iterator[Mariadb]:
    with mariadb_servers.new("--max-allowed-packet=2M") as server:
        server.sql(KEEPER)
        yield server


@pytest.fixture(scope="module")
def ville(source: Mariadb, rescue: Mariadb) -> Iterator[Marseille]:
    backups = backed_up("shop", "other")
    instances = {
        "ville": source.instance(backup=LOGIN, backups=backups),
        "secours": rescue.instance(backup=LOGIN),
    }
    with marseille(instances) as town:
        town.says("backup", "ville")
        yield town


def test_a_copy_works_on_itself_and_what_does_not_is_named(ville: Marseille, source: Mariadb) -> None:
    said = ville.says("restore", "database", "ville", "shop", "--to", "ville", "--as", "copy", "--yes")
    source.sql("UPDATE mixed SET n = 5", "copy")

    assert "5\t5" == source.sql("SELECT MIN(n), MAX(n) FROM copy.a")
    assert "0\t0" == source.sql("SELECT MIN(n), MAX(n) FROM shop.a")
    assert "DEFAULT nextval(`copy`.`sq`)" in source.sql("SHOW CREATE TABLE copy.numbered")
    (told,) = (line for line in said.splitlines() if "WORK ON IT" in line)
    assert "procedure clear, trigger counts, view aliased ->" in told
    assert "in the text of a routine or trigger or view works on shop" in said


def test_a_table_whose_name_has_a_dot_comes_back_alone(ville: Marseille, source: Mariadb) -> None:
    ville.says("restore", "table", "ville", "shop", "dotted.name", "--to", "ville", "--as", "dotted", "--yes")

    assert "1\té" == source.sql("SELECT * FROM `dotted.name`", "dotted")


def test_roles_that_the_account_keeps_are_told_and_can_be_taken_back(ville: Marseille, rescue: Mariadb) -> None:
    said = ville.says("restore", "full", "ville", "--to", "secours", "--yes")

    (told,) = (line for line in said.splitlines() if "REVOKE" in line)
    assert "may now use these roles and give them to others, for who makes a role holds it: r1, r`2" in told
    held = "SELECT COUNT(*) FROM roles_mapping WHERE user = 'b'"
    assert "2" == rescue.sql(held)
    rescue.sql(told[told.index("REVOKE") :])
    assert "0" == rescue.sql(held)


def test_all_drills_of_an_instance_are_those_that_it_can_play(ville: Marseille) -> None:
    said = ville.says("drill", "--all", "--instance", "ville")

    assert "ville: 01, 02 ..." in said
    assert "ville: 03 is left out: dbwatch plays it for PostgreSQL alone" in said


@pytest.mark.parametrize(
    ("words", "began", "told"),
    [
        (("drill", "02", "--instance", "ville"), "02 ...", "cancelled: what it made is removed"),
        (
            ("restore", "full", "ville", "--scratch", "{}/ended", "--yes"),
            "nothing that",
            "interrupted: what was made in",
        ),
    ],
)
def test_who_ends_it_by_sigterm_is_told_so_in_one_line(
    ville: Marseille, words: tuple[str, ...], began: str, told: str
) -> None:
    argv = [sys.executable, "-m", "dbwatch", *(word.format(ville.ground.directory) for word in words)]
    options = {"PYTHONUNBUFFERED": "1", "TMPDIR": str(ville.ground.directory)}
    with subprocess.Popen(
        [*argv, "--config", str(ville.file)],
        env={**os.environ, **options},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as run:
        assert run.stdout is not None
        said: list[str] = []
        for line in run.stdout:
            said.append(line)
            if began in line:
                break
        run.terminate()
        said += run.stdout.readlines()

    assert 130 == run.returncode, said
    assert [told in line for line in said].count(True) == 1, said
    assert "Traceback" not in "".join(said)


def test_a_row_that_is_too_long_for_the_server_is_found_before_anything_is_written(
    ville: Marseille, source: Mariadb, rescue: Mariadb
) -> None:
    words = ("restore", "database", "ville", "shop", "--to", "secours", "--as", "long")
    source.sql("SET GLOBAL max_allowed_packet = 16777216")
    source.sql("INSERT INTO shop.big VALUES (1, REPEAT('x', 3000000))")
    ville.says("backup", "ville")

    said = ville.says(*words, "--yes", code=1)

    assert "the server takes 2097152 (max_allowed_packet): nothing was restored" in said
    assert "" == rescue.sql("SHOW DATABASES LIKE 'long'")
    rescue.sql(said[said.index("SET GLOBAL") : said.index(" there, or more")])
    ville.says(*words, "--yes")
    assert "3000000" == rescue.sql("SELECT LENGTH(t) FROM big", "long")
