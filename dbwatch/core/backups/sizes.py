"""How much room a set will need, and whether it is suspiciously small beside those before it."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

from dbwatch.core.backups.model import MemberRole

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dbwatch.core.backups.model import Codec, Manifest

GROWTH = 1.3  # what the next set may be larger than the last
UNKNOWN_RATIO = 1.0  # of a set to its databases, before there was one
FEW = 5
SUSPICIOUS = 0.5
SCRATCH_GROWTH = 1.2  # what was restored, beside its indexes built anew and its log
SCRATCH_BYTES = 512 * 1024**2  # an empty server, and its log


@dataclass(frozen=True, slots=True)
class Anomaly:
    """A set beside the median of those before it. None: there is nothing to compare with."""

    bytes_ratio: float | None = None
    rows_ratio: float | None = None

    @property
    def ratio(self) -> float | None:
        """The worse of both."""
        return min((each for each in (self.bytes_ratio, self.rows_ratio) if each is not None), default=None)

    @property
    def is_anomalous(self) -> bool:
        return self.ratio is not None and self.ratio < SUSPICIOUS

    @property
    def detail(self) -> str:
        """Empty when all is well."""
        parts = (("bytes", self.bytes_ratio), ("rows", self.rows_ratio))
        small = [
            f"{ratio:.0%} of the usual {what}" for what, ratio in parts if ratio is not None and ratio < SUSPICIOUS
        ]
        return f"the newest set has only {' and '.join(small)}" if small else ""


def anomaly(newest: Manifest, before: Iterable[Manifest]) -> Anomaly:
    """`before`: other sets of the same instance and kind, in any order; the five newest are its measure.

    Bytes are compared among sets of one codec: that a set shrinks when the codec is changed says nothing.
    """
    measure = _latest(before, newest.sequence)
    return Anomaly(
        _ratio(newest.size_bytes, [each.size_bytes for each in measure if codecs(each) == codecs(newest)]),
        _ratio(newest.rows, [each.rows for each in measure]),
    )


def _ratio(value: float | None, others: Sequence[float | None]) -> float | None:
    known = [each for each in others if each is not None]
    usual = median(known) if known else 0.0
    return value / usual if value is not None and usual > 0 else None


def _latest(history: Iterable[Manifest], before: float = float("inf")) -> list[Manifest]:
    """Newest first."""
    ordered = sorted(history, key=lambda each: each.sequence, reverse=True)
    return [each for each in ordered if each.sequence < before][:FEW]


def median(values: Sequence[float]) -> float:
    """Of one value at least. (The library's own brings two megabytes of other arithmetic along.)"""
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def needed_bytes(database_bytes: int, history: Iterable[Manifest], *, codec: Codec | None = None) -> int:
    """What the next set may need, the file system's reserve apart. `codec`: what it will be compressed with."""
    latest = _latest(history)
    last = GROWTH * latest[0].size_bytes if latest else 0.0
    return ceil(max(last, database_bytes * learned_ratio(latest, codec=codec)))


def learned_ratio(history: Iterable[Manifest], *, codec: Codec | None = None) -> float:
    """Bytes of a set to those of its databases, as it was lately with that codec. Never trusted below a hundredth."""
    alike = [each for each in history if each.plain_bytes > 0 and (codec is None or codec in codecs(each))]
    ratios = [each.size_bytes / each.plain_bytes for each in _latest(alike)]
    return max(0.01, median(ratios) * GROWTH) if ratios else UNKNOWN_RATIO


def codecs(manifest: Manifest) -> frozenset[Codec]:
    """How its dumps are compressed."""
    return frozenset(each.codec for each in manifest.members if each.role is MemberRole.DUMP)


def reserve_bytes(total_bytes: int, ratio: float, minimum_bytes: int) -> int:
    """What is never written to, so that the host can still log and send its mail."""
    return max(ceil(total_bytes * ratio), minimum_bytes)


def scratch_bytes(manifest: Manifest, database: str = "") -> int:
    """What restoring it, or one database of it, may need on the disk of scratch servers."""
    plain_bytes = sum(each.size_bytes for each in manifest.facts.databases if database in ("", each.name))
    size_bytes = sum(each.size_bytes for each in manifest.members if database in ("", each.database))
    return ceil(SCRATCH_GROWTH * max(plain_bytes, size_bytes)) + SCRATCH_BYTES
