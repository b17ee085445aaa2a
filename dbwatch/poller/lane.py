"""One lane of one instance: its collectors, one after the other, on one session, each within its deadline.

The fast lane holds its session and re-reads role and version at each round. The slow and heavy lanes share one place:
their session lives only while they run, so that an instance never has more than three connections held and four open.
"""

from __future__ import annotations

import asyncio
import contextlib
from functools import partial
from typing import TYPE_CHECKING

from dbwatch.core import schedule
from dbwatch.core.model import Lane, Scope
from dbwatch.errors import EngineError
from dbwatch.host.machine import Machine
from dbwatch.poller import asking
from dbwatch.poller.databases import LATER, DatabaseRound
from dbwatch.poller.place import GRACE_SECONDS, Turn
from dbwatch.poller.rendering import blocks_of, outcome

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from dbwatch.core.model import Collector, Facts
    from dbwatch.engines.base import Engine, Session
    from dbwatch.poller.databases import Run
    from dbwatch.poller.watch import Watch
    from dbwatch.poller.witnesses import Witnesses
    from dbwatch.tasks import Heartbeats

BY_DATABASE = frozenset({"version", "optional"})  # extensions and some privileges differ from one to the next


class LaneRunner:
    """Runs the collectors of one lane for ever; cancel it to stop."""

    def __init__(
        self,
        watch: Watch,
        engine: Engine,
        lane: Lane,
        *,
        place: asyncio.Lock,
        logins: asyncio.Semaphore,
        heartbeats: Heartbeats,
        witnesses: Witnesses,
        on_lateness: Callable[[float], None],
    ) -> None:
        self._watch = watch
        self._engine = engine
        self._lane = lane
        self._logins = logins
        self._heartbeats = heartbeats
        self._on_lateness = on_lateness
        self._name = f"{watch.name}/{lane}"
        self._turn = Turn(self._name, place, heartbeats)
        self._session: Session | None = None
        self._attempts = 0
        self._generation = 0
        self._collectors = {item.name: item for item in watch.collectors if item.lane is lane and item.enabled}
        self._mappers = {name: watch.mapper(item) for name, item in self._collectors.items()}
        self._machine = Machine()
        self._databases = DatabaseRound(watch, engine, lane, logins, witnesses)
        self._plans: dict[str, schedule.Plan] = {}
        self._ran: set[str] = set()

    async def run(self) -> None:
        """Poll until cancelled."""
        self._plan_all()
        try:
            while self._plans:
                await self._rest()
                await self._until_reached()
                await self._round()
        finally:
            self._heartbeats.forget(self._name)
            await self._close()

    def _plan_all(self) -> None:
        now = self._watch.clock.monotonic()
        self._generation = self._watch.generation
        self._ran.clear()
        self._databases.forget()
        for mapper in self._mappers.values():
            mapper.rebase()
        self._plans = {
            name: schedule.first(name, item.interval_seconds, now, f"{self._watch.name}/{self._lane}")
            for name, item in self._collectors.items()
        }

    async def _rest(self) -> None:
        """Sleep until the next collector is due, or until the server turned out to be another one."""
        wait = max(0.0, min(plan.due_at for plan in self._plans.values()) - self._watch.clock.monotonic())
        self._heartbeats.beat(self._name, wait + GRACE_SECONDS)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0 if self._is_of_before() else wait):
                await self._watch.changed.wait()
        if self._is_of_before():
            await self._close()
            self._plan_all()

    async def _until_reached(self) -> None:
        if not self._watch.reached.is_set() and self._session is None:
            self._heartbeats.forget(self._name)
            async with asyncio.TaskGroup() as group:
                misses = group.create_task(self._miss_turns(), name=f"{self._name}/misses")
                await self._watch.reached.wait()
                misses.cancel()

    async def _miss_turns(self) -> None:
        """Nobody can log in: whose turn comes has no success any more, and keeps its plan for the moment we can."""
        for plan in sorted(self._plans.values(), key=lambda plan: plan.due_at):
            await asyncio.sleep(max(0.0, plan.due_at - self._watch.clock.monotonic()))
            self._watch.missed(self._collectors[plan.name], plan.interval_seconds)
            self._watch.publish()

    async def _round(self) -> None:
        now = self._watch.clock.monotonic()
        due = schedule.due(list(self._plans.values()), now)
        collectors = [self._collectors[plan.name] for plan in due]
        for plan in due:
            if plan.name in self._ran:
                self._on_lateness(now - plan.due_at)
        try:
            async with self._opened():
                await self._ask_all(collectors)
                self._attempts = 0
        except EngineError as error:
            self._lost(error)
            if self._session is not None and self._session.broken:
                await self._close()
        self._watch.publish()

    @contextlib.asynccontextmanager
    async def _opened(self) -> AsyncIterator[None]:
        """The lane's session: held by the fast lane, open only for a round in the others' shared place."""
        if self._lane is Lane.FAST:
            yield
            return
        async with self._turn:
            try:
                yield
            finally:
                await self._close()

    async def _connected(self) -> Session:
        if self._session is not None and self._session.broken:
            await self._close()
        if self._session is None:
            self._watch.may_log_in()
            try:
                async with self._logins:
                    self._session = await self._engine.connect(self._watch.instance, self._lane)
            except EngineError as error:
                self._watch.login_refused(error)
                raise
        return self._session

    async def _close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _ask_all(self, collectors: list[Collector]) -> None:
        """One after the other; a session opened anew on the way may lead to another server, and then the round ends."""
        waiting = {item.name for item in collectors if item.scope is Scope.INSTANCE}
        facts, fresh_until = await self._introduced(collectors), self._stale_at()
        while waiting:
            collector = self._most_urgent(waiting)
            waiting.discard(collector.name)
            if self._session is None or self._session.broken or self._watch.clock.monotonic() > fresh_until:
                facts, fresh_until = await self._introduced([collector, *collectors]), self._stale_at()
            if self._is_of_before():
                return
            self._heartbeats.beat(self._name, collector.timeout_seconds + GRACE_SECONDS)
            await self._one(collector, await self._proven(facts, collector))
        if not self._is_of_before():
            await self._each_database(facts, [item for item in collectors if item.scope is Scope.DATABASE])

    def _most_urgent(self, waiting: set[str]) -> Collector:
        """Of those of this round and of those that became due meanwhile: a long round must not hold up the frequent."""
        now = self._watch.clock.monotonic()
        due = schedule.due(list(self._plans.values()), now)
        plan = next(each for each in due if self._collectors[each.name].scope is Scope.INSTANCE)
        if plan.name not in waiting and plan.name in self._ran:
            self._on_lateness(now - plan.due_at)
        return self._collectors[plan.name]

    def _stale_at(self) -> float:
        """When role and version must be read again."""
        return self._watch.clock.monotonic() + self._watch.instance.fast_interval

    async def _proven(self, facts: Facts, collector: Collector) -> Facts:
        """The facts with what this collector needs to be proven, where nobody in the round needed it before."""
        probes = asking.needed_probes(self._watch.catalogue, [collector])
        unproven = [probe for probe in probes if probe.name not in facts.probes]
        return await asking.prove(await self._connected(), facts, unproven) if unproven else facts

    async def _introduced(self, collectors: list[Collector]) -> Facts:
        """Who answers now, and what it lets us see."""
        session = await self._connected()
        asked_at = self._watch.clock.time()
        facts = await asking.read_facts(self._engine, self._watch.catalogue, session)
        self._watch.learned(facts, asked_at)
        return await asking.prove(session, facts, asking.needed_probes(self._watch.catalogue, collectors))

    def _is_of_before(self) -> bool:
        """Whether the server turned out to be another one since the plans of this lane were made."""
        return self._generation != self._watch.generation

    async def _one(self, collector: Collector, facts: Facts) -> None:
        """One turn of one collector; its failure is its own, a lost session is everybody's."""
        clock = self._watch.clock
        started = clock.monotonic()
        if self._is_left_out(collector, facts):
            self._next(collector, 0.0)
            return
        session = await self._connected()
        try:
            answer = await asking.answer(session, collector, facts, self._machine)
            fetched = clock.monotonic() - started
            blocks = await blocks_of(self._mappers[collector.name], answer.rows, clock.monotonic())
            self._next(collector, fetched)
            about = (collector, blocks, fetched, self._interval(collector))
            result = await outcome(self._watch, *about, error=answer.error, note=answer.note)
            if not self._is_of_before():
                self._watch.succeeded(collector, result)
        except EngineError as error:
            seconds = clock.monotonic() - started
            self._next(collector, seconds, later=error.reason in LATER)
            self._watch.failed(collector, error, seconds, self._interval(collector))

    def _is_left_out(self, collector: Collector, facts: Facts) -> bool:
        reason = asking.left_out(collector, facts, self._watch.instance)
        missing = asking.missing_needs(collector, facts)
        if reason in BY_DATABASE and collector.scope is Scope.DATABASE:
            reason = ""
        if reason:
            self._watch.skipped(collector, reason)
        elif missing:
            self._watch.lacks(collector, facts, missing)
        return bool(reason or missing)

    async def _each_database(self, facts: Facts, collectors: list[Collector]) -> None:
        """Per-database work takes this lane's place: its own session is closed before the first one opens."""
        asked = [item for item in collectors if not self._is_left_out(item, facts)]
        for collector in collectors:
            if collector not in asked:
                self._next(collector, 0.0)
        if not asked:
            return
        names = await self._databases.names(await self._connected(), facts)
        await self._close()
        for collector, run in await self._databases.run(asked, names, self._interval, partial(self._enters, asked)):
            if self._is_of_before():
                return
            self._next(collector, run.seconds)  # who refuses us is not asked again soon: that is kept by database
            await self._told(collector, run)

    async def _enters(self, asked: list[Collector]) -> None:
        """Before each database. Heavy work in many takes longer than values of the slow lane last: it is let in."""
        if self._lane is Lane.HEAVY:
            await self._turn.give_way()
        self._heartbeats.beat(self._name, GRACE_SECONDS + sum(item.timeout_seconds for item in asked))

    async def _told(self, collector: Collector, run: Run) -> None:
        """What came of one collector in all databases."""
        if run.blocks is None and run.error is not None:
            self._watch.failed(collector, run.error, run.seconds, self._interval(collector))
        elif run.left_out and not run.blocks and run.error is None:
            self._watch.skipped(collector, run.left_out)
        else:
            about = (collector, run.blocks or [], run.seconds, self._interval(collector))
            result = await outcome(self._watch, *about, error=run.error, note="\n".join(run.notes))
            self._watch.succeeded(collector, result)

    def _lost(self, error: EngineError) -> None:
        """No session, so nobody got an answer: the probe looks again at once, this lane waits a little longer."""
        self._attempts += 1
        wait = schedule.backoff(self._attempts, schedule.phase(f"{self._name}/{self._attempts}", 1.0))
        now = self._watch.clock.monotonic()
        for plan in schedule.due(list(self._plans.values()), now):
            self._ran.discard(plan.name)
            self._plans[plan.name] = schedule.retried(plan, now + wait)
            self._watch.failed(self._collectors[plan.name], error, None, plan.interval_seconds)
        self._watch.look_again.set()

    def _next(self, collector: Collector, cost_seconds: float, *, later: bool = False) -> None:
        now = self._watch.clock.monotonic()
        plan = schedule.after(self._plans[collector.name], now, cost_seconds)
        self._plans[collector.name] = schedule.postponed(plan, now, schedule.MISSING_RETRY_SECONDS) if later else plan
        self._ran.add(collector.name)

    def _interval(self, collector: Collector) -> float:
        return self._plans[collector.name].interval_seconds
