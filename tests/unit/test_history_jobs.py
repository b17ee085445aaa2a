"""Runs, their processes, drills and the clock outlive a restart; what was left running is known as such."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from dbwatch import history
from dbwatch.core.backups.drills import DrillCheck, DrillResult, Scenario
from dbwatch.core.backups.model import (
    DISPROOFS,
    BackupKind,
    JobKind,
    JobReason,
    JobRun,
    JobState,
    Proof,
    ProofName,
)
from dbwatch.errors import DbwatchError
from dbwatch.history import jobs
from dbwatch.history.job_words import ClockSeen, DrillKept, Interrupted, ProcessMark, seen
from tests import backup_sets as sets

if TYPE_CHECKING:
    from pathlib import Path

NOW, DAY = 1_795_289_521.0, 86400.0
RUN = JobRun("r1", JobKind.BACKUP, "pg1", NOW, phase="dumping", asked_by="schedule")


def ended(run: JobRun = RUN, state: JobState = JobState.SUCCEEDED, reason: JobReason | None = None) -> JobRun:
    phases = (("dumping", 50.0), ("hashing", 2.5))
    return replace(run, state=state, reason=reason, ended_at=run.started_at + 60, seconds=60.0, phases=phases)


@dataclass(frozen=True)
class Mark:
    """As the one who starts processes has it."""

    token: str
    pid: int
    started_ticks: int
    boot_id: str
    program: str


async def test_a_run_and_how_it_ended_outlive_a_restart(tmp_path: Path) -> None:
    failed = ended(replace(RUN, id="r2"), JobState.FAILED, JobReason.DISK_FULL)
    async with history.opened(tmp_path) as past:
        await past.jobs.started(RUN, "dbwatch/bk/r1")
        assert [RUN] == list(past.jobs.running)
        await past.jobs.ended(ended())
        await past.jobs.started(failed)
        await past.jobs.ended(failed)
        assert [] == list(past.jobs.running)

    async with history.opened(tmp_path) as past:
        assert failed == past.jobs.last(JobKind.BACKUP, "pg1")
        assert ended() == past.jobs.last_success(JobKind.BACKUP, "pg1")
        assert None is past.jobs.last(JobKind.VERIFY, "pg1")
        assert (failed,) == past.jobs.all_last
        assert [failed, ended()] == await past.jobs.runs()
        assert [failed] == await past.jobs.runs(1)
        assert [ended()] == await past.jobs.runs(run_id="r1")
        assert [] == await past.jobs.runs(instance="pg2")
        assert () == past.jobs.interrupted


async def test_what_a_dead_daemon_left_is_known_with_all_that_it_had(tmp_path: Path) -> None:
    mark = Mark("r1", 4242, 987654, "boot", "pg_dump")
    async with history.opened(tmp_path) as past:
        await past.jobs.started(RUN, "dbwatch/bk/r1")
        await past.jobs.note_partial("r1", "/backups/pg1/logical/.x.partial")
        await past.jobs.remember(mark)
        await past.jobs.remember(replace(mark, pid=4243, program="zstd"))
        await past.jobs.forget(replace(mark, pid=4243))
        await past.jobs.update(replace(RUN, phase="hashing", backup="b1"))

    left = replace(RUN, phase="hashing", backup="b1")
    async with history.opened(tmp_path) as past:
        kept = ProcessMark("r1", 4242, 987654, "boot", "pg_dump")
        expected = Interrupted(left, "dbwatch/bk/r1", "/backups/pg1/logical/.x.partial", (kept,))
        assert [expected] == list(past.jobs.interrupted)
        assert [] == list(past.jobs.running)
        await past.jobs.ended(ended(left, JobState.ORPHANED, JobReason.ORPHANED))
        assert [] == list(past.jobs.interrupted)

    async with history.opened(tmp_path) as past:
        assert () == past.jobs.interrupted
        last = past.jobs.last(JobKind.BACKUP, "pg1")
        assert last is not None
        assert JobState.ORPHANED is last.state


async def test_a_run_whose_start_could_not_be_written_is_remembered_once_it_ended(tmp_path: Path) -> None:
    async with history.opened(tmp_path) as past:
        await past.jobs.ended(ended())
        await past.jobs.ended(ended())  # told twice, counted once on the disk

    async with history.opened(tmp_path) as past:
        assert [ended()] == await past.jobs.runs()
        assert {(JobKind.BACKUP, "pg1", JobState.SUCCEEDED, None): 1} == past.jobs.counts


async def test_counts_only_grow_and_outlive_the_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "RUNS_KEPT", 3)
    async with history.opened(tmp_path) as past:
        for number in range(8):
            run = replace(RUN, id=f"r{number}", started_at=NOW - number * DAY)  # the clock goes back all the time
            state, reason = (JobState.SUCCEEDED, None) if number == 1 else (JobState.FAILED, JobReason.TOOL)
            await past.jobs.started(run)
            await past.jobs.ended(ended(run, state, reason))

    async with history.opened(tmp_path) as past:
        assert {
            (JobKind.BACKUP, "pg1", JobState.FAILED, JobReason.TOOL): 7,
            (JobKind.BACKUP, "pg1", JobState.SUCCEEDED, None): 1,
        } == past.jobs.counts
        assert ["r7", "r6", "r5", "r1"] == [run.id for run in await past.jobs.runs()]


@pytest.mark.parametrize(
    ("proof", "reason", "failures"),
    [
        (ProofName.RESTORED, JobReason.INCOMPLETE, {JobReason.INCOMPLETE: 1}),
        (ProofName.HASHED, JobReason.CORRUPT, {JobReason.CORRUPT: 1}),
        (ProofName.RESTORED, JobReason.DEADLINE, {JobReason.DEADLINE: 1}),  # the run itself succeeds
        (ProofName.DECODED, JobReason.NO_KEY, {}),
        (ProofName.COMPARED, None, {}),
    ],
)
async def test_a_backup_whose_set_fails_its_proof_counts_as_a_verification_that_failed(
    tmp_path: Path, proof: ProofName, reason: JobReason | None, failures: dict[JobReason, int]
) -> None:
    record = sets.record(proof="decoded")
    is_bad = reason in DISPROOFS
    run = ended(replace(RUN, backup=record.id), JobState.FAILED if is_bad else JobState.SUCCEEDED, reason)
    begun = replace(RUN, id="r2", backup="20261027T120000Z-000002-1a2b3c4d")
    async with history.opened(tmp_path) as past:
        await past.jobs.sets.put(record)
        await past.jobs.sets.prove("pg1", BackupKind.LOGICAL, record.id, Proof(proof, NOW, 1.0, reason))
        await past.jobs.ended(run)
        await past.jobs.ended(ended(begun, JobState.FAILED, JobReason.INCOMPLETE))  # nothing was published
        counts = dict(past.jobs.counts)

    async with history.opened(tmp_path) as past:
        assert counts == past.jobs.counts
    verified = {key[3]: runs for key, runs in counts.items() if key[0] is JobKind.VERIFY}
    assert failures == verified
    assert 2 == sum(runs for key, runs in counts.items() if key[0] is JobKind.BACKUP)


async def test_old_runs_go_but_never_the_last_nor_the_last_success(tmp_path: Path) -> None:
    async with history.opened(tmp_path) as past:
        for number, state in enumerate((JobState.SUCCEEDED, JobState.FAILED, JobState.FAILED)):
            run = replace(RUN, id=f"r{number}", started_at=NOW - (3 - number) * 500 * DAY)
            await past.jobs.ended(ended(run, state))
        assert ["r2", "r0"] == [run.id for run in await past.jobs.runs()]


@pytest.mark.parametrize("kind", JobKind)
async def test_kinds_and_instances_do_not_mix(tmp_path: Path, kind: JobKind) -> None:
    async with history.opened(tmp_path) as past:
        await past.jobs.ended(ended(replace(RUN, id="a", kind=kind, instance="pg2")))
        assert None is past.jobs.last(kind, "pg1")
        assert ["a"] == [run.id for run in await past.jobs.runs(kind=kind)]


async def test_memory_is_right_where_the_disk_refuses(tmp_path: Path) -> None:
    async with history.opened(tmp_path) as past:
        await past.jobs.started(RUN)
        other = sqlite3.connect(tmp_path / history.FILE, isolation_level=None)
        other.execute("DROP TABLE job_runs")
        other.close()
        with pytest.raises(DbwatchError, match="cannot use the history"):
            await past.jobs.ended(ended())

        assert () == past.jobs.running
        assert ended() == past.jobs.last(JobKind.BACKUP, "pg1")
        assert {(JobKind.BACKUP, "pg1", JobState.SUCCEEDED, None): 1} == past.jobs.counts


async def test_the_last_drill_of_each_scenario_outlives_a_restart(tmp_path: Path) -> None:
    def drill(scenario: Scenario, at: float) -> DrillResult:
        return DrillResult(
            scenario,
            "pg1",
            "postgres",
            at,
            at + 9,
            (("restore", 5.0), ("ready", 0.5)),
            lost_seconds=3.0,
            checks=(DrillCheck("rows", holds=True),),
        )

    async with history.opened(tmp_path) as past:
        for number in range(3):
            await past.jobs.drilled(drill(Scenario.LOSS, NOW + number), f"/reports/{number}.md")
        await past.jobs.drilled(drill(Scenario.FULL, NOW))
        for table in ("town.a.x", "town.a.y", "town.a.y"):
            await past.jobs.drilled(replace(drill(Scenario.TABLE, NOW), table=table))
        kept = past.jobs.last_drills

    async with history.opened(tmp_path) as past:
        assert (
            DrillKept(drill(Scenario.LOSS, NOW + 2), "/reports/2.md"),
            DrillKept(drill(Scenario.FULL, NOW)),
        ) == past.jobs.last_drills[:2]
        assert ["town.a.x", "town.a.y"] == [each.result.table for each in past.jobs.last_drills[2:]]
        assert kept == past.jobs.last_drills
        assert 7 == len(await past.jobs.drills())
        assert ["", "/reports/2.md"] == [kept.report for kept in (await past.jobs.drills())[3:5]]


async def test_a_clock_that_went_back_while_it_was_off_is_noticed(tmp_path: Path) -> None:
    async with history.opened(tmp_path) as past:
        await past.jobs.beat(NOW, 10.0)
        await past.jobs.beat(NOW + 60, 70.0)
    async with history.opened(tmp_path) as past:
        assert ClockSeen(NOW + 60, NOW + 60) == past.jobs.clock
        assert past.jobs.clock.went_back(NOW + 60 - DAY)
        await past.jobs.beat(NOW + 60 - DAY, 5.0)
        assert ClockSeen(NOW + 60 - DAY, NOW + 60, NOW + 60 - DAY, -DAY) == past.jobs.clock
        await past.jobs.accept_clock(NOW - DAY)
        assert not past.jobs.clock.went_back(NOW - DAY)
    async with history.opened(tmp_path) as past:
        assert ClockSeen(NOW - DAY, NOW - DAY, NOW - DAY) == past.jobs.clock
        assert past.jobs.clock.is_accepted


@pytest.mark.parametrize(
    ("now", "elapsed", "jump"),
    [
        (NOW + 60, 60.0, 0.0),
        (NOW + 65, 60.0, 0.0),
        (NOW + 60 - 3599, 60.0, 0.0),
        (NOW + 60 - 3600, 60.0, -3600.0),
        (NOW + 60 + DAY, 60.0, DAY),
        (NOW + 60 + 2 * DAY, None, 0.0),  # it was off for two days
        (NOW - DAY, None, -DAY),
    ],
)
def test_only_what_is_no_mere_adjustment_is_a_jump(now: float, elapsed: float | None, jump: float) -> None:
    after = seen(ClockSeen(NOW, NOW), now, elapsed)

    assert jump == after.jump_seconds
    assert (now if jump else None) == after.jumped_at
    assert max(NOW, now) == after.latest_at


def test_who_lived_with_a_jump_for_a_week_has_accepted_it_also_back_from_far_ahead() -> None:
    jumped = ClockSeen(NOW, NOW + 300 * DAY, NOW, -300 * DAY)

    assert not seen(jumped, NOW + 60, 60.0).is_accepted
    after = seen(replace(jumped, seen_at=NOW + 7 * DAY), NOW + 7 * DAY, 0.0)
    assert after.is_accepted
    assert not after.went_back(NOW + 7 * DAY)
    later = seen(after, NOW + 7 * DAY + 60, 60.0)
    assert later.is_accepted
    assert not seen(later, NOW, 60.0).is_accepted


def test_the_first_look_at_the_clock_is_no_jump() -> None:
    assert ClockSeen(NOW, NOW) == seen(ClockSeen(), NOW, None)
