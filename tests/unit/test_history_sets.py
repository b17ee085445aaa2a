"""The index tells what the repository holds without reading it, and what is not as it was published."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from dbwatch import history
from dbwatch.core.backups.folding import folded, is_folded, unreadable
from dbwatch.core.backups.model import (
    BackupKind,
    BackupRecord,
    Facts,
    JobReason,
    Member,
    Proof,
    ProofLevel,
    ProofName,
    TableFacts,
)
from dbwatch.errors import DbwatchError
from dbwatch.history.job_words import EDITED, GONE, NEW
from tests.archive_sets import COMPARED, DAY, LOGICAL, NOW, PUBLISHED, SHA256, record

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Trashed:
    """As the repository tells of it."""

    instance: str
    kind: BackupKind
    id: str
    trashed_at: float = NOW


def many(number: int) -> BackupRecord:
    """A set of many files and tables."""
    made = record(number)
    members = tuple(Member(f"shop/{each}.dat", 10, SHA256, database="shop") for each in range(100))
    tables = tuple(TableFacts("shop", "public", f"t{each}", 3, "digest", 8) for each in range(100))
    return replace(made, manifest=replace(made.manifest, members=members, facts=Facts(tables=tables)))


async def test_records_outlive_a_restart_with_what_was_proven(tmp_path: Path) -> None:
    first, second = record(1), record(2, proofs=(PUBLISHED,))
    async with history.opened(tmp_path) as past:
        for each in (second, first):
            await past.jobs.sets.put(each)
        await past.jobs.sets.prove("pg1", LOGICAL, second.id, COMPARED)
        await past.jobs.sets.pin("pg1", LOGICAL, first.id, pinned=True)
        before = past.jobs.sets.records()

    async with history.opened(tmp_path) as past:
        found = past.jobs.sets.records("pg1", LOGICAL)
        assert before == found == past.jobs.sets.records()
        assert [first.id, second.id] == [each.id for each in found]
        assert (PUBLISHED, COMPARED) == found[1].proofs
        assert ProofLevel.L3 is found[1].level
        assert [True, False] == [each.pinned for each in found]
        assert [first.checksum, second.checksum] == [each.checksum for each in found]
        assert found[1] == past.jobs.sets.find(second.id)
        assert None is past.jobs.sets.find("none")


async def test_order_is_by_number_whatever_the_clock_said(tmp_path: Path) -> None:
    async with history.opened(tmp_path) as past:
        for number in (3, 1, 2):
            await past.jobs.sets.put(record(number, now=NOW - number * DAY))
        assert [1, 2, 3] == [each.manifest.sequence for each in past.jobs.sets.records("pg1")]
        assert () == past.jobs.sets.records("pg2")


async def test_a_number_is_never_given_twice_not_even_when_its_set_is_gone(tmp_path: Path) -> None:
    async with history.opened(tmp_path) as past:
        assert 0 == past.jobs.sets.last_sequence("pg1", LOGICAL)
        await past.jobs.sets.put(record(41))
        await past.jobs.sets.forget("pg1", LOGICAL, record(41).id)
    async with history.opened(tmp_path) as past:
        assert () == past.jobs.sets.records()
        assert 41 == past.jobs.sets.last_sequence("pg1", LOGICAL)


def test_sums_are_kept_and_single_tables_and_files_are_not() -> None:
    small = folded(many(1)).manifest

    assert 1000 == small.size_bytes == many(1).manifest.size_bytes
    assert 300 == small.rows == many(1).manifest.rows
    assert [("shop", 300, 800)] == [(each.database, each.rows, each.bytes) for each in small.facts.tables]
    assert 1 == len(small.members)
    assert is_folded(small)
    assert not is_folded(many(1).manifest)
    assert folded(replace(many(1), manifest=small)).manifest == small


def test_a_sum_of_what_is_not_known_is_not_known() -> None:
    made = record(1)
    tables = (TableFacts("shop", "public", "a", 3, None, 8), TableFacts("shop", "public", "b", None, None, 8))
    small = folded(replace(made, manifest=replace(made.manifest, facts=Facts(tables=tables)))).manifest

    assert None is small.rows
    assert 16 == small.facts.tables[0].bytes


async def test_a_set_in_the_trash_is_not_listed_and_can_come_back(tmp_path: Path) -> None:
    async with history.opened(tmp_path) as past:
        sets = past.jobs.sets
        await sets.put(record(1))
        await sets.trash("pg1", LOGICAL, record(1).id, NOW)
        assert () == sets.records("pg1")
    async with history.opened(tmp_path) as past:
        assert () == past.jobs.sets.records("pg1")
        await past.jobs.sets.trash("pg1", LOGICAL, record(1).id, None)
        assert 1 == len(past.jobs.sets.records("pg1"))


async def test_a_lost_index_is_rebuilt_from_the_manifests(tmp_path: Path) -> None:
    kept = record(1, proofs=(PUBLISHED, COMPARED))
    async with history.opened(tmp_path) as past:
        told = await past.jobs.sets.rebuild({"pg1": (kept, record(2)), "pg2": ()})

        assert [NEW, NEW] == [each.what for each in told]
        assert [ProofLevel.L3, ProofLevel.NONE] == [each.level for each in past.jobs.sets.records("pg1")]
        assert 2 == past.jobs.sets.last_sequence("pg1", LOGICAL)
        assert () == await past.jobs.sets.rebuild({"pg1": (kept, record(2))})


async def test_what_is_gone_or_was_edited_is_told(tmp_path: Path) -> None:
    async with history.opened(tmp_path) as past:
        sets = past.jobs.sets
        for number in (1, 2, 3):
            await sets.put(record(number, proofs=(PUBLISHED,)))
        edited = replace(record(2, proofs=(PUBLISHED,)), checksum="f" * 64)

        told = await sets.rebuild({"pg1": (edited, record(3, proofs=(PUBLISHED,)))})

        assert [(record(1).id, GONE), (record(2).id, EDITED)] == [(each.id, each.what) for each in told]
        assert [ProofLevel.NONE, ProofLevel.L0] == [each.level for each in sets.records("pg1")]

    async with history.opened(tmp_path) as past:
        sets = past.jobs.sets
        assert [EDITED, ""] == [each.problem for each in sets.records("pg1")]
        assert () == await sets.rebuild({"pg1": (edited, record(3))})  # told once, and still a problem
        assert [EDITED, ""] == [each.problem for each in sets.records("pg1")]
        assert () == await sets.rebuild({"pg1": (record(2), record(3))})  # as it was published
        assert ["", ""] == [each.problem for each in sets.records("pg1")]


async def test_a_set_that_cannot_be_read_any_more_is_told(tmp_path: Path) -> None:
    broken = BackupRecord(
        unreadable("pg1", LOGICAL, record(1).id, sequence=1, started_at=NOW), problem="it has no manifest"
    )
    async with history.opened(tmp_path) as past:
        await past.jobs.sets.put(record(1))
        assert ["it has no manifest"] == [each.what for each in await past.jobs.sets.rebuild({"pg1": (broken,)})]
    async with history.opened(tmp_path) as past:
        (found,) = past.jobs.sets.records("pg1")
        assert "it has no manifest" == found.problem
        assert record(1).checksum == found.checksum
        assert (1, NOW) == (found.manifest.sequence, found.manifest.started_at)


async def test_an_instance_that_could_not_be_read_is_left_as_it_is_known(tmp_path: Path) -> None:
    async with history.opened(tmp_path) as past:
        await past.jobs.sets.put(record(1))
        await past.jobs.sets.put(record(1, instance="pg2"))

        told = await past.jobs.sets.rebuild({}, unreadable={"pg1": "input/output error"})

        assert ["pg2"] == [each.instance for each in told]
        assert ["pg1"] == [each.manifest.instance for each in past.jobs.sets.records()]


async def test_a_set_that_came_while_the_repository_was_read_stays(tmp_path: Path) -> None:
    async with history.opened(tmp_path) as past:
        known = past.jobs.sets.ids
        await past.jobs.sets.put(record(1))

        assert () == await past.jobs.sets.rebuild({"pg1": ()}, known=known)
        assert 1 == len(past.jobs.sets.records("pg1"))
        assert [GONE] == [each.what for each in await past.jobs.sets.rebuild({"pg1": ()}, known=past.jobs.sets.ids)]


async def test_what_lies_in_the_repositorys_trash_is_no_loss(tmp_path: Path) -> None:
    async with history.opened(tmp_path) as past:
        await past.jobs.sets.put(record(1))
        binned = [Trashed("pg1", LOGICAL, record(1).id), Trashed("pg1", LOGICAL, record(9).id)]

        assert () == await past.jobs.sets.rebuild({"pg1": ()}, binned)
        assert () == past.jobs.sets.records()
        assert () == await past.jobs.sets.rebuild({"pg1": (record(1),)})  # brought back by hand
        assert 1 == len(past.jobs.sets.records())
        await past.jobs.sets.trash("pg1", LOGICAL, record(1).id, NOW)
        assert () == await past.jobs.sets.rebuild({"pg1": ()})  # the trash was emptied
    async with history.opened(tmp_path) as past:
        assert frozenset() == past.jobs.sets.ids


async def test_proofs_go_with_their_set(tmp_path: Path) -> None:
    async with history.opened(tmp_path) as past:
        for number in (1, 2):
            await past.jobs.sets.put(record(number, proofs=(PUBLISHED, COMPARED)))
        await past.jobs.sets.forget("pg1", LOGICAL, record(1).id)
        await past.jobs.sets.rebuild({})
    with sqlite3.connect(tmp_path / history.FILE) as connection:
        assert [] == connection.execute("SELECT * FROM backup_proofs").fetchall()
    connection.close()


async def test_a_proof_of_an_unknown_set_changes_nothing(tmp_path: Path) -> None:
    async with history.opened(tmp_path) as past:
        await past.jobs.sets.prove("pg1", LOGICAL, record(1).id, COMPARED)
        assert () == past.jobs.sets.records()


async def test_the_index_is_right_in_memory_where_the_disk_refuses(tmp_path: Path) -> None:
    failed = Proof(ProofName.HASHED, NOW, 1.0, JobReason.CORRUPT, "1.dat is truncated")
    async with history.opened(tmp_path) as past:
        sets = past.jobs.sets
        await sets.put(record(1, proofs=(PUBLISHED,)))
        other = sqlite3.connect(tmp_path / history.FILE, isolation_level=None)
        other.execute("DROP TABLE backup_proofs")
        other.close()
        with pytest.raises(DbwatchError):
            await sets.prove("pg1", LOGICAL, record(1).id, failed)
        with pytest.raises(DbwatchError):
            await sets.put(record(2))

        assert [(PUBLISHED, failed), ()] == [each.proofs for each in sets.records("pg1")]
        assert 2 == sets.last_sequence("pg1", LOGICAL)


async def test_an_entry_that_cannot_be_read_is_a_problem_and_hides_no_other(tmp_path: Path) -> None:
    async with history.opened(tmp_path) as past:
        for number in (1, 2):
            await past.jobs.sets.put(record(number))
    with sqlite3.connect(tmp_path / history.FILE) as connection:
        connection.execute("UPDATE backup_sets SET manifest = 'damaged' WHERE sequence = 1")
    connection.close()

    async with history.opened(tmp_path) as past:
        assert [True, False] == [bool(each.problem) for each in past.jobs.sets.records("pg1")]
