"""Processes of jobs: every exit code counts, nothing is left behind, and no password can be seen."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from dbwatch.core.backups.model import JobReason
from dbwatch.errors import JobError
from dbwatch.jobs import leftovers, proc, process
from dbwatch.jobs.process import Care
from dbwatch.jobs.serving import serving
from tests.fix_life import full_disk
from tests.fix_process import eventually
from tests.job_pipelines import alive, care, command, failure, looks, many, pipeline, shell

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dbwatch.engines.backing import Command
    from dbwatch.jobs.leftovers import Mark

pytestmark = pytest.mark.system

CANARY = "Kanarienvogel-7391"
# A leader with a worker in its group, as pg_dump -j has them.
WITH_WORKER = "sleep 300 & exec sleep 300"
STUBBORN = "trap '' TERM; sleep 300 & exec sleep 300"


@contextmanager
def program(*argv: str, directory: Path | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """Something that runs beside us, and not as a job."""
    with subprocess.Popen(argv, stdout=subprocess.PIPE, cwd=directory) as running:
        try:
            yield running
        finally:
            running.kill()


def unpacked(path: Path) -> bytes:
    return subprocess.run(["/bin/gzip", "-dc", path], check=True, capture_output=True).stdout


@contextmanager
def daemon_with_a_dump(token: str, text: str) -> Iterator[subprocess.Popen[bytes]]:
    with program(sys.executable, "-c", DAEMON, token, text) as daemon:
        assert daemon.stdout is not None
        daemon.stdout.readline()
        yield daemon


async def started(asked: Care, group: asyncio.TaskGroup, text: str) -> asyncio.Task[object]:
    """A pipeline that runs, once all of its processes do."""
    running = asyncio.Event()

    async def tell() -> None:
        running.set()

    work = process.run(pipeline(shell(text)), asked, on_started=tell)
    task: asyncio.Task[object] = group.create_task(work, name="pipeline")
    await running.wait()
    await many(asked.token, 2)
    return task


async def test_bytes_pass_from_the_first_to_the_last_and_into_a_private_file(tmp_path: Path) -> None:
    source, sink = tmp_path / "in", tmp_path / "out"
    source.write_bytes(os.urandom(300_000))

    ended = await process.run(pipeline(command("cat"), command("gzip"), stdin=source, stdout=sink))

    assert [("cat", 0), ("gzip", 0)] == [(each.program, each.returncode) for each in ended]
    assert 0o600 == sink.stat().st_mode & 0o777
    assert source.read_bytes() == unpacked(sink)


@pytest.mark.parametrize("place", [0, 1, 2])
async def test_an_exit_code_counts_wherever_it_comes_from(place: int, tmp_path: Path) -> None:
    commands = [shell("yes | head -c 200000"), command("cat"), command("cat")]
    commands[place] = shell("head -c 1000; echo 'tool: error: the reason' >&2; exit 7")

    error = await failure(pipeline(*commands, stdout=tmp_path / "out"))

    assert JobReason.TOOL == error.reason
    assert "dump of town: sh ended with code 7: tool: error: the reason" == error.message


async def test_an_exit_code_that_is_accepted_is_success() -> None:
    asked = replace(shell("exit 2"), accepted=frozenset({0, 2}))

    assert [2] == [each.returncode for each in await process.run(pipeline(asked))]


async def test_who_only_lost_its_reader_is_not_blamed() -> None:
    error = await failure(
        pipeline(command("yes"), shell("echo 'zstd: error 70 : No space left on device' >&2; exit 70"))
    )

    assert JobReason.DISK_FULL == error.reason
    assert error.message.startswith("dump of town: sh ended with code 70")


async def test_a_neighbour_that_hangs_is_not_waited_for() -> None:
    asked = care()

    error = await failure(pipeline(command("sleep", "300"), shell("exit 5")), asked)

    assert "sh ended with code 5" in error.message
    assert set() == alive(asked.token)


async def test_a_program_that_is_not_there_ends_those_that_were_started() -> None:
    asked = care()

    error = await failure(pipeline(command("sleep", "300"), command("/nonsense/pg_dump")), asked)

    assert JobReason.CLIENT_MISSING == error.reason
    assert "/nonsense/pg_dump" in error.message
    assert set() == alive(asked.token)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    with full_disk(tmp_path / "small") as disk:
        yield disk


@pytest.mark.parametrize("last", [("dd", "bs=64k"), ("gzip", "-1")])
async def test_a_disk_that_fills_is_told_as_such(small_disk: Path, last: tuple[str, ...]) -> None:
    asked = care()

    error = await failure(
        pipeline(command("head", "-c", "8000000", "/dev/urandom"), command(*last), stdout=small_disk / "dump"), asked
    )

    assert JobReason.DISK_FULL == error.reason
    assert "No space left on device" in error.message
    assert set() == alive(asked.token)


async def test_a_leader_that_somebody_kills_leaves_no_worker() -> None:
    asked = care()

    async def kill() -> None:
        await many(asked.token, 2)
        os.kill(next(iter(asked.leaders)), signal.SIGKILL)

    with pytest.raises(JobError, match=r"was killed \(SIGKILL\)") as caught:
        await process.run(pipeline(shell(WITH_WORKER)), asked, on_started=kill)

    assert JobReason.KILLED == caught.value.reason
    eventually(lambda: not alive(asked.token))


async def test_cancelling_ends_even_what_ignores_it() -> None:
    asked = care()
    async with asyncio.TaskGroup() as group:
        task = await started(asked, group, STUBBORN)
        task.cancel()

    assert task.cancelled()
    assert set() == alive(asked.token)


async def test_a_hook_that_fails_ends_the_pipeline() -> None:
    asked = care()

    async def hook() -> None:
        raise JobError(JobReason.LOCK, "the lock was not had")

    with pytest.raises(JobError, match="the lock was not had"):
        await process.run(pipeline(command("sleep", "300")), asked, on_started=hook)

    assert set() == alive(asked.token)


async def test_what_neither_writes_nor_works_is_stalled() -> None:
    error = await failure(pipeline(command("sleep", "300")), care(stalled_after_seconds=1.5))

    assert JobReason.STALLED == error.reason


@pytest.mark.parametrize("work", ["while :; do :; done", "while :; do echo x; sleep 0.2; done"])
async def test_what_works_or_writes_is_not_stalled(work: str, tmp_path: Path) -> None:
    sink = tmp_path / "out"
    seen: list[int] = []
    asked = replace(care(stalled_after_seconds=1.5), on_bytes=seen.append)

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(3.5):
            await process.run(pipeline(shell(work), stdout=sink, grows=(sink,)), asked)

    assert set() == alive(asked.token)
    assert seen == sorted(seen)


async def test_the_end_of_what_it_says_is_kept_and_no_more() -> None:
    (ended,) = await process.run(pipeline(shell("seq 1 100000 >&2; echo the end >&2")))

    assert ended.stderr_tail.endswith("\n100000\nthe end\n")
    assert len(ended.stderr_tail) < 70_000


async def test_what_it_prints_is_kept_where_asked() -> None:
    (ended,) = await process.run(pipeline(shell("echo heap table is broken")), keep_output=True)

    assert "heap table is broken\n" == ended.stdout_tail


# --- what can be seen of it ---


async def test_a_password_is_seen_nowhere_and_its_file_goes(tmp_path: Path) -> None:
    secret = tmp_path / "private" / ".pgpass"
    asked = care()
    seen: list[bytes] = []

    async def look() -> None:
        """As anybody could, all the while."""
        assert (0o600, 0o700) == (secret.stat().st_mode & 0o777, secret.parent.stat().st_mode & 0o777)
        for pid in alive(asked.token):
            with suppress(OSError):  # a nap that is over
                seen.extend((Path("/proc") / str(pid) / name).read_bytes() for name in ("cmdline", "environ"))
        (tmp_path / "looked").touch()

    waits = f"until [ -e {tmp_path}/looked ]; do sleep 0.1; done"
    with pytest.raises(JobError) as caught:
        await process.run(
            pipeline(
                shell(f'{waits}; echo "FATAL: $(cat "$PGPASSFILE")" >&2; exit 1', PGPASSFILE=str(secret)),
                secrets={secret: SecretStr(f"db1:5432:*:keeper:{CANARY}\n")},
            ),
            asked,
            on_started=look,
        )

    assert seen
    assert not [each for each in seen if CANARY.encode() in each]
    assert CANARY not in str(caught.value)
    assert "db1:5432:*:keeper:***" in str(caught.value)
    assert not secret.exists()


async def test_our_own_environment_is_not_inherited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPASSWORD", CANARY)
    asked = care()

    (ended,) = await process.run(pipeline(command("env", PGSSLMODE="disable")), asked, keep_output=True)

    names = {each.partition("=")[0] for each in ended.stdout_tail.splitlines()}
    assert {"PATH", "HOME", "LANG", "LC_ALL", "TZ", "PGSSLMODE", proc.MARK} == names


async def test_it_leaves_the_processor_to_others_and_writes_no_core_file(tmp_path: Path) -> None:
    async def started() -> None:
        (tmp_path / "started").touch()

    asked = pipeline(shell(f"until [ -e {tmp_path}/started ]; do sleep 0.1; done; nice; ulimit -c; umask"))
    (ended,) = await process.run(asked, on_started=started, keep_output=True)

    assert ["10", "0", "0077"] == ended.stdout_tail.split()


async def test_what_it_used_is_known() -> None:
    (ended,) = await process.run(pipeline(shell("i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done")))

    assert 0.001 < ended.cpu_seconds < 30
    assert ended.seconds > 0


# --- after kill -9 of the daemon ---

DAEMON = """
import asyncio, sys
from dbwatch.engines.backing import Command, Pipeline
from dbwatch.jobs.process import Care, run
async def tell():
    print("runs", flush=True)
