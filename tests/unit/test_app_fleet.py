"""How a reload changes the instances that are watched."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dbwatch import library
from dbwatch.app import fleet
from dbwatch.app.fleet import Fleet
from dbwatch.app.thresholds import COLLECTOR, publish
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


def pollers() -> list[asyncio.Task[None]]:
    return [task for task in asyncio.all_tasks() if task.get_name() == "instance pg1"]


async def test_a_poller_that_ends_late_does_not_end_the_alerts_of_its_successor(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What it forgot of the instance would be its successor's: the thresholds that rules compare with, and values."""
    monkeypatch.setattr(fleet, "STOP_SECONDS", 0.05)
    store, table = Store(CATALOGUE.families), library.thresholds()
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        watched = Fleet(group, surroundings(store))
        await watched.become(world())
        await until(store, holds_a_session)
        (first,) = pollers()
        await watched.become(world(port=5433))
        assert not first.done()
        publish(world().settings, table, store, 0.0)
        published = store.samples("pg1", "dbwatch_threshold")
        await until(store, holds_a_session)
        await asyncio.wait([first])
        assert holds_a_session(store)
        left = store.samples("pg1", "dbwatch_threshold")
        await watched.end()
    assert published
    assert published == left


async def test_an_instance_that_a_reload_takes_away_gets_no_thresholds_any_more() -> None:
    store = Store(CATALOGUE.families)
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        watched = Fleet(group, surroundings(store))
        await watched.become(world())
        publish(world().settings, library.thresholds(), store, 0.0)
        await until(store, holds_a_session)
        await watched.become(replace(world(), settings=Settings()))
        await watched.end()
    assert store.snapshot("pg1", COLLECTOR) is None
