"""Every byte is read again, off the loop; the first member that is not as it was is named."""

from __future__ import annotations

import asyncio
import hashlib
import os
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from dbwatch.archive import hashing
from dbwatch.core.backups.folding import folded
from dbwatch.core.backups.model import JobReason, Member
from dbwatch.errors import JobError
from tests.archive_sets import DAY, FILES, LOGICAL, NOW, TEMPLATES, published, record, repository, write

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


async def test_a_sum_is_that_of_the_bytes(tmp_path: Path) -> None:
    body = bytes(range(256)) * 10_000
    (tmp_path / "file").write_bytes(body)

    assert hashing.Hashed(len(body), hashlib.sha256(body).hexdigest()) == await hashing.sha256(tmp_path / "file")


async def test_members_are_told_in_order_whatever_their_number(tmp_path: Path) -> None:
    files = {f"shop/{number:04d}.dat": str(number).encode() for number in range(500)}
    write(tmp_path, files)

    made = await hashing.members(tmp_path, TEMPLATES[:1])

    assert list(files) == [member.path for member in made]
    assert [hashlib.sha256(body).hexdigest() for body in files.values()] == [member.sha256 for member in made]
    assert {"shop"} == {member.database for member in made}
    assert [] == [thread for thread in threading.enumerate() if thread.name.startswith("hashing")]


async def test_a_daemon_that_goes_after_all_others_already_reads_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def set_as_for_anybody_but_root(_which: int, _who: int, nice: int) -> None:
        if nice < 15:
            raise PermissionError

    monkeypatch.setattr(os, "getpriority", lambda _which, _who: 15)
    monkeypatch.setattr(os, "setpriority", set_as_for_anybody_but_root)
    (tmp_path / "file").write_bytes(b"dump")

    assert 4 == (await hashing.sha256(tmp_path / "file")).size_bytes


async def test_nothing_to_hash_is_nothing() -> None:
    assert [] == await hashing.hashed([])


async def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(JobError, match=r"cannot read .*globals.sql: no such file") as caught:
        await hashing.members(tmp_path, TEMPLATES[1:])

    assert JobReason.REPOSITORY == caught.value.reason


def flipped(path: Path) -> None:
    body = bytearray(path.read_bytes())
    body[len(body) // 2] ^= 1
    path.write_bytes(body)


def linked(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))
    path.symlink_to("elsewhere")


FAULTS: dict[str, Callable[[Path], object]] = {
    r"shop/1.dat.zst differs from what was written": flipped,
    r"shop/1.dat.zst is truncated: 4999 bytes, the manifest says 5000": lambda path: path.write_bytes(b"x" * 4999),
    r"shop/1.dat.zst has grown: 5001 bytes": lambda path: path.write_bytes(b"x" * 5001),
    r"shop/1.dat.zst is missing": lambda path: path.unlink(),
    r"shop/1.dat.zst is not a file any more": linked,
}


@pytest.mark.parametrize("message", FAULTS)
async def test_each_damage_is_found_and_named(tmp_path: Path, message: str) -> None:
    place = repository(tmp_path)
    earlier, made = await published(place), await published(place)
    FAULTS[message](tmp_path / "pg1" / "logical" / made.id / "shop" / "1.dat.zst")

    with pytest.raises(JobError, match=message) as caught:
        await place.verify("pg1", LOGICAL, made.id, made.checksum)

    assert JobReason.CORRUPT == caught.value.reason
    assert sum(map(len, FILES.values())) == (await place.verify("pg1", LOGICAL, earlier.id)).size_bytes


async def test_the_first_damaged_member_is_the_one_that_is_named(tmp_path: Path) -> None:
    place = repository(tmp_path)
    made = await published(place)
    for path in FILES:
        flipped(tmp_path / "pg1" / "logical" / made.id / path)

    with pytest.raises(JobError, match=r"^globals.sql differs"):
        await place.verify("pg1", LOGICAL, made.id)


async def test_a_file_too_many_is_told_and_hurts_nobody(tmp_path: Path) -> None:
    place = repository(tmp_path)
    made = await published(place)
    (tmp_path / "pg1" / "logical" / made.id / "shop" / "notes.txt").write_text("mine")
    (tmp_path / "pg1" / "logical" / made.id / "link").symlink_to("/")

    assert ("link", "shop/notes.txt") == (await place.verify("pg1", LOGICAL, made.id)).unknown


async def test_a_manifest_that_was_written_anew_with_its_sum_is_found_out_by_the_index(tmp_path: Path) -> None:
    place = repository(tmp_path)
    made = await published(place)

    with pytest.raises(JobError, match="edited after it was published") as caught:
        await place.verify("pg1", LOGICAL, made.id, "0" * 64)

    assert JobReason.CORRUPT == caught.value.reason


async def test_what_the_index_keeps_proves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="proves nothing"):
        await hashing.verify(tmp_path, folded(record(1)).manifest.members)
    with pytest.raises(ValueError, match="proves nothing"):
        await hashing.verify(tmp_path, [])


async def test_cancelling_ends_the_reading_within_a_moment(tmp_path: Path) -> None:
    with (tmp_path / "large").open("wb") as file:
        file.truncate(64 * 1024**3)  # sparse: hashing it would take a minute

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await hashing.sha256(tmp_path / "large")

    for thread in threading.enumerate():
        if thread.name.startswith("hashing"):
            thread.join(5)
            assert not thread.is_alive()


async def test_a_directory_or_a_pipe_is_no_member(tmp_path: Path) -> None:
    (tmp_path / "directory").mkdir()
    member = Member("directory", 0, "1" * 64)

    with pytest.raises(JobError, match="directory is missing"):
        await hashing.verify(tmp_path, [member])
    with pytest.raises(JobError, match="it is not a file"):
        await hashing.sha256(tmp_path / "directory")


async def test_a_set_that_comes_from_a_clock_in_the_past_is_verified_like_any_other(tmp_path: Path) -> None:
    place = repository(tmp_path)
    newest = await published(place)
    back = await published(place, now=NOW - DAY)

    assert newest.manifest.sequence < back.manifest.sequence
    await place.verify("pg1", LOGICAL, back.id, back.checksum)
    assert replace(back, proofs=()) == (await place.records("pg1"))[-1]
