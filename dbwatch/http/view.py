"""What a person is shown of an instance: the store's facts judged and put in order, before HTML or JSON. Pure.

Worst first: down, failing or stale collectors, not probed yet, maintenance, up.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum
from typing import TYPE_CHECKING

from dbwatch.core.schedule import FRESH_FOR_INTERVALS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dbwatch.http.figures import Figure, Ranking
    from dbwatch.store import CollectorStatus, InstanceState


class Level(IntEnum):
    """How bad it is; the page sorts by it."""

    DOWN = 0
    DEGRADED = 1
    UNKNOWN = 2
    MAINTENANCE = 3
    UP = 4

    @property
    def label(self) -> str:
        return {Level.UNKNOWN: "not probed yet", Level.MAINTENANCE: "in maintenance"}.get(self, self.name.lower())

    @property
    def sign(self) -> str:
        """A shape for those who cannot tell the colours apart."""
        return {"DOWN": "✖", "DEGRADED": "▲", "UNKNOWN": "?", "MAINTENANCE": "◆", "UP": "✔"}[self.name]


class Freshness(IntEnum):
    """How one collector fares; the page sorts by it."""

    FAILING = 0
    STALE = 1
    WAITING = 2
    FRESH = 3
    SKIPPED = 4

    @property
    def label(self) -> str:
        return {Freshness.FRESH: "ok", Freshness.WAITING: "not run yet"}.get(self, self.name.lower())

    @property
    def sign(self) -> str:
        return {"FAILING": "✖", "STALE": "▲", "WAITING": "?", "FRESH": "✔", "SKIPPED": "·"}[self.name]


@dataclass(frozen=True, slots=True)
class CollectorView:
    """One collector of one instance."""

    status: CollectorStatus
    freshness: Freshness

    @property
    def is_bad(self) -> bool:
        return self.freshness in (Freshness.FAILING, Freshness.STALE)


@dataclass(frozen=True, slots=True)
class InstanceView:
    """One instance."""

    state: InstanceState
    level: Level
    figures: Sequence[Figure]
    collectors: Sequence[CollectorView]
    rankings: Sequence[Ranking] = ()

    @property
    def name(self) -> str:
        return self.state.identity.db_instance

    @property
    def bad_collectors(self) -> list[CollectorView]:
        return [each for each in self.collectors if each.is_bad]


def freshness(status: CollectorStatus, now: float) -> Freshness:
    """Stale: three intervals without a success, as in the store."""
    if status.skipped:
        return Freshness.SKIPPED
    if status.succeeded is None:
        return Freshness.WAITING
    if not status.succeeded:
        return Freshness.FAILING
    last = status.last_success_at
    is_stale = last is None or now - last > FRESH_FOR_INTERVALS * status.interval_seconds
    return Freshness.STALE if is_stale else Freshness.FRESH


def instance_view(state: InstanceState, figures: Sequence[Figure], now: float) -> InstanceView:
    collectors = [CollectorView(status, freshness(status, now)) for status in state.collectors.values()]
    collectors.sort(key=lambda each: (each.freshness, each.status.name))
    bad = any(each.is_bad for each in collectors)
    return InstanceView(state, _level(state, has_bad_collectors=bad), figures, collectors)


def _level(state: InstanceState, *, has_bad_collectors: bool) -> Level:
    if state.in_maintenance:
        return Level.MAINTENANCE
    if state.up is None:
        return Level.UNKNOWN
    if not state.up:
        return Level.DOWN
    return Level.DEGRADED if has_bad_collectors else Level.UP


def with_rankings(view: InstanceView, rankings: Sequence[Ranking]) -> InstanceView:
    return replace(view, rankings=rankings)


def worst_first(views: Sequence[InstanceView]) -> list[InstanceView]:
    """And within a level those with the most figures out of bounds."""
    return sorted(views, key=lambda view: (view.level, -sum(figure.is_high for figure in view.figures), view.name))
