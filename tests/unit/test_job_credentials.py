"""Directories of password files: gone with the restore that made them, and found where it was killed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dbwatch.errors import JobError
from dbwatch.jobs import scratch
from dbwatch.jobs.scratch import Workshop
from tests.fix_backups import backup_ground

if TYPE_CHECKING:
    from pathlib import Path


def left_by_the_dead(directory: Path, prefix: str) -> Path:
    """As a process that was killed leaves it: its lock is there, and nobody holds it."""
    left = directory / f"{prefix}left"
    left.mkdir()
    (left / "lock").touch()
    return left


async def test_it_is_nobody_elses_and_goes_at_the_end(tmp_path: Path) -> None:
    workshop = tmp_path / "state" / "scratch"

    async with scratch.credentials(workshop) as directory:
        assert 0o700 == directory.stat().st_mode & 0o777
        (directory / "restore.cnf").touch()
        assert [] == scratch.abandoned(workshop)

    assert [] == sorted(workshop.iterdir())


async def test_what_the_dead_left_is_found_beside_what_the_living_hold(tmp_path: Path) -> None:
    passwords = left_by_the_dead(tmp_path, scratch.CREDENTIALS)
    server = left_by_the_dead(tmp_path, scratch.PREFIX)
    (tmp_path / f"{scratch.CREDENTIALS}of-somebody").mkdir()  # without a lock: not ours

    async with scratch.credentials(tmp_path):
        assert {passwords, server} == set(scratch.abandoned(tmp_path))
        assert [passwords] == scratch.abandoned(tmp_path, (scratch.CREDENTIALS,))


async def test_a_place_where_none_can_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(JobError, match=r"scratch_directory .*file/scratch: not a directory"):
        async with scratch.credentials(tmp_path / "file" / "scratch"):
            pass


async def test_a_server_is_not_made_where_its_socket_could_not_be_addressed() -> None:
    with backup_ground() as ground:
        with pytest.raises(JobError, match="its path holds a blank or a bracket"):
            async with scratch.place(Workshop(ground / "a b")):
                pass
        assert [] == sorted((ground / "a b").iterdir())


@pytest.mark.parametrize("named_by", ["--scratch", scratch.SETTING])
async def test_who_named_a_directory_that_does_not_suit_is_told_where_he_named_it(named_by: str) -> None:
    with backup_ground() as ground:
        with pytest.raises(JobError, match=f"is too long for a unix socket -> give {named_by} a shorter path"):
            async with scratch.place(Workshop(ground / ("x" * 100), named_by=named_by)):
                pass
        (ground / "file").touch()
        with pytest.raises(JobError, match=f"^{named_by} /.*/file/s: not a directory"):
            async with scratch.place(Workshop(ground / "file" / "s", named_by=named_by)):
                pass
