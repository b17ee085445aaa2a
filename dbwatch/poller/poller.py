"""All that watches one instance: its probe, its lanes and its sampler, each supervised, born and ended together."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from dbwatch.core import schedule
from dbwatch.core.model import Lane
from dbwatch.poller.lane import LaneRunner
from dbwatch.poller.login import LoginProbe
from dbwatch.poller.sampler import Sampler
from dbwatch.poller.watch import Watch
from dbwatch.poller.witnesses import Witnesses
from dbwatch.settings.models import CollectorOverride
from dbwatch.tasks import supervise

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from dbwatch.clock import Clock
    from dbwatch.core.catalogue import Catalogue
    from dbwatch.core.model import Collector
    from dbwatch.engines.base import Engine
    from dbwatch.settings.models import Instance
    from dbwatch.store import Store
    from dbwatch.tasks import Heartbeats

AS_WRITTEN = CollectorOverride()


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all instances share."""

    store: Store
    clock: Clock
    logins: asyncio.Semaphore
    heartbeats: Heartbeats
    on_lateness: Callable[[float], None]
    on_crash: Callable[[str], None]
    in_maintenance: Callable[[str], bool]
    witnesses: Witnesses = field(default_factory=Witnesses)


def configured(catalogue: Catalogue, instance: Instance) -> tuple[Collector, ...]:
    """The collectors of the instance's engine, with its overrides; none is asked more often than fast_interval."""
    return tuple(_overridden(item, instance) for item in catalogue.collectors_for(instance.identity.engine))


def _overridden(item: Collector, instance: Instance) -> Collector:
    changes = instance.collectors.get(item.name, AS_WRITTEN)
    top = replace(item.top, limit=changes.top) if item.top and changes.top else item.top
    is_wanted = item.lane is not Lane.SAMPLER or instance.sampler_interval is not None
    return replace(
        item,
        enabled=item.enabled and is_wanted if changes.enabled is None else changes.enabled,
        interval_seconds=_interval(item, instance, changes),
        timeout_seconds=changes.timeout or item.timeout_seconds,
        max_series=changes.max_series or item.max_series,
        top=top,
    )


def _interval(item: Collector, instance: Instance, changes: CollectorOverride) -> float:
    """The sampler asks as often as it is told to, and gives what it counted each fast_interval."""
    if item.lane is Lane.SAMPLER:
        return changes.interval or instance.sampler_interval or item.interval_seconds
    return max(changes.interval or item.interval_seconds, instance.fast_interval)


class InstancePoller:
    """Watches one instance until cancelled."""

    def __init__(
        self, instance: Instance, engine: Engine, catalogue: Catalogue, around: Surroundings, *, siblings: int = 0
    ) -> None:
        self.instance = instance
        self._siblings = siblings
        self._engine = engine
        self._around = around
        self._is_forgotten = False
        self.spare = asyncio.Lock()  # the probe's connection: who asks something in between takes its place
        self.watch = Watch(
            instance,
            catalogue=catalogue,
            collectors=configured(catalogue, instance),
            store=around.store,
            clock=around.clock,
            in_maintenance=around.in_maintenance,
        )

    @property
    def engine(self) -> Engine:
        return self._engine

    async def run(self) -> None:
        """Poll; when cancelled, close every session and forget what was seen."""
        try:
            async with asyncio.TaskGroup() as group:
                for lane, work in self._works():
                    group.create_task(self._begin(lane, work), name=f"{lane} {self.instance.name}")
        finally:
            self.forget()

    def forget(self) -> None:
        """What was seen; only once: where this takes long to end, another one may watch the instance by then."""
        if not self._is_forgotten:
            self._is_forgotten = True
            self._around.store.forget(self.instance.name)
            self._around.witnesses.forget(self.instance.name)

    async def _begin(self, lane: Lane, work: Callable[[], Awaitable[None]]) -> None:
        await asyncio.sleep(schedule.start_delay(lane, self.instance.name, self._siblings))
        await supervise(f"{lane} {self.instance.name}", work, self._around.on_crash)

    def _works(self) -> Iterator[tuple[Lane, Callable[[], Awaitable[None]]]]:
        around = self._around
        probe = LoginProbe(self.watch, self._engine, around.logins, around.heartbeats, self.spare)
        yield Lane.PROBE, probe.run
        place = asyncio.Lock()
        for lane in _used_lanes(self.watch):
            make = partial(LaneRunner, self.watch, self._engine, lane, place=place, logins=around.logins)
            runner = make(heartbeats=around.heartbeats, witnesses=around.witnesses, on_lateness=around.on_lateness)
            yield lane, runner.run
        for item in self.watch.collectors:
            if item.lane is Lane.SAMPLER and item.enabled:
                sampler = Sampler(self.watch, self._engine, item, around.logins, around.heartbeats)
                yield Lane.SAMPLER, sampler.run


def _used_lanes(watch: Watch) -> list[Lane]:
    """The lanes for which the instance has anything to ask."""
    lanes = {item.lane for item in watch.collectors if item.enabled}
    return [lane for lane in (Lane.FAST, Lane.SLOW, Lane.HEAVY) if lane in lanes]
