"""The daemon's own pollers in the test's process, on real servers, with a few collectors that are asked often."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dbwatch.clock import SystemClock
from dbwatch.poller.poller import InstancePoller, Surroundings
from dbwatch.store import Store
from dbwatch.tasks import Heartbeats
from tests.postgres_asking import ENGINE, engine, instance, ours

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from dbwatch.store import CollectorStatus
    from tests.fix_postgres import Postgres


class Polling:
    """One collector under watch: its SQL with `instead` of some of its text, and what the store holds of it."""

    def __init__(self, name: str, instead: dict[str, str] | None = None) -> None:
        self.name = name
        known, collector = ours(), ours().collectors[ENGINE, name]
        variants = collector.variants
        for old, new in (instead or {}).items():
            assert all(old in each.sql for each in variants)
            variants = tuple(replace(each, sql=each.sql.replace(old, new)) for each in variants)
        quick = replace(collector, variants=variants, interval_seconds=1.0, timeout_seconds=0.9)
        self.catalogue = replace(known, collectors={(ENGINE, name): quick})
        self.store = Store(known.families)
        self._clock = SystemClock()
        self._around = Surroundings(
            store=self.store,
            clock=self._clock,
            logins=asyncio.Semaphore(8),
            heartbeats=Heartbeats(self._clock.monotonic),
            on_lateness=lambda _: None,
            on_crash=lambda _: None,
            in_maintenance=lambda _: False,
        )

    @asynccontextmanager
    async def watching(self, *, databases: str = "*", **servers: Postgres) -> AsyncIterator[None]:
        """While inside, each server is watched under its keyword's name."""
        options: dict[str, Any] = {
            "databases": {"include": [databases]},
            "fast_interval": 0.5,
            "probe_interval": 1.0,
        }
        async with asyncio.TaskGroup() as group:
            tasks = []
            for name, server in servers.items():
                watched = instance(server.instance(**options), name=name)
                poller = InstancePoller(watched, engine(), self.catalogue, self._around)
                tasks.append(group.create_task(poller.run(), name=name))
            yield
            for task in tasks:
                task.cancel()

    def samples(self, instance_name: str, family: str) -> list[tuple[dict[str, str], float]]:
        return self.store.samples(instance_name, family)

    def status(self, instance_name: str) -> CollectorStatus:
        return self.store.state(instance_name).collectors[self.name]

    async def until(self, is_so: Callable[[], bool], what: Callable[[], object]) -> None:
        """Wait until it is so, else tell `what` there is instead; what is too old goes, as in the daemon."""
        for _ in range(600):
            self.store.expire(self._clock.monotonic())
            if is_so():
                return
            await asyncio.sleep(0.1)
        raise AssertionError(what())
