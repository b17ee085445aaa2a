"""A set is whole or is not there; nothing else in the directory is ever touched."""

from __future__ import annotations

import asyncio
import stat
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from dbwatch.archive import names
from dbwatch.archive.repository import Repository
from dbwatch.core.backups.model import JobReason, Member, Proof, ProofLevel, ProofName
from dbwatch.errors import JobError
from dbwatch.settings.backups import Backups
from tests.archive_sets import COMPARED, DAY, FILES, LOGICAL, NOW, TEMPLATES, filled, published, repository, standing

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def reason(caught: pytest.ExceptionInfo[JobError]) -> str:
    assert "\n" not in str(caught.value)
    return caught.value.reason


async def test_what_was_published_is_read_again_as_it_was(tmp_path: Path) -> None:
    place = repository(tmp_path)

    made = await published(place)

    assert (made,) == await place.records("pg1")
    assert made == await place.read("pg1", LOGICAL, made.id)
    assert {"globals.sql", "shop/toc.dat", "shop/1.dat.zst"} == {member.path for member in made.manifest.members}
    assert sum(map(len, FILES.values())) == made.manifest.size_bytes
    assert {"shop", ""} == {member.database for member in made.manifest.members}


async def test_an_id_begins_with_the_time_and_a_number_that_only_grows(tmp_path: Path) -> None:
    place = repository(tmp_path)

    first = await published(place)
    back = await published(place, now=NOW - DAY)
    told = await published(place, now=NOW - DAY, after=40)

    assert first.id.startswith("20261121T193201Z-000001-")
    assert back.id.startswith("20261120T193201Z-000002-")
    assert [1, 2, 41] == [record.manifest.sequence for record in await place.records("pg1")]
    assert [first.id, back.id, told.id] == [record.id for record in await place.records("pg1")]


async def test_a_number_in_the_trash_is_not_given_again(tmp_path: Path) -> None:
    place = repository(tmp_path)
    first = await published(place)
    await place.trash("pg1", LOGICAL, first.id, NOW)

    assert 2 == (await published(place)).manifest.sequence


async def test_nobody_else_may_read_a_set(tmp_path: Path) -> None:
    place = repository(tmp_path / "backups")
    await place.prepare()
    made = await published(place)

    assert 0o750 == mode(tmp_path / "backups")
    assert 0o750 == mode(tmp_path / "backups" / "pg1") == mode(tmp_path / "backups" / "pg1" / "logical")
    below = tmp_path / "backups" / "pg1" / "logical" / made.id
    assert 0o700 == mode(below) == mode(below / "shop")
    assert {0o600} == {mode(path) for path in below.rglob("*") if path.is_file()}


async def test_what_is_not_published_leaves_nothing(tmp_path: Path) -> None:
    place = repository(tmp_path)
    async with place.begin("pg1", LOGICAL, now=NOW) as partial:
        await filled(partial)
        assert partial.path.name == f".{partial.id}.partial"
        assert () == await place.records("pg1")

    assert ["pg1", "pg1/logical", "pg1/logical/.lock"] == standing(tmp_path)


async def test_a_failure_or_a_cancellation_leaves_nothing_and_the_earlier_set_whole(tmp_path: Path) -> None:
    place = repository(tmp_path)
    made = await published(place)

    async def failing() -> None:
        async with place.begin("pg1", LOGICAL, now=NOW) as partial:
            await filled(partial)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await failing()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0), place.begin("pg1", LOGICAL, now=NOW) as partial:
            await partial.publish(await filled(partial))

    assert (made,) == await place.records("pg1")
    assert [".lock", made.id] == sorted(path.name for path in (tmp_path / "pg1" / "logical").iterdir())


async def test_one_run_at_a_time_for_an_instance_and_kind(tmp_path: Path) -> None:
    async with repository(tmp_path).begin("pg1", LOGICAL, now=NOW):
        with pytest.raises(JobError, match="another dbwatch makes a logical backup of pg1") as caught:
            async with repository(tmp_path).begin("pg1", LOGICAL, now=NOW):
                pass
        async with repository(tmp_path).begin("pg2", LOGICAL, now=NOW):
            pass

    assert JobReason.BUSY == reason(caught)
    await published(repository(tmp_path))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda path: (path / "password").write_text("secret"), "password is not as the manifest says"),
        (lambda path: (path / "globals.sql").unlink(), "globals.sql is not as the manifest says"),
        (lambda path: (path / "globals.sql").write_text("less"), "globals.sql is not as the manifest says"),
        (lambda path: (path / "link").symlink_to("/etc/passwd"), "link is not as the manifest says"),
    ],
)
async def test_a_set_that_is_not_what_its_manifest_says_is_not_published(
    tmp_path: Path, change: Callable[[Path], object], message: str
) -> None:
    place = repository(tmp_path)

    async def changed() -> None:
        async with place.begin("pg1", LOGICAL, now=NOW) as partial:
            made = await filled(partial)
            change(partial.path)
            await partial.publish(made)

    with pytest.raises(JobError, match=message) as caught:
        await changed()

    assert JobReason.INCOMPLETE == reason(caught)
    assert () == await place.records("pg1")


