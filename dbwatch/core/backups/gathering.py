"""What sets and runs come to as figures. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from math import inf
from typing import TYPE_CHECKING

from dbwatch.core.backups import standing
from dbwatch.core.backups.figures import (
    BAD,
    FAILED,
    PROVEN,
    STATES,
    UNPROVABLE,
    DatabaseFigures,
    KindFigures,
    SetDatabase,
    SetLine,
)
from dbwatch.core.backups.model import FactsMode, JobReason, JobState, ProofLevel, ProofName
from dbwatch.core.backups.sizes import median
from dbwatch.core.showing.humanise import AHEAD_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dbwatch.core.backups.model import BackupKind, BackupRecord, Facts, JobRun, Proof, TableFacts

ORDER = tuple(ProofName)  # each says all that those before it say
COMPARED_WITH = 5  # sets before the newest
COMPARED_WITH_AT_LEAST = 2
NOT_HERE = frozenset({JobReason.NO_EXTENSION, JobReason.NO_KEY, JobReason.CLIENT_MISSING})


def set_line(record: BackupRecord) -> SetLine:
    """A set without what is large of it."""
    manifest = record.manifest
    return SetLine(
        manifest.id,
        manifest.started_at,
        manifest.seconds,
        manifest.size_bytes,
        manifest.sequence,
        databases=_databases(record),
        proofs=record.proofs,
        proof=record.proof,
        failed=_failed(record),
        is_pinned=record.pinned,
        is_encrypted=standing.is_sealed(manifest),
        problem=record.problem,
        warnings=manifest.warnings,
        tools=manifest.tools,
    )


def _databases(record: BackupRecord) -> tuple[SetDatabase, ...]:
    facts = record.manifest.facts
    tables: dict[str, list[TableFacts]] = defaultdict(list)
    for table in facts.tables:
        tables[table.database].append(table)
    sizes = {each.name: each.size_bytes for each in facts.databases}
    dumped = {member.database for member in record.manifest.members if member.database}
    looked_at = _looked_at(facts)
    return tuple(
        SetDatabase(name, sizes.get(name), _rows(tables[name], is_known=name in looked_at))
        for name in sorted(sizes.keys() | dumped)
    )


def _looked_at(facts: Facts) -> set[str]:
    """The databases whose tables are all noted: one of these that has none has no rows, which is not 'not known'."""
    if facts.mode is FactsMode.OFF:
        return set()
    return {each.name for each in facts.databases if each.inventory or each.inventory_digest or each.objects}


def _rows(tables: Sequence[TableFacts], *, is_known: bool) -> int | None:
    counts = [table.rows for table in tables]
    return sum(filter(None, counts)) if (counts or is_known) and None not in counts else None


def _failed(record: BackupRecord) -> Proof | None:
    """What shows that it is bad; else the newest attempt that failed, unless something better was proven after it."""
    best = record.proof
    later = [proof for proof in record.proofs if not proof.holds and (best is None or proof.at >= best.at)]
    return standing.disproof(record) or max(later, key=lambda proof: proof.at, default=None)


def kind_figures(
    kind: BackupKind,
    databases: Iterable[str],
    lines: Iterable[SetLine],
    runs: Iterable[JobRun] = (),
    *,
    now: float = inf,
) -> KindFigures:
    """All that follows from the sets and from the ended runs that history remembers; both in any order.

    What only the office knows (what runs, waits, comes next, is frozen) is put in with `dataclasses.replace`.
    """
    sets = sorted(lines, key=lambda line: (line.sequence, line.id))
    ended = sorted((run for run in runs if run.ended_at is not None), key=lambda run: run.started_at)
    last = ended[-1] if ended else None
    successes = [run for run in ended if run.state is JobState.SUCCEEDED]
    newest = sets[-1] if sets else None
    looked_at = next((line for line in reversed(sets) if _verification(line)), None)
    return KindFigures(
        kind,
        databases=tuple(_database(name, sets, now) for name in sorted(set(databases))),
        last_attempt_at=last.started_at if last else None,
        last_state=last.state if last else None,
        last_reason=last.reason if last else None,
        runs=_runs(ended),
        last_seconds=successes[-1].seconds if successes else None,  # a set tells its dump's time alone
        last_phases=successes[-1].phases if successes else (),
        last_size_bytes=newest.size_bytes if newest else None,
        size_ratio=_ratio([line.size_bytes for line in sets]),
        rows_ratio=_ratio([line.rows for line in sets]),
        verification=_verification(looked_at) if looked_at else "",
        verification_reason=looked_at.failed.reason if looked_at and looked_at.failed else None,
        verification_seconds=tuple((proof.name, proof.seconds) for proof in looked_at.proofs) if looked_at else (),
        mismatches=_mismatches(sets),
        counts=tuple((state, sum(line.state == state for line in sets)) for state in STATES),
        verified=sum(line.state == PROVEN for line in sets),
        oldest_at=min((line.started_at for line in sets), default=None),
        repository_bytes=sum(line.size_bytes for line in sets),
    )


def _database(name: str, sets: Sequence[SetLine], now: float) -> DatabaseFigures:
    """A set of the future is of a moment that nobody knows: no age can be told by it."""
    holding = [line for line in sets if any(each.name == name for each in line.databases)]
    if not holding:
        return DatabaseFigures(name)
    newest = holding[-1]
    usable = [line for line in holding if line.state != BAD and line.started_at <= now + AHEAD_SECONDS]
    proven = [line for line in usable if line.state == PROVEN]
    own = next(each for each in newest.databases if each.name == name)
    return DatabaseFigures(
        name,
        last_success_at=usable[-1].started_at if usable else None,
        proven_at=proven[-1].started_at if proven else None,
        level=newest.level if newest.state != BAD else ProofLevel.NONE,
        verified_at=_verified_at(holding),
        plain_bytes=own.plain_bytes,
        rows=own.rows,
    )


def _verified_at(sets: Sequence[SetLine]) -> tuple[tuple[ProofName, float], ...]:
    """The newest proof at each step of the ladder or above it; of sets that have turned out bad none counts."""
    held = [proof for line in sets if line.state != BAD for proof in line.proofs if proof.holds]
    found = ((name, [proof.at for proof in held if ORDER.index(proof.name) >= at]) for at, name in enumerate(ORDER))
    return tuple((name, max(moments)) for name, moments in found if moments)


def _runs(ended: Iterable[JobRun]) -> tuple[tuple[JobState, JobReason | None, int], ...]:
    counted = Counter((run.state, run.reason) for run in ended)
    return tuple((state, reason, count) for (state, reason), count in counted.items())


def _ratio(values: Sequence[int | None]) -> float | None:
    """The newest to the median of those before it; None where too few are known."""
    if not values or values[-1] is None:
        return None
    before = [value for value in values[:-1] if value is not None][-COMPARED_WITH:]
    usual = median(before) if len(before) >= COMPARED_WITH_AT_LEAST else 0
    return values[-1] / usual if usual else None


def _verification(line: SetLine) -> str:
    """How proving it fared; "" where nobody tried to restore it."""
    if line.state == BAD:
        return FAILED
    if line.failed is not None:
        return UNPROVABLE if line.failed.reason in NOT_HERE else FAILED
    return PROVEN if line.state == PROVEN else ""


def _mismatches(sets: Sequence[SetLine]) -> int | None:
    compared = [proof for line in sets for proof in line.proofs if proof.name is ProofName.COMPARED]
    if not compared:
        return None
    newest = max(compared, key=lambda proof: proof.at)
    return len(newest.differences)
