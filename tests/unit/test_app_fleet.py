"""How a reload changes the instances that are watched."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dbwatch import library
from dbwatch.app import fleet
from dbwatch.app.fleet import Fleet
from dbwatch.app.thresholds import COLLECTOR, Thresholds
from dbwatch.app.world import World
from dbwatch.clock import SystemClock
from dbwatch.poller.poller import Surroundings
from dbwatch.settings.models import Settings
from dbwatch.store import Store
from dbwatch.tasks import Heartbeats
from tests.fakes import FakeEngine, FakeSession

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from dbwatch.core.model import Lane
    from dbwatch.engines.base import Purpose
    from dbwatch.settings.models import Instance

CATALOGUE = library.load()


class SlowToLeave(FakeSession):
    """Its goodbye takes longer than a reload waits."""

    async def close(self) -> None:
        await asyncio.sleep(0.5)


@dataclass
class SlowEngine(FakeEngine):
    """Its sessions are slow to leave."""

    async def connect(
        self, instance: Instance, lane: Lane, *, database: str | None = None, purpose: Purpose = "monitor"
    ) -> FakeSession:
        await super().connect(instance, lane, database=database, purpose=purpose)
        return SlowToLeave(self, self.hello)


def world(**changes: object) -> World:
    instance = {"engine": "postgres", "monitor": {"user": "u"}, "probe_interval": 0.2, **changes}
    return World(Settings.model_validate({"instances": {"pg1": instance}}), CATALOGUE, {"postgres": SlowEngine()})


def surroundings(store: Store) -> Surroundings:
    return Surroundings(
        store=store,
        clock=SystemClock(),
        logins=asyncio.Semaphore(8),
        heartbeats=Heartbeats(SystemClock().monotonic),
        on_lateness=lambda _: None,
        on_crash=lambda _: None,
        in_maintenance=lambda _: False,
    )


def holds_a_session(store: Store) -> bool:
    """A lane has asked something."""
    return any(each.succeeded is not None for state in store.states() for each in state.collectors.values())


async def until(store: Store, condition: Callable[[Store], bool]) -> None:
    changed = asyncio.Event()
    store.on_change = changed.set
    while not condition(store):
        await changed.wait()
        changed.clear()


async def test_a_poller_that_ends_late_does_not_end_the_alerts_of_its_successor(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It forgets the instance, and with it the thresholds that rules compare with."""
    monkeypatch.setattr(fleet, "STOP_SECONDS", 0.05)
    store, table = Store(CATALOGUE.families), library.thresholds()
    thresholds = Thresholds(store, SystemClock())
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        watched = Fleet(group, surroundings(store))
        for each in (world(), world(port=5433)):
            await watched.become(each)
            thresholds.publish(each.settings, table)
            published = store.samples("pg1", "dbwatch_threshold")
            await until(store, holds_a_session)
        await until(store, lambda store: store.snapshot("pg1", COLLECTOR) is None)
        await until(store, lambda store: bool(store.states()))
        thresholds.restore()
        restored = store.samples("pg1", "dbwatch_threshold")
        await watched.end()
    assert published
    assert published == restored


async def test_an_instance_that_a_reload_takes_away_gets_no_thresholds_any_more() -> None:
    """The reload may still be under way when the second is over."""
    store = Store(CATALOGUE.families)
    thresholds = Thresholds(store, SystemClock())
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        watched = Fleet(group, surroundings(store))
        await watched.become(world())
        thresholds.publish(world().settings, library.thresholds())
        await until(store, holds_a_session)
        await watched.become(replace(world(), settings=Settings()))
        thresholds.restore()
        await watched.end()
    assert store.snapshot("pg1", COLLECTOR) is None
