"""The statements that bring rows of a restored table back, as they are told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dbwatch.core.backups.model import BackupKind, BackupRecord, Manifest, ServerIdentity
from dbwatch.core.backups.restore_plans import Part, RestorePlan
from dbwatch.engines.backing import Aside, Column, Target
from dbwatch.engines.postgres_backup import PostgresBackup
from dbwatch.errors import EngineError, Reason
from dbwatch.jobs.restoring import Source
from dbwatch.jobs.restoring_hand_over import hand_over, not_to_be_pasted, repeated, written
from dbwatch.settings.backups import Backups
from tests.archive_sets import published, repository
from tests.mysql_asking import instance as mysql_instance
from tests.postgres_asking import instance as postgres_instance
from tests.postgres_asking import ours

if TYPE_CHECKING:
    from pathlib import Path

NOW = 1_795_332_764.0
HERE = {"host": "10.0.0.5", "monitor": {"user": "m", "password": ""}, "backup": {"user": "o'b", "password": "secret"}}
POSTGRES = postgres_instance({"engine": "postgres", "port": 5433, **HERE})
MYSQL = mysql_instance({"engine": "mysql", "port": 3307, **HERE})
COLUMNS = (Column("id", "id", "id"), Column('"J n"', '"J n"::text', '"J n"::json'))
KEYED = (Column("id", "id", "id", "dbwatch_live.id = dbwatch_lost.id"), *COLUMNS[1:])


def planned(part: Part, engine: str = "postgres") -> RestorePlan:
    server = ServerIdentity(engine, (18, 6), "18.6", "42")
    manifest = Manifest("x", 1, BackupKind.LOGICAL, "pg1", engine, server, NOW, NOW, 1.0, ())
    return RestorePlan(BackupRecord(manifest), part, "pg2", ("ville",), 8, 16.0)


def test_names_are_quoted_for_each_place_in_which_they_stand() -> None:
    text = hand_over(planned(Part("vi'lle", "metier", "Demande RDV", "res'tored")), Aside(COLUMNS), POSTGRES)

    assert 'AS SELECT id, "J n" FROM "metier"."Demande RDV" WITH NO DATA;' in text
    assert "IF current_database() <> 'vi''lle' THEN" in text
    assert "\\connect -reuse-previous=on \"dbname='vi\\'lle'\"\n" in text
    assert "{" not in text
    told = hand_over(planned(Part("ville", "", "a`b", "y"), "mysql"), Aside(COLUMNS), MYSQL)
    assert "INSERT INTO `ville`.`a``b` (" in told
    assert "FROM `y`.`a``b` EXCEPT ALL SELECT" in told
    assert "{" not in told


def test_the_copy_is_read_where_it_is_and_no_password_is_told() -> None:
    text = hand_over(planned(Part("ville", "metier", "rdv", "side")), Aside(COLUMNS), POSTGRES)

    assert "-h 10.0.0.5 -p 5433 -U ''o''\"''\"''b'' -d side -c ''SET datestyle" in text
    assert "secret" not in text


def test_a_table_without_a_key_and_lost_foreign_keys_are_told() -> None:
    part = Part("ville", "metier", "rdv", "side")

    assert "no unique key" in hand_over(planned(part), Aside(COLUMNS), POSTGRES)
    assert "no unique key" not in hand_over(planned(part), Aside(KEYED), POSTGRES)
    assert "\n--   ALTER x;\n" in hand_over(planned(part), Aside(COLUMNS, foreign_keys=("ALTER x;",)), POSTGRES)
    lost = hand_over(planned(Part("v", "", "t", "side"), "mysql"), Aside(COLUMNS, foreign_keys=("of_parent",)), MYSQL)
    assert "foreign keys of the copy (of_parent) refer to tables that `side` does not have" in lost


def test_rows_are_known_by_their_key_where_there_is_one() -> None:
    for engine, server in (("mysql", MYSQL), ("postgres", POSTGRES)):
        part = Part("v", "", "t", "side")
        keyed = hand_over(planned(part, engine), Aside(KEYED), server)

        assert "WHERE dbwatch_live.id = dbwatch_lost.id);" in keyed
        assert "EXCEPT ALL" not in keyed
        assert "EXCEPT ALL" in hand_over(planned(part, engine), Aside(COLUMNS), server)


def test_rows_of_tables_that_inherit_are_not_the_tables_own() -> None:
    part = Part("v", "public", "t", "side")

    assert 'FROM ONLY "public"."t"' in hand_over(planned(part), Aside(COLUMNS), POSTGRES)
    assert "ONLY" not in hand_over(planned(part), Aside(COLUMNS, is_partitioned=True), POSTGRES)


@pytest.mark.parametrize(
    ("part", "columns"),
    [
        (Part("ville\nDROP TABLE x; --", "metier", "rdv", "side"), COLUMNS),
        (Part("ville", "metier", "rdv", "side"), (Column('"a\rb"', "x", "x"),)),
        (Part("ville", "", "rdv\x1b[2J", "side"), COLUMNS),
    ],
)
def test_a_name_that_would_break_a_line_of_it_is_never_pasted(part: Part, columns: tuple[Column, ...]) -> None:
    told = not_to_be_pasted(planned(part), Aside(columns))

    assert "cannot be pasted" in told
    assert told.isprintable()
    assert "" == not_to_be_pasted(planned(Part("ville", "métier", "Demande RDV", "side")), Aside(COLUMNS))


async def test_a_server_that_is_slow_for_a_moment_is_asked_again() -> None:
    left = [EngineError(Reason.TIMEOUT, "login: no answer"), EngineError(Reason.LOST, "the connection is lost")]

    async def ask() -> Aside:
        if left:
            raise left.pop()
        return Aside(COLUMNS)

    assert Aside(COLUMNS) == await repeated(ask, (0.0, 0.0))


async def test_what_could_not_be_asked_is_told_with_the_way_to_have_it(tmp_path: Path) -> None:
    place = repository(tmp_path)
    record = await published(place)
    plan = RestorePlan(record, Part("shop", "public", "orders", "beside"), "pg2", ("beside",), 8, 16.0)
    nobody = postgres_instance({"engine": "postgres", **HERE, "host": "127.0.0.1", "port": 1})
    source = Source(place, PostgresBackup(ours()), Backups(directory=tmp_path))

    told = await written(source, plan, Target(nobody, tmp_path), (0.0,))

    assert told.startswith("the statements that bring its rows back could not be made: ")
    assert told.endswith('-> drop the database "beside" once db answers, and restore the table again, to have them')
    assert "\n" not in told
