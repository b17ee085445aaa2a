"""How much would be lost (RPO) and how long it would take (RTO): the arithmetic, beside what was promised."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dbwatch.core.backups.standing import is_proven

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dbwatch.core.backups.model import BackupRecord


@dataclass(frozen=True, slots=True)
class Objective:
    """A promise and what was measured. None: never measured, so not kept."""

    target_seconds: float
    measured_seconds: float | None = None

    @property
    def is_met(self) -> bool:
        return self.measured_seconds is not None and self.measured_seconds <= self.target_seconds


def recoverable_age_seconds(records: Iterable[BackupRecord], now: float) -> float | None:
    """What would be lost if the server were lost now: a set holds the moment at which its dump began.

    Only proven sets count. None: there is none. A clock that went back makes it 0, never less.
    """
    moments = [each.manifest.started_at for each in records if is_proven(each)]
    return max(0.0, now - max(moments)) if moments else None


def rpo_from_heartbeat(last_beat_before_loss: float, last_beat_restored: float) -> float:
    """What was really lost: beats of the application's own clock, so that no other clock matters."""
    return max(0.0, last_beat_before_loss - last_beat_restored)


def rto_seconds(phases: Iterable[tuple[str, float]]) -> float:
    """From the loss until the application works again."""
    return sum(seconds for _, seconds in phases)


def compliance(objectives: Iterable[Objective]) -> float | None:
    """The share that is met. None: nothing was promised."""
    met = [each.is_met for each in objectives]
    return sum(met) / len(met) if met else None