async def test_an_empty_dump_is_no_backup(tmp_path: Path) -> None:
    place = repository(tmp_path)
    with pytest.raises(JobError, match="it is empty") as caught:
        await published(place, files=dict.fromkeys(FILES, b""))
    assert JobReason.INCOMPLETE == reason(caught)
    async with place.begin("pg1", LOGICAL, now=NOW) as partial:
        (partial.path / "shop").mkdir()
        with pytest.raises(JobError, match="shop cannot be part of a backup: it is empty"):
            await partial.members(TEMPLATES[:1])


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "manifest.json", "proofs/x", "a/../../b", "", "a//b", "./a"])
async def test_no_member_stands_outside_of_its_set(tmp_path: Path, path: str) -> None:
    async with repository(tmp_path).begin("pg1", LOGICAL, now=NOW) as partial:
        with pytest.raises(JobError, match="cannot be the name"):
            await partial.members([Member(path, 0, "")])


@pytest.mark.parametrize("name", ["..", ".", "a/b", "/etc", ".hidden", "", "a\nb", "x" * 64])
async def test_an_instance_cannot_lead_out_of_the_repository(tmp_path: Path, name: str) -> None:
    place = repository(tmp_path / "below")
    await place.prepare()
    with pytest.raises(JobError):
        await published(place, name)
    with pytest.raises(JobError):
        await place.records(name)
    with pytest.raises(JobError):
        await place.trash("pg1", LOGICAL, name, NOW)

    assert ["below"] == standing(tmp_path)


async def test_a_directory_without_a_manifest_is_no_backup_and_hides_no_other(tmp_path: Path) -> None:
    place = repository(tmp_path)
    good = [await published(place), await published(place)]
    for number in (3, 4, 5):
        (tmp_path / "pg1" / "logical" / f"20261121T193201Z-{number:06d}-1a2b3c4d").mkdir()
    (tmp_path / "pg1" / "logical" / "20261121T193201Z-000004-1a2b3c4d" / "manifest.json").write_text('{"a": ')
    (tmp_path / "pg1" / "logical" / "20261121T193201Z-000005-1a2b3c4d" / "manifest.json").mkdir()

    found = await place.records("pg1")

    assert good == list(found[:2])
    assert [True, True, True] == [bool(record.problem) for record in found[2:]]
    assert "no manifest" in found[2].problem
    assert {ProofLevel.NONE} == {record.level for record in found[2:]}
    with pytest.raises(JobError, match="cannot be used") as caught:
        await place.read("pg1", LOGICAL, found[2].id)
    assert JobReason.CORRUPT == reason(caught)
    assert 6 == (await published(place)).manifest.sequence


async def test_an_edited_manifest_is_found_out(tmp_path: Path) -> None:
    place = repository(tmp_path)
    made = await published(place)
    path = tmp_path / "pg1" / "logical" / made.id / "manifest.json"
    path.write_text(path.read_text().replace('"rows": 35', '"rows": 36'))

    (found,) = await place.records("pg1")

    assert "edited" in found.problem
    assert ProofLevel.NONE == found.level


async def test_a_set_that_was_copied_to_another_place_is_told(tmp_path: Path) -> None:
    place = repository(tmp_path)
    made = await published(place)
    await published(place, "pg2")
    here = tmp_path / "pg1" / "logical"
    (here / made.id).rename(tmp_path / "pg2" / "logical" / made.id)

    assert ["its manifest is that of " + made.id + " of pg1: it was moved or copied here"] == [
        record.problem for record in await place.records("pg2") if record.problem
    ]


async def test_proofs_stand_beside_the_set(tmp_path: Path) -> None:
    place = repository(tmp_path)
    made = await published(place)
    hashed = Proof(ProofName.HASHED, NOW + 70, 1.0)
    for proof in (hashed, COMPARED):
        await place.add_proof("pg1", LOGICAL, made.id, proof)

    (found,) = await place.records("pg1")

    assert (hashed, COMPARED) == found.proofs
    assert ProofLevel.L3 == found.level
    assert made.checksum == found.checksum
    await place.verify("pg1", LOGICAL, made.id, made.checksum)


