"""The handbook's disasters, rehearsed end to end on real servers."""

from __future__ import annotations

import json
import stat
from typing import TYPE_CHECKING, Any

import pytest

from dbwatch.jobs.drill_sql import statements
from tests.marseille_backed import Marseille, as_superuser, backed_up, loaded, loaded_mariadb, marseille

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.fix_mariadb import NewMariadb
    from tests.fix_postgres import Binaries, Clusters, Postgres

pytestmark = [pytest.mark.system, pytest.mark.engine]
DATABASE, TABLE = "marseille", "metier.demande_rdv"
ANNEX = "CREATE TABLE dossier AS SELECT i, md5(i::text) AS cle FROM generate_series(1, 5000) AS i"
READ_ONLY = "ALTER DATABASE annexe SET default_transaction_read_only = on"  # for its applications

UNFILLED = "CREATE MATERIALIZED VIEW metier.bilan AS SELECT 1 AS un WITH NO DATA"  # nobody can read it


@pytest.fixture(scope="module")
def source(clusters: Clusters, postgres_18_binaries: Binaries) -> Iterator[Postgres]:
    with clusters.new(postgres_18_binaries) as server:
        loaded(server)
        server.psql(UNFILLED, DATABASE)
        server.psql("CREATE DATABASE annexe")
        server.psql(ANNEX, "annexe")
        server.psql(READ_ONLY)
        yield server


@pytest.fixture(scope="module")
def ville(source: Postgres) -> Iterator[Marseille]:
    instance = as_superuser(source, backups=backed_up(DATABASE, "annexe"))
    with marseille({"ville": instance}, postgres_programs=[str(source.binaries.directory)]) as town:
        refused = town.says("drill", "02", code=1)
        assert "ville has no backup that is proven readable -> dbwatch backup ville" in refused
        (page,) = town.reports.glob("*_02_*.md")
        assert " : aucune sauvegarde prouvée lisible (message : « ville has no backup" in page.read_text()
        town.says("backup", "ville")
        yield town


def checks(report: dict[str, Any]) -> dict[str, dict[str, str]]:
    """What was proven, with its values; nothing may be left that was not."""
    assert [] == [each for each in report["checks"] if not each["holds"]]
    return {each["name"]: dict(each["values"]) for each in report["checks"]}


def phases(report: dict[str, Any]) -> list[str]:
    return [name for name, _ in report["phases"]]


def test_an_instance_is_lost_and_comes_back_and_the_heartbeat_tells_what_was_lost(ville: Marseille) -> None:
    said = ville.says("drill", "01")
    report = ville.report("01")

    proven = checks(report)
    assert ["prepare", "detect", "fetch", "initialise", "restore", "check", "ready"] == phases(report)
    assert {"gone", "hashes", "facts", "integrity", "smoke", "heartbeat"} == set(proven)
    assert "heartbeat" == report["rpo_evidence"]
    assert 1.0 <= report["lost_seconds"] < 60  # a second of beats was written after the backup
    assert int(proven["heartbeat"]["found"]) > 0 < int(proven["heartbeat"]["lost"])
    assert report["derived"]["rpo_seconds"] == report["exposure_seconds"] > report["lost_seconds"]
    assert report["derived"]["rto_seconds"] == pytest.approx(sum(seconds for _, seconds in report["phases"][1:]))
    assert "01_perte_instance_postgres  succeeded" in said
    assert "(objective 4 h: met)" in said


def test_a_corrupt_table_is_found_and_restored_and_the_rest_stays_as_it_was(ville: Marseille, source: Postgres) -> None:
    rows = source.psql(f"SELECT count(*) FROM {TABLE}", DATABASE)

    ville.says("drill", "03")
    report = ville.report("03")

    proven = checks(report)
    assert f"{DATABASE}.{TABLE}" == report["table"]
    assert ("3", "8") == (proven["damaged"]["pages"], proven["confined"]["tables"])
    assert {"rows": rows, "compared": "yes"} == proven["table"]
    assert "8" == proven["rest"]["tables"]
    assert int(proven["objects"]["objects"]) > 100
    assert {"integrity", "smoke", "beats"} <= set(proven)
    assert 0.0 == report["lost_seconds"]  # what was written elsewhere is all there
    assert ["prepare", "detect", "fetch", "restore", "swap", "check", "ready"] == phases(report)


