"""`restore` and `backup list` on a repository with bad sets: each is told as bad, with the reason."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pytest
import yaml

from dbwatch.cli import backup, restore, restore_sets
from dbwatch.cli.restore_wish import Wish
from dbwatch.core.backups.model import JobReason
from dbwatch.errors import JobError, UsageError
from dbwatch.settings.load import load
from tests.archive_sets import COMPARED, LOGICAL, NOW, published, repository

if TYPE_CHECKING:
    from dbwatch.archive.repository import Repository
    from dbwatch.core.backups.model import BackupRecord


class Listing(Protocol):
    def __call__(self, config: Path, instance: str, *, as_json: bool) -> list[str]: ...


class Still:
    """A clock that stands."""

    def time(self) -> float:
        return NOW

    def monotonic(self) -> float:
        return 0.0


def configured(directory: Path) -> Path:
    monitor = {"user": "dbwatch", "password": "x"}
    account = {"user": "dbwatch_backup", "password": "x"}
    instance = {"engine": "postgres", "monitor": monitor, "backup": account, "backups": {"logical": {}}}
    file = directory / "dbwatch.yml"
    content = {
        "instances": {"pg1": instance},
        "backups": {"directory": str(directory / "sets"), "reserve_bytes": "0", "reserve_ratio": 0},
        "state_directory": str(directory / "state"),
        "control_socket": str(directory / "control.sock"),
    }
    file.write_text(yaml.safe_dump(content))
    return file


def empty(directory: Path) -> Repository:
    (directory / "sets").mkdir()
    return repository(directory / "sets")


async def compared(place: Repository) -> BackupRecord:
    made = await published(place)
    await place.add_proof("pg1", LOGICAL, made.id, COMPARED)
    return made


def member_of(directory: Path, record: BackupRecord) -> Path:
    return directory / "sets" / "pg1" / "logical" / record.id / "globals.sql"


def wish(set_id: str = "") -> Wish:
    return Wish("pg1", backup=set_id, scratch=Path("/nowhere/stays"), only_plan=True)


async def test_bad_sets_are_left_out_and_told_and_refused_with_their_problem(tmp_path: Path) -> None:
    place = empty(tmp_path)
    good, truncated = await compared(place), await compared(place)
    member_of(tmp_path, truncated).write_bytes(b"-")

    known = await restore_sets.of_instance(place, "pg1")

    taken = await restore_sets.chosen(place, known, wish())
    assert good.id == taken.id
    (line,) = restore_sets.passed_over(known, taken)
    assert f"{truncated.id}, which is newer, but bad: globals.sql is truncated: 1 bytes" in line
    asked_for = await restore_sets.chosen(place, known, wish(truncated.id))
    with pytest.raises(JobError, match=r"cannot be used: globals\.sql is truncated"):
        restore_sets.refuse_problem(asked_for)


async def test_a_newer_set_that_nobody_has_proven_is_told_with_the_way_to_prove_it(tmp_path: Path) -> None:
    place = empty(tmp_path)
    proven, first, newest = await compared(place), await published(place), await published(place)

    known = await restore_sets.of_instance(place, "pg1")
    taken = await restore_sets.chosen(place, known, wish())

    assert proven.id == taken.id
    told = list(restore_sets.passed_over(known, taken))
    assert [first.id, newest.id] == [line.split()[2].rstrip(",") for line in told]
    assert "newer, but the set was never read to its end" in told[1]
    assert told[1].endswith(f"-> dbwatch backup verify {newest.id}")
    asked_for = await restore_sets.chosen(place, known, wish(first.id))
    assert not list(restore_sets.passed_over(known, asked_for))


async def test_what_a_restore_finds_damaged_is_bad_from_then_on(tmp_path: Path) -> None:
    place = empty(tmp_path)
    made = await compared(place)
    settings = load(configured(tmp_path), {})

    with pytest.raises(JobError, match="sha256"):
        async with restore_sets.noting_damage(settings, place, made, Still()):
            raise JobError(JobReason.CORRUPT, "its sha256 is another")

    (seen,) = await restore_sets.of_instance(place, "pg1")
    assert (JobReason.CORRUPT, None) == (seen.proofs[-1].reason, seen.proof)


async def test_want_of_room_is_no_damage(tmp_path: Path) -> None:
    place = empty(tmp_path)
    made = await compared(place)
    settings = load(configured(tmp_path), {})

    with pytest.raises(JobError):
        async with restore_sets.noting_damage(settings, place, made, Still()):
            raise JobError(JobReason.DISK_FULL, "no room")

    (seen,) = await restore_sets.of_instance(place, "pg1")
    assert COMPARED == seen.proof


async def two_sets(directory: Path) -> tuple[BackupRecord, BackupRecord]:
    place = empty(directory)
    return await compared(place), await compared(place)


@pytest.fixture
def bad_and_good(tmp_path: Path) -> tuple[BackupRecord, BackupRecord]:
    bad, good = asyncio.run(two_sets(tmp_path))
    member_of(tmp_path, bad).unlink()
    return bad, good


@pytest.mark.parametrize("listed", [backup.listed, restore.listed])
def test_both_lists_look_at_the_disk(
    tmp_path: Path, bad_and_good: tuple[BackupRecord, BackupRecord], listed: Listing
) -> None:
    bad, good = bad_and_good

    shown = {each["id"]: each for each in json.loads(listed(configured(tmp_path), "pg1", as_json=True)[0])}

    assert (True, None) == (shown[bad.id]["bad"], shown[bad.id]["proof"])
    assert "globals.sql is missing" in shown[bad.id]["problem"]
    assert (False, "compared") == (shown[good.id]["bad"], shown[good.id]["proof"])
    lines = "\n".join(listed(configured(tmp_path), "", as_json=False))
    assert "bad" in lines
    assert "globals.sql is missing" in lines


@pytest.mark.parametrize("listed", [backup.listed, restore.listed])
def test_an_instance_that_nobody_knows_is_a_mistake(
    tmp_path: Path, bad_and_good: tuple[BackupRecord, BackupRecord], listed: Listing
) -> None:
    assert bad_and_good
    with pytest.raises(UsageError, match="no instance 'nosuch': known are pg1"):
        listed(configured(tmp_path), "nosuch", as_json=False)
    with pytest.raises(UsageError, match="no instance 'nosuch': known are pg1"):
        backup.rescan(configured(tmp_path), "nosuch")


def test_a_manifest_that_is_gone_is_told_before_any_program_is_looked_for(
    tmp_path: Path, bad_and_good: tuple[BackupRecord, BackupRecord]
) -> None:
    for each in bad_and_good:
        (member_of(tmp_path, each).parent / "manifest.json").unlink()

    with pytest.raises(JobError, match="it has no manifest: it is no backup"):
        restore.run(configured(tmp_path), wish())
