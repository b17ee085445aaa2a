"""Backups, their proofs and rehearsals as JSON. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dbwatch.core.showing import humanise

if TYPE_CHECKING:
    from dbwatch.core.backups.figures import (
        BackupBoard,
        DatabaseFigures,
        DrillFigures,
        InstanceBoard,
        KindBoard,
        RepositoryFigures,
        SetLine,
    )
    from dbwatch.core.backups.model import JobRun, Progress, Proof

Json = dict[str, object]


def backups_json(board: BackupBoard, now: float, instance: str = "") -> Json:
    """Of all instances, or of one."""
    chosen = {name: own for name, own in sorted(board.instances.items()) if instance in ("", name)}
    return {
        "generated_at": humanise.iso(now),
        "configured": board.is_configured,
        "repository": _repository(board.repository) if board.repository is not None else None,
        "instances": {name: _instance(own) for name, own in chosen.items()},
    }


def _moment(unix_seconds: float | None) -> str | None:
    return humanise.iso(unix_seconds) if unix_seconds is not None else None


def _repository(figures: RepositoryFigures) -> Json:
    return {
        "directory": figures.directory,
        "usable": figures.is_usable,
        "reason": figures.reason,
        "detail": figures.detail,
        "size_bytes": figures.size_bytes,
        "free_bytes": figures.free_bytes,
        "reserve_bytes": figures.reserve_bytes,
        "needed_bytes": figures.needed_bytes,
        "jobs_running": dict(figures.jobs_running),
        "jobs_waiting": dict(figures.jobs_waiting),
    }


def _instance(own: InstanceBoard) -> Json:
    return {
        "kinds": {kind.figures.kind.value: _kind(kind) for kind in own.kinds},
        "drills": {drill.scenario: _drill(drill) for drill in own.drills},
    }


def _kind(kind: KindBoard) -> Json:
    figures = kind.figures
    return {
        "schedule": kind.schedule,
        "next_at": _moment(figures.next_at),
        "running": _run(kind.running, figures.progress) if kind.running is not None else None,
        "last_failure": _run(kind.last_failure) if kind.last_failure is not None else None,
        "last_attempt_at": _moment(figures.last_attempt_at),
        "last_result": figures.last_state,
        "preflight": {"at": _moment(figures.preflight_at), "reason": figures.preflight_reason}
        | {"detail": kind.preflight_detail},
        "waiting_for_proof": figures.waiting,
        "retention_frozen": list(figures.frozen),
        "age_objective_seconds": figures.age_objective_seconds,
        "databases": {each.database: _database(each) for each in figures.databases},
        "backups": [_set(line) for line in kind.sets],
        "older_backups": kind.more_sets,
    }


def _database(each: DatabaseFigures) -> Json:
    return {
        "last_success_at": _moment(each.last_success_at),
        "last_proven_at": _moment(each.proven_at),
        "verified_level": None if each.level is None else max(0, int(each.level)),
        "verified_at": {name.value: _moment(at) for name, at in each.verified_at},
        "plain_bytes": each.plain_bytes,
        "rows": each.rows,
    }


def _run(run: JobRun, progress: Progress | None = None) -> Json:
    told: Json = {
        "id": run.id,
        "kind": run.kind,
        "state": run.state,
        "phase": run.phase,
        "started_at": _moment(run.started_at),
        "ended_at": _moment(run.ended_at),
        "reason": run.reason,
        "detail": run.detail,
    }
    return told | ({"progress": _progress(progress)} if progress is not None else {})


def _progress(progress: Progress) -> Json:
    return {
        "bytes_done": progress.bytes_done,
        "bytes_expected": progress.bytes_expected,
        "tables_done": progress.tables_done,
        "tables_expected": progress.tables_expected,
        "seconds_left": progress.seconds_left,
        "blocked_sessions": progress.blocked_sessions,
    }


def _set(line: SetLine) -> Json:
    return {
        "id": line.id,
        "state": line.state,
        "level": int(line.level),
        "proof": line.proof.name if line.proof is not None else None,
        "started_at": _moment(line.started_at),
        "seconds": line.seconds,
        "size_bytes": line.size_bytes,
        "plain_bytes": line.plain_bytes,
        "rows": line.rows,
        "databases": [each.name for each in line.databases],
        "pinned": line.is_pinned,
        "encrypted": line.is_encrypted,
        "problem": line.problem,
        "warnings": list(line.warnings),
        "proofs": [_proof(proof) for proof in line.proofs],
    }


def _proof(proof: Proof) -> Json:
    return {
        "name": proof.name,
        "at": _moment(proof.at),
        "seconds": proof.seconds,
        "holds": proof.holds,
        "reason": proof.reason,
        "detail": proof.detail,
        "differences": list(proof.differences),
    }


def _drill(each: DrillFigures) -> Json:
    return {
        "expected": each.is_expected,
        "succeeded": each.succeeded,
        "reason": each.last_reason,
        "detail": each.detail,
        "last_at": _moment(each.last_at),
        "last_success_at": _moment(each.last_success_at),
        "next_at": _moment(each.next_at),
        "rto_seconds": each.rto_seconds,
        "rpo_seconds": each.rpo_seconds,
        "phases": dict(each.phases),
        "objectives": {"rto": each.rto_objective_seconds, "rpo": each.rpo_objective_seconds}
        | {"age": each.age_objective_seconds},
    }
