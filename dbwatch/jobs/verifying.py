"""The ladder of proofs: read again, decoded, restored, compared. Each step leaves a proof beside the manifest.

Not to be able to try a step (no key, no extension, no room) is no failure of the set; to find it bad is, and is told.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import structlog

from dbwatch.core.backups import comparing, due, sizes, standing
from dbwatch.core.backups.model import DISPROOFS, JobReason, Proof, ProofName
from dbwatch.core.showing.humanise import duration
from dbwatch.engines.backing import Selection
from dbwatch.errors import EngineError, JobError
from dbwatch.jobs import room
from dbwatch.jobs.faults import job_error, reason_of
from dbwatch.jobs.scratch import scratch_server

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from pathlib import Path

    from dbwatch.core.backups.comparing import Comparison
    from dbwatch.core.backups.model import BackupRecord, Facts, Manifest, Pairs
    from dbwatch.engines.backing import Pipeline, Program, Target
    from dbwatch.jobs.hands import Hands
    from dbwatch.jobs.subject import Subject

log = structlog.get_logger()
READING, DECODING, RESTORING, COMPARING, CHECKING = "reading again", "decoding", "restoring", "comparing", "checking"
MAX_TOLD = 5
LATE = 3  # times as long as expected
SLOWER = 4  # a scratch server may be so much slower than the source
SERVERS = {"postgres": 1, "mariadbd": 2, "mysqld": 2}  # how many numbers of the version name a series


async def prove(
    hands: Hands, subject: Subject, backup_id: str, *, restore: bool, although_unwritten: bool = False
) -> Proof:
    """Climb the ladder as far as it goes: the last step that was tried. Raise JobError where the set is shown bad.

    `although_unwritten`: also where no proof can be written, for who wants to know it now. What nobody writes down is
    begun again by whoever proves what waits: it must end at once.
    """
    hands.made(backup_id)
    async with subject.repository.holding(subject.name, subject.kind, backup_id) as directory:
        proving = Proving(hands, subject, await read(subject, backup_id), directory, although_unwritten)
        return await proving.climbed(restore=restore)


async def read(subject: Subject, backup_id: str) -> BackupRecord:
    """All of it, from the disk. A manifest that was damaged or edited is a disproof like any other."""
    try:
        return await subject.repository.read(subject.name, subject.kind, backup_id)
    except JobError as error:
        if error.reason in DISPROOFS:
            await disproved(subject, backup_id, error)
        raise


async def disproved(subject: Subject, backup_id: str, error: JobError) -> None:
    """What reading it again has shown, beside the set and in the index."""
    proof = Proof(ProofName.HASHED, subject.clock.time(), 0.0, reason_of(error), error.message)
    await subject.kept(backup_id, proof)
    _tell(subject.name, backup_id, proof)


def restoring_seconds(subject: Subject, record: BackupRecord) -> float:
    """What a restore may take: a large set more than what is restored at once."""
    return max(subject.backup.verify.max_seconds, LATE * due.expected_restore_seconds(record, subject.records))


@dataclass(slots=True)
class Proving:
    """One set while it is looked at."""

    hands: Hands
    subject: Subject
    record: BackupRecord
    directory: Path
    although_unwritten: bool = False
    _programs: tuple[Program, ...] = field(default=())
    _unwritten: Proof | None = None

    @property
    def manifest(self) -> Manifest:
        return self.record.manifest

    async def climbed(self, *, restore: bool) -> Proof:
        proof = await self._step(ProofName.HASHED, self._read_again)
        if proof.holds:
            proof = await self._step(ProofName.DECODED, self._decoded)
        if proof.holds and restore:
            proof = await self._step(ProofName.RESTORED, self._restored)
        return self._told(proof)

    def _told(self, proof: Proof) -> Proof:
        """What held and could not be written down is no proof, though it is an answer."""
        if self._unwritten is None or not proof.holds:
            return proof
        good = f"it was {standing.STEPS[proof.name]}, and is good" + (proof.detail and f" ({proof.detail})")
        detail = f"{good}, but that could not be written down: {self._unwritten.detail}"
        return replace(proof, reason=self._unwritten.reason, detail=detail)

    async def _step(self, name: ProofName, step: Callable[[], Awaitable[Proof | None]]) -> Proof:
        """One proof, whatever it comes to, told before it is raised."""
        at, began = self.subject.clock.time(), self.subject.clock.monotonic()
        try:
            found = await step()
        except (JobError, EngineError) as error:
            told = job_error(error)
            found = Proof(name, at, 0.0, reason_of(told), told.message)
        made = found or Proof(name, at, 0.0)
        proof = Proof(
            made.name,
            at,
            self.subject.clock.monotonic() - began,
            made.reason,
            made.detail,
            made.differences,
            _tools(self._programs),
        )
        kept = await self.subject.kept(self.record.id, proof)
        if self.although_unwritten and proof.holds and not kept.holds:
            self._unwritten = kept
        else:
            proof = kept
        _tell(self.subject.name, self.record.id, proof)
        if proof.reason in DISPROOFS:
            raise JobError(str(proof.reason), f"backup {self.record.id}: {proof.detail}")
        return proof

    # --- L1 and L2 ---

    async def _read_again(self) -> None:
        self.hands.phase(READING)
        subject, backup_id = self.subject, self.record.id
        published = next((record.checksum for record in subject.records if record.id == backup_id), "")
        await subject.repository.verify(subject.name, subject.kind, backup_id, published)

    async def _decoded(self) -> None:
        self.hands.phase(DECODING)
        self._refuse_without_key()
        self._programs = await self.subject.engine.client_programs(self.manifest, self.subject.program_directories)
        opener = self.subject.opener
        pipelines = self.subject.engine.decoding(self.manifest, self.directory, opener, self._programs)
        await self._run(pipelines, found_bad=JobReason.CORRUPT)

    def _refuse_without_key(self) -> None:
        if standing.is_sealed(self.manifest) and self.subject.opener is None:
            what = "it is encrypted, and no key to read it is here"
            raise JobError(JobReason.NO_KEY, f"{what} -> name one in backups.encryption.identity_file")

    async def _run(self, pipelines: Sequence[Pipeline], *, found_bad: JobReason, keep_output: bool = False) -> None:
        """A program that stops at what it reads has found the set bad; one that is ended by others has not."""
        for pipeline in pipelines:
            try:
                await self.hands.run(pipeline, keep_output=keep_output)
            except JobError as error:
                reason = found_bad if error.reason == JobReason.TOOL else error.reason
                raise JobError(str(reason), error.message) from None

    # --- L3 ---

    async def _restored(self) -> Proof:
        limit = restoring_seconds(self.subject, self.record)
        try:
            async with asyncio.timeout(limit), room.guarded(self.subject.workshop):
                return await self._in_scratch()
        except TimeoutError:
            raise JobError(JobReason.DEADLINE, f"it was not restored within {duration(limit)}") from None

    async def _in_scratch(self) -> Proof:
        self.hands.phase(RESTORING)
        subject, engine = self.subject, self.subject.engine
        await room.require(subject.workshop, sizes.scratch_bytes(self.manifest))
        self._programs = await engine.scratch_programs(self.manifest, subject.program_directories)
        async with scratch_server(self.hands, engine, self._programs, subject.workshop) as server:
            target = server.target
            await self._run(
                await engine.restoring(self.manifest, self.directory, target, Selection(), subject.opener),
                found_bad=JobReason.INCOMPLETE,
            )
            facts = await self._facts_of(target)
            unsound = await self._unsound(target)
        return self._compared(facts, unsound)

    async def _facts_of(self, target: Target) -> Facts:
        self.hands.phase(COMPARING)
        names = {database.name: database.name for database in self.manifest.facts.databases}
        seconds = self.subject.backup.verify.facts_seconds * SLOWER
        return await self.subject.engine.facts_of(target, self.manifest, names, seconds)

    async def _unsound(self, target: Target) -> tuple[str, ...]:
        self.hands.phase(CHECKING)
        names = [database.name for database in self.manifest.facts.databases]
        pipelines = self.subject.engine.integrity(target, names)
        await self._run(pipelines, found_bad=JobReason.CORRUPT, keep_output=True)
        return await self.subject.engine.check(target, names)

    def _compared(self, restored: Facts, unsound: tuple[str, ...]) -> Proof:
        source = self.manifest.facts
        if unsound:
            detail = f"what was restored is unsound: {_first(unsound)}"
            return Proof(ProofName.RESTORED, 0.0, 0.0, JobReason.CORRUPT, detail, unsound)
        found = comparing.compare(source, restored, definitions=self._is_same_series())
        if found.differences:
            return _differing(found)
        name, why = comparing.proven(source, found)
        return Proof(name, 0.0, 0.0, detail=why or found.summary)

    def _is_same_series(self) -> bool:
        """Another series writes the same definitions in other words."""
        server = next((program for program in self._programs if program.name in SERVERS), None)
        if server is None:
            return False
        count = SERVERS[server.name]
        return server.version[:count] == self.manifest.server.version[:count]


def _differing(found: Comparison) -> Proof:
    detail = f"what was restored is not what was dumped: {_first(found.differences)}"
    return Proof(ProofName.COMPARED, 0.0, 0.0, JobReason.MISMATCH, detail, found.differences)


def _first(lines: Sequence[str]) -> str:
    more = f" (and {len(lines) - MAX_TOLD} more)" if len(lines) > MAX_TOLD else ""
    return "; ".join(lines[:MAX_TOLD]) + more


def _tools(programs: Sequence[Program]) -> Pairs:
    return tuple((program.name, program.version_text) for program in programs)


def _tell(instance: str, backup: str, proof: Proof) -> None:
    if proof.holds:
        log.info("backup_proven", instance=instance, backup=backup, proof=proof.name.value, detail=proof.detail)
    else:
        reason = proof.reason.value if proof.reason else ""
        log.warning("backup_not_proven", instance=instance, backup=backup, reason=reason, detail=proof.detail)
