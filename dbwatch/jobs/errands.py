"""The works that the runner is given: a backup with its proofs, and the proof of a set that waits for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dbwatch.core.backups import due
from dbwatch.core.backups.model import JobKind, JobReason, ProofName
from dbwatch.core.backups.standing import failure, has_failed
from dbwatch.errors import JobError
from dbwatch.jobs.backup import take
from dbwatch.jobs.drill import last_usable, rehearse, summary
from dbwatch.jobs.running import NOT_PROVEN, Job
from dbwatch.jobs.verifying import prove, restoring_seconds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dbwatch.core.backups.model import BackupRecord, Proof
    from dbwatch.jobs.drill import Order
    from dbwatch.jobs.hands import Hands
    from dbwatch.jobs.subject import Subject

WORDS = {
    ProofName.PUBLISHED: "published",
    ProofName.HASHED: "read again",
    ProofName.DECODED: "decoded to its end",
    ProofName.RESTORED: "restored and sound, not compared",
    ProofName.COMPARED: "restored, and equal to the source",
}
WAITS = "not restored yet: that is not due now"
RESTORES = 3  # of one scenario, at the most: the scratch production, its rehearsal set, and what comes back
REPORTING_SECONDS = 600.0  # after a scenario that took too long: its servers are ended, and its report is written
PROVING_SECONDS = 3600.0  # on top of the time to restore: reading and decoding


def backup_job(subject: Subject, asked_by: str) -> Job:
    """Take a set and prove it."""

    async def work(hands: Hands) -> str:
        record, _ = await take(hands, subject)
        is_due = is_restored_at_once(subject, record)
        proof = await prove(hands, subject, record.id, restore=is_due)
        return said(proof) if is_due or not proof.holds else f"{said(proof)}; {WAITS}"

    backup = subject.backup
    return Job(
        JobKind.BACKUP,
        subject.name,
        work,
        deadline_seconds=backup.deadline + proving_seconds(subject),
        stalled_after_seconds=backup.stalled_after,
        asked_by=asked_by,
    )


def verify_job(subject: Subject, record: BackupRecord, asked_by: str, *, although_unwritten: bool = False) -> Job:
    """Restore a set that is there."""

    async def work(hands: Hands) -> str:
        proof = await prove(hands, subject, record.id, restore=True, although_unwritten=although_unwritten)
        if has_failed(proof):
            raise JobError(str(proof.reason), f"backup {record.id}: {proof.detail}")
        return said(proof)

    return Job(
        JobKind.VERIFY,
        subject.name,
        work,
        deadline_seconds=restoring_seconds(subject, record) + PROVING_SECONDS,
        stalled_after_seconds=subject.backup.stalled_after,
        asked_by=asked_by,
    )


def drill_job(subject: Subject, orders: Sequence[Order], asked_by: str) -> Job:
    """Rehearse each; the run succeeds where all did."""
    each_seconds = rehearsing_seconds(subject)

    async def work(hands: Hands) -> str:
        results = [(await rehearse(hands, subject, order, each_seconds))[0] for order in orders]
        told = "; ".join(map(summary, results))
        failed = next((result for result in results if not result.succeeded), None)
        if failed is not None:
            raise JobError(failed.reason or JobReason.MISMATCH, told)
        return told

    return Job(
        JobKind.DRILL,
        subject.name,
        work,
        deadline_seconds=len(orders) * (each_seconds + REPORTING_SECONDS),
        stalled_after_seconds=subject.backup.stalled_after,
        asked_by=asked_by,
    )


def proving_seconds(subject: Subject) -> float:
    return subject.backup.verify.max_seconds + PROVING_SECONDS


def rehearsing_seconds(subject: Subject) -> float:
    """What one scenario may take: a large set more than what is restored at once."""
    record = last_usable(subject.records)
    restoring = subject.backup.verify.max_seconds if record is None else restoring_seconds(subject, record)
    return subject.backup.deadline + RESTORES * (restoring + PROVING_SECONDS)


def is_restored_at_once(subject: Subject, record: BackupRecord) -> bool:
    """Small enough, by the limits; what is not waits for its turn, as a run of its own."""
    limits, records = subject.backup.verify.limits, subject.records
    found = due.to_restore(records, limits, subject.clock.time())
    return record.id in {each.id for each in found.now} and not due.is_large(record, limits, records)


def said(proof: Proof) -> str:
    """One line for the run."""
    if proof.holds:
        return f"{WORDS[proof.name]}; {proof.detail}" if proof.detail else WORDS[proof.name]
    return f"{NOT_PROVEN}: it is published, but {failure(proof)}: {proof.detail}"
