"""What the control socket can do with jobs and backups, and how the command line tells it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest

from dbwatch.cli import backup, jobs
from dbwatch.cli.job_progress import Bar, Lines, follow, how_far, ratio
from dbwatch.clock import SystemClock
from dbwatch.core.backups import retention
from dbwatch.core.backups.model import BackupRecord, JobKind, JobReason, JobRun, JobState, Progress, Proof, ProofName
from dbwatch.errors import UsageError
from dbwatch.jobs import errands
from dbwatch.jobs.commands import Binned, JobLine, commands
from dbwatch.jobs.process import Care
from dbwatch.jobs.running import Job, Run
from tests.backup_sets import record

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dbwatch.core.backups.retention import Plan
    from dbwatch.jobs.drill_wishes import Wish

NOW = 1_800_000_000.0


async def nothing(_run: Run) -> str:
    return ""


def a_run(instance: str = "pg1") -> Run:
    return Run(Job(JobKind.BACKUP, instance, nothing), SystemClock(), lambda _: None, Care())


@dataclass
class FakeOffice:
    """An office in memory."""

    runs: dict[str, Run] = field(default_factory=dict)
    ended: dict[str, JobRun] = field(default_factory=dict)
    sets: list[BackupRecord] = field(default_factory=list)
    lines: list[JobLine] = field(default_factory=list)
    asked: list[tuple[str, object]] = field(default_factory=list)
    last_drills: tuple[()] = ()

    async def started(self) -> None:
        """It always is."""

    async def trust_clock(self) -> float:
        return NOW

    def start_backup(self, instance: str, asked_by: str) -> Run:
        self.asked.append((instance, asked_by))
        run = a_run(instance)
        self.runs[run.id] = run
        return run

    def start_verification(self, backup_id: str, asked_by: str) -> Run:
        self.asked.append((backup_id, asked_by))
        return a_run()

    async def refuse_unknown_table(self, instance: str, wish: Wish) -> None:
        if wish.table:
            raise UsageError(f"{instance} holds no table {wish.table}")

    def start_drill(self, instance: str, wish: Wish, asked_by: str) -> Run:
        self.asked.append((instance, wish))
        return a_run(asked_by)

    def cancel(self, run_id: str, who: str) -> bool:
        return self.runs[run_id].cancel(JobReason.CANCELLED, f"cancelled by {who}")

    async def jobs(self) -> list[JobLine]:
        return self.lines

    async def run_of(self, run_id: str) -> JobRun | None:
        return self.ended.get(run_id)

    async def records(self, instance: str = "") -> list[BackupRecord]:
        return [each for each in self.sets if instance in ("", each.manifest.instance)]

    async def looked_at(self, instance: str = "") -> list[BackupRecord]:
        return await self.records(instance)

    async def rescan(self, instance: str = "") -> list[str]:
        return [f"{instance}: gone"]

    async def retention(self, instance: str = "", *, dry_run: bool) -> list[tuple[str, Plan]]:
        self.asked.append((instance, dry_run))
        return [("pg1", retention.plan(self.sets, retention.Policy(), NOW))]

    async def pin(self, backup_id: str, *, pinned: bool, who: str) -> BackupRecord:
        self.asked.append((backup_id, who))
        return replace(self.sets[0], pinned=pinned)

    async def trashed(self) -> list[Binned]:
        return [Binned("pg1", self.sets[0].manifest.kind, self.sets[0].id, NOW, NOW + 60)]


@pytest.fixture
def office() -> FakeOffice:
    return FakeOffice(sets=[record(1), record(2, proof="decoded")])


async def ask(office: FakeOffice, command: str, **arguments: object) -> Any:
    """As the socket does: through JSON."""
    answer = await commands(lambda: office)[command](arguments)
    return json.loads(json.dumps(answer))


async def test_a_backup_is_started_followed_and_cancelled(office: FakeOffice) -> None:
    started = await ask(office, "backup_start", instance="pg1", who="ada")

    assert ("running", "waiting", "backup", "pg1") == (
        started["state"],
        started["phase"],
        started["kind"],
        started["instance"],
    )
    assert [("pg1", "ada")] == office.asked
    office.runs[started["id"]].show(Progress(bytes_done=10, bytes_expected=100))
    assert 10 == (await ask(office, "job_status", id=started["id"]))["progress"]["bytes_done"]
    assert started["id"] == (await ask(office, "job_cancel", id=started["id"][-8:], who="ada"))["id"]
    with pytest.raises(UsageError, match="no job"):
        await ask(office, "job_cancel", id=started["id"], who="ada")


async def test_a_run_that_nobody_remembers_but_history_is_found_there(office: FakeOffice) -> None:
    office.ended["x1"] = JobRun("x1", JobKind.BACKUP, "pg1", NOW, JobState.FAILED, phases=(("dumping", 3.0),))

    assert [["dumping", 3.0]] == (await ask(office, "job_status", id="x1"))["phases"]
    with pytest.raises(UsageError, match="is known"):
        await ask(office, "job_status", id="x2")


async def test_sets_are_listed_with_the_best_that_is_proven_of_them(office: FakeOffice) -> None:
    first, second = await ask(office, "backup_list", instance="pg1")

    assert ("compared", "decoded") == (first["proof"], second["proof"])
    assert (["marseille"], 1000) == (first["databases"], first["size_bytes"])
    assert [] == await ask(office, "backup_list", instance="pg2")


async def test_a_set_that_cannot_be_used_is_proven_by_nothing(office: FakeOffice) -> None:
    office.sets = [record(1, problem="its manifest was edited")]

    (found,) = await ask(office, "backup_list")

    assert (None, "its manifest was edited") == (found["proof"], found["problem"])


async def test_a_set_that_was_found_bad_is_listed_as_bad_with_the_reason(office: FakeOffice) -> None:
    against = Proof(ProofName.COMPARED, NOW, 1.0, JobReason.MISMATCH, "table orders: 2 rows, not 3")
    office.sets = [replace(record(1), proofs=(*record(1).proofs, against))]

    (found,) = await ask(office, "backup_list")

    assert (None, True) == (found["proof"], found["bad"])
    again = f"if that was mended: `dbwatch backup verify pg1/{found['id']}`"
    assert f"table orders: 2 rows, not 3 (found when it was compared; {again})" == found["problem"]
    row, told = (line for line in backup.set_lines([found], as_json=False) if found["id"] in line)
    assert row.split()[-1] == "bad"
    assert f"pg1/{found['id']}: {found['problem']}" == told


async def test_a_backup_whose_due_proof_could_not_be_had_ends_with_1_and_one_that_waits_with_0(
    office: FakeOffice,
) -> None:
    no_room = Proof(ProofName.RESTORED, NOW, 1.0, JobReason.DISK_FULL, "no room")
    office.sets = [record(1, proof="decoded"), replace(record(2), proofs=(*record(2).proofs, no_room))]
    waits, lacks = await ask(office, "backup_list")

    assert ("", "it could not be restored: no room") == (waits["not_proven"], lacks["not_proven"])
    assert (0, 1) == (backup.code({"state": "succeeded"}, [waits]), backup.code({"state": "succeeded"}, [lacks]))
    assert 1 == backup.code({"state": "failed"}, [])


def test_what_was_not_proven_is_said_so_that_it_is_read_in_one_way() -> None:
    lacking = Proof(ProofName.RESTORED, NOW, 1.0, JobReason.DISK_FULL, "it takes 197 MiB, where 100 MiB are free")

    assert (
        "NOT PROVEN: it is published, but it could not be restored: it takes 197 MiB, where 100 MiB are free"
        == errands.said(lacking)
    )
    assert "decoded to its end" == errands.said(Proof(ProofName.DECODED, NOW, 1.0))


async def test_retention_says_that_its_times_are_utc_and_its_days_are_not(office: FakeOffice) -> None:
    (plan,) = await ask(office, "backup_retention", instance="", dry_run=True)

    assert "2026-10-27 12:00:00 UTC" == plan["decisions"][0]["time"]
    assert [] == backup._zones([plan])
    assert backup._zones([plan | {"timezone": "Europe/Paris"}])[0].endswith("years are counted in Europe/Paris")


async def test_retention_tells_each_decision(office: FakeOffice) -> None:
    (plan,) = await ask(office, "backup_retention", instance="", dry_run=True)

    assert ["keep", "keep"] == [each["action"] for each in plan["decisions"]]
    assert [("", True)] == office.asked
    with pytest.raises(UsageError, match="dry_run"):
        await ask(office, "backup_retention", dry_run="no")


async def test_who_says_that_the_clock_is_right_is_told_its_time(office: FakeOffice) -> None:
    assert {"time": NOW} == await ask(office, "backup_trust_clock")


async def test_a_set_is_pinned_by_whatever_names_it_and_the_trash_tells_until_when(office: FakeOffice) -> None:
    assert (await ask(office, "backup_pin", id="1a2b3c4d", pinned=True, who="ada"))["pinned"]
    assert [("1a2b3c4d", "ada")] == office.asked
    (binned,) = (await ask(office, "backup_trash"))["sets"]
    assert (office.sets[0].id, NOW + 60) == (binned["id"], binned["until"])


@pytest.mark.parametrize("value", [7, ["pg1"], "x" * 201])
async def test_what_is_no_text_is_refused(value: object, office: FakeOffice) -> None:
    with pytest.raises(UsageError, match="is a text of at most"):
        await ask(office, "backup_start", instance=value, who="ada")


# --- how it is told ---


def status(**more: object) -> Mapping[str, object]:
    known: dict[str, object] = {"state": "running", "phase": "dumping", "elapsed_seconds": 65.0, "progress": {}}
    return known | more


def test_how_far_it_is_in_words() -> None:
    progress = {
        "bytes_done": 2**30,
        "bytes_expected": 4 * 2**30,
        "tables_done": 3,
        "tables_expected": 40,
        "seconds_left": 130.2,
        "blocked_sessions": 2,
    }
    told = how_far(status(progress=progress))

    assert "1 GiB of about 4 GiB, 3 of 40 tables, 1 min 5 s, about 2 min 10 s left, 2 sessions wait for it" == told
    assert 0.25 == ratio(status(progress=progress))
    assert ratio(status()) is None
    assert "1 min 5 s" == how_far(status())


def test_where_nobody_looks_a_phase_is_a_line_and_progress_one_now_and_then() -> None:
    said: list[str] = []
    lines = Lines(said.append)
    for seconds, phase in ((0.0, "dumping"), (0.3, "dumping"), (11.0, "dumping"), (12.0, "hashing")):
        lines.show(status(elapsed_seconds=seconds, phase=phase, progress={"bytes_done": 1024}))
    lines.show(status(state="succeeded", phase="publishing"))

    assert ["dumping ...", "dumping: 1 KiB, 11 s", "hashing ..."] == said


def test_a_line_break_in_a_name_begins_no_line_of_progress() -> None:
    said: list[str] = []
    Lines(said.append).show(status(phase="restore of a\nDANGER\x1b[2J"))

    assert ["restore of a?DANGER?[2J ..."] == said


async def test_a_bar_follows_until_it_is_over(capsys: pytest.CaptureFixture[str]) -> None:
    answers = [status(), status(progress={"bytes_done": 5, "bytes_expected": 10}), status(state="failed")]

    async def asking() -> Mapping[str, object]:
        return answers.pop(0)

    with Bar() as bar:
        last = await follow(asking, bar)

    assert "failed" == last["state"]
    assert [] == answers
    assert "Traceback" not in capsys.readouterr().err


def test_what_came_of_it_is_told_with_each_warning() -> None:
    done = status(
        state="succeeded",
        instance="pg1",
        backup="b1",
        detail="restored, and equal to the source",
        seconds=12.0,
        phases=[["dumping", 10.0], ["hashing", 0.01]],
    )
    made = [{"size_bytes": 2048, "warnings": ["roles have no passwords"]}]

    assert [
        "backup b1 of pg1: restored, and equal to the source",
        "  took 12 s (dumping 10 s), 2 KiB",
        "  warning: roles have no passwords",
    ] == backup.outcome(done, made)
    failed = status(kind="backup", state="failed", instance="pg1", reason="disk_full", detail="no room")
    assert ["backup of pg1 failed (disk_full): no room"] == backup.outcome(failed, [])


async def test_jobs_are_told_in_lines(office: FakeOffice, monkeypatch: pytest.MonkeyPatch) -> None:
    run = a_run("pg3")
    run.turn()
    last = JobRun("x", JobKind.BACKUP, "pg2", NOW, JobState.FAILED, NOW + 5, 5.0, JobReason.AUTH, "wrong password")
    office.lines = [
        JobLine(JobKind.BACKUP, "pg1", "30 1 * * *", "Europe/Paris", next_at=NOW),
        JobLine(JobKind.BACKUP, "pg2", last=last),
        JobLine(JobKind.BACKUP, "pg3", running=run),
    ]
    answer = await ask(office, "jobs_list")
    monkeypatch.setattr(jobs, "since", lambda _: 3600.0)

    rows = [jobs._row(each) for each in answer]

    assert ["backup", "pg1", "30 1 * * * Europe/Paris", "2027-01-15 08:00 UTC", "never", "", "", ""] == rows[0]
    assert ["by order only", "", "1 h ago", "5 s", "failed", "auth: wrong password"] == rows[1][2:]
    assert "running: preparing" == rows[2][6]
    assert run.id in rows[2][7]


async def test_a_drill_of_a_table_that_is_not_there_is_refused_before_it_starts(office: FakeOffice) -> None:
    with pytest.raises(UsageError, match="holds no table nosuch"):
        await ask(office, "drill_start", instance="pg1", scenarios=["03"], table="nosuch")

    assert [] == office.asked