async def test_a_proof_that_cannot_be_read_takes_those_before_it_along(tmp_path: Path) -> None:
    place = repository(tmp_path)
    made = await published(place)
    failed = Proof(ProofName.HASHED, NOW + 100, 1.0, JobReason.CORRUPT)
    for proof in (COMPARED, failed, COMPARED):
        await place.add_proof("pg1", LOGICAL, made.id, proof)
    proofs = tmp_path / "pg1" / "logical" / made.id / "proofs"
    (proofs / "0002-hashed.json").write_text("damaged")

    (found,) = await place.records("pg1")
    assert (COMPARED,) == found.proofs

    (proofs / "0003-compared.json").write_text("damaged")
    (found,) = await place.records("pg1")
    assert () == found.proofs
    assert "" == found.problem


async def test_a_pin_stands_beside_the_set(tmp_path: Path) -> None:
    place = repository(tmp_path)
    made = await published(place)

    await place.pin("pg1", LOGICAL, made.id, pinned=True, now=NOW, who="dba")
    assert (await place.read("pg1", LOGICAL, made.id)).pinned
    await place.verify("pg1", LOGICAL, made.id)
    for _ in range(2):
        await place.pin("pg1", LOGICAL, made.id, pinned=False, now=NOW)
    assert not (await place.read("pg1", LOGICAL, made.id)).pinned


async def test_deleting_is_out_of_sight_first_and_gone_after_the_grace(tmp_path: Path) -> None:
    place = repository(tmp_path)
    made, other = await published(place), await published(place)
    await place.trash("pg1", LOGICAL, made.id, NOW)

    assert (other,) == await place.records("pg1")
    assert [(made.id, NOW)] == [(each.id, each.trashed_at) for each in await place.trashed("pg1")]
    assert () == await place.empty_trash(NOW + DAY, 2 * DAY)
    assert () == await place.empty_trash(NOW + 3 * DAY, 2 * DAY, instance="pg2")
    await place.untrash("pg1", LOGICAL, made.id)
    assert 2 == len(await place.records("pg1"))

    await place.trash("pg1", LOGICAL, made.id, NOW)
    assert (made.id,) == await place.empty_trash(NOW + 2 * DAY, 2 * DAY)
    assert () == await place.trashed("pg1")
    assert (other,) == await place.records("pg1")


async def test_a_set_that_is_read_is_not_deleted(tmp_path: Path) -> None:
    place = repository(tmp_path)
    made = await published(place)
    async with place.holding("pg1", LOGICAL, made.id) as one, place.holding("pg1", LOGICAL, made.id) as two:
        assert one == two == tmp_path / "pg1" / "logical" / made.id
        with pytest.raises(JobError, match="is being read") as caught:
            await place.trash("pg1", LOGICAL, made.id, NOW)
        await place.add_proof("pg1", LOGICAL, made.id, COMPARED)

    assert JobReason.BUSY == reason(caught)
    await place.trash("pg1", LOGICAL, made.id, NOW)


async def test_what_dead_processes_left_is_swept_and_nothing_else(tmp_path: Path) -> None:
    place = repository(tmp_path)
    made = await published(place)
    kind = tmp_path / "pg1" / "logical"
    dead = kind / ".20261121T193201Z-000009-1a2b3c4d.partial"
    (dead / "shop").mkdir(parents=True)
    (dead / "link").symlink_to(tmp_path)
    half_removed = kind / ".trash" / ".20261121T193201Z-000003-1a2b3c4d.removing"
    half_removed.mkdir(parents=True)
    strangers = [kind / ".mine.partial", kind / "notes.txt", tmp_path / "lost+found"]
    for stranger in strangers:
        stranger.mkdir()

    assert (dead, half_removed) == await place.sweep()
    assert all(stranger.exists() for stranger in strangers)
    assert (made,) == await place.records("pg1")


async def test_what_cannot_be_swept_keeps_nothing_else_from_it(tmp_path: Path) -> None:
    place = repository(tmp_path)
    await published(place, "pg2")
    (tmp_path / "outside").mkdir()
    (tmp_path / "pg1").mkdir()
    (tmp_path / "pg1" / "logical").symlink_to(tmp_path / "outside")
    dead = tmp_path / "pg2" / "logical" / ".20261121T193201Z-000009-1a2b3c4d.partial"
    dead.mkdir()

    assert (dead,) == await place.sweep()


async def test_what_another_process_writes_is_not_swept(tmp_path: Path) -> None:
    place = repository(tmp_path)
    async with place.begin("pg1", LOGICAL, now=NOW) as partial:
        assert () == await repository(tmp_path).sweep()
        assert partial.path.is_dir()


