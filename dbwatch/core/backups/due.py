"""Which sets are restored next to prove them: small ones at once, large ones in their turn, the oldest proof first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dbwatch.core.backups.sizes import median
from dbwatch.core.backups.standing import attempted_at, is_disproved, restored_at, tried_at

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from dbwatch.core.backups.model import BackupRecord

DAY, HOUR = 86400.0, 3600.0
RETRY_SECONDS = 6 * HOUR
UNKNOWN_BYTES_PER_SECOND = 10 * 1024**2  # a slow restore: what is expected of the first one
FEW = 3


@dataclass(frozen=True, slots=True)
class Limits:
    """What is restored at once. The settings have the same names."""

    restore: bool = True
    max_bytes: int = 50 * 1024**3  # of the databases
    max_seconds: float = 2 * HOUR
    rotation: float = 7 * DAY  # larger ones: once in so long


@dataclass(frozen=True, slots=True)
class Waiting:
    """A set that is not restored yet, and when its turn comes."""

    record: BackupRecord
    since: float
    until: float
    reason: str


@dataclass(frozen=True, slots=True)
class Due:
    """`now`: to be restored, in this order. `waiting`: later."""

    now: tuple[BackupRecord, ...] = ()
    waiting: tuple[Waiting, ...] = ()

    @property
    def count(self) -> int:
        """Sets that wait to be restored, whether it is their turn or not."""
        return len(self.now) + len(self.waiting)

    @property
    def since(self) -> float | None:
        """Since when the longest waits."""
        ends = [each.manifest.ended_at for each in self.now]
        return min((*ends, *(each.since for each in self.waiting)), default=None)


def to_restore(
    records: Iterable[BackupRecord],
    limits: Limits | Mapping[str, Limits],
    now: float,
    *,
    retry_seconds: float = RETRY_SECONDS,
) -> Due:
    """Sets of any instances; `limits` may be given by instance (one that is not named is not restored)."""
    turns: list[tuple[int, float, BackupRecord]] = []  # small before large; then by when it should have been
    waiting: list[Waiting] = []
    for group in _groups(records):
        own = limits.get(group[0].manifest.instance) if isinstance(limits, Mapping) else limits
        for record, turn in _turns(group, own or Limits(restore=False)):
            pause = max(retry_seconds, DAY) if turn else retry_seconds  # a large one in vain costs much, too
            again = (attempted_at(record) or float("-inf")) + pause
            if now >= max(turn, again):
                turns.append((turn > 0, turn or -record.manifest.ended_at, record))
            else:
                reason = "tried in vain not long ago" if again >= turn else "large: in its turn"
                waiting.append(Waiting(record, record.manifest.ended_at, max(turn, again), reason))
    turns.sort(key=lambda each: (*each[:2], each[2].id))
    return Due(tuple(record for _, _, record in turns), tuple(sorted(waiting, key=lambda each: each.until)))


def is_large(record: BackupRecord, limits: Limits, records: Iterable[BackupRecord]) -> bool:
    """It would take too much to be restored each time. `records`: what is known of its instance."""
    return (
        record.manifest.plain_bytes > limits.max_bytes or expected_restore_seconds(record, records) > limits.max_seconds
    )


def expected_restore_seconds(record: BackupRecord, records: Iterable[BackupRecord]) -> float:
    """By how long the last ones of its instance took, byte for byte."""
    done = sorted(_paces(record, records))[-FEW:]
    pace = median([seconds for _, seconds in done]) if done else 1 / UNKNOWN_BYTES_PER_SECOND
    return pace * _bytes(record)


def _paces(record: BackupRecord, records: Iterable[BackupRecord]) -> Iterator[tuple[float, float]]:
    """When, and seconds a byte."""
    alike = (each for each in records if each.manifest.instance == record.manifest.instance and _bytes(each) > 0)
    for each in alike:
        at = restored_at(each)
        for proof in each.proofs:
            if at is not None and proof.holds and proof.at == at:
                yield at, proof.seconds / _bytes(each)


def _bytes(record: BackupRecord) -> int:
    return max(record.manifest.plain_bytes, record.manifest.size_bytes)


def _groups(records: Iterable[BackupRecord]) -> list[list[BackupRecord]]:
    """Of one instance and kind each, newest first; what is known to be bad needs no restore."""
    groups: dict[tuple[str, str], list[BackupRecord]] = defaultdict(list)
    for each in sorted(records, key=lambda each: (each.manifest.sequence, each.id), reverse=True):
        if not each.problem:
            groups[each.manifest.instance, each.manifest.kind].append(each)
    return list(groups.values())


def _turns(newest_first: Sequence[BackupRecord], limits: Limits) -> Iterator[tuple[BackupRecord, float]]:
    """Each set that is to be restored, and its turn; 0: at once."""
    if not limits.restore:
        return
    last = max((at for each in newest_first if (at := tried_at(each)) is not None), default=0.0)
    for number, each in enumerate(newest_first):
        if tried_at(each) is not None or is_disproved(each):
            continue
        if not is_large(each, limits, newest_first):
            yield each, 0.0
        elif number == 0:  # of large ones the newest alone: an older one proves less and costs as much
            yield each, _turn(last, limits)


def _turn(last: float, limits: Limits) -> float:
    """A day early, so that it is over when the rotation is."""
    return max(1.0, last + limits.rotation - min(DAY, limits.rotation / 4))
