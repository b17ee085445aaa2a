"""A board of backups with everything that a page may have to show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dbwatch.core.backups.figures import BackupBoard, DrillFigures, InstanceBoard, KindBoard, RepositoryFigures
from dbwatch.core.backups.gathering import kind_figures, set_line
from dbwatch.core.backups.model import (
    BackupKind,
    BackupRecord,
    DatabaseFacts,
    Facts,
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

if TYPE_CHECKING:
    from collections.abc import Sequence

HOUR, DAY = 3600.0, 86400.0
SERVER = ServerIdentity("postgres", (18, 1), "PostgreSQL 18.1")
LADDER = (ProofName.PUBLISHED, ProofName.HASHED, ProofName.DECODED, ProofName.COMPARED)


def manifest(number: int, started_at: float, *, size_bytes: int = 1000, rows: int | None = 100) -> Manifest:
    tables = (
        TableFacts("marseille", "public", "citoyen", rows, "d"),
        TableFacts("marseille", "public", "demande_rdv", rows, "e"),
    )
    facts = Facts(databases=(DatabaseFacts("marseille", 5000),), tables=tables)
    members = (Member("marseille.dump", size_bytes, "0" * 64, database="marseille"),)
    return Manifest(
        f"set-{number:04}", number, BackupKind.LOGICAL, "pg1", "postgres", SERVER, started_at, started_at + 60, 60.0,
        members, facts=facts,
    )  # fmt: skip


def record(number: int, started_at: float, *proofs: Proof, **known: Any) -> BackupRecord:
    extra = {name: known.pop(name) for name in ("pinned", "problem") if name in known}
    return BackupRecord(manifest(number, started_at, **known), proofs, **extra)


def proofs(at: float, *names: ProofName) -> tuple[Proof, ...]:
    return tuple(Proof(name, at + step, 5.0) for step, name in enumerate(names or LADDER))


def failed(name: ProofName, at: float, reason: JobReason, detail: str = "told in one line") -> Proof:
    return Proof(name, at, 5.0, reason, detail)


def run(
    started_at: float, state: JobState = JobState.SUCCEEDED, reason: JobReason | None = None, **known: Any
) -> JobRun:
    ended = {"ended_at": started_at + 90, "seconds": 90.0} if state is not JobState.RUNNING else {}
    return JobRun(f"run-{started_at}", JobKind.BACKUP, "pg1", started_at, state, reason=reason, **(ended | known))


def board(
    now: float,
    records: Sequence[BackupRecord],
    *,
    runs: Sequence[JobRun] = (),
    drills: tuple[DrillFigures, ...] = (),
    repository: RepositoryFigures | None = None,
    **kind: Any,
) -> BackupBoard:
    lines = [set_line(each) for each in records]
    figures = kind.pop("figures", None) or kind_figures(BackupKind.LOGICAL, ["marseille"], lines, runs)
    newest = tuple(sorted(lines, key=lambda line: -line.started_at))
    made = KindBoard(figures, schedule="30 1 * * *", sets=newest, **kind)
    usual = RepositoryFigures("/var/backups/dbwatch", size_bytes=10**12, free_bytes=6 * 10**11)
    return BackupBoard(
        is_configured=now > 0, instances={"pg1": InstanceBoard((made,), drills)}, repository=repository or usual
    )
