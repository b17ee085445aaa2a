"""Gives every instance its thresholds, as metrics: Prometheus and the daemon compare with the same numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dbwatch.core import exposition, thresholds
from dbwatch.core.model import Snapshot
from dbwatch.poller import self_metrics
from dbwatch.poller.outcome import lines_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dbwatch.core.thresholds import Threshold
    from dbwatch.settings.models import Settings
    from dbwatch.store import Store

COLLECTOR = "thresholds"


def publish(settings: Settings, table: Mapping[str, Threshold], store: Store, now: float) -> None:
    """Put them beside what is polled; an instance that goes takes its own along. `now` is monotonic."""
    for instance in settings.watched:
        engine = instance.identity.engine
        values = thresholds.values(table, engine, settings.thresholds, instance.thresholds)
        blocks = tuple(self_metrics.thresholds(values))
        lines = lines_of(exposition.Renderer(instance.identity), COLLECTOR, blocks)
        store.put(Snapshot(instance.name, COLLECTOR, now, 0.0, blocks), lines)
