"""Which sets are kept and which may go: a pure decision about what is proven, with each reason in words.

What counts is that a set can be restored. Only proven sets fill the slots; failed and unproven ones never push a
proven one out; and whenever something looks wrong nothing is deleted at all (`freezing`). Slots count periods that
hold a set, not days of the calendar, and sets are ordered by their number: a clock that is wrong empties nothing.

Chains (physical increments, WAL, binary logs) will add here what a kept set needs; today each set stands alone.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from dbwatch.core.backups import freezing, periods
from dbwatch.core.backups.freezing import Circumstances, FreezeReason, Frozen
from dbwatch.core.backups.model import ProofLevel
from dbwatch.core.backups.standing import is_disproved, is_proven, is_verified
from dbwatch.core.showing import humanise

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from collections.abc import Set as AbstractSet

    from dbwatch.core.backups.model import BackupRecord

    Reasons = Iterator[tuple[BackupRecord, str]]

__all__ = (
    "Circumstances",
    "Decision",
    "FreezeReason",
    "Frozen",
    "Line",
    "Plan",
    "Policy",
    "is_proven",
    "lines",
    "plan",
)
DAY = 86400.0


@dataclass(frozen=True, slots=True)
class Policy:
    """How many proven sets are kept for each period. The settings have the same names."""

    keep_last: int = 3
    hourly: int = 0
    daily: int = 7
    weekly: int = 4
    monthly: int = 6
    yearly: int = 0
    within: float | None = None
    min_verified: int = 2
    max_deletions: int = 20
    failed_for: float = 7 * DAY
    trash_for: float = 2 * DAY
    timezone: str = "UTC"


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of one set, and why."""

    record: BackupRecord
    keep: bool
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """What one pass does. Decisions stand newest first."""

    decisions: tuple[Decision, ...]
    frozen: tuple[Frozen, ...]
    policy: Policy

    @property
    def keep(self) -> tuple[BackupRecord, ...]:
        return tuple(each.record for each in self.decisions if each.keep)

    @property
    def delete(self) -> tuple[BackupRecord, ...]:
        """Oldest first."""
        return tuple(each.record for each in reversed(self.decisions) if not each.keep)


class Line(NamedTuple):
    """One row of the table that a person reads."""

    id: str
    time: str
    level: str
    action: str
    reason: str


def plan(
    records: Iterable[BackupRecord], policy: Policy, now: float, circumstances: Circumstances = freezing.NONE
) -> Plan:
    """What to do with all sets of one instance and kind. Raise ValueError if they are of several."""
    newest_first = _ordered(records)
    frozen = tuple(freezing.reasons(newest_first, now, circumstances))
    kept = _kept(newest_first, policy, now)
    doomed = [each.id for each in reversed(newest_first) if each.id not in kept]
    going = frozenset() if frozen else frozenset(doomed[: policy.max_deletions])
    decisions = (
        Decision(each, each.id not in going, tuple(kept.get(each.id) or (_fate(each, going, frozen, policy),)))
        for each in newest_first
    )
    return Plan(tuple(decisions), frozen, policy)


def lines(decided: Plan) -> list[Line]:
    """As `dbwatch backup retention --dry-run` prints it."""
    return [_line(each) for each in decided.decisions]


def _line(decision: Decision) -> Line:
    """Its time is UTC like in every list; the policy's days are those of its own zone."""
    record = decision.record
    time = humanise.moment(record.manifest.started_at)
    level = "bad" if record.problem or is_disproved(record) else record.proof.name if record.proof else "none"
    return Line(record.id, time, level, "keep" if decision.keep else "delete", ", ".join(decision.reasons))


def _ordered(records: Iterable[BackupRecord]) -> list[BackupRecord]:
    ordered = sorted(records, key=lambda each: (each.manifest.sequence, each.id), reverse=True)
    if len({(each.manifest.instance, each.manifest.kind) for each in ordered}) > 1:
        raise ValueError("retention looks at one instance and one kind at a time")
    return ordered


def _kept(newest_first: Sequence[BackupRecord], policy: Policy, now: float) -> dict[str, list[str]]:
    """Those that stay whatever happens, with every reason."""
    usable = [each for each in newest_first if not each.problem]
    proven = [each for each in usable if is_proven(each)]
    kept: dict[str, list[str]] = defaultdict(list)
    for rule in (_invariants(newest_first, usable, policy), _slots(proven, policy, now)):
        for record, reason in rule:
            kept[record.id].append(reason)
    for record, reason in _not_yet([each for each in usable if not is_proven(each)], len(proven), policy, now):
        kept[record.id].append(reason)
    return kept


def _invariants(newest_first: Sequence[BackupRecord], usable: Sequence[BackupRecord], policy: Policy) -> Reasons:
    verified = [each for each in usable if is_verified(each)]
    yield from ((each, "pinned") for each in newest_first if each.pinned)
    yield from ((each, f"cannot be used: {each.problem}") for each in newest_first if each.problem)
    yield from ((each, "newest") for each in usable[:1])
    yield from ((each, "newest compared") for each in _compared(verified)[:1])
    yield from ((each, f"one of the {policy.min_verified} newest proven") for each in verified[: policy.min_verified])


def _compared(verified: Sequence[BackupRecord]) -> list[BackupRecord]:
    return [each for each in verified if each.level >= ProofLevel.L3]


def _slots(proven: Sequence[BackupRecord], policy: Policy, now: float) -> Reasons:
    yield from ((each, f"one of the last {policy.keep_last}") for each in proven[: policy.keep_last])
    if policy.within is not None:
        young = (each for each in proven if now - each.manifest.started_at <= policy.within)
        yield from ((each, f"younger than {periods.lasting(policy.within)}") for each in young)
    zone = ZoneInfo(policy.timezone)
    counts = (policy.hourly, policy.daily, policy.weekly, policy.monthly, policy.yearly)
    for period, count in zip(periods.NAMES, counts, strict=True):
        yield from _newest_of_each(proven, period, count, zone)


def _newest_of_each(proven: Sequence[BackupRecord], period: str, count: int, zone: ZoneInfo) -> Reasons:
    seen: set[str] = set()
    for each in proven:
        name = periods.name(period, each.manifest.started_at, zone)
        if name not in seen and len(seen) < count:
            seen.add(name)
            yield each, f"{period} {name}"


def _not_yet(unproven: Sequence[BackupRecord], proven: int, policy: Policy, now: float) -> Reasons:
    """They fill no slot: they stay for a while to be proven or looked at, and while there is too little else."""
    for each in unproven:
        if now - each.manifest.ended_at <= policy.failed_for:
            what = "bad" if is_disproved(each) else "not proven"
            yield each, f"{what}, but younger than {periods.lasting(policy.failed_for)}"
        elif proven < policy.min_verified:
            yield each, f"only {proven} of {policy.min_verified} sets are proven"


def _fate(record: BackupRecord, going: AbstractSet[str], frozen: Sequence[Frozen], policy: Policy) -> str:
    if frozen:
        return f"nothing is deleted while frozen: {', '.join(each.reason for each in frozen)}"
    if record.id not in going:
        return f"goes with a later pass: {policy.max_deletions} at a time"
    if is_proven(record):
        return "no slot needs it"
    what = "bad" if is_disproved(record) else "never proven"
    return f"{what}, and older than {periods.lasting(policy.failed_for)}"
