"""What a source's own settings allow, or forbid, is no fault of its set."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.marseille_backed import as_superuser, marseille

if TYPE_CHECKING:
    from tests.fix_mariadb import MariadbServers
    from tests.fix_postgres import Binaries, Clusters

pytestmark = [pytest.mark.system, pytest.mark.engine]
HELD = """
CREATE DATABASE shop;
CREATE TABLE shop.held (id INT PRIMARY KEY, t CHAR(200)) ENGINE = MEMORY;
INSERT INTO shop.held SELECT seq, REPEAT('x', 200) FROM shop.seq_1_to_110000;
"""
LARGE = """
CREATE TABLE a AS SELECT i, md5(i::text) AS t FROM generate_series(1, 400000) AS i;
ALTER TABLE a ADD PRIMARY KEY (i);
CREATE INDEX ON a (t);
"""


def test_a_table_in_memory_larger_than_servers_allow_by_default_is_restored(mariadb_servers: MariadbServers) -> None:
    backups = {"logical": {"include": "shop", "non_transactional": "accept"}}
    with mariadb_servers.new("--max-heap-table-size=256M") as server:
        server.sql(HELD)
        with marseille({"ville": server.instance(backup={"user": "root"}, backups=backups)}) as town:
            assert "restored and sound, not compared; only 0 of 1 tables compared" in town.says("backup", "ville")


def test_a_table_whose_rows_could_become_too_long_is_restored(mariadb_servers: MariadbServers) -> None:
    columns = ", ".join(f"c{number} VARCHAR(255) NOT NULL DEFAULT 'x'" for number in range(220))
    with mariadb_servers.new("--innodb-strict-mode=OFF") as server:
        server.sql(f"CREATE DATABASE shop; CREATE TABLE shop.wide (id INT PRIMARY KEY, {columns}) CHARACTER SET latin1")
        server.sql("ALTER TABLE shop.wide ROW_FORMAT = COMPACT; INSERT INTO shop.wide (id) VALUES (1)")
        backups = {"logical": {"include": "shop"}}
        with marseille({"ville": server.instance(backup={"user": "root"}, backups=backups)}) as town:
            assert "restored, and equal to the source" in town.says("backup", "ville")


def test_a_limit_of_statements_that_is_restored_along_keeps_no_page_from_being_read(
    clusters: Clusters, postgres_18_binaries: Binaries
) -> None:
    backups = {"logical": {"include": "shop"}}
    with clusters.new(postgres_18_binaries) as server:
        server.psql("CREATE DATABASE shop")
        server.psql(LARGE, "shop")
        server.psql("ALTER DATABASE shop SET statement_timeout = '50ms'")
        programs = [str(server.binaries.directory)]
        with marseille({"ville": as_superuser(server, backups=backups)}, postgres_programs=programs) as town:
            assert "restored, and equal to the source" in town.says("backup", "ville")


def test_a_database_that_is_kept_from_writing_is_restored(clusters: Clusters, postgres_18_binaries: Binaries) -> None:
    backups = {"logical": {"include": "shop"}}
    with clusters.new(postgres_18_binaries) as server:
        server.psql("CREATE DATABASE shop")
        server.psql("CREATE TABLE a AS SELECT 1 AS i", "shop")
        server.psql("ALTER DATABASE shop SET default_transaction_read_only = on")
        programs = [str(server.binaries.directory)]
        with marseille({"ville": as_superuser(server, backups=backups)}, postgres_programs=programs) as town:
            assert "restored, and equal to the source" in town.says("backup", "ville")


def test_a_database_whose_name_looks_like_an_option_is_restored_and_made_anew(
    clusters: Clusters, postgres_18_binaries: Binaries
) -> None:
    backups = {"logical": {"include": ["--version", "shop"]}}
    with clusters.new(postgres_18_binaries) as server:
        server.psql('CREATE DATABASE "--version"')
        server.psql("CREATE DATABASE shop")
        server.psql("CREATE TABLE a AS SELECT 1 AS i", "shop")
        programs = [str(server.binaries.directory)]
        with marseille({"ville": as_superuser(server, backups=backups)}, postgres_programs=programs) as town:
            assert "restored, and equal to the source" in town.says("backup", "ville")
            town.says("restore", "database", "ville", "shop", "--to", "ville", "--as=--help", "--onto-source", "--yes")
        assert server.psql("SELECT i FROM a", "--help") == "1"
