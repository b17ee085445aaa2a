"""The sampler: who is active, and waiting for what, each second. The sum over time makes average active sessions."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from dbwatch.core import schedule
from dbwatch.core.model import Lane
from dbwatch.errors import EngineError
from dbwatch.poller import asking
from dbwatch.poller.outcome import publishing_interval
from dbwatch.poller.rendering import outcome

if TYPE_CHECKING:
    from dbwatch.core.model import Block, Collector, Facts, Query
    from dbwatch.engines.base import Engine, Session
    from dbwatch.poller.watch import Watch
    from dbwatch.tasks import Heartbeats

GRACE_SECONDS = 60.0
LONGEST_STEP_INTERVALS = 2.0  # a gap was not seen, so it is not counted


class Sampler:
    """Samples one instance with one collector of the sampler lane; cancel it to stop."""

    def __init__(
        self, watch: Watch, engine: Engine, collector: Collector, logins: asyncio.Semaphore, heartbeats: Heartbeats
    ) -> None:
        self._watch = watch
        self._engine = engine
        self._collector = collector
        self._logins = logins
        self._heartbeats = heartbeats
        self._name = f"{watch.name}/{collector.name}"
        self._mapper = watch.mapper(collector)
        self._failures = 0
        self._took_seconds = 0.0  # the last question

    async def run(self) -> None:
        """Sample until cancelled."""
        try:
            while True:
                self._heartbeats.forget(self._name)
                await self._watch.reached.wait()
                seconds = await self._visit()
                self._heartbeats.forget(self._name)  # a rest is no hang
                await self._rest(seconds)
        finally:
            self._heartbeats.forget(self._name)

    async def _rest(self, seconds: float) -> None:
        """Wait; a change of the server, or of our rights on it, ends the wait."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._watch.changed.wait()

    async def _visit(self) -> float:
        """Sample on one session until it breaks; return how long to wait before the next."""
        self._heartbeats.beat(self._name, GRACE_SECONDS)
        try:
            async with self._logins:
                session = await self._engine.connect(self._watch.instance, Lane.SAMPLER)
        except EngineError as error:
            self._watch.login_refused(error)
            return self._failed(error)
        try:
            return await self._sample(session)
        except EngineError as error:
            return self._failed(error)
        finally:
            await session.close()

    def _failed(self, error: EngineError) -> float:
        self._failures += 1
        self._watch.failed(self._collector, error, None, publishing_interval(self._collector, self._watch.instance))
        self._watch.look_again.set()
        return schedule.backoff(self._failures, schedule.phase(f"{self._name}/{self._failures}", 1.0))

    async def _sample(self, session: Session) -> float:
        """Prove, sample for one publishing interval, publish, and again. Return a wait where it may not be asked."""
        clock = self._watch.clock
        sampled_at = clock.monotonic()
        generation = self._watch.generation
        while generation == self._watch.generation:
            facts = await self._facts(session)
            if facts is None:
                return self._watch.instance.fast_interval
            query = asking.query(self._collector, facts)
            publish_at = clock.monotonic() + self._watch.instance.fast_interval
            blocks: list[Block] = []
            while clock.monotonic() < publish_at:
                await self._pause(sampled_at)
                blocks, sampled_at = await self._once(session, query, sampled_at)
            self._failures = 0
            await self._publish(blocks)
        return 0.0

    async def _facts(self, session: Session) -> Facts | None:
        """None where the collector is not for this server, or may not see what it needs."""
        catalogue = self._watch.catalogue
        facts = await asking.read_facts(self._engine, catalogue, session)
        facts = await asking.prove(session, facts, asking.needed_probes(catalogue, [self._collector]))
        reason = asking.left_out(self._collector, facts)
        missing = asking.missing_needs(self._collector, facts)
        if reason:
            self._watch.skipped(self._collector, reason)
        elif missing:
            self._watch.lacks(self._collector, facts, missing)
        return None if reason or missing else facts

    async def _pause(self, sampled_at: float) -> None:
        self._heartbeats.beat(self._name, GRACE_SECONDS)
        await asyncio.sleep(max(0.0, sampled_at + self._collector.interval_seconds - self._watch.clock.monotonic()))

    async def _once(self, session: Session, query: Query, sampled_at: float) -> tuple[list[Block], float]:
        asked_at = self._watch.clock.monotonic()
        rows = await session.fetch(query)
        now = self._watch.clock.monotonic()
        self._took_seconds = now - asked_at
        step = min(now - sampled_at, LONGEST_STEP_INTERVALS * self._collector.interval_seconds)
        return list(self._mapper.blocks(rows, now, step)), now

    async def _publish(self, blocks: list[Block]) -> None:
        # Never more often than it samples: or the values would be too old before the next ones come.
        interval = publishing_interval(self._collector, self._watch.instance)
        about = (self._collector, blocks, self._took_seconds, interval)
        self._watch.succeeded(self._collector, await outcome(self._watch, *about))