def test_only_the_database_that_was_restored_is_asked_once_its_table_is_back(ville: Marseille) -> None:
    ville.says("drill", "03", "--table", "annexe.public.dossier")

    proven = checks(ville.report("03"))
    assert "1" == proven["answers"]["databases"]
    assert "5000" == proven["table"]["rows"]


def test_a_table_that_the_set_does_not_hold_is_refused_before_anything_starts(ville: Marseille) -> None:
    before = sorted(ville.reports.iterdir())

    said = ville.says("drill", "03", "--instance", "ville", "--table", "metier.demande_rvd", code=2)

    assert "the set holds no table metier.demande_rvd with rows of its own -> name one with --table DATABASE" in said
    assert before == sorted(ville.reports.iterdir())


def test_the_last_full_backup_is_restored_compared_and_asked(ville: Marseille, source: Postgres) -> None:
    source.psql(statements("postgres", "heartbeat")["table"], DATABASE)  # as the handbook tells an operator to
    source.psql("INSERT INTO dbwatch.heartbeat (beat_at) VALUES (now() - interval '30 seconds')", DATABASE)
    ville.says("backup", "ville")
    ville.says("drill", "02", "--instance", "ville")
    report = ville.report("02")

    proven = checks(report)
    assert {"hashes", "facts", "integrity", "smoke"} == set(proven)
    assert proven["facts"]["compared"] == proven["facts"]["tables"] == "11"
    assert "7" == proven["smoke"]["answered"]
    assert "heartbeat" == report["rpo_evidence"]  # the source's own, read back
    assert report["lost_seconds"] == pytest.approx(report["exposure_seconds"] + 30, abs=20)
    assert [] == sorted(ville.ground.scratch.glob("dbwatch-*"))
    files = sorted(ville.reports.iterdir())
    assert {".html", ".json", ".md"} == {each.suffix for each in files}
    assert {0o640} == {stat.S_IMODE(each.stat().st_mode) for each in files}
    assert "# Exercice de reprise 02" in max(ville.reports.glob("*_02_*.md")).read_text()


def test_a_report_that_cannot_be_written_is_told_with_the_drill(ville: Marseille) -> None:
    away = ville.reports.rename(ville.reports.with_name("away"))
    ville.reports.write_text("a file in the place of the directory")
    try:
        said = ville.says("drill", "02", code=1)
    finally:
        ville.reports.unlink()
        away.rename(ville.reports)

    assert "02_restoration_from_last_full  succeeded" in said
    assert f"ville: failed (repository): {ville.reports}: file exists" in said


def test_a_set_that_is_damaged_fails_the_drill_and_says_so(ville: Marseille) -> None:
    *_, backup = ville.ground.published("ville")
    member = max(ville.ground.files("ville", backup), key=lambda path: path.stat().st_size)
    good = member.read_bytes()
    try:
        member.write_bytes(good[:100] + bytes([good[100] ^ 1]) + good[101:])
        said = ville.says("drill", "02", code=1)
        listed = ville.says("backup", "list", "--json")
    finally:
        member.write_bytes(good)
    ville.says("backup", "verify", backup)
    report = ville.report("02")

    assert "02_restoration_from_last_full  FAILED" in said
    assert [True] == [each["bad"] for each in json.loads(listed) if each["id"] == backup]
    assert "corrupt" == report["reason"]
    assert member.name in report["detail"]
    assert [["phase", "fetch"]] == report["checks"][-1]["values"]
    assert report["derived"]["rto_seconds"] is None


def test_mariadb_comes_back_from_its_last_full_backup(new_mariadb: NewMariadb) -> None:
    server = new_mariadb()
    loaded_mariadb(server)
    login = {"user": "root"}
    instance = server.instance(backup=login, backups=backed_up("marseille_*"))
    with marseille({"ville": instance}) as town:
        assert "it is PostgreSQL's -> it can play 01, 02" in town.says("drill", "03", "--instance", "ville", code=2)

        town.says("drill", "02", "--take")
        report = town.report("02")

        assert {"hashes", "facts", "integrity", "smoke"} == set(checks(report))
        assert {"taken", "unproven"} <= set(report["notes"])
        assert "snapshot" == report["rpo_evidence"]
