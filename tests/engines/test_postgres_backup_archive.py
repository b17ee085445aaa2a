"""What stands on the disk of a PostgreSQL's dump: sealed, it opens for who has the key; damaged, it is found."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pyrage
import pytest

from dbwatch.archive import sealing
from dbwatch.core.backups.model import Codec, JobReason
from dbwatch.engines.backing import Command, DumpOptions
from dbwatch.errors import JobError
from tests import postgres_backing as backing
from tests import postgres_rich as rich
from tests.fix_postgres import debian_binaries
from tests.fix_process import workspace

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.fix_postgres import Clusters, Postgres

pytestmark = pytest.mark.engine


@pytest.fixture
def room() -> Iterator[Path]:
    """A short path: sockets stand in it."""
    with workspace() as directory:
        yield directory


@pytest.fixture(scope="module")
def server(clusters: Clusters) -> Iterator[Postgres]:
    with clusters.new(debian_binaries()) as started:
        started.psql(rich.ROLES)
        rich.create(started)
        yield started


@pytest.fixture
def options() -> DumpOptions:
    return DumpOptions(include=("marseille",))


async def test_a_sealed_set_is_read_with_the_key_and_refused_without(
    server: Postgres, options: DumpOptions, room: Path
) -> None:
    key = pyrage.x25519.Identity.generate()
    identity = room / "key"
    identity.write_text(str(key))
    seal = Command(tuple(sealing.seal_command((str(key.to_public()),))))
    opener = Command(tuple(sealing.open_command(identity)))
    sealed = replace(options, seal=seal)
    taken = await backing.take(backing.as_superuser(server), room / "set", sealed)
    programs = await backing.engine().client_programs(taken.manifest, options.program_directories)

    await backing.run(list(backing.engine().decoding(taken.manifest, taken.directory, opener, programs)))
    async with backing.scratch(taken, room / "s", *options.program_directories) as target:
        await backing.restore(taken, target, opener=opener)
        facts = await backing.restored_facts(taken, target)
    with pytest.raises(JobError) as refused:
        backing.engine().decoding(taken.manifest, taken.directory, None, programs)

    assert backing.content(taken.manifest.facts) == backing.content(facts)
    assert {member.path[-4:] for member in taken.manifest.members} == {".age"}
    assert refused.value.reason == JobReason.NO_KEY
    assert b"citoyens" not in b"".join(path.read_bytes() for path in taken.directory.iterdir())


@pytest.mark.parametrize("codec", [Codec.ZSTD, Codec.GZIP])
async def test_half_a_dump_and_a_flipped_bit_are_found_by_reading_it(
    server: Postgres, options: DumpOptions, room: Path, codec: Codec
) -> None:
    chosen = replace(options, codec=codec)
    taken = await backing.take(backing.as_superuser(server), room / "set", chosen)
    programs = await backing.engine().client_programs(taken.manifest, options.program_directories)
    largest = max((path for path in taken.directory.rglob("*") if path.is_file()), key=lambda path: path.stat().st_size)
    whole = largest.read_bytes()

    async def read() -> None:
        await backing.run(list(backing.engine().decoding(taken.manifest, taken.directory, None, programs)))

    await read()
    for damaged in (whole[: len(whole) // 2], whole[:5000] + bytes([whole[5000] ^ 4]) + whole[5001:]):
        largest.write_bytes(damaged)
        with pytest.raises(JobError):
            await read()
    largest.write_bytes(whole)
    (taken.directory / "globals.sql").write_bytes((taken.directory / "globals.sql").read_bytes()[:-30])
    with pytest.raises(JobError) as truncated:
        await read()

    assert "truncated" in truncated.value.message
