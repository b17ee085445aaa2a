"""What the process does of itself, by the second: drop stale values, measure the loop, feed systemd's watchdog."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from dbwatch.app.notify import notify, watchdog_seconds

if TYPE_CHECKING:
    from collections.abc import Callable

    from dbwatch.clock import Clock
    from dbwatch.http.own_metrics import OwnMetrics
    from dbwatch.store import Store
    from dbwatch.tasks import Heartbeats

log = structlog.get_logger()
LAG_EVERY_SECONDS = 0.1
TIDY_EVERY_SECONDS = 1.0


async def measure_lag(own: OwnMetrics, clock: Clock) -> None:
    """How much later than asked for the loop wakes a timer: what a scrape or a probe would wait too."""
    while True:
        before = clock.monotonic()
        await asyncio.sleep(LAG_EVERY_SECONDS)
        own.lag(max(0.0, clock.monotonic() - before - LAG_EVERY_SECONDS))


async def tidy(store: Store, own: OwnMetrics, clock: Clock, each_second: Callable[[], None]) -> None:
    """Values older than three intervals go, whatever hangs."""
    while True:
        await asyncio.sleep(TIDY_EVERY_SECONDS)
        for instance, collector in store.expire(clock.monotonic()):
            log.warning("values_expired", instance=instance, collector=collector)
        own.holds(instances=len(store.states()), series=store.series())
        each_second()


async def feed_watchdog(heartbeats: Heartbeats) -> None:
    """WATCHDOG=1 only while every supervised task makes progress: a ping from a timer alone proves nothing."""
    period = watchdog_seconds()
    told: list[str] = []
    while True:
        await asyncio.sleep(period / 2 if period else TIDY_EVERY_SECONDS * 10)
        late = heartbeats.late()
        if late and late != told:
            log.error("tasks_hang", tasks=late)
        told = late
        if period and not late:
            notify("WATCHDOG=1")