asyncio.run(run(Pipeline("dump", (Command(("/bin/sh", "-c", sys.argv[2])),)), Care(sys.argv[1]), on_started=tell))
"""


@pytest.mark.parametrize("text", [WITH_WORKER, STUBBORN])
async def test_what_a_killed_daemon_leaves_is_found_by_its_mark_alone(text: str) -> None:
    token = care().token
    with daemon_with_a_dump(token, text) as daemon:
        await many(token, 2)
        daemon.kill()

    await leftovers.sweep([], [token])

    assert set() == alive(token)


def test_a_leader_ends_by_itself_when_the_daemon_is_killed() -> None:
    token = care().token
    with daemon_with_a_dump(token, "exec sleep 300") as daemon:
        daemon.kill()

    eventually(lambda: not alive(token))


async def test_a_number_that_was_given_to_somebody_else_is_left_alone() -> None:
    with program("/bin/sleep", "300") as stranger:
        mine = leftovers.mark("test-gone", stranger.pid, "pg_dump")
        assert mine is not None
        reused = [replace(mine, started_ticks=mine.started_ticks - 1), replace(mine, boot_id="another boot")]

        assert [] == await leftovers.sweep(reused)
        assert stranger.poll() is None
        assert [stranger.pid] == await leftovers.sweep([mine])
        assert -signal.SIGTERM == stranger.wait(30)


async def test_we_never_end_ourselves() -> None:
    own = leftovers.mark("test-own", os.getpid(), "python")
    assert own is not None

    assert os.getpid() not in leftovers.left_behind([own], {"test-own"}, {}, lambda _: "", own.boot_id)
    assert [] == await leftovers.sweep([replace(own, boot_id=own.boot_id)][:0], [""])


async def test_what_works_in_a_directory_of_ours_is_found_there(tmp_path: Path) -> None:
    with program("/bin/sleep", "300", directory=tmp_path) as server:
        assert [server.pid] == await leftovers.sweep_directory(tmp_path)

        server.wait(30)


async def test_the_journal_hears_of_each_process_and_of_its_end() -> None:
    noted: list[Mark] = []
    forgotten: list[Mark] = []

    async def remember(mark: Mark) -> None:
        noted.append(mark)

    async def forget(mark: Mark) -> None:
        forgotten.append(mark)

    await process.run(pipeline(shell("sleep 1"), command("cat")), Care("job-1", remember, forget))

    assert ["sh", "cat"] == [mark.program for mark in noted]
    assert {"job-1"} == {mark.token for mark in noted}
    assert noted == forgotten


# --- servers of our own ---

# Its child leads a session of its own, as those of PostgreSQL do.
SERVER = "setsid sleep 300 & trap 'exit 0' INT; echo ready; wait"


async def test_a_server_lives_as_long_as_its_context_and_nothing_of_it_longer(tmp_path: Path) -> None:
    asked, log = care(), tmp_path / "log"
    async with serving(
        shell(f"{SERVER}; wait"), log=log, stop_signal=signal.SIGKILL, name="scratch", care=asked
    ) as server:
        eventually(lambda: len(alive(asked.token)) == 2)
        eventually(lambda: "ready\n" == log.read_text())
        was_running = server.is_running

        await server.kill()

        assert [True, False] == [was_running, server.is_running]
        eventually(lambda: not alive(asked.token))
    assert set() == asked.leaders


async def test_a_server_that_does_not_stop_is_killed(tmp_path: Path) -> None:
    asked = care()
    async with serving(
        shell("trap '' INT; sleep 300; sleep 300"),
        log=tmp_path / "log",
        stop_signal=signal.SIGINT,
        name="scratch",
        care=asked,
        stop_seconds=0.5,
    ):
        eventually(lambda: len(alive(asked.token)) == 2)

    assert set() == alive(asked.token)


async def served_in_vain(command: Command, log: Path) -> None:
    async with serving(command, log=log, stop_signal=signal.SIGINT, name="scratch server") as server:
        await anext(each async for each in looks() if not server.is_running)
        raise JobError(JobReason.UNREACHABLE, "it does not answer")


async def test_a_server_that_died_is_the_reason_for_what_failed_then(tmp_path: Path) -> None:
    dies = shell("echo 'FATAL: could not write: No space left on device'; exit 1")

    with pytest.raises(JobError, match=r"^scratch server: sh ended with code 1: FATAL") as caught:
        await served_in_vain(dies, tmp_path / "log")

    assert JobReason.DISK_FULL == caught.value.reason
