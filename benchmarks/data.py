"""What the servers hold."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from benchmarks.servers import SUPERUSER

if TYPE_CHECKING:
    from benchmarks.servers import Server

BIG = "big10k"
MIDDLE = "mid200"
SMALL = "small"

BIG_TABLES = """
do $$ begin
  for n in 1..10000 loop
    execute format('create table t_%s (id int primary key, k int, v text)', to_char(n, 'FM00000'));
  end loop;
end $$;
"""
BIG_ROWS = """
do $$ begin
  for n in 1..10000 loop
    execute format('insert into t_%s select i, i, md5(i::text) from generate_series(1, 5) i', to_char(n, 'FM00000'));
  end loop;
end $$;
analyze;
"""
MIDDLE_TABLES = """
do $$ begin
  for n in 1..200 loop
    execute format('create table m_%s (id int primary key, k int, v text)', n);
    execute format('create index on m_%s (k)', n);
    execute format('insert into m_%s select i, i, md5(i::text) from generate_series(1, 100) i', n);
  end loop;
end $$;
analyze;
"""


def fill_big(server: Server) -> None:
    """10,000 tables of five rows, each with a primary key and a TOAST table: 40,000 relations."""
    server.sql(f"create database {BIG}")
    server.sql(BIG_TABLES, BIG)
    server.sql(BIG_ROWS, BIG)


def fill_middle(server: Server) -> None:
    """200 tables of two indexes, and pgbench's at scale 20."""
    server.sql(f"create database {MIDDLE}")
    server.sql(MIDDLE_TABLES, MIDDLE)
    command = ["pgbench", "-i", "-q", "-s", "20", server.url(SUPERUSER, MIDDLE)]
    subprocess.run(command, check=True, capture_output=True)


def fill_small(server: Server) -> None:
    """One database with a handful of tables, as a young application has."""
    server.sql(f"create database {SMALL}")
    server.sql("create table a (id int primary key); create table b (id int primary key);", SMALL)
