"""The statements that bring rows of a restored table back, as they are told."""

from __future__ import annotations

from dbwatch.core.backups.model import BackupKind, BackupRecord, Manifest, ServerIdentity
from dbwatch.core.backups.restore_plans import Part, RestorePlan
from dbwatch.engines.backing import Aside, Column
from dbwatch.jobs.restoring_hand_over import hand_over
from tests.mysql_asking import instance as mysql_instance
from tests.postgres_asking import instance as postgres_instance

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
