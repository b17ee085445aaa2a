"""`dbwatch restore`: a plan first, refusals, and what comes back, on real servers."""

from __future__ import annotations

import os
import re
import signal
from typing import TYPE_CHECKING

import psutil
import pytest

from tests.fix_postgres import Clusters
from tests.fix_process import eventually, workspace
from tests.marseille_backed import Marseille, as_superuser, backed_up, loaded, marseille

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.fix_postgres import Binaries, Postgres

pytestmark = [pytest.mark.system, pytest.mark.engine]
DATABASE, TABLE = "marseille", "metier.demande_rdv"
OWNER = "SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = 'metier.demande_rdv'::regclass"
HANGING = f"""
    SELECT (SELECT count(*) FROM pg_index WHERE indrelid = '{TABLE}'::regclass),
           (SELECT count(*) FROM pg_constraint WHERE conrelid = '{TABLE}'::regclass AND contype IN ('p', 'c')),
           (SELECT count(*) FROM pg_trigger WHERE tgrelid = '{TABLE}'::regclass AND NOT tgisinternal),
           (SELECT relacl IS NOT NULL FROM pg_class WHERE oid = '{TABLE}'::regclass),
           pg_get_serial_sequence('{TABLE}', 'id')"""
COUNT = f"SELECT count(*) FROM {TABLE}"
TRIGGER = f"""
    CREATE FUNCTION metier.touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';
    CREATE TRIGGER touch BEFORE UPDATE ON {TABLE} FOR EACH ROW EXECUTE FUNCTION metier.touch()"""


@pytest.fixture(scope="module")
def source(clusters: Clusters, postgres_18_binaries: Binaries) -> Iterator[Postgres]:
    with clusters.new(postgres_18_binaries) as server:
        loaded(server)
        server.psql(TRIGGER, DATABASE)
        yield server


@pytest.fixture(scope="module")
def rescue(postgres_18_binaries: Binaries) -> Iterator[Postgres]:
    """An empty server that was initialised apart: copies of one template take each other for the same."""
    with workspace() as directory, Clusters(directory).new(postgres_18_binaries) as server:
        yield server


@pytest.fixture(scope="module")
def ville(source: Postgres, rescue: Postgres) -> Iterator[Marseille]:
    instances = {"ville": as_superuser(source, backups=backed_up(DATABASE)), "secours": as_superuser(rescue)}
    with marseille(instances, postgres_programs=[str(source.binaries.directory)]) as town:
        town.says("backup", "ville")
        yield town


def test_a_plan_tells_what_would_be_done_and_does_nothing(ville: Marseille, rescue: Postgres) -> None:
    said = ville.says("restore", "plan", "ville", "--to", "secours")

    (backup,) = ville.ground.published("ville")
    assert f"from       {backup} of ville" in said
    assert re.search(r"^proof +decoded \(L2\)$", said, re.MULTILINE)
    assert re.search(r"^makes +marseille$", said, re.MULTILINE)
    assert "DANGER" not in said
    assert backup in ville.says("restore", "list")
    assert "0" == rescue.psql(f"SELECT count(*) FROM pg_database WHERE datname = '{DATABASE}'")


def test_the_source_and_what_is_there_are_refused_unless_told(ville: Marseille, source: Postgres) -> None:
    rows = source.psql(COUNT, DATABASE)

    said = ville.says("restore", "database", "ville", DATABASE, "--to", "ville", "--yes", code=1)
    assert "refused: ville is the server that this set was taken from" in said
    assert said.rstrip().endswith("--onto-source --into-non-empty")
    assert "nobody can be asked here: say --yes" in ville.says("restore", "full", "ville", "--to", "secours", code=2)
    assert "say where to" in ville.says("restore", "full", "ville", code=2)
    assert "holds no database atlantis" in ville.says("restore", "plan", "ville", "atlantis", "--to", "ville", code=1)

    # Told to, it still overwrites nothing: what is there stands in the way.
    dangers = ["--onto-source", "--into-non-empty"]
    ville.says("restore", "database", "ville", DATABASE, "--to", "ville", "--yes", *dangers, code=1)
    assert rows == source.psql(COUNT, DATABASE)


def test_everything_comes_back_on_another_server_with_owners_and_grants(
    ville: Marseille, source: Postgres, rescue: Postgres
) -> None:
    assert "restored everything in" in ville.says("restore", "full", "ville", "--to", "secours", "--yes")

    for asked in (COUNT, OWNER, HANGING):
        assert source.psql(asked, DATABASE) == rescue.psql(asked, DATABASE)
    assert "marseille_owner" == rescue.psql(OWNER, DATABASE)


def test_a_table_comes_back_beside_the_original_and_the_hand_over_brings_its_rows_back(
    ville: Marseille, source: Postgres
) -> None:
    rows = source.psql(COUNT, DATABASE)
    source.psql(f"DELETE FROM {TABLE} WHERE id NOT IN (SELECT demande_id FROM metier.rendez_vous)", DATABASE)
    assert rows != source.psql(COUNT, DATABASE)

    said = ville.says("restore", "table", "ville", DATABASE, TABLE, "--to", "ville", "--as", "beside", "--yes")

    assert source.psql(HANGING, DATABASE) == source.psql(HANGING, "beside")
    assert rows == source.psql(COUNT, "beside")
    script = said[said.index(f"-- {TABLE} as it was") :]
    environment = f"PGHOST={source.directory} PGPORT={source.port} PGUSER=postgres"
    bash = script.replace("\\! psql", f"\\! {environment} {source.binaries['psql']}", 1)
    source.psql(bash.replace("| psql", f"| {environment} {source.binaries['psql']}"), DATABASE)
    assert rows == source.psql(COUNT, DATABASE)


def alive(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def test_a_server_of_its_own_stays_until_somebody_ends_it(ville: Marseille) -> None:
    directory = ville.ground.directory / "stays"
    said = ville.says("restore", "database", "ville", DATABASE, "--scratch", str(directory), "--yes")
    pid = int(re.findall(r"kill -INT (\d+)", said)[0])
    assert alive(pid)
    os.kill(pid, signal.SIGINT)
    eventually(lambda: not alive(pid))
    again = ville.says("restore", "database", "ville", DATABASE, "--scratch", str(directory), "--yes", code=1)
    assert "is not empty" in again
