"""What is printed after the restore of a table is pasted as it is: only rows that were lost come back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.marseille_backed import Marseille, as_superuser, backed_up, marseille

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.fix_mariadb import Mariadb, MariadbServers
    from tests.fix_postgres import Binaries, Clusters, Postgres

pytestmark = [pytest.mark.system, pytest.mark.engine]
BASE = """vi'lle $(no) "x\""""
MADE = r"""
CREATE SCHEMA "O'Neil";
CREATE TYPE public.mood AS ENUM ('ok');
CREATE TABLE "O'Neil"."Big ""one" (
    a int, "b's" text, j json, x json[], m public.mood, p point, twice int GENERATED ALWAYS AS (a * 2) STORED);
INSERT INTO "O'Neil"."Big ""one"
SELECT NULLIF(n % 5, 0), E'q\'"\\\t' || n % 3, '{"a":  1}', ARRAY['[1]'::json], 'ok', '(1,2)'
FROM generate_series(1, 300) n;
CREATE TABLE customers (id int PRIMARY KEY);
INSERT INTO customers VALUES (1), (2);
CREATE TABLE "order" (
    id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, customer_id int CONSTRAINT of_customer REFERENCES customers,
    note text);
INSERT INTO "order" (customer_id, note) SELECT 1 + n % 2, 'old' FROM generate_series(1, 10) n;
CREATE TABLE ranks (id int PRIMARY KEY, rank int NOT NULL UNIQUE DEFERRABLE INITIALLY DEFERRED);
INSERT INTO ranks SELECT n, n FROM generate_series(1, 10) n;
"""
BIG = """
SELECT count(*), count(a), sum(twice), md5(string_agg(t::text, '|' ORDER BY t::text)) FROM "O'Neil"."Big ""one" t
"""
ORDERS = "SELECT count(*), count(*) FILTER (WHERE note = 'new') FROM public.order"
SHOP = """
CREATE DATABASE shop; USE shop;
CREATE TABLE `big ``one` (a INT, `b``s` VARCHAR(9), t TEXT, j JSON, f FLOAT, g INT AS (a * 2) STORED);
INSERT INTO `big ``one` (a, `b``s`, t, j, f)
SELECT NULLIF(seq % 5, 0), IF(seq % 2, 'x', 'X'), IF(seq % 7, 'é ', NULL), '{"a":  1}', 1.1 FROM seq_1_to_20000;
CREATE TABLE parent (id INT PRIMARY KEY);
INSERT INTO parent VALUES (1);
CREATE TABLE `key` (id INT AUTO_INCREMENT PRIMARY KEY, p INT, n TEXT,
                    CONSTRAINT of_parent FOREIGN KEY (p) REFERENCES parent (id));
INSERT INTO `key` (p, n) VALUES (1, 'old'), (1, 'old'), (1, 'old');
"""
SUM = "SELECT COUNT(*), COUNT(a), SUM(g), SUM(CRC32(CONCAT_WS('|', a, `b``s`, t, j, f))) FROM shop.`big ``one`"


@pytest.fixture(scope="module")
def source(clusters: Clusters, postgres_18_binaries: Binaries) -> Iterator[Postgres]:
    with clusters.new(postgres_18_binaries) as server:
        server.psql('CREATE DATABASE "{}"'.format(BASE.replace('"', '""')))
        server.psql(MADE, quoted(BASE))
        yield server


def quoted(name: str) -> str:
    return "dbname='{}'".format(name.replace("'", "\\'"))


@pytest.fixture(scope="module")
def ville(source: Postgres, postgres_18_binaries: Binaries) -> Iterator[Marseille]:
    programs = [str(postgres_18_binaries.directory)]
    with marseille({"ville": as_superuser(source, backups=backed_up(BASE))}, postgres_programs=programs) as town:
        town.says("backup", "ville")
        yield town


def script(said: str) -> str:
    """What is to be pasted."""
    restored = said.index("restored the table")
    return said[said.index("\n-- ", restored) + 1 :]


