"""Which databases a set holds: templates of our own too, and what it cannot hold is named in it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from dbwatch.core.backups import comparing
from dbwatch.core.backups.model import JobReason
from dbwatch.engines.backing import DumpOptions, Selection
from dbwatch.files import sql_root
from tests import postgres_backing as backing
from tests.fix_postgres import PASSWORD
from tests.fix_process import workspace

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.fix_postgres import Binaries, Clusters, Postgres

pytestmark = pytest.mark.engine
CLOSED = """
CREATE DATABASE closed;
ALTER DATABASE closed ALLOW_CONNECTIONS false;
CREATE DATABASE half_dropped;
UPDATE pg_database SET datconnlimit = -2 WHERE datname = 'half_dropped';
"""


@pytest.fixture
def room() -> Iterator[Path]:
    """A short path: sockets stand in it."""
    with workspace() as directory:
        yield directory


@pytest.fixture(scope="module")
def server(clusters: Clusters, postgres_18_binaries: Binaries) -> Iterator[Postgres]:
    with clusters.new(postgres_18_binaries) as started:
        started.psql("CREATE DATABASE modele IS_TEMPLATE true")
        started.psql("CREATE TABLE service AS SELECT g AS id FROM generate_series(1, 9) g", "modele")
        for statement in CLOSED.strip().splitlines():
            started.psql(statement)
        started.psql("CREATE TABLE of_all (id int)", "template1")
        documented = (sql_root() / "postgres" / "security" / "05_role_backup.sql").read_text()
        started.psql(f"SET dbwatch.backup_password = '{PASSWORD}'; {documented}", "modele")
        yield started


@pytest.fixture
def options(postgres_18_binaries: Binaries) -> DumpOptions:
    return DumpOptions(program_directories=(postgres_18_binaries.directory,))


async def test_a_template_of_our_own_is_in_the_set_and_a_template_again_when_restored(
    server: Postgres, options: DumpOptions, room: Path
) -> None:
    taken = await backing.take(backing.as_superuser(server), room / "set", options)
    beside = Selection("modele", into="copy_of_modele")
    async with backing.scratch(taken, room / "s", *options.program_directories) as target:
        await backing.restore(taken, target)
        facts = await backing.restored_facts(taken, target)
        await backing.run(list(backing.engine().integrity(target, ["modele"])))
        await backing.restore(taken, target, beside)
        session = await backing.session(target, "postgres")
        templates = await session.fetch("SELECT datname::text FROM pg_database WHERE datistemplate ORDER BY 1")
        await session.close()
        occupied = await backing.engine().occupied(target, Selection("modele"), taken.manifest)

    assert [("modele", 9)] == [(each.database, each.rows) for each in taken.manifest.facts.tables]
    assert ("modele", "postgres") == tuple(each.name for each in taken.manifest.facts.databases)
    assert comparing.differences(taken.manifest.facts, facts) == ()
    assert ["copy_of_modele", "modele", "template0", "template1"] == [row[0] for row in templates]
    assert occupied == "these databases of scratch hold something already: modele (objects: 1)"


async def test_what_no_dump_can_hold_is_named_in_the_set_unless_it_is_excluded(
    server: Postgres, options: DumpOptions
) -> None:
    told = (await backing.engine().preflight(backing.as_superuser(server), options)).warnings
    excluding = replace(options, exclude=("closed", "half_*", "template1"))
    silent = (await backing.engine().preflight(backing.as_superuser(server), excluding)).warnings

    assert silent == ()
    assert len(told) == 3
    assert "NOT in the set: closed (" in told[0]
    assert "ALTER DATABASE closed ALLOW_CONNECTIONS true" in told[0]
    assert "NOT in the set: half_dropped (" in told[1]
    assert "DROP DATABASE half_dropped" in told[1]
    assert "NOT in the set: template1 (" in told[2]


async def test_a_database_that_is_asked_for_by_name_and_cannot_be_dumped_is_refused(
    server: Postgres, options: DumpOptions
) -> None:
    wanted = replace(options, include=("modele", "closed", "template1"))

    known = await backing.engine().preflight(backing.as_superuser(server), wanted)

    assert [JobReason.INCOMPLETE] * 2 == [each.reason for each in known.faults]
    assert "`include` names closed, which no dump can hold" in known.faults[0].line
    assert "ALTER DATABASE closed ALLOW_CONNECTIONS true" in known.faults[0].line
    assert "`include` names template1" in known.faults[1].line
    assert ["modele"] == [name for name, _ in known.databases]


async def test_an_untouched_template1_is_not_worth_a_word_and_one_that_cannot_be_looked_at_is(
    server: Postgres, options: DumpOptions
) -> None:
    only = replace(options, include=("mo*", "template*"))
    server.psql("REVOKE CONNECT ON DATABASE template1 FROM PUBLIC")
    try:
        (unknown,) = (await backing.engine().preflight(backing.described(server), only)).warnings
    finally:
        server.psql("GRANT CONNECT ON DATABASE template1 TO PUBLIC")
    server.psql("DROP TABLE of_all", "template1")
    try:
        untouched = (await backing.engine().preflight(backing.described(server), only)).warnings
    finally:
        server.psql("CREATE TABLE of_all (id int)", "template1")

    assert "whether template1 holds something could not be seen" in unknown
    assert untouched == ()
