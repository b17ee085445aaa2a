"""Published sets as values, for tests of what is decided about them."""

from __future__ import annotations

from dbwatch.core.backups.model import (
    BackupKind,
    BackupRecord,
    Codec,
    DatabaseFacts,
    Facts,
    FactsMode,
    JobKind,
    JobReason,
    JobRun,
    JobState,
    Manifest,
    Member,
    Proof,
    ProofName,
    ServerIdentity,
    TableFacts,
)

HOUR, DAY = 3600.0, 86400.0
NOON = 1_793_102_400.0  # 2026-10-27 12:00 UTC, two days after the clocks of Paris were set back
SERVER = ServerIdentity("postgres", (18, 1), "18.1", "7312345678901234567")
LADDER = {
    "none": (),
    "published": (ProofName.PUBLISHED,),
    "hashed": (ProofName.PUBLISHED, ProofName.HASHED),
    "decoded": (ProofName.PUBLISHED, ProofName.HASHED, ProofName.DECODED),
    "restored": (ProofName.PUBLISHED, ProofName.HASHED, ProofName.DECODED, ProofName.RESTORED),
    "compared": (ProofName.PUBLISHED, ProofName.HASHED, ProofName.DECODED, ProofName.COMPARED),
}


def manifest(
    sequence: int = 1,
    at: float = NOON,
    *,
    instance: str = "pg1",
    size_bytes: int = 1000,
    plain_bytes: int = 4000,
    rows: int | None = 100,
    codec: Codec = Codec.ZSTD,
    seconds: float = 60.0,
) -> Manifest:
    """One set of the database marseille, whose dump began at `at`."""
    tables = (TableFacts("marseille", "public", "citizens", rows, "d0" * 8 if rows else None),)
    return Manifest(
        id=f"20261027T120000Z-{sequence:06d}-1a2b3c4d",
        sequence=sequence,
        kind=BackupKind.LOGICAL,
        instance=instance,
        engine="postgres",
        server=SERVER,
        started_at=at,
        ended_at=at + seconds,
        seconds=seconds,
        members=(Member("00_marseille.dump.zst", size_bytes, "ab" * 32, codec=codec, database="marseille"),),
        facts=Facts(
            FactsMode.FULL,
            comparable=True,
            evidence="exported snapshot",
            databases=(DatabaseFacts("marseille", plain_bytes),),
            tables=tables,
        ),
    )


def record(
    sequence: int = 1,
    at: float = NOON,
    proof: str = "compared",
    *,
    failed: Proof | None = None,
    pinned: bool = False,
    problem: str = "",
    instance: str = "pg1",
    size_bytes: int = 1000,
    plain_bytes: int = 4000,
    rows: int | None = 100,
) -> BackupRecord:
    """A set that was proven up to `proof`, and then perhaps failed at something."""
    made = manifest(sequence, at, instance=instance, size_bytes=size_bytes, plain_bytes=plain_bytes, rows=rows)
    proofs = tuple(Proof(name, made.ended_at + 60, 30.0) for name in LADDER[proof])
    return BackupRecord(made, (*proofs, *([failed] if failed else [])), pinned=pinned, problem=problem)


def failure(name: ProofName, reason: JobReason, at: float = NOON) -> Proof:
    return Proof(name, at, 1.0, reason, "told in one line")


def daily(count: int, proof: str = "compared", *, first: int = 1, last_at: float = NOON) -> list[BackupRecord]:
    """One a day, oldest first, the last one at `last_at`."""
    return [record(first + day, last_at - (count - 1 - day) * DAY, proof) for day in range(count)]


def run(state: JobState = JobState.SUCCEEDED, reason: JobReason | None = None, detail: str = "") -> JobRun:
    return JobRun("run", JobKind.BACKUP, "pg1", NOON, state, NOON + 60, 60.0, reason, detail)
