"""What a look at the files of a set tells without reading them, of a whole manifest and of what an index keeps."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from dbwatch.core.backups.folding import folded
from dbwatch.core.backups.model import JobReason, Proof, ProofName
from tests.archive_sets import COMPARED, LOGICAL, NOW, published, repository

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from dbwatch.core.backups.model import BackupRecord

KEPT: dict[str, Callable[[BackupRecord], BackupRecord]] = {"whole": lambda record: record, "folded": folded}
DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "truncated": (lambda directory: (directory / "globals.sql").write_bytes(b""), "globals.sql is truncated: 0 bytes"),
    "missing": (lambda directory: (directory / "shop" / "toc.dat").unlink(), "shop/toc.dat is missing"),
    "gone": (shutil.rmtree, "its directory is gone"),
}


@pytest.mark.parametrize("kept", KEPT.values(), ids=KEPT)
@pytest.mark.parametrize(("damage", "told"), DAMAGES.values(), ids=DAMAGES)
async def test_a_file_that_is_gone_or_has_another_size_is_seen_without_reading_it(
    tmp_path: Path, kept: Callable[[BackupRecord], BackupRecord], damage: Callable[[Path], object], told: str
) -> None:
    place = repository(tmp_path)
    bad, good = kept(await published(place)), kept(await published(place))
    damage(tmp_path / "pg1" / "logical" / bad.id)

    seen, untouched = await place.looked_at([bad, good])

    assert told in seen.problem
    assert good == untouched


async def test_a_manifest_that_is_gone_is_seen_from_the_index(tmp_path: Path) -> None:
    place = repository(tmp_path)
    record = await published(place)
    (tmp_path / "pg1" / "logical" / record.id / "manifest.json").unlink()

    (seen,) = await place.looked_at([folded(record)])

    assert "it has no manifest" in seen.problem


async def test_a_proof_that_somebody_else_wrote_is_told_and_what_stands_beside_hurts_nobody(tmp_path: Path) -> None:
    place = repository(tmp_path)
    record = await published(place)
    (tmp_path / "pg1" / "logical" / record.id / "notes.txt").write_text("mine")
    bad = Proof(ProofName.HASHED, NOW, 1.0, JobReason.CORRUPT, "its sha256 is another")
    await place.add_proof("pg1", LOGICAL, record.id, COMPARED)
    await place.add_proof("pg1", LOGICAL, record.id, bad)

    (seen,) = await place.looked_at([folded(record)])

    assert ((COMPARED, bad), "") == (seen.proofs, seen.problem)
    assert replace(folded(record), proofs=(COMPARED, bad)) == seen
