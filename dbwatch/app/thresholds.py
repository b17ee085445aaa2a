"""Gives every instance its thresholds, as metrics: Prometheus and the daemon compare with the same numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dbwatch.core import exposition, thresholds
from dbwatch.core.model import Snapshot
from dbwatch.poller import self_metrics
from dbwatch.poller.outcome import lines_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dbwatch.clock import Clock
    from dbwatch.core.thresholds import Threshold
    from dbwatch.settings.models import Instance, Settings
    from dbwatch.store import Store

COLLECTOR = "thresholds"


class Thresholds:
    """Those of every instance that is watched, beside what is polled; an instance that goes takes its own along."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._settings: Settings | None = None
        self._table: Mapping[str, Threshold] = {}

    def publish(self, settings: Settings, table: Mapping[str, Threshold]) -> None:
        self._settings, self._table = settings, table
        for instance in settings.watched:
            self._put(settings, instance)

    def restore(self) -> None:
        """Those that are gone though their instance is watched: a poller that ended late took its successor's along."""
        if self._settings is None:
            return
        known = {state.identity.db_instance for state in self._store.states()}  # a reload may just be ending one
        for instance in self._settings.watched:
            if instance.name in known and self._store.snapshot(instance.name, COLLECTOR) is None:
                self._put(self._settings, instance)

    def _put(self, settings: Settings, instance: Instance) -> None:
        values = thresholds.values(self._table, instance.identity.engine, settings.thresholds, instance.thresholds)
        blocks = tuple(self_metrics.thresholds(values))
        lines = lines_of(exposition.Renderer(instance.identity), COLLECTOR, blocks)
        self._store.put(Snapshot(instance.name, COLLECTOR, self._clock.monotonic(), 0.0, blocks), lines)
