"""What a person is shown of an instance: the store's facts judged and put in order, before HTML or JSON. Pure.

Worst first: down, failing or stale collectors, a figure out of bounds, not probed yet, maintenance, up.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum
from typing import TYPE_CHECKING

from dbwatch.core.schedule import FRESH_FOR_INTERVALS
from dbwatch.core.showing import humanise

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dbwatch.core.model import Snapshot
    from dbwatch.http.figures import Figure, Ranking
    from dbwatch.store import CollectorStatus, InstanceState


class Level(IntEnum):
    """How bad it is; the page sorts by it."""

    DOWN = 0
    DEGRADED = 1
    ATTENTION = 2
    UNKNOWN = 3
    MAINTENANCE = 4
    UP = 5

    @property
    def label(self) -> str:
        return {Level.UNKNOWN: "not probed yet", Level.MAINTENANCE: "in maintenance"}.get(self, self.name.lower())

    @property
    def sign(self) -> str:
        """A shape for those who cannot tell the colours apart."""
        signs = {"DOWN": "✖", "DEGRADED": "▲", "ATTENTION": "▲", "UNKNOWN": "?", "MAINTENANCE": "◆", "UP": "✔"}
        return signs[self.name]


class Freshness(IntEnum):
    """How one collector fares; the page sorts by it."""

    FAILING = 0
    STALE = 1
    INCOMPLETE = 2  # it answered, but series over its budget were left out
    WAITING = 3
    PAUSED = 4  # it was well when the instance went down
    FRESH = 5
    SKIPPED = 6

    @property
    def label(self) -> str:
        words = {Freshness.FRESH: "ok", Freshness.WAITING: "not run yet", Freshness.PAUSED: "waiting"}
        return words.get(self, self.name.lower())

    @property
    def sign(self) -> str:
        signs = {"FAILING": "✖", "STALE": "▲", "INCOMPLETE": "▲", "WAITING": "?", "FRESH": "✔", "SKIPPED": "·"}
        return signs.get(self.name, humanise.ABSENT)


@dataclass(frozen=True, slots=True)
class CollectorView:
    """One collector of one instance."""

    status: CollectorStatus
    freshness: Freshness
    dropped: int = 0  # series of its last answer that were over its budget

    @property
    def label(self) -> str:
        if self.freshness is Freshness.INCOMPLETE:
            return f"{self.dropped:,} dropped (max_series)"
        return self.freshness.label

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


def instance_view(
    state: InstanceState, figures: Sequence[Figure], now: float, snapshots: Sequence[Snapshot] = ()
) -> InstanceView:
    dropped = {snapshot.collector: snapshot.dropped for snapshot in snapshots}
    collectors = [
        _collector_view(status, now, dropped.get(status.name, 0), is_down=state.up is False)
        for status in state.collectors.values()
    ]
    collectors.sort(key=lambda each: (each.freshness, each.status.name))
    return InstanceView(state, _level(state, collectors, figures), figures, collectors)


def _collector_view(status: CollectorStatus, now: float, dropped: int, *, is_down: bool) -> CollectorView:
    """That it answered a moment ago is no health while its instance is down."""
    fares = freshness(status, now)
    if fares is Freshness.FRESH:
        fares = Freshness.PAUSED if is_down else Freshness.INCOMPLETE if dropped else fares
    return CollectorView(status, fares, dropped)


def _level(state: InstanceState, collectors: Sequence[CollectorView], figures: Sequence[Figure]) -> Level:
    if state.in_maintenance:
        return Level.MAINTENANCE
    if state.up is None:
        return Level.UNKNOWN
    if not state.up:
        return Level.DOWN
    if any(each.is_bad for each in collectors):
        return Level.DEGRADED
    has_gap = any(each.freshness is Freshness.INCOMPLETE for each in collectors)
    return Level.ATTENTION if has_gap or any(figure.is_high for figure in figures) else Level.UP


def with_rankings(view: InstanceView, rankings: Sequence[Ranking]) -> InstanceView:
    return replace(view, rankings=rankings)


def worst_first(views: Sequence[InstanceView]) -> list[InstanceView]:
    """And within a level those with the most figures out of bounds."""
    return sorted(views, key=lambda view: (view.level, -sum(figure.is_high for figure in view.figures), view.name))
