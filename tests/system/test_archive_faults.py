"""Whatever ends a run, a set is whole or is not there, the earlier ones are as they were, and one line says why."""

from __future__ import annotations

import asyncio
import errno
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import psutil
import pytest

from dbwatch.core.backups.model import JobReason
from dbwatch.errors import JobError
from tests.archive_sets import FILES, LOGICAL, NOW, filled, published, repository, standing, write
from tests.fix_life import fill, full_disk
from tests.fix_process import environment, unprivileged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dbwatch.archive.repository import Repository
    from dbwatch.core.backups.model import BackupRecord

ROOT = Path(__file__).parents[2]
READ = """
import asyncio, sys
from pathlib import Path
from dbwatch.archive.repository import Repository
from dbwatch.core.backups.model import BackupKind
from dbwatch.errors import JobError

async def main(directory, what):
    place = Repository(Path(directory), reserve_ratio=0.0, reserve_bytes=0)
    if what == "records":
        print(len(await place.records("pg1")))
    async with place.begin("pg1", BackupKind.LOGICAL, now=0.0) as partial:
        print("began", flush=True)
        await asyncio.sleep(60)

try:
    asyncio.run(main(*sys.argv[1:]))
except JobError as error:
    sys.exit(f"{error.reason}: {error}")
"""


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    with full_disk(tmp_path / "disk") as directory:
        yield directory


async def assert_as_before(place: Repository, *earlier: BackupRecord) -> None:
    """Nothing but the earlier sets is there, each of them whole."""
    assert list(earlier) == list(await place.records("pg1"))
    for record in earlier:
        await place.verify("pg1", LOGICAL, record.id, record.checksum)
    kind = place.directory / "pg1" / "logical"
    assert {".lock", *(record.id for record in earlier)} == {path.name for path in kind.iterdir()}


async def test_a_disk_that_is_full_before_the_dump_refuses_it(small_disk: Path) -> None:
    place = repository(small_disk)
    earlier = await published(place)
    fill(small_disk)

    with pytest.raises(JobError, match="are needed in") as caught:
        await published(place)

    assert JobReason.DISK_FULL == caught.value.reason
    (small_disk / "filler").unlink()
    await assert_as_before(place, earlier)


async def test_a_disk_that_fills_while_it_is_published_leaves_the_earlier_set(small_disk: Path) -> None:
    place = repository(small_disk)
    earlier = await published(place)

    async def run() -> None:
        async with place.begin("pg1", LOGICAL, now=NOW) as partial:
            made = await filled(partial)
            fill(small_disk)
            await partial.publish(made)

    with pytest.raises(JobError, match="no space left on device -> free space there") as caught:
        await run()

    assert JobReason.DISK_FULL == caught.value.reason
    (small_disk / "filler").unlink()
    await assert_as_before(place, earlier)
    assert 2 == (await published(place)).manifest.sequence


async def test_a_dump_that_fills_the_disk_gives_its_space_back(small_disk: Path) -> None:
    place = repository(small_disk)
    earlier = await published(place)
    free = await place.free_bytes()

    async with place.begin("pg1", LOGICAL, now=NOW) as partial:
        fill(partial.path)
        assert 0 == await place.free_bytes()
        assert (await place.space()).is_low

    assert free - 64 * 1024 < await place.free_bytes()
    await assert_as_before(place, earlier)


async def test_a_read_only_file_system_is_told(small_disk: Path) -> None:
    place = repository(small_disk)
    earlier = await published(place)
    run("/bin/mount", "-o", "remount,ro", str(small_disk))

    with pytest.raises(JobError, match="read-only file system -> mount it for writing") as caught:
        await published(place)
    with pytest.raises(JobError, match="read-only file system"):
        await place.trash("pg1", LOGICAL, earlier.id, NOW)
    with pytest.raises(JobError, match="read-only file system"):
        await place.prepare()

    assert JobReason.REPOSITORY == caught.value.reason
    await assert_as_before(place, earlier)


async def test_kill_9_at_any_step_leaves_a_whole_set_or_none(memory: Path) -> None:
    run(sys.executable, "-m", "tests.archive_killed", str(memory))

    found = []
    for step in sorted(standing(memory, deep=False), key=int):
        place = repository(memory / step)
        records = await place.records("pg1")
        assert [""] * len(records) == [record.problem for record in records]
        await place.sweep()
        await assert_as_before(place, *records)
        found.append(len(records))
        assert len(records) + 1 <= (await published(place)).manifest.sequence
    assert sorted(found) == found
    assert {1, 2} == set(found)
    assert len(found) > 20


@pytest.fixture
def memory() -> Iterator[Path]:
    """A directory where nobody waits for a disk, if there is one."""
    shared = next((each for each in psutil.disk_partitions(all=True) if each.mountpoint.endswith("/shm")), None)
    with tempfile.TemporaryDirectory(dir=shared.mountpoint if shared else None) as directory:
        yield Path(directory)


def run(*command: str) -> None:
    subprocess.run(command, cwd=ROOT, check=True, timeout=120)


