"""What is printed after the restore of a table, pasted where much happened since: lost rows unchanged, or an error."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest

from tests.marseille_backed import Marseille, as_superuser, backed_up, marseille
from tests.system.test_restore_hand_over import script

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.fix_mariadb import Mariadb, MariadbServers
    from tests.fix_postgres import Binaries, Clusters, Postgres

pytestmark = [pytest.mark.system, pytest.mark.engine]
BASE = "town"
NUMBERS = itertools.count(1)
MADE = """
ALTER DATABASE town SET datestyle = 'SQL, DMY';
CREATE TABLE audit (what text);
CREATE TABLE noted (id int PRIMARY KEY, note text, changed_at timestamp NOT NULL, worth numeric(10, 4));
CREATE TABLE of_noted (id int PRIMARY KEY, noted int REFERENCES noted DEFERRABLE INITIALLY DEFERRED, mail text UNIQUE);
INSERT INTO noted SELECT n, 'old', '2020-02-01', 1.2345 FROM generate_series(1, 10) n;
INSERT INTO of_noted SELECT n, n, 'm' || n FROM generate_series(1, 10) n;
CREATE FUNCTION changes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO audit VALUES (NEW.note);
    NEW.note := upper(NEW.note); NEW.changed_at := now();
    RETURN NEW;
END $$;
CREATE FUNCTION passes_over() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER changes BEFORE INSERT ON noted FOR EACH ROW EXECUTE FUNCTION changes();
CREATE TRIGGER passes_over BEFORE INSERT ON noted FOR EACH ROW EXECUTE FUNCTION passes_over();
ALTER TABLE noted ENABLE ALWAYS TRIGGER passes_over;
CREATE TRIGGER was_off BEFORE INSERT ON noted FOR EACH ROW EXECUTE FUNCTION passes_over();
ALTER TABLE noted DISABLE TRIGGER was_off;
CREATE TABLE events (a int, b text);
CREATE TABLE events_more () INHERITS (events);
INSERT INTO events VALUES (1, 'x'), (2, 'y');
INSERT INTO events_more VALUES (1, 'x');
CREATE TABLE parts (id int PRIMARY KEY, n text) PARTITION BY RANGE (id);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (10);
CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM (10) TO (20);
INSERT INTO parts SELECT n, 'p' FROM generate_series(1, 19) n;
CREATE TRIGGER passes_over BEFORE INSERT ON parts FOR EACH ROW EXECUTE FUNCTION passes_over();
CREATE TRIGGER of_its_own BEFORE INSERT ON parts_2 FOR EACH ROW EXECUTE FUNCTION passes_over();
ALTER TABLE parts_2 DISABLE TRIGGER passes_over;
ALTER TABLE parts_2 ENABLE ALWAYS TRIGGER of_its_own;
CREATE TABLE judged (id int PRIMARY KEY, n int);
INSERT INTO judged VALUES (1, -1), (2, 2), (3, 3);
ALTER TABLE judged ADD CONSTRAINT positive CHECK (n > 0) NOT VALID;
"""
STATES = "SELECT string_agg(concat(tgname, tgenabled), ' ' ORDER BY oid) FROM pg_trigger WHERE NOT tgisinternal"
NOTED = "SELECT md5(string_agg(t::text, '|' ORDER BY id)) FROM noted t"
SHOP = """
CREATE DATABASE shop; USE shop;
CREATE TABLE parent (id INT PRIMARY KEY);
INSERT INTO parent VALUES (1), (2);
CREATE TABLE good (id INT PRIMARY KEY, p INT, n VARCHAR(20), d DATE, w DECIMAL(8, 4), mail VARCHAR(9) UNIQUE,
                   FOREIGN KEY (p) REFERENCES parent (id));
SET sql_mode = '';
INSERT INTO good VALUES
    (1, 1, 'caf\u00e9', '0000-00-00', 1.2345, 'a'), (2, 2, 'x ', '2020-01-01', 2, 'b'), (3, 1, 'y', NULL, 3, 'c');
