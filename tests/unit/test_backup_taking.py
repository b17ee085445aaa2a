"""A backup and its proofs: what is published when, and that in every failure nothing is. The server is made up."""

from __future__ import annotations

import asyncio
import shutil
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from dbwatch import history
from dbwatch.app.backups import COMMANDS
from dbwatch.archive.repository import Repository
from dbwatch.core.backups.model import (
    BackupKind,
    Codec,
    DatabaseFacts,
    Facts,
    FactsMode,
    JobKind,
    JobReason,
    JobRun,
    JobState,
    MemberRole,
    ProofLevel,
    ProofName,
    ServerIdentity,
    TableFacts,
)
from dbwatch.engines.backing import Aside, Blocking, Command, Output, Pipeline, Program, Scratch
from dbwatch.engines.preflight import Preflight, PreflightFault
from dbwatch.errors import EngineError, JobError, Reason
from dbwatch.jobs.backup import guard_room, refuse, take
from dbwatch.jobs.boards import Seen, kind_board
from dbwatch.jobs.commands import commands
from dbwatch.jobs.errands import backup_job
from dbwatch.jobs.retaining import planned, retain
from dbwatch.jobs.scratch import Workshop
from dbwatch.jobs.subject import Subject
from dbwatch.jobs.verifying import prove
from dbwatch.settings.backups import Backups, LogicalBackup
from dbwatch.settings.models import PostgresInstance

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from dbwatch.core.backups.model import BackupRecord, Proof
    from dbwatch.history import History

NOW = 1_795_000_000.0
DAY = 86_400.0
SERVER = Program("postgres", Path("postgres"), (18, 1), "18.1")
FACTS = Facts(
    FactsMode.FULL,
    comparable=True,
    evidence="snapshot",
    databases=(DatabaseFacts("town", 1000),),
    tables=(TableFacts("town", "public", "citizen", 3, "abc", 100),),
)


class Clock:
    """Stands still until it is told."""

    def __init__(self) -> None:
        self.now = NOW

    def time(self) -> float:
        return self.now

    def monotonic(self) -> float:
        return self.now


@dataclass
class Hands:
    """A runner that writes what a pipeline would; `fail` says which pipeline does not."""

    id: str = "run-1"
    application: str = "dbwatch/bk/run-1"
    phases: list[str] = field(default_factory=list)
    ran: list[str] = field(default_factory=list)
    fail: dict[str, JobError] = field(default_factory=dict)
    hangs: str = ""  # the pipeline that never ends
    waits: asyncio.Event | None = None  # of every pipeline: what it waits for before it ends

    def phase(self, name: str) -> None:
        self.phases.append(name)

    def show(self, progress: object) -> None: ...

    def made(self, backup_id: str) -> None: ...

    async def run(
        self, pipeline: Pipeline, *, on_started: Callable[[], Any] | None = None, keep_output: bool = False
    ) -> float:
        assert keep_output is (pipeline.name == "amcheck")
        self.ran.append(pipeline.name)
        if on_started is not None:
            await on_started()
        if pipeline.stdout is not None:
            pipeline.stdout.write_bytes(b"dump of " + pipeline.name.encode())
        if pipeline.name == self.hangs:
            await asyncio.Event().wait()
        if self.waits is not None:
            await self.waits.wait()
        if pipeline.name in self.fail:
            raise self.fail[pipeline.name]
        return 0.5

    @asynccontextmanager
    async def serving(self, *_: object, **__: object) -> AsyncIterator[Served]:
        yield Served()


class Served:
    """A server that does what it is told."""

    is_running = True

    async def kill(self) -> None: ...

    async def stop(self) -> None: ...


