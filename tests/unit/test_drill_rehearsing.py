"""Drills that end otherwise than well: each is told and remembered. The server is made up, the repository is real."""

from __future__ import annotations

import asyncio
import shutil
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from dbwatch.core.backups.drills import DrillResult, Scenario
from dbwatch.core.backups.model import JobReason, ProofLevel
from dbwatch.errors import DbwatchError, JobError
from dbwatch.jobs import drill_play
from dbwatch.jobs.drill import Order, rehearse
from dbwatch.jobs.errands import drill_job
from dbwatch.jobs.restoring_scratch import staying
from dbwatch.jobs.room import RESERVE_BYTES
from dbwatch.jobs.scratch import Workshop
from tests.unit.test_backup_taking import SERVER, Stage, stage

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from dbwatch.engines.backing import Target


class Usage(NamedTuple):
    """As shutil tells it."""

    total: int
    used: int
    free: int


class Administrator:
    """To whom every question is answered."""

    async def run(self, _sql: str, _seconds: float = 30.0) -> list[tuple[int]]:
        return [(1,)]


@pytest.fixture(autouse=True)
def _answering(monkeypatch: pytest.MonkeyPatch) -> None:
    @asynccontextmanager
    async def session(*_: object) -> AsyncIterator[Administrator]:
        yield Administrator()

    monkeypatch.setattr(drill_play, "stage", session)


def free(monkeypatch: pytest.MonkeyPatch, *free_bytes: int) -> None:
    """The room that each look finds; the last of them stays."""
    left = list(free_bytes)

    def told(_path: object) -> Usage:
        return Usage(10**12, 0, left.pop(0) if len(left) > 1 else left[0])

    monkeypatch.setattr(shutil, "disk_usage", told)
    monkeypatch.setattr("dbwatch.jobs.room.LOOK_SECONDS", 0.001)


def order(tmp_path: Path) -> Order:
    return Order(Scenario.FULL, tmp_path / "reports")


async def rehearsed(s: Stage, tmp_path: Path, within_seconds: float | None = None) -> DrillResult:
    hands: Any = s.hands
    result, paths = await rehearse(hands, s.subject, order(tmp_path), within_seconds)
    assert all(path.exists() for path in paths)
    assert result == s.subject.book.last_drills[-1].result
    return result


async def test_a_drill_that_does_not_fit_on_the_disk_makes_no_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with stage(tmp_path) as s:
        await s.taken_and_proven()
        free(monkeypatch, RESERVE_BYTES * 2)

        result = await rehearsed(s, tmp_path)

        assert (JobReason.DISK_FULL, 1) == (result.reason, s.hands.ran.count("restore"))  # the one of the proof
        assert f"below {s.subject.workshop.directory}, where 512 MiB are free -> make room" in result.detail


async def test_a_drill_is_given_up_before_the_disk_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with stage(tmp_path) as s:
        await s.taken_and_proven()
        free(monkeypatch, 10**12, RESERVE_BYTES - 1)
        s.hands.hangs = "restore"

        result = await asyncio.wait_for(rehearsed(s, tmp_path), 10)

        assert JobReason.DISK_FULL == result.reason
        assert "fills up while a backup is restored there -> make room, or change backups.sc" in result.detail
        assert [] == list(s.subject.workshop.directory.iterdir())


async def test_a_restore_into_a_server_that_stays_is_given_up_before_the_disk_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fill(_target: Target) -> None:
        await asyncio.Event().wait()

    async with stage(tmp_path) as s:
        free(monkeypatch, RESERVE_BYTES - 1)
        workshop = Workshop(tmp_path.parent / "t", named_by="--scratch")
        hands: Any = s.hands

        with pytest.raises(JobError, match=r"fills up .* or change --scratch$") as caught:
            await asyncio.wait_for(staying(hands, s.engine, (SERVER,), workshop, fill), 10)

        assert JobReason.DISK_FULL == caught.value.reason
        assert not workshop.directory.exists()


async def test_a_drill_that_takes_too_long_has_failed_and_is_told_so(tmp_path: Path) -> None:
    async with stage(tmp_path) as s:
        await s.taken_and_proven()
        s.hands.hangs = "restore"

        result = await rehearsed(s, tmp_path, 0.1)

        assert (JobReason.DEADLINE, "it was not done within 100 ms") == (result.reason, result.detail)
        assert not result.succeeded


async def test_what_a_drill_finds_damaged_is_bad_in_every_list(tmp_path: Path) -> None:
    async with stage(tmp_path) as s:
        record = await s.taken_and_proven()
        member = tmp_path / "repository" / "pg1" / "logical" / record.id / "town.dump"
        member.write_bytes(member.read_bytes().replace(b"dump", b"dumq"))

        result = await rehearsed(s, tmp_path)

        assert JobReason.CORRUPT == result.reason
        assert (ProofLevel.NONE, ProofLevel.NONE) == (s.subject.records[0].level, (await s.read(record.id)).level)


async def test_a_drill_without_a_report_is_remembered(tmp_path: Path) -> None:
    async with stage(tmp_path) as s:
        (tmp_path / "reports").write_text("a file in the place of the directory")

        with pytest.raises(JobError, match="reports: "):
            await rehearsed(s, tmp_path)

        (kept,) = s.subject.book.last_drills
        assert (False, "") == (kept.result.succeeded, kept.report)


async def test_a_drill_whose_own_history_cannot_be_written_has_failed_and_is_told_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refused(*_: object) -> None:
        raise DbwatchError("cannot use the history: database or disk is full")

    async with stage(tmp_path) as s:
        await s.taken_and_proven()
        monkeypatch.setattr(drill_play.Play, "find_programs", refused)

        result = await rehearsed(s, tmp_path)

        assert (JobReason.OTHER, "reached") == (result.reason, result.checks[-1].name)
        assert "disk is full" in result.detail


async def test_each_scenario_ends_before_the_run_does(tmp_path: Path) -> None:
    async with stage(tmp_path, verify={"max_seconds": "1h"}, deadline="1h") as s:
        job = drill_job(s.subject, [order(tmp_path), order(tmp_path)], "ada")

        assert 2 * (1 + 3 * (1 + 1)) * 3600 + 2 * 600 == job.deadline_seconds


async def test_a_history_that_cannot_be_written_keeps_no_set_from_being_made_and_proven(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refused(*_: object, **__: object) -> None:
        raise DbwatchError("cannot use the history: attempt to write a readonly database")

    async with stage(tmp_path) as s:
        monkeypatch.setattr(s.subject.book._writer, "write", refused)

        record = await s.taken_and_proven()

        assert ProofLevel.L3 == record.level == s.subject.records[0].level