CREATE TABLE loose (n VARCHAR(20) CHARACTER SET utf8mb4, f FLOAT);
INSERT INTO loose VALUES ('caf\u00e9', 1.5), ('b', 2.5);
"""
GOOD = "SELECT GROUP_CONCAT(id, p, HEX(n), COALESCE(d, '-'), w, mail ORDER BY id) FROM shop.good"


@pytest.fixture(scope="module")
def source(clusters: Clusters, postgres_18_binaries: Binaries) -> Iterator[Postgres]:
    with clusters.new(postgres_18_binaries) as server:
        server.psql("CREATE DATABASE town")
        server.psql(MADE, BASE)
        yield server


@pytest.fixture(scope="module")
def town(source: Postgres, postgres_18_binaries: Binaries) -> Iterator[Marseille]:
    programs = [str(postgres_18_binaries.directory)]
    with marseille({"ville": as_superuser(source, backups=backed_up(BASE))}, postgres_programs=programs) as kept:
        kept.says("backup", "ville")
        yield kept


def printed(town: Marseille, table: str, database: str = BASE) -> str:
    into = f"beside_{next(NUMBERS)}"
    return script(town.says("restore", "table", "ville", database, table, "--to", "ville", "--as", into, "--yes"))


def test_triggers_of_the_application_change_no_row_and_stay_as_they_were(town: Marseille, source: Postgres) -> None:
    before, states = source.psql(NOTED, BASE), source.psql(STATES, BASE)
    source.psql("SET session_replication_role = replica; DELETE FROM noted WHERE id < 4", BASE)

    source.psql(printed(town, "public.noted"))

    assert source.psql(NOTED, BASE) == before
    assert source.psql("SELECT count(*) FROM audit", BASE) == "0"
    assert source.psql(STATES, BASE) == states


def test_a_rule_or_another_type_of_a_column_is_told_and_nothing_is_written(town: Marseille, source: Postgres) -> None:
    pasted = printed(town, "public.noted")
    source.psql("CREATE TABLE aside AS TABLE noted", BASE)
    source.psql("SET session_replication_role = replica; DELETE FROM noted WHERE id = 5", BASE)
    source.psql("ALTER TABLE noted ALTER worth TYPE numeric(10, 1)", BASE)
    with pytest.raises(RuntimeError, match="other types than the copy in worth"):
        source.psql(pasted)

    source.psql("ALTER TABLE noted ALTER worth TYPE numeric(10, 4)", BASE)
    source.psql("CREATE RULE nowhere AS ON INSERT TO noted DO INSTEAD NOTHING", BASE)
    with pytest.raises(RuntimeError, match="rules of noted would change what is inserted"):
        source.psql(pasted)

    assert source.psql("SELECT count(*) FROM noted", BASE) == "9"
    source.psql("DROP RULE nowhere ON noted; UPDATE noted SET worth = 1.2345", BASE)
    source.psql(pasted)
    assert source.psql("SELECT count(*) FROM (TABLE noted EXCEPT TABLE aside) x", BASE) == "0"


def test_a_lost_row_whose_parent_is_lost_or_whose_other_key_is_taken_is_an_error(
    town: Marseille, source: Postgres
) -> None:
    source.psql("DELETE FROM of_noted WHERE id = 9; DELETE FROM noted WHERE id = 9", BASE)
    pasted = printed(town, "public.of_noted")
    with pytest.raises(RuntimeError, match="violates foreign key constraint"):
        source.psql(pasted)
    assert source.psql("SELECT count(*) FROM of_noted", BASE) == "9"

    source.psql(printed(town, "public.noted"))
    source.psql("DELETE FROM of_noted WHERE id = 8; INSERT INTO of_noted VALUES (80, 1, 'm8')", BASE)
    with pytest.raises(RuntimeError, match="duplicate key value"):
        source.psql(pasted)
    source.psql("UPDATE of_noted SET mail = 'else' WHERE id = 80; UPDATE of_noted SET mail = 'new' WHERE id = 1", BASE)
    source.psql(pasted)
    assert source.psql("SELECT count(*), count(*) FILTER (WHERE mail = 'new') FROM of_noted", BASE) == "11|1"


def test_the_row_of_a_child_is_not_taken_for_the_lost_one_of_its_parent(town: Marseille, source: Postgres) -> None:
    states = source.psql(STATES, BASE)
    source.psql("DELETE FROM ONLY events WHERE a = 1; DELETE FROM parts WHERE id % 2 = 0", BASE)

    source.psql(printed(town, "public.events"))
    source.psql(printed(town, "public.parts"))

    assert source.psql("SELECT count(*) FROM ONLY events", BASE) == "2"
    assert source.psql("SELECT count(*), sum(id) FROM parts", BASE) == "19|190"
    assert source.psql(STATES, BASE) == states


def test_rows_without_a_key_that_were_changed_are_asked_about(town: Marseille, source: Postgres) -> None:
    source.psql("UPDATE events SET b = 'changed' WHERE a = 2", BASE)
    pasted = printed(town, "public.events")

    with pytest.raises(RuntimeError, match="one that was changed cannot be told from a lost one"):
        source.psql(pasted)

    assert source.psql("SELECT count(*) FROM ONLY events", BASE) == "2"
    source.psql(pasted.replace("BEGIN;", "SET dbwatch.former_rows = on;\nBEGIN;", 1))
    assert source.psql("SELECT count(*) FROM ONLY events", BASE) == "3"


def test_a_check_that_was_never_proven_refuses_no_other_row(town: Marseille, source: Postgres) -> None:
    source.psql("DELETE FROM judged WHERE id = 2", BASE)
    pasted = printed(town, "public.judged")
    source.psql(pasted)
    assert source.psql("SELECT sum(n) FROM judged", BASE) == "4"

    source.psql("DELETE FROM judged WHERE id < 3", BASE)
    with pytest.raises(RuntimeError, match="violates check constraint"):
        source.psql(pasted)
    assert source.psql("SELECT sum(n) FROM judged", BASE) == "3"


def test_a_copy_that_is_not_read_to_its_end_or_another_database_brings_nothing(
    town: Marseille, source: Postgres
) -> None:
    source.psql("DELETE FROM judged WHERE id = 3", BASE)
    pasted = printed(town, "public.judged")
    cut = pasted.replace("FROM PROGRAM 'psql ", "FROM PROGRAM 'head -n 1 /dev/null; true psql ", 1)
    assert cut != pasted

    with pytest.raises(RuntimeError, match="not read to its end"):
        source.psql(cut)
    source.psql("CREATE TABLE judged (id int PRIMARY KEY, n int)")
    with pytest.raises(RuntimeError, match="this is the database postgres"):
        source.psql(pasted.replace("\\connect town\n", ""))

    assert source.psql("SELECT count(*) FROM judged") == "0"
    assert source.psql("SELECT count(*) FROM judged WHERE id = 3", BASE) == "0"


def test_mariadb_brings_back_what_was_lost_unchanged_or_says_why_not(mariadb_servers: MariadbServers) -> None:
    with mariadb_servers.new("--character-set-server=utf8mb4") as server:
        server.sql("SET NAMES utf8mb4;" + SHOP)
        server.sql("CREATE USER b@'127.0.0.1' IDENTIFIED BY 'x'; GRANT ALL ON *.* TO b@'127.0.0.1' WITH GRANT OPTION")
        mine = server.instance(backup={"user": "b", "password": "x"}, backups=backed_up("shop"))
        with marseille({"ville": mine}) as town:
            town.says("backup", "ville")
            _come_back_unchanged(server, printed(town, "good", "shop"))
            _are_told(server, printed(town, "good", "shop"))
            _without_a_key(server, printed(town, "loose", "shop"))


def _come_back_unchanged(server: Mariadb, pasted: str) -> None:
    before = server.sql(GOOD)
    server.sql("DELETE FROM shop.good WHERE id < 3")
    server.sql(pasted)
    assert server.sql(GOOD) == before


def _are_told(server: Mariadb, pasted: str) -> None:
    server.sql("DELETE FROM shop.good WHERE id = 1; ALTER TABLE shop.good MODIFY w DECIMAL(8, 1), MODIFY n VARCHAR(2)")
    with pytest.raises(RuntimeError, match="columns are not as in the copy: n,w"):
        server.sql(pasted)
    server.sql("ALTER TABLE shop.good MODIFY w DECIMAL(8, 4), MODIFY n VARCHAR(20)")
    server.sql("CREATE TRIGGER shop.upper_case BEFORE INSERT ON shop.good FOR EACH ROW SET NEW.n = UPPER(NEW.n)")
    with pytest.raises(RuntimeError, match=r"triggers would fire.*upper_case"):
        server.sql(pasted)
    server.sql("DROP TRIGGER shop.upper_case; DELETE FROM shop.good WHERE p = 2; DELETE FROM shop.parent WHERE id = 2")
    with pytest.raises(RuntimeError, match="foreign key constraint fails"):
        server.sql("SET foreign_key_checks = 0;" + pasted)
    server.sql("INSERT INTO shop.parent VALUES (2); INSERT INTO shop.good (id, mail) VALUES (9, 'b')")
    with pytest.raises(RuntimeError, match="Duplicate entry"):
        server.sql(pasted)
    assert server.sql("SELECT GROUP_CONCAT(id ORDER BY id) FROM shop.good") == "3,9"
    server.sql("DELETE FROM shop.good WHERE id = 9")
    server.sql(pasted)
    assert server.sql("SELECT GROUP_CONCAT(id, p ORDER BY id) FROM shop.good") == "11,22,31"


def _without_a_key(server: Mariadb, pasted: str) -> None:
    server.sql("DELETE FROM shop.loose WHERE f = 1.5; ALTER TABLE shop.loose CONVERT TO CHARACTER SET latin1")
    with pytest.raises(RuntimeError, match="columns are not as in the copy: n"):
        server.sql(pasted)
    server.sql("ALTER TABLE shop.loose CONVERT TO CHARACTER SET utf8mb4; UPDATE shop.loose SET n = 'changed'")
    with pytest.raises(RuntimeError, match="no key, and rows not in the copy"):
        server.sql(pasted)
    assert server.sql("SELECT COUNT(*) FROM shop.loose") == "1"
    server.sql("SET @dbwatch_former_rows = 'on';" + pasted)
    assert server.sql("SELECT HEX(n) FROM shop.loose WHERE f = 1.5") == "636166C3A9"
