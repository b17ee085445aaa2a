"""An instance's backups and drills as metrics. Pure; the names stand in families.yml like all others."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from dbwatch.core import exposition
from dbwatch.core.backups.figures import VERIFICATIONS
from dbwatch.core.backups.model import JobState
from dbwatch.core.model import Block

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dbwatch.core.backups.figures import DatabaseFigures, DrillFigures, KindFigures
    from dbwatch.core.backups.model import JobReason
    from dbwatch.core.model import Identity

COLLECTOR = "backups"
ENDED = (JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED, JobState.ORPHANED)
NOT_WELL = frozenset({JobState.FAILED, JobState.ORPHANED})  # a run that a person cancelled is no failure
KIND, KIND_DATABASE, SCENARIO = ("kind",), ("database", "kind"), ("scenario",)
OTHER, ALL = "other", "_all"

Row = tuple[tuple[str, ...], float | None]
Rows = Iterable[Row]
Runs = Iterable[tuple[JobState, "JobReason | None", int]]


def blocks(kinds: Iterable[KindFigures], drills: Iterable[DrillFigures] = ()) -> list[Block]:
    """Every sample of one instance; what is not known has none."""
    of_kinds, of_drills = list(kinds), list(drills)
    made = [_block(*each) for each in (*_databases(of_kinds), *_runs(of_kinds), *_last(of_kinds), *_now(of_kinds))]
    made += [_block(*each) for each in (*_proofs(of_kinds), *_sets(of_kinds), *_drills(of_drills))]
    return [block for block in made if block is not None]


def lines(identity: Identity, made: Sequence[Block]) -> dict[str, tuple[bytes, ...]]:
    """The text of these blocks by family, as the store keeps it."""
    renderer = exposition.Renderer(identity)
    texts: dict[str, list[bytes]] = {}
    for position, block in enumerate(made):
        texts.setdefault(block.family, []).extend(renderer.render(COLLECTOR, position, block))
    return {family: exposition.gathered(pieces) for family, pieces in texts.items()}


Family = tuple[str, tuple[str, ...], Rows]


def _block(family: str, names: tuple[str, ...], rows: Rows) -> Block | None:
    known = [(key, float(value)) for key, value in rows if value is not None]
    if not known:
        return None
    return Block(family, names, tuple(zip(*(key for key, _ in known), strict=True)), tuple(v for _, v in known))


def _databases(kinds: Sequence[KindFigures]) -> list[Family]:
    found = [(each, (each.database, kind.kind.value)) for kind in kinds for each in kind.databases]

    def per(family: str, values: Iterable[float | None]) -> Family:
        return (family, KIND_DATABASE, [(key, value) for (_, key), value in zip(found, values, strict=True)])

    each = [database for database, _ in found]
    return [
        ("dbwatch_backup_expected", KIND_DATABASE, [*_expected(kinds)]),
        per("dbwatch_backup_last_success_timestamp_seconds", (one.last_success_at for one in each)),
        per("dbwatch_backup_last_proven_timestamp_seconds", (one.proven_at for one in each)),
        per("dbwatch_backup_verified_level", (_level(one) for one in each)),
        per("dbwatch_backup_last_plain_bytes", (one.plain_bytes for one in each)),
        per("dbwatch_backup_rows_last", (one.rows for one in each)),
        (
            "dbwatch_backup_last_verified_timestamp_seconds",
            (*KIND_DATABASE, "level"),
            [((*key, name.value), at) for one, key in found for name, at in one.verified_at],
        ),
    ]


def _expected(kinds: Sequence[KindFigures]) -> Rows:
    """As long as nobody could ask which databases there are, all of them lack a backup."""
    for each in kinds:
        for name in [database.database for database in each.databases] or [ALL]:
            yield (name, each.kind.value), 1.0


def _level(database: DatabaseFigures) -> float | None:
    """Without any set there is none to be proven."""
    return max(0.0, float(database.level)) if database.level is not None else None


def _runs(kinds: Sequence[KindFigures]) -> list[Family]:
    states = [
        ((each.kind.value, state.value), float(each.last_state is state))
        for each in kinds
        if each.last_state is not None
        for state in ENDED
    ]
    failures = [((each.kind.value, each.last_reason or OTHER), 1.0) for each in kinds if each.last_state in NOT_WELL]
    return [
        ("dbwatch_backup_last_result", ("kind", "result"), states),
        ("dbwatch_backup_last_failure", ("kind", "reason"), failures),
        (
            "dbwatch_backup_runs_total",
            ("kind", "result", "reason"),
            [row for each in kinds for row in _counted(each.kind.value, each.runs)],
        ),
    ]


def _counted(name: str, runs: Runs) -> list[Row]:
    return [((name, state.value, reason or ""), float(count)) for state, reason, count in runs]


def _per_kind(kinds: Sequence[KindFigures], values: Mapping[str, Iterable[float | None]]) -> list[Family]:
    keys = [(each.kind.value,) for each in kinds]
    return [(family, KIND, list(zip(keys, column, strict=True))) for family, column in values.items()]


def _last(kinds: Sequence[KindFigures]) -> list[Family]:
    columns: dict[str, Iterable[float | None]] = {
        "dbwatch_backup_last_attempt_timestamp_seconds": (each.last_attempt_at for each in kinds),
        "dbwatch_backup_last_duration_seconds": (each.last_seconds for each in kinds),
        "dbwatch_backup_last_size_bytes": (each.last_size_bytes for each in kinds),
        "dbwatch_backup_size_ratio_to_median": (each.size_ratio for each in kinds),
        "dbwatch_backup_rows_ratio_to_median": (each.rows_ratio for each in kinds),
    }
    phases = [((each.kind.value, phase), seconds) for each in kinds for phase, seconds in _summed(each.last_phases)]
    return [*_per_kind(kinds, columns), ("dbwatch_backup_last_phase_duration_seconds", ("kind", "phase"), phases)]


def _summed(phases: Iterable[tuple[str, float]]) -> list[tuple[str, float]]:
    """A phase that came twice (each database is dumped) is one sample."""
    total: dict[str, float] = {}
    for phase, seconds in phases:
        name = phase.replace(" ", "_")
        total[name] = total.get(name, 0.0) + seconds
    return list(total.items())


def _now(kinds: Sequence[KindFigures]) -> list[Family]:
    progress = [each.progress for each in kinds]
    columns: dict[str, Iterable[float | None]] = {
        "dbwatch_backup_in_progress": (float(each.running_since is not None) for each in kinds),
        "dbwatch_backup_running_since_timestamp_seconds": (each.running_since for each in kinds),
        "dbwatch_backup_progress_bytes": (each.bytes_done if each else None for each in progress),
        "dbwatch_backup_progress_expected_bytes": (each.bytes_expected if each else None for each in progress),
        "dbwatch_backup_blocking_sessions": (each.blocked_sessions if each else 0.0 for each in progress),
        "dbwatch_backup_schedule_next_timestamp_seconds": (each.next_at for each in kinds),
        "dbwatch_backup_preflight_ok": (_preflight(each) for each in kinds),
    }
    faults = [((each.kind.value, each.preflight_reason), 1.0) for each in kinds if each.preflight_reason is not None]
    objectives = [
        ((each.kind.value, name), seconds)
        for each in kinds
        for name, seconds in (("age", each.age_objective_seconds), ("deadline", each.deadline_seconds))
    ]
    return [
        *_per_kind(kinds, columns),
        ("dbwatch_backup_preflight_fault", ("kind", "reason"), faults),
        ("dbwatch_backup_objective_seconds", ("kind", "objective"), objectives),
    ]


def _preflight(each: KindFigures) -> float | None:
    return float(each.preflight_reason is None) if each.preflight_at is not None else None


def _proofs(kinds: Sequence[KindFigures]) -> list[Family]:
    columns: dict[str, Iterable[float | None]] = {
        "dbwatch_backup_verification_waiting": (each.waiting for each in kinds),
        "dbwatch_backup_verification_mismatches": (each.mismatches for each in kinds),
    }
    results = [
        ((each.kind.value, result), float(each.verification == result))
        for each in kinds
        if each.verification
        for result in VERIFICATIONS
    ]
    failures = [
        ((each.kind.value, reason.value), float(count))
        for each in kinds
        for reason, count in each.verification_failures
    ]
    seconds = [((each.kind.value, name.value), took) for each in kinds for name, took in each.verification_seconds]
    return [
        *_per_kind(kinds, columns),
        ("dbwatch_backup_verification_last_result", ("kind", "result"), results),
        ("dbwatch_backup_verification_failures_total", ("kind", "reason"), failures),
        ("dbwatch_backup_verification_duration_seconds", ("kind", "level"), list(dict(seconds).items())),
    ]


def _sets(kinds: Sequence[KindFigures]) -> list[Family]:
    columns: dict[str, Iterable[float | None]] = {
        "dbwatch_backup_verified_count": (each.verified for each in kinds),
        "dbwatch_backup_oldest_timestamp_seconds": (each.oldest_at for each in kinds),
        "dbwatch_backup_repository_bytes": (each.repository_bytes for each in kinds),
    }
    counts = [((each.kind.value, state), float(count)) for each in kinds for state, count in each.counts]
    frozen = [((each.kind.value, reason), 1.0) for each in kinds for reason in dict.fromkeys(each.frozen)]
    return [
        *_per_kind(kinds, columns),
        ("dbwatch_backup_count", ("kind", "state"), counts),
        ("dbwatch_backup_retention_frozen", ("kind", "reason"), frozen),
    ]


def _drills(drills: Sequence[DrillFigures]) -> list[Family]:
    keys = [(each.scenario,) for each in drills]
    columns: dict[str, Iterable[float | None]] = {
        "dbwatch_drill_expected": (1.0 if each.is_expected else None for each in drills),
        "dbwatch_drill_last_timestamp_seconds": (each.last_at for each in drills),
        "dbwatch_drill_last_success_timestamp_seconds": (each.last_success_at for each in drills),
        "dbwatch_drill_rto_seconds": (each.rto_seconds for each in drills),
        "dbwatch_drill_rpo_seconds": (each.rpo_seconds for each in drills),
        "dbwatch_drill_schedule_next_timestamp_seconds": (each.next_at for each in drills),
    }
    results = [
        ((each.scenario, result), float(each.succeeded is (result == "succeeded")))
        for each in drills
        if each.succeeded is not None
        for result in ("succeeded", "failed")
    ]
    failures = [((each.scenario, each.last_reason or OTHER), 1.0) for each in drills if each.succeeded is False]
    return [
        *((family, SCENARIO, list(zip(keys, column, strict=True))) for family, column in columns.items()),
        ("dbwatch_drill_last_result", ("scenario", "result"), results),
        ("dbwatch_drill_last_failure", ("scenario", "reason"), failures),
        ("dbwatch_drill_phase_duration_seconds", ("scenario", "phase"), [*_phases(drills)]),
        ("dbwatch_drill_objective_seconds", ("scenario", "objective"), [*_objectives(drills)]),
    ]


def _phases(drills: Sequence[DrillFigures]) -> Rows:
    return (((each.scenario, phase), seconds) for each in drills for phase, seconds in _summed(each.phases))


def _objectives(drills: Sequence[DrillFigures]) -> Rows:
    return (
        ((each.scenario, name), seconds)
        for each in drills
        for name, seconds in (
            ("rto", each.rto_objective_seconds),
            ("rpo", each.rpo_objective_seconds),
            ("age", each.age_objective_seconds),
        )
    )
