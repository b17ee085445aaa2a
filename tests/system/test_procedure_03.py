"""The written procedure of scenario 03, played as it is printed, on a table in which much happened since the backup."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import pytest

from dbwatch.files import sql_root
from tests.fix_process import run
from tests.marseille_backed import Marseille, as_superuser, backed_up, loaded, marseille

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.fix_postgres import Clusters, Postgres

pytestmark = [pytest.mark.system, pytest.mark.engine]
DATABASE, TABLE, PAGE_BYTES = "marseille", "metier.demande_rdv", 8192
PROCEDURE = sql_root().parent / "docs" / "scenarios_pra" / "03_corruption_table_demande_rdv.md"
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ALONE = "NOT EXISTS (SELECT FROM metier.rendez_vous AS r WHERE r.demande_id = d.id)"
SINCE = f"""
CREATE TEMPORARY TABLE gone AS SELECT DISTINCT citoyen_id AS id FROM {TABLE} ORDER BY 1 LIMIT 5;
DELETE FROM metier.rendez_vous WHERE citoyen_id IN (TABLE gone)
    OR demande_id IN (SELECT id FROM {TABLE} WHERE citoyen_id IN (TABLE gone));
DELETE FROM {TABLE} WHERE citoyen_id IN (TABLE gone);
DELETE FROM metier.demande_etat_civil WHERE citoyen_id IN (TABLE gone);
DELETE FROM metier.demande_urbanisme WHERE citoyen_id IN (TABLE gone);
DELETE FROM metier.citoyen WHERE id IN (TABLE gone);
DELETE FROM {TABLE} WHERE id IN (SELECT id FROM {TABLE} AS d WHERE {ALONE} ORDER BY ctid DESC LIMIT 3);
UPDATE {TABLE} SET deposee_le = deposee_le - interval '1 day'
WHERE id IN (SELECT id FROM {TABLE} WHERE ctid >= '(1,0)' ORDER BY id LIMIT 21);
INSERT INTO {TABLE} (citoyen_id, motif_id, arrondissement_numero, canal)
SELECT citoyen_id, motif_id, arrondissement_numero, canal FROM {TABLE} LIMIT 2;
CHECKPOINT;
"""
KEYS = """
SELECT string_agg(concat(conname, convalidated, pg_get_constraintdef(oid)), ' ' ORDER BY conname) FROM pg_constraint
WHERE contype = 'f'
"""


@pytest.fixture(scope="module")
def source(clusters: Clusters, postgres_15: Postgres) -> Iterator[Postgres]:
    with clusters.new(postgres_15.binaries) as server:
        loaded(server)
        yield server


@pytest.fixture(scope="module")
def ville(source: Postgres) -> Iterator[Marseille]:
    programs = [str(source.binaries.directory)]
    with marseille({"INSTANCE": as_superuser(source, backups=backed_up(DATABASE))}, postgres_programs=programs) as town:
        town.says("backup", "INSTANCE")
        yield town


def blocks(step: int) -> list[tuple[str, str]]:
    """What is printed in one step: the language, and the text."""
    text = PROCEDURE.read_text(encoding="utf-8")
    (found,) = re.findall(rf"^## {step}\. .*?(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    return BLOCK.findall(found)


def rows(server: Postgres, where: str = "true") -> dict[str, str]:
    lines = server.psql(f"SELECT id, d FROM {TABLE} AS d WHERE {where}", DATABASE).splitlines()
    return dict(line.split("|", 1) for line in lines)


def shell(server: Postgres, text: str) -> str:
    """A block of it, by the shell, on the server."""
    (beside,) = server.psql("SELECT datname FROM pg_database WHERE datname ~ '^restored_demande_rdv_'").splitlines()
    there = text.replace("restored_demande_rdv_…", beside).replace("/srv/tmp", str(server.directory))
    path = f"{server.binaries.directory}:{os.environ['PATH']}"
    where = {"PGHOST": str(server.directory), "PGPORT": str(server.port), "PGUSER": "postgres", "PATH": path}
    return run(["bash", "-e", "-c", there], server.directory, env=where)


def damage(server: Postgres) -> None:
    """The first page of the table, on the disk."""
    file = server.data_directory / server.psql(f"SELECT pg_relation_filepath('{TABLE}')", DATABASE)
    server.stop()
    with file.open("r+b") as opened:
        opened.write(b"\xff" * PAGE_BYTES)
    server.start()


def restored(town: Marseille) -> None:
    for line in blocks(4)[0][1].splitlines():
        words = line.split()
        assert words[0] == "dbwatch"
        town.says(*words[1:], *(["--yes"] if words[1:3] == ["restore", "table"] else []))


def test_the_procedure_brings_back_what_was_lost_and_nothing_else(ville: Marseille, source: Postgres) -> None:
    former, keys = rows(source), source.psql(KEYS, DATABASE)
    source.psql(SINCE, DATABASE)
    current, lost = rows(source), rows(source, "ctid < '(1,0)'")
    assert lost
    damage(source)
    ((_, freeze),) = blocks(3)
    source.psql(freeze, DATABASE)
    with pytest.raises(RuntimeError, match="est gelée"):
        source.psql(f"UPDATE {TABLE} SET canal = canal", DATABASE)
    restored(ville)

    (_, seen), (_, load), (_, decide) = blocks(5)
    ((_, swap),) = blocks(6)
    shell(source, seen)
    shell(source, load)
    with pytest.raises(RuntimeError, match="attendent une décision"):
        shell(source, swap)
    deleted = sorted(int(each) for each in former.keys() - current.keys())
    source.psql(decide.replace("…", ", ".join(map(str, deleted))), DATABASE)
    shell(source, swap)

    assert rows(source) == current | {each: former[each] for each in lost}
    assert source.psql(KEYS, DATABASE) == keys
    source.psql("CREATE EXTENSION amcheck", DATABASE)
    ((_, control),) = blocks(7)
    assert re.findall(r"^ +(\d+)$", shell(source, control), re.MULTILINE)[1:4] == ["0", "0", "0"]
    source.psql(f"UPDATE {TABLE} SET canal = canal; DROP SCHEMA sauvetage CASCADE", DATABASE)


@pytest.mark.usefixtures("ville")
def test_a_reference_that_points_nowhere_undoes_it_all(source: Postgres) -> None:
    before = rows(source)
    ((_, freeze),) = blocks(3)
    source.psql(freeze, DATABASE)
    (_, load) = blocks(5)[1]
    shell(source, load)
    source.psql(
        "UPDATE sauvetage.demande_rdv SET citoyen_id = -1 WHERE id = (SELECT min(id) FROM sauvetage.demande_rdv);"
        "UPDATE sauvetage.a_rendre SET decision = 'effacee' WHERE decision IS NULL",
        DATABASE,
    )

    ((_, swap),) = blocks(6)
    with pytest.raises(RuntimeError, match="fk_demande_rdv_citoyen"):
        shell(source, swap)

    assert rows(source) == before