@dataclass
class Step:
    """The dump of one database, and the server while it goes on."""

    engine: Engine
    directory: Path
    name: str = "town"

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Step]:
        yield self

    @property
    def pipelines(self) -> Sequence[Pipeline]:
        return (Pipeline("dump", (Command(("pg_dump", "town")),), stdout=self.directory / "town.dump"),)

    @property
    def outputs(self) -> Sequence[Output]:
        return (Output(self.directory / self.engine.output, MemberRole.DUMP, Codec.NONE, "town", self.engine.sealed),)

    async def dump_started(self) -> None:
        self.engine.started += 1

    async def facts(self) -> Facts:
        if isinstance(self.engine.source, EngineError):
            raise self.engine.source
        return self.engine.source

    async def blocking(self) -> Blocking:
        if isinstance(self.engine.waiting, EngineError):
            raise self.engine.waiting
        return self.engine.waiting

    async def let_go(self) -> None:
        self.engine.let_go += 1
        if self.engine.on_let_go is not None:
            self.engine.on_let_go.set()
            await asyncio.Event().wait()

    async def progress(self) -> tuple[int | None, int | None]:
        return (1, 2)

    async def finished(self) -> tuple[tuple[tuple[str, str], ...], bool, str]:
        return ((("lsn", "0/1"),), True, "snapshot")


@dataclass
class Engine:
    """A server as its engine tells of it."""

    name: str = "postgres"
    source: Facts | EngineError = FACTS
    restored: Facts = FACTS
    faults: tuple[PreflightFault, ...] = ()
    waiting: Blocking | EngineError = field(default_factory=Blocking)
    missing: JobError | None = None
    unsound: tuple[str, ...] = ()
    output: str = "town.dump"
    sealed: bool = False
    started: int = 0
    let_go: int = 0
    on_let_go: asyncio.Event | None = None  # what was held is gone, and the server does not say so

    async def preflight(self, *_: object, **__: object) -> Preflight:
        identity = ServerIdentity("PostgreSQL", (18, 1), "18.1")
        return Preflight(identity, (("town", 1000),), (SERVER,), Codec.NONE, "custom", self.faults)

    def steps(self, *given: Any, **_: object) -> list[Step]:
        return [Step(self, given[3])]

    async def sweep(self, *_: object, **__: object) -> int:
        return 0

    async def client_programs(self, *_: object, **__: object) -> tuple[Program, ...]:
        return (SERVER,)

    async def scratch_programs(self, *_: object, **__: object) -> tuple[Program, ...]:
        if self.missing is not None:
            raise self.missing
        return (SERVER,)

    def decoding(self, *_: object, **__: object) -> list[Pipeline]:
        return [Pipeline("decode", ())]

    def scratch(self, directory: Path, *_: object, **__: object) -> Scratch:
        files = {directory / "server.conf": "fsync = off"}
        return Scratch((Pipeline("initdb", ()),), files, Command(("postgres",)), 2, INSTANCE, directory / "log")

    async def wait_ready(self, *_: object, **__: object) -> None: ...

    async def occupied(self, *_: object, **__: object) -> str:
        return ""

    async def present(self, *_: object, **__: object) -> frozenset[str]:
        return frozenset()

    async def obstacles(self, *_: object, **__: object) -> list[str]:
        return []

    async def kept(self, *_: object, **__: object) -> tuple[str, ...]:
        return ()

    async def kind(self, *_: object, **__: object) -> str:
        return ""

    async def restoring(self, *_: object, **__: object) -> list[Pipeline]:
        return [Pipeline("restore", ())]

    async def afterwards(self, *_: object, **__: object) -> tuple[str, ...]:
        return ()

    async def aside(self, *_: object, **__: object) -> Aside:
        return Aside(())

    async def facts_of(self, *_: object, **__: object) -> Facts:
        return self.restored

    def integrity(self, *_: object, **__: object) -> list[Pipeline]:
        return [Pipeline("amcheck", ())]

    async def check(self, *_: object, **__: object) -> tuple[str, ...]:
        return self.unsound


INSTANCE = PostgresInstance.model_validate({"name": "pg1", "engine": "postgres", "monitor": {"user": "dbwatch"}})


@dataclass
class Stage:
    """One instance with a real repository and a real history."""

    subject: Subject
    hands: Hands
    engine: Engine
    clock: Clock

    async def take(self) -> BackupRecord:
        return (await take(self.hands, self.subject))[0]

    async def prove(self, backup: str, *, restore: bool = True) -> Proof:
        return await prove(self.hands, self.subject, backup, restore=restore)

    async def taken_and_proven(self) -> BackupRecord:
        record = await self.take()
        await self.prove(record.id)
        return await self.read(record.id)

    async def read(self, backup: str) -> BackupRecord:
        return await self.subject.repository.read("pg1", BackupKind.LOGICAL, backup)

    @property
    def left(self) -> list[str]:
        """What stands in the repository for the instance, half-made sets included."""
        directory = self.subject.shared.directory / "pg1" / "logical"
        found = sorted(each.name for each in directory.iterdir()) if directory.exists() else []
        return [name for name in found if name.endswith(".partial") or not name.startswith(".")]


