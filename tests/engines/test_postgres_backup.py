"""A PostgreSQL is dumped while it is written to, restored, and equal to what it was at that moment."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from dbwatch.core.backups import comparing
from dbwatch.core.backups.model import Codec
from dbwatch.engines.backing import DumpOptions, Selection
from tests import postgres_backing as backing
from tests import postgres_rich as rich
from tests.fix_postgres import debian_binaries
from tests.fix_process import workspace

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.fix_postgres import Binaries, Clusters, Postgres

pytestmark = pytest.mark.engine


@pytest.fixture
def room() -> Iterator[Path]:
    """A short path: sockets stand in it."""
    with workspace() as directory:
        yield directory


@pytest.fixture(scope="module", params=[15, 18])
def server(request: pytest.FixtureRequest, clusters: Clusters, postgres_18_binaries: Binaries) -> Iterator[Postgres]:
    binaries = debian_binaries() if request.param == 15 else postgres_18_binaries
    with clusters.new(binaries, "max_prepared_transactions = 4") as started:
        started.psql(rich.ROLES)
        rich.create(started)
        yield started


@pytest.fixture
def options(postgres_18_binaries: Binaries) -> DumpOptions:
    return DumpOptions(include=("marseille",), program_directories=(postgres_18_binaries.directory,))


async def test_what_is_restored_is_what_was_dumped_under_load(
    server: Postgres, options: DumpOptions, room: Path
) -> None:
    writer = rich.Writer(server)
    form = replace(options, codec=Codec.GZIP) if server.version == 18 else options  # a directory; a stream

    taken = await backing.take(backing.as_superuser(server), room / "set", form, writer.a_while)
    async with backing.scratch(taken, room / "s", *options.program_directories) as target:
        await backing.restore(taken, target)
        facts = await backing.restored_facts(taken, target)
        await backing.run(list(backing.engine().integrity(target, ["marseille"])))
        unsound = await backing.engine().check(target, ["marseille"])
        settings = await backing.settings_of(target, "marseille")
        session = await backing.session(target, "marseille")
        await session.execute("ALTER TABLE metier.rdv SET (fillfactor = 77)")
        await session.close()
        changed = await backing.restored_facts(taken, target)

    different = comparing.differences(taken.manifest.facts, changed)
    assert "database marseille: definitions differ of kind table: metier.rdv" in different
    assert backing.content(taken.manifest.facts) == backing.content(facts)
    assert all(table.digest is not None for table in facts.tables)
    assert writer.writes > 5
    assert taken.manifest.format == ("directory" if server.version == 18 else "custom")
    assert unsound == ()
    assert settings == {"work_mem=5MB"}


async def test_a_table_is_restored_with_all_that_hangs_on_it(
    server: Postgres, options: DumpOptions, room: Path
) -> None:
    taken = await backing.take(backing.as_superuser(server), room / "set", options)
    aside = Selection("marseille", "metier", "rdv", "restore_rdv")
    async with backing.scratch(taken, room / "s", *options.program_directories) as target:
        await backing.restore(taken, target)
        session = await backing.session(target, "marseille")
        before = await session.fetch(HANGING)
        await session.execute("DROP TABLE metier.rdv CASCADE")
        await session.close()
        there = Selection("marseille", "metier", "citoyens")
        occupied = await backing.engine().occupied(target, there, taken.manifest)
        lacking = await backing.engine().obstacles(taken.manifest, taken.directory, target, aside, None)
        assert not lacking
        await backing.restore(taken, target, aside)
        in_restored = await backing.session(target, "restore_rdv")
        beside = await in_restored.fetch(HANGING)
        tables = await in_restored.fetchval(TABLES)
        await in_restored.close()
        session = await backing.session(target, "marseille")
        await backing.restore(taken, target, Selection("marseille", "metier", "rdv"))
        after = await session.fetch(HANGING)
        await session.close()

    assert occupied == "metier.citoyens is in marseille of scratch already"
    assert before == after
    assert [row for row in before if row["kind"] != "f"] == beside
    assert tables == 1
    assert HUNG <= {row["kind"] for row in before}


HUNG = {"table", "data", "index", "p", "c", "f", "policy", "rule", "acl", "sequence"}
TABLES = "SELECT count(*) FROM pg_tables WHERE schemaname = 'metier'"
HANGING = """
WITH t AS (SELECT * FROM pg_class WHERE oid = 'metier.rdv'::regclass),
i AS (SELECT indexrelid AS oid FROM pg_index WHERE indrelid = 'metier.rdv'::regclass)
SELECT 'table' AS kind, relname::text AS name, relrowsecurity::text AS text FROM t
UNION ALL SELECT 'data', count(*)::text, sum(hashtext(r::text))::text FROM metier.rdv r
UNION ALL SELECT 'index', i.oid::regclass::text, pg_get_indexdef(i.oid) FROM i
UNION ALL SELECT contype::text, conname, pg_get_constraintdef(c.oid) FROM pg_constraint c JOIN t ON t.oid = conrelid
UNION ALL SELECT 'policy', polname, pg_get_expr(polqual, polrelid) FROM pg_policy JOIN t ON t.oid = polrelid
UNION ALL SELECT 'rule', rulename, pg_get_ruledef(w.oid) FROM pg_rewrite w JOIN t ON t.oid = ev_class
UNION ALL SELECT 'acl', relowner::regrole::text, coalesce(relacl, acldefault('r', relowner))::text FROM t
UNION ALL SELECT 'sequence', pg_get_serial_sequence('metier.rdv', 'id'), nextval('metier.rdv_id_seq')::text
ORDER BY 1, 2, 3
"""
