"""A backup of every PostgreSQL with the documented role, restored into the nearest server that this machine has."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dbwatch.core.backups import comparing
from dbwatch.engines.backing import DumpOptions
from dbwatch.files import sql_root
from tests import postgres_backing as backing
from tests import postgres_rich as rich
from tests.fix_postgres import PASSWORD
from tests.fix_process import workspace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.fix_postgres import Binaries, Postgres

pytestmark = pytest.mark.engine
GONE = ("DROP DATABASE marseille", 'DROP ROLE "Agent d\'accueil"', "DROP ROLE mairie")
SCRIPT = (sql_root() / "postgres" / "security" / "05_role_backup.sql").read_text()
LARGE_OBJECTS = (
    "SELECT lo_unlink(oid) FROM pg_largeobject_metadata"  # of others: they need a superuser, or a grant each
)


@pytest.fixture
def filled(lab_postgres: Postgres) -> Iterator[Postgres]:
    lab_postgres.psql(rich.ROLES)
    rich.create(lab_postgres)
    lab_postgres.psql(LARGE_OBJECTS, "marseille")
    for database in ("postgres", "marseille"):
        lab_postgres.psql(f"SET dbwatch.backup_password = '{PASSWORD}'; {SCRIPT}", database)
    yield lab_postgres
    for statement in GONE:
        lab_postgres.psql(statement)


async def test_what_is_restored_is_what_was_dumped(filled: Postgres, postgres_18_binaries: Binaries) -> None:
    options = DumpOptions(include=("marseille",), program_directories=(postgres_18_binaries.directory,))
    with workspace() as room:
        taken = await backing.take(backing.described(filled), room / "set", options, rich.Writer(filled).a_while)
        async with backing.scratch(taken, room / "s", *options.program_directories) as target:
            await backing.restore(taken, target)
            facts = await backing.restored_facts(taken, target)
            postgres = next(program for program in target.programs if program.name == "postgres")

    is_same = postgres.version[0] == filled.version
    found = comparing.compare(taken.manifest.facts, facts, definitions=is_same)
    assert found.differences == ()
    assert found.tables_compared == found.tables_total > 8
    assert postgres.version[0] >= filled.version