class Full(Repository):
    """Of a disk that took the set, and takes nothing more."""

    async def add_proof(self, instance: str, kind: BackupKind, backup_id: str, proof: Proof) -> None:
        what = f"cannot write a proof ({proof.name}) of {kind} into {instance}/{backup_id}"
        raise JobError(JobReason.DISK_FULL, f"{what}: no space left on device")


@asynccontextmanager
async def stage(directory: Path, **settings: Any) -> AsyncIterator[Stage]:
    async with AsyncExitStack() as stack:
        past: History = await stack.enter_async_context(history.opened(directory / "state"))
        shared = Backups(directory=directory / "repository", reserve_ratio=0, reserve_bytes=0)
        engine, clock = Engine(), Clock()
        repository = Repository.configured(shared)
        await repository.prepare()
        subject = Subject(
            INSTANCE,
            LogicalBackup.model_validate(settings),
            shared,
            engine,
            repository,
            past.jobs,
            clock,
            Workshop(directory.parent / "s"),  # a path short enough for sockets
            directory / "state" / "passwords",
        )
        yield Stage(subject, Hands(), engine, clock)


async def refusal(stage: Stage) -> JobError:
    with pytest.raises(JobError) as caught:
        await stage.take()
    return caught.value


async def test_a_backup_is_published_restored_and_equal_to_its_source(tmp_path: Path) -> None:
    async with stage(tmp_path) as s:
        record = await s.taken_and_proven()

        assert ProofLevel.L3 == record.level
        names = [ProofName.PUBLISHED, ProofName.HASHED, ProofName.DECODED, ProofName.COMPARED]
        assert names == [proof.name for proof in record.proofs]
        assert ["dump", "decode", "initdb", "restore", "amcheck"] == s.hands.ran
        assert record.proofs == s.subject.records[0].proofs
        assert 1 == s.engine.started


async def test_no_scratch_server_is_left(tmp_path: Path) -> None:
    async with stage(tmp_path) as s:
        await s.taken_and_proven()

        assert [] == list((tmp_path.parent / "s").iterdir())


async def test_what_stands_in_the_way_is_told_before_a_byte_is_written(tmp_path: Path) -> None:
    async with stage(tmp_path) as s:
        s.engine.faults = (PreflightFault(JobReason.PERMISSION, "it may not read town.citizen -> GRANT ..."),)

        error = await refusal(s)

        assert (JobReason.PERMISSION, []) == (error.reason, s.left)
        assert "GRANT" in error.message


async def test_a_program_that_fails_publishes_nothing_and_leaves_earlier_sets_alone(tmp_path: Path) -> None:
    async with stage(tmp_path) as s:
        earlier = await s.taken_and_proven()
        s.hands.fail["dump"] = JobError(JobReason.LOST, "pg_dump: server closed the connection")

        error = await refusal(s)

        assert (JobReason.LOST, [earlier.id]) == (error.reason, s.left)
        assert earlier == await s.read(earlier.id)


async def test_a_dump_that_leaves_nothing_is_not_a_backup(tmp_path: Path) -> None:
    async with stage(tmp_path) as s:
        s.engine.output = "other.dump"

        assert (JobReason.INCOMPLETE, []) == ((await refusal(s)).reason, s.left)


async def test_a_dump_that_the_application_waits_for_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dbwatch.jobs.dumping.LOOK_SECONDS", 0.001)
    async with stage(tmp_path, max_blocking=5) as s:
        s.engine.waiting, s.hands.hangs = Blocking(2, 5.5), "dump"

        error = await refusal(s)

        assert (JobReason.BLOCKED_OTHERS, []) == (error.reason, s.left)
        assert "2 session(s) waited" in error.message