@pytest.fixture
def faulty_sync(monkeypatch: pytest.MonkeyPatch) -> Callable[[int, Callable[[], None]], None]:
    """From now on something happens in place of the so-many-th fsync."""
    sync = os.fsync

    def arm(number: int, happens: Callable[[], None]) -> None:
        left = iter(range(number))

        def instead(descriptor: int) -> None:
            if next(left, None) is None:
                happens()
            sync(descriptor)

        monkeypatch.setattr(os, "fsync", instead)

    return arm


def refused() -> NoReturn:
    raise OSError(errno.EIO, os.strerror(errno.EIO))


SYNCS_OF_A_SET = 9  # its directory, three files, two directories, the manifest, its directory, the name


@pytest.mark.parametrize("number", range(SYNCS_OF_A_SET))
async def test_a_disk_that_fails_at_any_step_leaves_no_set(
    tmp_path: Path, faulty_sync: Callable[[int, Callable[[], None]], None], number: int
) -> None:
    place = repository(tmp_path)
    earlier = await published(place)
    broken = iter([True])
    faulty_sync(number, lambda: refused() if next(broken, False) else None)

    with pytest.raises(JobError, match="input/output error -> the disk fails") as caught:
        await published(place)

    assert JobReason.REPOSITORY == caught.value.reason
    await place.sweep()
    await assert_as_before(place, earlier)


@pytest.mark.parametrize("number", range(1, SYNCS_OF_A_SET))
async def test_a_run_that_is_cancelled_while_it_is_published_publishes_nothing(
    tmp_path: Path, faulty_sync: Callable[[int, Callable[[], None]], None], number: int
) -> None:
    place = repository(tmp_path)
    earlier = await published(place)
    loop = asyncio.get_running_loop()

    async def run() -> None:
        async with place.begin("pg1", LOGICAL, now=NOW) as partial:
            made = await filled(partial)
            cancelled = iter([True])

            def cancel() -> None:
                if next(cancelled, False):
                    loop.call_soon_threadsafe(task.cancel)
                    assert partial._stop.wait(10)

            faulty_sync(number - 1, cancel)
            await partial.publish(made)

    async with asyncio.TaskGroup() as group:
        task = group.create_task(run(), name="run")

    assert task.cancelled()
    await assert_as_before(place, earlier)


def child(*words: str, rights: list[str] | None = None) -> subprocess.Popen[str]:
    command = [*(rights or []), sys.executable, "-c", READ, *words]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, env=environment(), stdout=pipe, stderr=pipe, text=True, cwd=ROOT)


async def test_a_second_process_is_refused_and_sweeps_nothing_and_a_dead_one_holds_nothing(tmp_path: Path) -> None:
    place = repository(tmp_path)
    earlier = await published(place)
    with child(str(tmp_path), "begin") as first:
        assert first.stdout is not None
        assert "began\n" == first.stdout.readline()
        with child(str(tmp_path), "begin") as second:
            assert "busy: another dbwatch makes a logical backup of pg1" in second.communicate(timeout=60)[1]
            assert 1 == second.returncode
        assert () == await place.sweep()
        with pytest.raises(JobError, match="another dbwatch"):
            await published(place)
        first.kill()
        first.wait(30)

    assert 1 == len(await place.sweep())
    await assert_as_before(place, earlier)
    assert 2 <= (await published(place)).manifest.sequence


def opened_to_all(directory: Path) -> None:
    for each in (directory, *directory.parents):
        if "pytest" in each.name:
            each.chmod(0o755)
    directory.chmod(0o755)


@pytest.mark.skipif(os.getuid() != 0, reason="another account is needed")
async def test_a_directory_that_is_not_ours_is_told_and_not_taken_for_empty(tmp_path: Path) -> None:
    opened_to_all(tmp_path)
    place = repository(tmp_path / "backups")
    await place.prepare()
    earlier = await published(place)

    with child(str(place.directory), "records", rights=unprivileged()) as stranger:
        told = stranger.communicate(timeout=60)[1]

    assert f"repository: cannot read backups.directory {place.directory}: permission denied -> give it" in told
    assert 1 == len(told.splitlines())
    await assert_as_before(place, earlier)


async def test_a_set_of_which_a_member_is_gone_hides_no_other_and_stays_where_it_is(tmp_path: Path) -> None:
    place = repository(tmp_path)
    earlier, damaged = await published(place), await published(place)
    (tmp_path / "pg1" / "logical" / damaged.id / "globals.sql").unlink()
    before = standing(tmp_path)

    with pytest.raises(JobError, match=r"globals.sql is missing"):
        await place.verify("pg1", LOGICAL, damaged.id)
    await place.verify("pg1", LOGICAL, earlier.id)
    await place.rescan()
    await place.sweep()

    assert before == standing(tmp_path)


async def test_a_process_that_still_writes_into_what_was_swept_publishes_nothing(tmp_path: Path) -> None:
    """A dump that outlived its daemon: its directory is gone, and what it writes is no set."""
    place = repository(tmp_path)
    earlier = await published(place)
    left = tmp_path / "pg1" / "logical" / ".20261121T193201Z-000009-1a2b3c4d.partial"
    write(left, FILES)
    await place.sweep()
    write(left, FILES)

    assert [earlier.id] == [record.id for record in await place.records("pg1")]
    assert 10 == (await published(place)).manifest.sequence
    assert not left.exists()
