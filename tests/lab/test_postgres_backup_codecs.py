"""A pg_dump that compresses by zstd itself, as Debian's 17 does: read, restored, compared, and found damaged."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from benchmarks.foreign import wrapped
from dbwatch.core.backups import comparing
from dbwatch.core.backups.model import Codec, JobReason
from dbwatch.engines.backing import DumpOptions
from dbwatch.errors import JobError
from dbwatch.files import sql_root
from tests import postgres_backing as backing
from tests import postgres_rich as rich
from tests.fix_postgres import PASSWORD
from tests.fix_process import workspace
from tests.lab.conftest import LAB, postgres_binaries, readable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.fix_postgres import Binaries, Clusters, Postgres

pytestmark = pytest.mark.engine
MAJOR = 17
PROGRAMS = ("pg_dump", "pg_dumpall", "pg_restore", "createdb", "dropdb", "psql")
SCRIPT = (sql_root() / "postgres" / "security" / "05_role_backup.sql").read_text()
LARGE_OBJECTS = "SELECT lo_unlink(oid) FROM pg_largeobject_metadata"  # the role may not read those of others
ZSTANDARD = bytes.fromhex("28b52ffd")


@pytest.fixture(scope="module")
def client() -> Iterator[Path]:
    """The fetched programs, each run by its own loader."""
    with readable(LAB / "postgres-client") as root, workspace() as directory:
        home = root / f"usr/lib/postgresql/{MAJOR}/bin"
        yield wrapped(root, (home / name for name in PROGRAMS), directory)


@pytest.fixture(scope="module")
def server(clusters: Clusters) -> Iterator[Postgres]:
    with postgres_binaries(MAJOR) as binaries, clusters.new(binaries) as started:
        started.psql(rich.ROLES)
        rich.create(started)
        started.psql(LARGE_OBJECTS, "marseille")
        for database in ("postgres", "marseille"):
            started.psql(f"SET dbwatch.backup_password = '{PASSWORD}'; {SCRIPT}", database)
        yield started


@pytest.fixture
def room() -> Iterator[Path]:
    with workspace() as directory:
        yield directory


def options(*directories: Path) -> DumpOptions:
    return DumpOptions(include=("marseille",), program_directories=directories)


async def test_such_a_set_is_restored_into_a_server_whose_own_pg_restore_lacks_zstd(
    server: Postgres, client: Path, postgres_18_binaries: Binaries, room: Path
) -> None:
    first = (client, postgres_18_binaries.directory)
    taken = await backing.take(backing.described(server), room / "set", options(*first), rich.Writer(server).a_while)
    async with backing.scratch(taken, room / "s", *first) as target:
        await backing.restore(taken, target)
        facts = await backing.restored_facts(taken, target)

    data = [member for member in taken.manifest.members if member.path.endswith(".dat.zst")]
    assert data
    assert {member.codec for member in data} == {Codec.ZSTD}
    assert all((room / "set" / member.path).read_bytes().startswith(ZSTANDARD) for member in data)
    found = comparing.compare(taken.manifest.facts, facts, definitions=False)
    assert found.differences == ()
    assert found.tables_compared == found.tables_total > 8


async def damaged(server: Postgres, client: Path, room: Path, damage: Callable[[bytes], bytes]) -> None:
    """Its largest member is damaged, and the set is read to its end, without a look at the hashes."""
    taken = await backing.take(backing.described(server), room / "set", options(client))
    largest = max((room / "set").rglob("*.dat.zst"), key=lambda path: path.stat().st_size)
    await asyncio.to_thread(largest.write_bytes, damage(await asyncio.to_thread(largest.read_bytes)))
    programs = await backing.engine().client_programs(taken.manifest, (client,))
    await backing.run(list(backing.engine().decoding(taken.manifest, taken.directory, None, programs)))


async def test_a_member_that_was_cut_is_found_by_reading_it_to_its_end(
    server: Postgres, client: Path, room: Path
) -> None:
    with pytest.raises(JobError) as found:
        await damaged(server, client, room, lambda content: content[: len(content) // 2])

    assert found.value.reason is JobReason.CORRUPT


async def test_where_no_pg_restore_has_zstd_that_is_what_is_said(
    server: Postgres, client: Path, postgres_18_binaries: Binaries, room: Path
) -> None:
    taken = await backing.take(backing.described(server), room / "set", options(client))

    with pytest.raises(JobError, match="can read zstd: install the PostgreSQL client") as refused:
        await backing.engine().client_programs(taken.manifest, (postgres_18_binaries.directory,))
    assert refused.value.reason is JobReason.CLIENT_MISSING