async def test_what_is_let_go_for_the_application_is_told_as_such_and_not_as_a_lost_session(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dbwatch.jobs.dumping.LOOK_SECONDS", 0.001)
    async with stage(tmp_path, max_blocking=5) as s:
        s.engine.waiting, s.engine.on_let_go = Blocking(1, 6.0), asyncio.Event()
        s.hands.waits, s.hands.fail["dump"] = s.engine.on_let_go, JobError(JobReason.LOST, "pg_dump: terminated")

        error = await refusal(s)

        assert (JobReason.BLOCKED_OTHERS, 1) == (error.reason, s.engine.let_go)


async def test_a_dump_that_cannot_see_who_waits_is_given_up_when_somebody_may_have_waited_for_too_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dbwatch.jobs.dumping.LOOK_SECONDS", 0.001)
    async with stage(tmp_path, max_blocking=0.05) as s:
        s.engine.waiting, s.hands.hangs = EngineError(Reason.REFUSED, "too many connections"), "dump"

        error = await refusal(s)

        assert (JobReason.LOST, []) == (error.reason, s.left)
        assert "for 0.05 s it could not be seen who waits for the dump: too many connections" == error.message


async def test_who_waits_for_less_long_is_let_wait(tmp_path: Path) -> None:
    async with stage(tmp_path, max_blocking=5) as s:
        s.engine.waiting = Blocking(2, 4.5)

        assert [(await s.take()).id] == s.left


async def test_the_disk_is_left_to_the_machine_before_it_is_full(tmp_path: Path) -> None:
    repository = Repository(tmp_path, reserve_ratio=1.0, reserve_bytes=0)

    with pytest.raises(JobError) as caught:
        await guard_room(repository)

    assert JobReason.DISK_FULL == caught.value.reason


async def test_a_backup_without_facts_is_kept_and_only_looked_at(tmp_path: Path) -> None:
    async with stage(tmp_path) as s:
        s.engine.source = EngineError(Reason.SYNTAX, "a view is broken")

        record = await s.taken_and_proven()

        assert (ProofName.RESTORED, ("town",)) == (
            record.proofs[-1].name,
            tuple(each.name for each in record.manifest.facts.databases),
        )
        assert "no facts of town" in record.manifest.warnings[0]


async def test_what_is_restored_but_differs_is_no_backup(tmp_path: Path) -> None:
    async with stage(tmp_path) as s:
        s.engine.restored = replace(FACTS, tables=(replace(FACTS.tables[0], rows=2, digest="x"),))
        record = await s.take()

        with pytest.raises(JobError) as caught:
            await s.prove(record.id)

        assert JobReason.MISMATCH == caught.value.reason
        assert "citizen" in caught.value.message
        assert ProofLevel.NONE == (await s.read(record.id)).level


async def test_a_restore_that_stops_shows_a_set_that_is_not_whole(tmp_path: Path) -> None:
    async with stage(tmp_path) as s:
        s.hands.fail["restore"] = JobError(JobReason.TOOL, "pg_restore: could not execute query")
        record = await s.take()

        with pytest.raises(JobError) as caught:
            await s.prove(record.id)

        assert (JobReason.INCOMPLETE, ProofLevel.NONE) == (caught.value.reason, (await s.read(record.id)).level)
        run = JobRun("r", JobKind.BACKUP, "pg1", NOW, JobState.FAILED, reason=JobReason.INCOMPLETE, backup=record.id)
        await s.subject.book.ended(run)
        figures = kind_board(s.subject, Seen(), ["town"], None, None).figures
        assert ((JobReason.INCOMPLETE, 1),) == figures.verification_failures


async def test_unsound_pages_are_told(tmp_path: Path) -> None:
    async with stage(tmp_path) as s:
        s.engine.unsound = ("town.citizen: index is corrupted",)
        record = await s.take()

        with pytest.raises(JobError, match="unsound"):
            await s.prove(record.id)


async def test_want_of_an_extension_is_no_failure_and_leaves_the_set_decoded(tmp_path: Path) -> None:
    async with stage(tmp_path) as s:
        s.engine.missing = JobError(JobReason.NO_EXTENSION, "postgis is not installed here")
        record = await s.take()

        proof = await s.prove(record.id)

        assert (JobReason.NO_EXTENSION, ProofLevel.L2) == (proof.reason, (await s.read(record.id)).level)


async def test_without_a_key_a_sealed_set_is_read_again_and_no_more(tmp_path: Path) -> None:
    async with stage(tmp_path) as s:
        s.engine.sealed = True
        record = await s.take()

        proof = await s.prove(record.id)

        assert (JobReason.NO_KEY, ProofLevel.L1) == (proof.reason, (await s.read(record.id)).level)


async def said_of_backup(s: Stage) -> str:
    hands: Any = s.hands
    return await backup_job(s.subject, "ada").work(hands)


async def test_a_backup_says_whether_its_restore_is_not_due_or_could_not_be_had(tmp_path: Path) -> None:
    async with stage(tmp_path / "off", verify={"restore": False}) as s:
        waits = await said_of_backup(s)
    async with stage(tmp_path / "on") as s:
        s.engine.missing = JobError(JobReason.NO_EXTENSION, "postgis is not installed here")
        lacks = await said_of_backup(s)

    assert waits.endswith("not restored yet: that is not due now")
    assert "NOT PROVEN: it is published, but it could not be restored: postgis is not installed here" == lacks


async def test_a_backup_whose_proof_finds_no_room_is_published_and_not_called_failed(tmp_path: Path) -> None:
    async with stage(tmp_path) as s:
        full = Full.configured(s.subject.shared)
        s.subject = replace(s.subject, repository=full)

        told = await said_of_backup(s)

        assert "NOT PROVEN: it is published, but" in told
        assert "no space left on device" in told
        assert 1 == len(s.left)


async def test_what_was_found_bad_is_bad_though_that_finds_no_room(tmp_path: Path) -> None:
    async with stage(tmp_path) as s:
        record = await s.take()
        s.subject = replace(s.subject, repository=Full.configured(s.subject.shared))
        member = tmp_path / "repository" / "pg1" / "logical" / record.id / "town.dump"
        member.write_bytes(member.read_bytes().replace(b"dump", b"dumq"))

        with pytest.raises(JobError) as caught:
            await s.prove(record.id)

        assert JobReason.CORRUPT == caught.value.reason


async def test_a_flipped_byte_is_found_by_reading_again(tmp_path: Path) -> None:
    async with stage(tmp_path) as s:
        record = await s.taken_and_proven()
        member = tmp_path / "repository" / "pg1" / "logical" / record.id / "town.dump"
        member.write_bytes(member.read_bytes().replace(b"dump", b"dumq"))

        with pytest.raises(JobError) as caught:
            await s.prove(record.id, restore=False)

        assert JobReason.CORRUPT == caught.value.reason
        assert ProofLevel.NONE == (await s.read(record.id)).level
        assert ProofLevel.NONE == s.subject.records[0].level


async def test_an_edited_manifest_is_found(tmp_path: Path) -> None:
    async with stage(tmp_path) as s:
        record = await s.taken_and_proven()
        manifest = tmp_path / "repository" / "pg1" / "logical" / record.id / "manifest.json"
        manifest.write_text(manifest.read_text().replace('"rows": 3', '"rows": 4'))

        with pytest.raises(JobError) as caught:
            await s.prove(record.id)

        assert (JobReason.CORRUPT, ProofLevel.NONE) == (caught.value.reason, s.subject.records[0].level)


async def test_what_took_too_long_to_restore_is_not_called_bad(tmp_path: Path) -> None:
    async with stage(tmp_path, verify={"max_seconds": "1s"}) as s:
        record = await s.take()
        s.hands.hangs = "restore"

        proof = await s.prove(record.id)

        assert (JobReason.DEADLINE, ProofLevel.L2) == (proof.reason, (await s.read(record.id)).level)


async def test_retention_trashes_what_no_rule_keeps_and_the_newest_proven_stays(tmp_path: Path) -> None:
    retention = {"keep_last": 1, "daily": 0, "weekly": 0, "monthly": 0, "min_verified": 1}
    async with stage(tmp_path, retention=retention) as s:
        sets = []
        for _ in range(3):
            s.clock.now += DAY
            sets.append((await s.taken_and_proven()).id)
        expected = await planned(s.subject)

        plan = await retain(s.subject)

        assert expected.delete == plan.delete
        assert (sets[2:], sets[2:]) == (s.left, [record.id for record in s.subject.records])
        assert sets[:2] == sorted(each.id for each in await s.subject.repository.trashed("pg1"))


async def test_retention_is_frozen_after_a_set_that_was_found_bad(tmp_path: Path) -> None:
    retention = {"keep_last": 1, "daily": 0, "weekly": 0, "monthly": 0, "min_verified": 1}
    async with stage(tmp_path, retention=retention) as s:
        for _ in range(3):
            s.clock.now += DAY
            record = await s.taken_and_proven()
        member = tmp_path / "repository" / "pg1" / "logical" / record.id / "town.dump"
        member.write_bytes(b"")
        with pytest.raises(JobError):
            await s.prove(record.id)

        plan = await retain(s.subject)

        assert ((), 3) == (plan.delete, len(s.left))
        assert plan.frozen


async def test_a_set_that_somebody_cut_keeps_no_earlier_one_from_being_the_last_proven(tmp_path: Path) -> None:
    retention = {"keep_last": 1, "daily": 0, "weekly": 0, "monthly": 0, "min_verified": 1}
    async with stage(tmp_path, retention=retention) as s:
        for _ in range(2):
            s.clock.now += DAY
            record = await s.taken_and_proven()
        (tmp_path / "repository" / "pg1" / "logical" / record.id / "town.dump").write_bytes(b"")

        plan = await retain(s.subject)

        assert ((), 2) == (plan.delete, len(s.left))
        assert ["problem"] == [str(each.reason) for each in plan.frozen]


async def test_a_clock_that_goes_back_a_day_orders_no_set_before_another_and_deletes_none(tmp_path: Path) -> None:
    retention = {"keep_last": 1, "daily": 0, "weekly": 0, "monthly": 0, "min_verified": 1}
    async with stage(tmp_path, retention=retention) as s:
        made = [(await s.taken_and_proven()).id]
        await s.subject.book.beat(s.clock.now, 0.0)
        s.clock.now -= DAY
        await s.subject.book.beat(s.clock.now, 60.0)
        made += [(await s.taken_and_proven()).id for _ in range(2)]

        plan = await retain(s.subject)

        assert made == [record.id for record in s.subject.records]
        assert ((), ["clock"]) == (plan.delete, [str(each.reason) for each in plan.frozen])


async def test_what_somebody_removed_by_hand_is_not_counted_before_others_are_deleted(tmp_path: Path) -> None:
    retention = {"keep_last": 1, "daily": 0, "weekly": 0, "monthly": 0, "min_verified": 1}
    async with stage(tmp_path, retention=retention) as s:
        sets = []
        for _ in range(3):
            s.clock.now += DAY
            sets.append((await s.taken_and_proven()).id)
        for gone in sets[1:]:
            shutil.rmtree(tmp_path / "repository" / "pg1" / "logical" / gone)

        plan = await retain(s.subject)

        assert ((), sets[:1]) == (plan.delete, s.left)


async def test_a_pin_that_the_index_does_not_know_of_keeps_its_set(tmp_path: Path) -> None:
    retention = {"keep_last": 1, "daily": 0, "weekly": 0, "monthly": 0, "min_verified": 1}
    async with stage(tmp_path, retention=retention) as s:
        sets = []
        for _ in range(3):
            s.clock.now += DAY
            sets.append((await s.taken_and_proven()).id)
        await s.subject.repository.pin("pg1", BackupKind.LOGICAL, sets[0], pinned=True, now=s.clock.now)

        await retain(s.subject)

        assert [sets[0], sets[2]] == s.left


def test_the_daemon_knows_every_command_before_it_loads_what_answers_them() -> None:
    def nobody() -> Any:
        raise AssertionError

    assert sorted(commands(nobody)) == sorted(COMMANDS)


def test_statements_that_mend_faults_are_parted_by_one_semicolon() -> None:
    mends = ("town: may not be entered -> GRANT CONNECT TO b;", "shop: the dump would lack t -> GRANT SELECT TO b;")
    faults = tuple(PreflightFault(JobReason.PERMISSION, line) for line in mends)
    identity = ServerIdentity("postgres", (18,), "18")

    with pytest.raises(JobError) as raised:
        refuse(Preflight(identity, (("town", 1),), (SERVER,), Codec.NONE, "custom", faults))

    assert raised.value.message == f"{mends[0].removesuffix(';')}; {mends[1]}"
