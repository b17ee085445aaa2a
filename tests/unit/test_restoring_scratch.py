"""What a person is told of a scratch server that stays."""

from __future__ import annotations

import subprocess

import pytest

from dbwatch.jobs.restoring_scratch import reach
from tests.mysql_asking import instance as mysql_instance
from tests.postgres_asking import instance as postgres_instance

HERE = {"host": "127.0.0.1", "monitor": {"user": "postgres", "password": ""}, "database": "template1"}
POSTGRES = postgres_instance({"engine": "postgres", "port": 5433, **HERE})


@pytest.mark.parametrize(
    ("made", "database"),
    [(("rich",), "rich"), (("rich", "ville"), "rich"), ((), "template1"), (("a=b",), """'dbname='"'"'a=b'"'"''""")],
)
def test_a_session_on_what_was_restored_is_of_the_first_database_that_was_made(
    made: tuple[str, ...], database: str
) -> None:
    assert reach(POSTGRES, made) == f"psql --host=127.0.0.1 --port=5433 --username=postgres --dbname={database}"


@pytest.mark.parametrize("name", ["a\nb", "it's\t\\1\u00a0é", "x\x1b[2K"])
def test_a_name_that_no_terminal_shows_is_read_by_the_shell_as_it_is(name: str) -> None:
    command = reach(POSTGRES, (name,))

    escaped = name.replace("\\", "\\\\").replace("'", "\\'")
    words = subprocess.run(["/bin/bash", "-c", f"printf '%s\\0' {command}"], check=True, capture_output=True, text=True)
    assert f"--dbname=dbname='{escaped}'" == words.stdout.split("\0")[-2]
    assert command.isprintable()


def test_a_session_of_mariadb_begins_in_no_database() -> None:
    there = {"engine": "mysql", "host": "127.0.0.1", "socket": "/s", "monitor": {"user": "root", "password": ""}}

    assert reach(mysql_instance(there), ("ville",)) == "mariadb --socket=/s --user=root"