def test_rows_of_a_table_without_a_key_come_back_as_often_as_they_were_lost(ville: Marseille, source: Postgres) -> None:
    before = source.psql(BIG, quoted(BASE))
    source.psql("""DELETE FROM "O'Neil"."Big ""one" WHERE ctid <= '(0,7)' OR a IS NULL""", quoted(BASE))
    assert before != source.psql(BIG, quoted(BASE))

    table, into = """O'Neil.Big "one""", "besi'de \"1"
    pasted = script(ville.says("restore", "table", "ville", BASE, table, "--to", "ville", "--as", into, "--yes"))
    source.psql(pasted)

    assert before == source.psql(BIG, quoted(BASE))
    assert "no unique key" in pasted
    source.psql(pasted)
    assert before == source.psql(BIG, quoted(BASE))


def test_rows_with_a_key_stay_as_they_are_and_foreign_keys_are_told(ville: Marseille, source: Postgres) -> None:
    source.psql(
        "DELETE FROM public.order WHERE id < 4; UPDATE public.order SET note = 'new' WHERE id = 5", quoted(BASE)
    )

    pasted = script(ville.says("restore", "table", "ville", BASE, "public.order", "--to", "ville", "--yes"))
    source.psql(pasted)

    assert source.psql(ORDERS, quoted(BASE)) == "10|1"
    (foreign,) = (line.removeprefix("--   ") for line in pasted.splitlines() if "FOREIGN KEY" in line)
    source.psql("ALTER TABLE public.order DROP CONSTRAINT of_customer", quoted(BASE))
    source.psql(foreign, quoted(BASE))
    assert "unique key" not in pasted
    told = ville.says("restore", "table", "ville", BASE, "public.customers", "--to", "ville", "--yes")
    assert f"--   {foreign}" in told


def test_rows_come_back_where_a_key_may_be_deferred(ville: Marseille, source: Postgres) -> None:
    source.psql("DELETE FROM ranks WHERE id < 4", quoted(BASE))

    pasted = script(ville.says("restore", "table", "ville", BASE, "public.ranks", "--to", "ville", "--yes"))
    source.psql(pasted)

    assert source.psql("SELECT count(*), sum(rank) FROM ranks", quoted(BASE)) == "10|55"


def test_rows_of_mariadb_come_back_as_often_as_they_were_lost(mariadb_servers: MariadbServers) -> None:
    with mariadb_servers.new() as server:
        server.sql(SHOP)
        server.sql("CREATE USER b@'127.0.0.1' IDENTIFIED BY 'x'; GRANT ALL ON *.* TO b@'127.0.0.1' WITH GRANT OPTION")
        mine = server.instance(backup={"user": "b", "password": "x"}, backups=backed_up("shop"))
        with marseille({"ville": mine}) as town:
            town.says("backup", "ville")
            _come_back(town, server)


def _come_back(town: Marseille, server: Mariadb) -> None:
    before = server.sql(SUM)
    server.sql("DELETE FROM shop.`big ``one` WHERE a IS NULL OR BINARY `b``s` = 'X' LIMIT 3000")
    assert before != server.sql(SUM)
    pasted = script(town.says("restore", "table", "ville", "shop", "big `one", "--to", "ville", "--yes"))
    server.sql(pasted)
    assert before == server.sql(SUM)
    server.sql(pasted)
    assert before == server.sql(SUM)

    server.sql("USE shop; DELETE FROM `key` WHERE id = 1; UPDATE `key` SET n = 'new' WHERE id = 2")
    pasted = script(town.says("restore", "table", "ville", "shop", "key", "--to", "ville", "--yes"))
    server.sql(pasted)
    assert server.sql("SELECT GROUP_CONCAT(id, n ORDER BY id) FROM shop.`key`") == "1old,2new,3old"
    assert "foreign keys of the copy (of_parent)" in pasted
