"""What every scenario of a drill does: timed phases, a set that is read and restored, checks that hold or do not."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dbwatch.core.backups import comparing, sizes, standing
from dbwatch.core.backups.drills import DrillCheck, DrillPhase, RpoEvidence, since
from dbwatch.core.backups.model import DISPROOFS, JobReason, ProofName
from dbwatch.engines.backing import Selection
from dbwatch.engines.drilling import stage
from dbwatch.errors import DbwatchError, EngineError, JobError
from dbwatch.jobs import drill_heartbeat, room, verifying
from dbwatch.jobs.drill_sql import questions
from dbwatch.jobs.scratch import scratch_server
from dbwatch.jobs.verifying import SERVERS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from dbwatch.archive.repository import Repository
    from dbwatch.core.backups.comparing import Comparison
    from dbwatch.core.backups.model import BackupRecord, Facts, Manifest, Pairs
    from dbwatch.engines.backing import Program, Target
    from dbwatch.jobs.hands import Hands
    from dbwatch.jobs.scratch import ScratchServer
    from dbwatch.jobs.subject import Subject

WHOLE = Selection()
STALE_SECONDS = 120.0  # a heartbeat that was so old when the backup began did not beat any more
QUESTION_SECONDS = 60.0
SLOWER = 4.0  # a scratch server may be, and what it has not read in time is not compared


@dataclass(slots=True)
class Play:
    """One scenario while it is played, and what is known of it so far."""

    hands: Hands
    subject: Subject
    record: BackupRecord  # all of it, as read from the disk
    directory: Path  # of the set
    table: str = ""  # database.schema.table, where somebody wishes one
    keep: bool = False
    phases: dict[str, float] = field(default_factory=dict)
    checks: list[DrillCheck] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    programs: tuple[Program, ...] = ()
    struck_at: float | None = None
    lost_seconds: float | None = None
    rpo_evidence: RpoEvidence = RpoEvidence.NONE
    beat_seconds: float | None = None

    @property
    def manifest(self) -> Manifest:
        return self.record.manifest

    @property
    def engine_name(self) -> str:
        return self.manifest.engine

    @property
    def server_version(self) -> str:
        """Of the scratch servers."""
        found = (".".join(map(str, program.version)) for program in self.programs if program.name in SERVERS)
        return " ".join(filter(None, (self.manifest.server.flavour, next(found, ""))))

    @contextmanager
    def phase(self, phase: DrillPhase) -> Iterator[None]:
        """What is done in it counts as its time, also where it fails."""
        self.hands.phase(phase)
        began = self.subject.clock.monotonic()
        try:
            yield
        except DbwatchError:
            self.check("reached", holds=False, phase=phase.value)
            raise
        finally:
            took = self.subject.clock.monotonic() - began
            self.phases[phase] = self.phases.get(phase, 0.0) + took

    def check(self, name: str, differences: tuple[str, ...] = (), /, *, holds: bool, **values: object) -> None:
        pairs = tuple((key, str(value)) for key, value in values.items())
        self.checks.append(DrillCheck(name, holds, pairs, differences=differences))

    def strikes(self) -> None:
        """The disaster happens now: what an earlier set would have saved is counted from here."""
        self.struck_at = self.subject.clock.time()

    # --- acts ---

    async def find_programs(self) -> None:
        """Raise JobError where a set cannot be restored on this machine."""
        if standing.is_sealed(self.manifest) and self.subject.opener is None:
            raise JobError(JobReason.NO_KEY, "the set is encrypted -> name a key in backups.encryption.identity_file")
        engine, directories = self.subject.engine, self.subject.program_directories
        self.programs = await engine.scratch_programs(self.manifest, directories)

    def server(self) -> AbstractAsyncContextManager[ScratchServer]:
        """A new scratch server, removed at the end unless it is to be kept."""
        subject = self.subject
        return scratch_server(self.hands, subject.engine, self.programs, subject.workshop, keep=self.keep)

    async def read_again(self, repository: Repository, record: BackupRecord) -> None:
        """Every byte of the set. One of the source's that is damaged is bad from then on in every list."""
        manifest = record.manifest
        try:
            read = await repository.verify(manifest.instance, manifest.kind, record.id, record.checksum)
        except JobError as error:
            if repository is self.subject.repository and error.reason in DISPROOFS:
                await verifying.disproved(self.subject, record.id, error)
            raise
        self.check("hashes", holds=True, members=len(manifest.members), bytes=read.size_bytes)

    async def restore(self, manifest: Manifest, directory: Path, target: Target, selection: Selection = WHOLE) -> None:
        """As long as there is room: others may need the disk, a database perhaps. Raise JobError."""
        opener, workshop = self.subject.opener, self.subject.workshop
        if not selection.table:
            await room.require(workshop, sizes.scratch_bytes(manifest, selection.database))
        async with room.guarded(workshop):
            for pipeline in await self.subject.engine.restoring(manifest, directory, target, selection, opener):
                await self.hands.run(pipeline)

    async def facts(self, target: Target, manifest: Manifest, names: Mapping[str, str] | None = None) -> Facts:
        """`names`: the source's databases and what they are called there; None: all of them, under their own names."""
        own = {database.name: database.name for database in manifest.facts.databases}
        seconds = SLOWER * self.subject.backup.verify.facts_seconds
        return await self.subject.engine.facts_of(target, manifest, own if names is None else names, seconds)

    async def compare(self, target: Target, manifest: Manifest) -> None:
        """What was restored with what was dumped, as exactly as the set allows."""
        restored = await self.facts(target, manifest)
        source = manifest.facts
        rows = sum(table.rows or 0 for table in restored.tables)
        found = comparing.compare(source, restored, definitions=self.is_same_series(manifest))
        counts: dict[str, object] = {"compared": found.tables_compared, "tables": found.tables_total, "rows": rows}
        if found.differences:
            self.check("facts", found.differences, holds=False, **counts)
            return
        name, why = comparing.proven(source, found)
        if name is ProofName.COMPARED:
            self.check("facts", holds=True, **counts)
            self.notes += _uncompared(found)
        elif source.comparable and found.tables_compared:
            ways = {"content": found.tables_by_content, "counted": found.tables_by_rows}
            self.check("partly", holds=True, **counts, **ways)
            self.notes += _uncompared(found, comparing.unknown(source)) or ["unread_some"]
        else:
            self.check("sound", holds=bool(restored.tables), tables=len(restored.tables), rows=rows)
            self.notes.append(f"facts_off: {why}")

    def is_same_series(self, manifest: Manifest) -> bool:
        server = next((program for program in self.programs if program.name in SERVERS), None)
        count = 0 if server is None else SERVERS[server.name]
        return server is not None and server.version[:count] == manifest.server.version[:count]

    async def look_at_every_page(self, target: Target, databases: list[str]) -> None:
        """Raise JobError for a program that could not look; what is unsound is a check that does not hold."""
        engine = self.subject.engine
        pipelines = engine.integrity(target, databases)
        problems: tuple[str, ...] = ()
        try:
            for pipeline in pipelines:
                await self.hands.run(pipeline, keep_output=True)
        except JobError as error:
            if error.reason not in (JobReason.TOOL, JobReason.CORRUPT):
                raise
            problems = (error.message,)
        problems += await engine.check(target, databases)
        tools = dict.fromkeys(_program(command.argv) for each in pipelines for command in each.commands)
        tool = ", ".join(tools) or ("CHECK TABLE" if self.engine_name == "mysql" else "")
        if tool:
            self.check("integrity", problems, holds=not problems, tool=tool, databases=len(databases))

    async def serve(self, target: Target, databases: list[str]) -> None:
        """The application comes back: it logs in and asks. `databases`: those that were restored."""
        known = {name: asked for name, asked in questions(self.engine_name).items() if name in databases}
        if not known:
            await self._answer(target, databases)
            return
        began = self.subject.clock.monotonic()
        wrong = [line for name, asked in known.items() for line in await self._ask(target, name, asked)]
        count = sum(map(len, known.values()))
        took = self.subject.clock.monotonic() - began
        told: dict[str, object] = {"answered": count - len(wrong), "asked": count, "seconds": round(took, 3)}
        self.check("smoke", tuple(wrong), holds=not wrong, **told)

    async def _answer(self, target: Target, databases: list[str]) -> None:
        self.notes.append("no_questions")
        for name in databases:
            async with stage(self.engine_name, target, name) as session:
                await session.run("SELECT 1")
        self.check("answers", holds=bool(databases), databases=len(databases))

    async def _ask(self, target: Target, database: str, asked: Mapping[str, str]) -> list[str]:
        wrong = []
        async with stage(self.engine_name, target, database) as session:
            for name, sql in asked.items():
                try:
                    rows = await session.run(sql, QUESTION_SECONDS)
                    answer = bool(rows and rows[0][0])
                except EngineError as error:
                    wrong.append(f"{database}: {name}: {error.reason}")
                    continue
                if not answer:
                    wrong.append(f"{database}: {name}")
        return wrong

    # --- what was lost ---

    def lost(self, seconds: float, evidence: RpoEvidence, beat_seconds: float | None = None) -> None:
        self.lost_seconds, self.beat_seconds = since(seconds), beat_seconds
        self.rpo_evidence = RpoEvidence.NONE if self.lost_seconds is None else evidence
        if self.lost_seconds is None:
            self.notes.append("clock_ahead")

    async def lost_since_the_set(self, target: Target) -> None:
        """By the source's own heartbeat, read back; else by the moment that the set holds."""
        at = self.subject.clock.time() if self.struck_at is None else self.struck_at
        database = drill_heartbeat.kept_by_source(self.manifest)
        last_at = None if database is None else await drill_heartbeat.last_of_source(self.engine_name, target, database)
        if last_at is not None and self.manifest.started_at - last_at > STALE_SECONDS:
            self.notes.append("heartbeat_stale")
            last_at = None
        if last_at is None:
            self.lost(at - self.manifest.started_at, RpoEvidence.SNAPSHOT)
        else:
            self.lost(at - last_at, RpoEvidence.HEARTBEAT)

    @property
    def exposure_seconds(self) -> float | None:
        return None if self.struck_at is None else since(self.struck_at - self.manifest.started_at)

    @property
    def tools(self) -> Pairs:
        return tuple((program.name, ".".join(map(str, program.version))) for program in self.programs)


def _uncompared(found: Comparison, database: str = "") -> list[str]:
    """What the report has to say of what was not compared by content, and why."""
    of_database = [f"unread_database: {database}"] if database else []
    return [*(f"unread_{why}: {names}" for why, names in comparing.unread_by_reason(found).items()), *of_database]


def _program(argv: tuple[str, ...]) -> str:
    return argv[0].rpartition("/")[2]
