"""What stands at a database itself comes with its copy, and what a restore leaves as it was is told."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pyrage
import pytest

from tests.fix_postgres import Clusters
from tests.fix_process import workspace
from tests.marseille_backed import Marseille, as_superuser, backed_up, marseille

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.fix_postgres import Binaries, Postgres

pytestmark = [pytest.mark.system, pytest.mark.engine]
CLERK = 'CREATE ROLE "Front desk"'
DESK = """
    REVOKE ALL ON DATABASE desk FROM PUBLIC;
    GRANT CONNECT ON DATABASE desk TO reader WITH GRANT OPTION;
    ALTER DATABASE desk SET work_mem = '5MB';
    ALTER DATABASE desk CONNECTION LIMIT 7;
    ALTER ROLE reader IN DATABASE desk SET search_path TO "desk", public;
    COMMENT ON DATABASE desk IS 'ON DATABASE desk; of it''s town'"""
# A reference that leads nowhere, as a damaged disk or a superuser leaves it.
DANGLING = """
    CREATE TABLE public.citizens (id int PRIMARY KEY);
    CREATE TABLE public.visits (citizen int CONSTRAINT visit_of REFERENCES public.citizens);
    SET session_replication_role = replica;
    INSERT INTO public.visits VALUES (741963)"""
ALIKE = """
    CREATE TABLE public."nl t" (id int); INSERT INTO public."nl t" VALUES (1);
    CREATE TABLE public."nl
t" (id int); INSERT INTO public."nl
t" VALUES (1), (2)"""
PROPERTIES = """
    SELECT pg_get_userbyid(datdba), datconnlimit, shobj_description(d.oid, 'pg_database'),
           has_database_privilege('stranger', d.oid, 'CONNECT'), has_database_privilege('reader', d.oid, 'CONNECT'),
           (SELECT string_agg(concat(setrole::regrole, setconfig), ' ' ORDER BY setrole) FROM pg_db_role_setting
            WHERE setdatabase = d.oid)
    FROM pg_database AS d WHERE datname = """


@pytest.fixture(scope="module")
def source(clusters: Clusters, postgres_18_binaries: Binaries) -> Iterator[Postgres]:
    with clusters.new(postgres_18_binaries) as server:
        server.psql(f"{CLERK}; CREATE ROLE reader LOGIN; CREATE ROLE stranger")
        server.psql('CREATE DATABASE desk OWNER "Front desk"')
        server.psql(DESK)
        server.psql(ALIKE, "desk")
        server.psql("CREATE DATABASE broken")
        server.psql(DANGLING, "broken")
        yield server


@pytest.fixture(scope="module")
def rescue(postgres_18_binaries: Binaries) -> Iterator[Postgres]:
    with workspace() as directory, Clusters(directory).new(postgres_18_binaries) as server:
        yield server


@pytest.fixture(scope="module")
def town(source: Postgres, rescue: Postgres) -> Iterator[Marseille]:
    instances = {
        "ville": as_superuser(source, backups=backed_up("desk", "broken")),
        "secours": as_superuser(rescue),
    }
    with marseille(instances, postgres_programs=[str(source.binaries.directory)]) as made:
        made.says("backup", "ville")
        yield made


def test_a_copy_has_the_owner_the_grants_and_the_settings_of_its_database(town: Marseille, source: Postgres) -> None:
    town.says("restore", "database", "ville", "desk", "--to", "ville", "--as", 'the "copy"', "--yes")

    copied = source.psql(f"{PROPERTIES} 'the \"copy\"'")
    assert copied == source.psql(f"{PROPERTIES} 'desk'")
    assert copied.startswith("Front desk|7|ON DATABASE desk; of it's town|f|t|")
    assert "work_mem=5MB" in copied
    assert "3" == source.psql('SELECT (SELECT count(*) FROM "nl t") + (SELECT count(*) FROM "nl\nt")', 'the "copy"')


def test_roles_that_were_there_already_are_named_before_and_after(town: Marseille, rescue: Postgres) -> None:
    rescue.psql("CREATE ROLE reader SUPERUSER LOGIN; CREATE ROLE stranger")
    left = re.compile(r"note +roles that secours has already stay .* own passwords: .*\breader, .*stranger\b")

    assert left.search(town.says("restore", "plan", "ville", "desk", "--to", "secours"))
    said = town.says("restore", "database", "ville", "desk", "--to", "secours", "--yes")

    assert left.search(said[said.index("restored the database") :])
    assert "(other rights, settings or memberships than in the set: reader)" in said
    again = town.says("restore", "plan", "ville", "desk", "--to", "secours")
    assert "note       the database desk of secours keeps its owner, the grants on it and its settings" in again


def test_a_reference_that_leads_nowhere_is_told_by_its_name_and_what_is_left(town: Marseille, rescue: Postgres) -> None:
    said = town.says("restore", "database", "ville", "broken", "--to", "secours", "--as", "half", "--yes", code=1)

    assert 'insert or update on table "visits" violates foreign key constraint "visit_of"' in said
    assert "741963" not in said
    assert "what was restored until then stays on secours, incomplete (half)" in said
    assert "1" == rescue.psql("SELECT count(*) FROM public.visits", "half")


def test_a_set_without_its_key_cannot_be_restored_and_the_plan_says_so(source: Postgres, rescue: Postgres) -> None:
    instances = {"ville": as_superuser(source, backups=backed_up("desk")), "secours": as_superuser(rescue)}
    shared = {"postgres_programs": [str(source.binaries.directory)]}
    public = str(pyrage.x25519.Identity.generate().to_public())
    with marseille(instances, encryption={"recipients": [public]}, **shared) as made:
        made.says("backup", "ville", code=1)  # it is there, but nobody could read it to its end
        where = ("--to", "secours", "--as", "sealed")
        for words in ((), ("public.partitioned",)):
            said = made.says("restore", "plan", "ville", "desk", *words, *where)
            assert "OBSTACLE   the set is encrypted -> name a key in backups.encryption.identity_file" in said
        said = made.says("restore", "database", "ville", "desk", *where, "--unproven", "--yes", code=1)

    assert "refused: the set is encrypted -> name a key in" in said


@pytest.mark.parametrize("name", ["nl t", "nl\nt"])
def test_a_table_that_cannot_be_told_from_another_is_not_restored_alone(town: Marseille, name: str) -> None:
    said = town.says("restore", "plan", "ville", "desk", f"public.{name}", "--to", "secours", code=1)

    assert "restore database ville desk --as NEW_NAME" in said