async def test_a_rescan_tells_all_there_is(tmp_path: Path) -> None:
    place = repository(tmp_path)
    made, gone, other = await published(place), await published(place), await published(place, "pg2")
    await place.trash("pg1", LOGICAL, gone.id, NOW)
    (tmp_path / "pg1" / "logical" / "notes.txt").write_text("mine")
    (tmp_path / "pg1" / "weekly").mkdir()
    (tmp_path / "README").write_text("mine")
    (tmp_path / "lost+found").mkdir()
    (tmp_path / "pg3").mkdir()
    (tmp_path / "pg3" / "logical").write_text("a file in its place")

    scan = await place.rescan()

    assert {"pg1": (made,), "pg2": (other,)} == scan.records
    assert [gone.id] == [each.id for each in scan.trashed]
    assert ["pg3"] == list(scan.unreadable)
    assert "not a directory" in scan.unreadable["pg3"]
    assert ["README", "notes.txt", "weekly"] == sorted(path.name for path in scan.unknown)


async def test_a_directory_that_cannot_be_read_is_told_and_not_taken_for_empty(tmp_path: Path) -> None:
    with pytest.raises(JobError, match="no such file") as missing:
        await repository(tmp_path / "gone").records("pg1")
    (tmp_path / "file").touch()
    with pytest.raises(JobError, match="not a directory") as file:
        await repository(tmp_path / "file").rescan()
    with pytest.raises(JobError, match="not a directory") as unusable:
        await repository(tmp_path / "file" / "below").prepare()
    with pytest.raises(JobError, match="no such file") as unmounted:
        await published(repository(tmp_path / "gone"))

    assert {JobReason.REPOSITORY} == {reason(each) for each in (missing, file, unusable, unmounted)}
    assert ["file"] == standing(tmp_path)
    assert () == await repository(tmp_path).records("pg1")


async def test_nothing_follows_a_link_out_of_the_repository(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").write_text("precious")
    place = repository(tmp_path / "backups")
    await place.prepare()
    made = await published(place)
    kind = tmp_path / "backups" / "pg1" / "logical"
    (tmp_path / "backups" / "pg2").symlink_to(outside)
    link = "20261121T193201Z-000007-1a2b3c4d"
    (kind / link).symlink_to(outside)

    with pytest.raises(JobError, match="it is not a directory, or a link to one"):
        await published(place, "pg2")
    with pytest.raises(JobError):
        await place.trash("pg1", LOGICAL, link, NOW)
    assert ["", "it cannot be read: it is not a directory, or a link to one"] == [
        record.problem for record in await place.records("pg1")
    ]
    (kind / made.id / "proofs").symlink_to(outside)
    with pytest.raises(JobError):
        await place.add_proof("pg1", LOGICAL, made.id, COMPARED)

    assert ["file"] == standing(outside)


async def test_the_reserve_is_never_written_to(tmp_path: Path) -> None:
    free = await repository(tmp_path).free_bytes()
    with pytest.raises(JobError, match=r"are needed in .* stay reserved") as caught:
        await repository(tmp_path).require(free * 2)
    with pytest.raises(JobError):
        async with repository(tmp_path, bytes=free * 2).begin("pg1", LOGICAL, now=NOW):
            pass

    assert JobReason.DISK_FULL == reason(caught)
    assert [] == standing(tmp_path)


async def test_the_reserve_is_the_larger_of_the_two(tmp_path: Path) -> None:
    by_ratio = await repository(tmp_path, ratio=1.0, bytes=1).space()
    by_bytes = await repository(tmp_path, ratio=0.0, bytes=12345).space()

    assert by_ratio.total_bytes == by_ratio.reserve_bytes
    assert by_ratio.is_low
    assert 0 == by_ratio.usable_bytes
    assert 12345 == by_bytes.reserve_bytes
    assert by_bytes.free_bytes - 12345 == by_bytes.usable_bytes


def test_the_settings_say_where_and_how_much_stays_free(tmp_path: Path) -> None:
    made = Repository.configured(Backups(directory=tmp_path, reserve_bytes=7))

    assert tmp_path == made.directory


async def test_a_manifest_of_another_set_is_a_bug_and_is_told_as_one(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is not that of"):
        async with repository(tmp_path).begin("pg1", LOGICAL, now=NOW) as partial:
            await partial.publish(replace(await filled(partial), instance="pg2"))


def test_names_tell_number_and_time() -> None:
    made = names.new_id(NOW, 42, "1a2b3c4d")

    assert "20261121T193201Z-000042-1a2b3c4d" == made
    assert 42 == names.sequence_of(made) == names.sequence_of(names.partial_name(made))
    assert NOW == names.time_of(made)
    assert 0 == names.sequence_of("notes.txt")
    assert 0.0 == names.time_of("99999999T999999Z-000001-1a2b3c4d")
