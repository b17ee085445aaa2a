"""When nothing may be deleted: whatever looks wrong stops retention, says why, and is a metric."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from dbwatch.core.backups import sizes
from dbwatch.core.backups.model import JobReason, JobState
from dbwatch.core.backups.periods import lasting
from dbwatch.core.backups.standing import disproof, is_disproved, is_proven, tried_at

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from dbwatch.core.backups.model import BackupRecord, JobRun

DAY = 86400.0
TRUST_CLOCK = "dbwatch backup trust-clock"
CLOCK_SECONDS = 3600.0  # what is less is a clock being set, not a clock being wrong
PROVE_SECONDS = DAY  # every set is read to its end right after it was made: so late it will not be


class FreezeReason(StrEnum):
    """Why nothing is deleted: closed, because it is a label."""

    LAST_RUN_FAILED = "last_run_failed"
    VERIFICATION_OVERDUE = "verification_overdue"
    DISPROVED = "disproved"  # the newest set is bad
    ANOMALY = "anomaly"  # the newest set is far smaller than those before it
    CLOCK = "clock"
    PROBLEM = "problem"  # a set on the disk cannot be used


@dataclass(frozen=True, slots=True)
class Frozen:
    """One reason, with a line for a person."""

    reason: FreezeReason
    detail: str


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What the sets themselves do not tell."""

    last_run: JobRun | None = None  # the last backup that ended
    clock_seen: float | None = None  # the latest time that was ever seen, before this pass
    clock_jumped: float | None = None  # seconds that the clock jumped, while nobody said that it is right
    restored_within: float | None = None  # a set must have been restored after so long; None: none is restored
    clock_accepted: bool = False  # it jumped, and somebody has said since that it is right


NONE = Circumstances()


def reasons(newest_first: Sequence[BackupRecord], now: float, circumstances: Circumstances) -> Iterator[Frozen]:
    """Every one that holds."""
    found = {
        FreezeReason.LAST_RUN_FAILED: _failed(circumstances.last_run, newest_first),
        FreezeReason.VERIFICATION_OVERDUE: _overdue(newest_first, now, circumstances.restored_within),
        FreezeReason.DISPROVED: _bad(newest_first),
        FreezeReason.ANOMALY: _anomalous(newest_first),
        FreezeReason.CLOCK: _clock(newest_first, now, circumstances),
        FreezeReason.PROBLEM: _problem(newest_first),
    }
    return (Frozen(reason, detail) for reason, detail in found.items() if detail)


def _failed(run: JobRun | None, newest_first: Sequence[BackupRecord]) -> str:
    """One that was ended once its set was published has made a backup, as soon as that one is proven."""
    if run is None or run.state in (JobState.SUCCEEDED, JobState.RUNNING) or run.reason is JobReason.BUSY:
        return ""
    if any(each.id == run.backup and not each.problem and is_proven(each) for each in newest_first):
        return ""
    return (
        f"the last backup {run.state}" + (f" ({run.reason})" if run.reason else "") + (run.detail and f": {run.detail}")
    )


def _overdue(newest_first: Sequence[BackupRecord], now: float, restored_within: float | None) -> str:
    sound = [each for each in newest_first if not each.problem]
    unproven = _oldest_before(sound, lambda each: is_proven(each) or is_disproved(each))
    if unproven is not None and now - unproven.manifest.ended_at > PROVE_SECONDS:
        return f"{unproven.id} was not proven within {lasting(PROVE_SECONDS)}, nor any set after it"
    waiting = _oldest_before(sound, lambda each: tried_at(each) is not None)
    if waiting is None or restored_within is None or now - waiting.manifest.ended_at <= restored_within:
        return ""
    return f"no set was restored since {waiting.id}, for more than {lasting(restored_within)}"


def _oldest_before(newest_first: Sequence[BackupRecord], good: Callable[[BackupRecord], bool]) -> BackupRecord | None:
    """The oldest of those that came after the newest good one."""
    found = None
    for each in newest_first:
        if good(each):
            break
        found = each
    return found


def _bad(newest_first: Sequence[BackupRecord]) -> str:
    proof = disproof(newest_first[0]) if newest_first else None
    if proof is None:
        return ""
    return f"the newest set, {newest_first[0].id}, is bad: {proof.name} failed ({proof.reason})"


def _anomalous(newest_first: Sequence[BackupRecord]) -> str:
    sound = [each.manifest for each in newest_first if not each.problem and not is_disproved(each)]
    return sizes.anomaly(sound[0], sound[1:]).detail if sound else ""


def _clock(newest_first: Sequence[BackupRecord], now: float, circumstances: Circumstances) -> str:
    """Sets from the future are no harm where it is known that the clock was wrong: they are ordered by number."""
    mend = f"; if it is right: {TRUST_CLOCK}"
    if circumstances.clock_seen is not None and now < circumstances.clock_seen - CLOCK_SECONDS:
        return f"the clock went back by {lasting(circumstances.clock_seen - now)}{mend}"
    if abs(circumstances.clock_jumped or 0.0) > DAY:
        return f"the clock jumped by {lasting(circumstances.clock_jumped or 0.0)}{mend}"
    for each in () if circumstances.clock_accepted else newest_first:
        if each.manifest.started_at > now + CLOCK_SECONDS:
            return f"{each.id} was made {lasting(each.manifest.started_at - now)} from now, says its clock{mend}"
    return ""


def _problem(newest_first: Sequence[BackupRecord]) -> str:
    found = [each for each in newest_first if each.problem]
    more = f", and {len(found) - 1} more" if len(found) > 1 else ""
    return f"{found[0].id} cannot be used: {found[0].problem}{more}" if found else ""
