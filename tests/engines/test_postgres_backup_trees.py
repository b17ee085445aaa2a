"""Rows that are parted by the hash of an enum lie in other partitions after each restore, and are the same rows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from dbwatch.core.backups import comparing, restore_plans
from dbwatch.core.backups.model import BackupRecord, ProofName
from dbwatch.core.backups.restore_plans import Part
from dbwatch.engines.backing import DumpOptions, Selection
from tests import postgres_backing as backing
from tests.fix_process import workspace

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.fix_postgres import Binaries, Clusters, Postgres

pytestmark = pytest.mark.engine
STATES = ", ".join(f"'etat {number}'" for number in range(12))
TREE = f"""
CREATE TYPE etat AS ENUM ({STATES});
CREATE TABLE "Dossier" (id int, etat etat, ouvert int) PARTITION BY RANGE (ouvert);
CREATE TABLE ancien PARTITION OF "Dossier" FOR VALUES FROM (0) TO (100);
CREATE TABLE recent PARTITION OF "Dossier" FOR VALUES FROM (100) TO (1000) PARTITION BY HASH (etat);
CREATE TABLE recent_0 PARTITION OF recent FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE recent_1 (ouvert int, id int, etat etat);
ALTER TABLE recent ATTACH PARTITION recent_1 FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE TABLE plain (id int) PARTITION BY HASH (id);
CREATE TABLE plain_0 PARTITION OF plain FOR VALUES WITH (MODULUS 1, REMAINDER 0);
INSERT INTO "Dossier"
    SELECT n, (enum_range(NULL::etat))[1 + n % 12], n FROM generate_series(1, 900) AS n;
INSERT INTO plain VALUES (1);
"""
COMMENTS = """
CREATE TABLE service (id int PRIMARY KEY);
CREATE TABLE demande (id int, service int REFERENCES service, CONSTRAINT positif CHECK (id > 0))
    PARTITION BY RANGE (id);
CREATE TABLE demande_0 PARTITION OF demande FOR VALUES FROM (0) TO (9);
CREATE TABLE demande_1 (LIKE demande, PRIMARY KEY (id));
ALTER TABLE demande_1 ADD CONSTRAINT positif CHECK (id > 0), ADD CONSTRAINT a_elle CHECK (id < 99);
ALTER TABLE demande ATTACH PARTITION demande_1 FOR VALUES FROM (9) TO (99);
CREATE FUNCTION noter() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER note AFTER INSERT ON demande FOR EACH ROW EXECUTE FUNCTION noter();
ALTER TABLE demande_1 DISABLE TRIGGER note;
COMMENT ON CONSTRAINT demande_service_fkey ON demande IS 'kept';
COMMENT ON CONSTRAINT demande_service_fkey ON demande_0 IS 'lost';
COMMENT ON CONSTRAINT positif ON demande IS 'kept';
COMMENT ON CONSTRAINT positif ON demande_1 IS 'lost';
COMMENT ON CONSTRAINT a_elle ON demande_1 IS 'kept';
COMMENT ON CONSTRAINT demande_1_pkey ON demande_1 IS 'kept';
COMMENT ON TRIGGER note ON demande IS 'kept';
COMMENT ON TRIGGER note ON demande_0 IS 'lost';
COMMENT ON TRIGGER note ON demande_1 IS 'kept';
COMMENT ON COLUMN demande_0.id IS 'kept';
CREATE VIEW vue AS SELECT 1 AS n;
COMMENT ON VIEW vue IS 'kept';
COMMENT ON RULE "_RETURN" ON vue IS 'lost';
"""


# Of what is below `milieu` the first alone comes before it.
IDENTITY = """
CREATE TABLE tete (id int GENERATED ALWAYS AS IDENTITY, d int) PARTITION BY LIST (d);
CREATE TABLE milieu PARTITION OF tete DEFAULT PARTITION BY LIST (d);
CREATE TABLE avant PARTITION OF milieu FOR VALUES IN (1) PARTITION BY LIST (d);
CREATE TABLE sous_avant PARTITION OF avant DEFAULT;
CREATE TABLE sous PARTITION OF milieu DEFAULT;
INSERT INTO tete (d) VALUES (1), (2);
"""


@pytest.fixture
def room() -> Iterator[Path]:
    """A short path: sockets stand in it."""
    with workspace() as directory:
        yield directory


@pytest.fixture(scope="module")
def server(clusters: Clusters, postgres_18_binaries: Binaries) -> Iterator[Postgres]:
    with clusters.new(postgres_18_binaries) as started:
        started.psql("CREATE DATABASE marseille")
        started.psql(TREE, "marseille")
        yield started


@pytest.fixture
def options(postgres_18_binaries: Binaries) -> DumpOptions:
    return DumpOptions(include=("marseille",), program_directories=(postgres_18_binaries.directory,))


async def test_rows_that_a_restore_spreads_anew_are_compared_as_those_of_the_whole(
    server: Postgres, options: DumpOptions, room: Path
) -> None:
    taken = await backing.take(backing.as_superuser(server), room / "set", options)
    source = taken.manifest.facts
    older = replace(source, tables=tuple(replace(each, through="") for each in source.tables))
    within = {each.table: each.within for each in source.tables if each.within}
    assert within == {"recent_0": ("public.recent",), "recent_1": ("public.recent",)}
    why = restore_plans.inseparable(BackupRecord(taken.manifest), Part("marseille", "public", "recent", "copie"))
    assert why.endswith("restore table db marseille public.Dossier")
    async with backing.scratch(taken, room / "s", *options.program_directories) as target:
        await backing.restore(taken, target)
        facts = await backing.restored_facts(taken, target)
        session = await backing.session(target, "marseille")
        await session.execute("UPDATE recent SET id = -id WHERE id = 500")
        await session.close()
        changed = await backing.restored_facts(taken, target)

    through = {each.table: each.through for each in source.tables}
    assert through == {"ancien": "", "recent_0": "public.Dossier", "recent_1": "public.Dossier", "plain_0": ""}
    by_leaf = [{each.table: each.rows for each in found.tables} for found in (source, facts)]
    assert by_leaf[0] != by_leaf[1]  # else this test shows nothing
    for known in (source, older):
        found = comparing.compare(known, facts)
        assert found.differences == ()
        assert found.summary == "3 of 3 tables compared: 3 by content"
        assert comparing.proven(known, found)[0] is ProofName.COMPARED
    assert comparing.differences(source, changed) == ("table marseille.public.Dossier: other content",)


async def test_the_whole_is_restored_by_itself_with_all_of_its_rows(
    server: Postgres, options: DumpOptions, room: Path
) -> None:
    taken = await backing.take(backing.as_superuser(server), room / "set", options)
    async with backing.scratch(taken, room / "s", *options.program_directories) as target:
        await backing.restore(taken, target, Selection("marseille", "public", "Dossier", "beside"))
        session = await backing.session(target, "beside")
        found = await session.fetchrow('SELECT count(*), sum(id) FROM "Dossier"')
        await session.close()

    assert (900, 405450) == tuple(found or ())


async def test_comments_that_no_dump_holds_are_told_before_and_are_not_missed_after_a_restore(
    server: Postgres, options: DumpOptions, room: Path
) -> None:
    server.psql("CREATE DATABASE commentaires")
    server.psql(COMMENTS, "commentaires")
    taken = await backing.take(backing.as_superuser(server), room / "set", replace(options, include=("commentaires",)))
    server.psql("DROP DATABASE commentaires")
    async with backing.scratch(taken, room / "s", *options.program_directories) as target:
        await backing.restore(taken, target)
        found = comparing.compare(taken.manifest.facts, await backing.restored_facts(taken, target))

    assert found.differences == ()
    assert dict(taken.manifest.facts.databases[0].inventory)["comment"] == 8
    (told,) = (each for each in taken.preflight.warnings if "comment" in each)
    assert told.startswith(
        "commentaires: NOT in the dump: comment on constraint demande_service_fkey on table public.demande_0, "
        "comment on constraint positif on table public.demande_1, comment on rule _RETURN on view public.vue, "
        "comment on trigger note on table public.demande_0 ("
    )


async def test_a_partition_that_no_restore_makes_an_identity_again_is_told_with_what_mends_it(
    server: Postgres, options: DumpOptions, room: Path
) -> None:
    server.psql("CREATE DATABASE identites")
    server.psql(IDENTITY, "identites")
    options = replace(options, include=("identites",))

    async def differing(name: str) -> tuple[list[str], tuple[str, ...]]:
        taken = await backing.take(backing.as_superuser(server), room / name, options)
        async with backing.scratch(taken, room / name[0], *options.program_directories) as target:
            await backing.restore(taken, target)
            facts = await backing.restored_facts(taken, target)
        told = [line for line in taken.preflight.warnings if "GENERATED AS IDENTITY" in line]
        return told, comparing.compare(taken.manifest.facts, facts).differences

    try:
        told, before = await differing("before")
        server.psql("ALTER TABLE avant RENAME TO milieu_avant", "identites")
        silent, after = await differing("after")
    finally:
        server.psql("DROP DATABASE identites")

    lost = ("public.avant.id", "public.sous_avant.id")
    assert all(any(name in line for line in before) for name in lost)
    assert 1 == len(told)
    assert f"told as differing: {', '.join(lost)} (" in told[0]
    assert "these come before public.milieu, which they are parts of) -> rename them" in told[0]
    assert ([], ()) == (silent, after)
