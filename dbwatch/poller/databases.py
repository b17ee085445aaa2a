"""Collectors that are asked in each database of an instance: one short-lived session a database, one at a time.

What one database does not answer costs the others nothing: its last values stay until they are too old, then go; those
of a dropped database go at once. One that refuses us is asked again much later: each refusal is a line in its log.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dbwatch.core.schedule import AUTH_BACKOFF_SECONDS, FRESH_FOR_INTERVALS, MISSING_RETRY_SECONDS
from dbwatch.errors import EngineError, Reason
from dbwatch.poller import asking
from dbwatch.poller.outcome import KEEPS_LAST_VALUE
from dbwatch.poller.rendering import blocks_of

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Callable, Iterable

    from dbwatch.core.mapping import Mapper
    from dbwatch.core.model import Block, Collector, Facts, Lane
    from dbwatch.engines.base import Engine, Session
    from dbwatch.poller.watch import Watch
    from dbwatch.poller.witnesses import Witnesses


LATER = frozenset({Reason.PERMISSION, Reason.MISSING, Reason.SYNTAX, Reason.SHAPE})  # what does not mend itself soon
RETRY_SECONDS = {Reason.AUTH: AUTH_BACKOFF_SECONDS, **dict.fromkeys(LATER, MISSING_RETRY_SECONDS)}


# A login that hangs (somebody locked the database's catalogue) stays on the server when we gave it up: one more each
# minute would soon fill our account's connection limit.
SILENT_FIRST_SECONDS, SILENT_MOST_SECONDS = 300.0, 3600.0


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a database answered to a collector or a login, and until when it is not asked again."""

    error: EngineError
    until: float
    times: int = 1  # in a row


@dataclass(slots=True)
class Part:
    """What one collector last saw in one database."""

    blocks: list[Block]
    taken_at: float


@dataclass(slots=True)
class Run:
    """One run of a collector over all databases; blocks None: nothing at all was seen."""

    blocks: list[Block] | None = None
    seconds: float = 0.0
    error: EngineError | None = None
    left_out: str = ""  # why it was not asked, where no database was
    notes: list[str] = field(default_factory=list)  # what lacks in which database, for people


@dataclass(slots=True)
class Memory:
    """What one collector keeps between runs, by database."""

    mappers: dict[str, Mapper] = field(default_factory=dict)
    parts: dict[str, Part] = field(default_factory=dict)
    refusals: dict[str, Refusal] = field(default_factory=dict)


class DatabaseRound:
    """Runs database-scoped collectors, and remembers their last answer for each database."""

    def __init__(
        self, watch: Watch, engine: Engine, lane: Lane, logins: asyncio.Semaphore, witnesses: Witnesses
    ) -> None:
        self._watch = watch
        self._witnesses = witnesses
        self._engine = engine
        self._lane = lane
        self._logins = logins
        self._memories: dict[str, Memory] = {}
        self._silent: dict[str, Refusal] = {}  # databases of which a login hung, while one to the server did not
        self._closed: dict[str, EngineError] = {}  # databases that we may not enter: not tried, but told

    def forget(self) -> None:
        """The server is another one now: what its databases last answered is no longer true."""
        self._silent.clear()
        self._witnesses.forget(self._watch.name, self._memories)
        for memory in self._memories.values():
            memory.parts.clear()
            for mapper in memory.mappers.values():
                mapper.rebase()
            memory.refusals.clear()

    async def names(self, session: Session, facts: Facts) -> list[str]:
        """The databases to ask, by the instance's filter. Raise EngineError."""
        chosen = self._watch.instance.databases
        names, self._closed = await asking.databases(session, self._watch.catalogue, self._engine, facts, chosen)
        return names

    async def run(
        self,
        collectors: list[Collector],
        names: list[str],
        interval: Callable[[Collector], float],
        before_each: Callable[[], Awaitable[None]],
    ) -> list[tuple[Collector, Run]]:
        """Ask every collector in every database; `interval` tells how often that is done now."""
        started = self._watch.clock.monotonic()
        runs = {collector.name: Run() for collector in collectors}
        generation = self._watch.generation
        for name in names:
            if generation != self._watch.generation:
                break
            meant = [collector for collector in collectors if asking.wants(collector, name)]
            asked = [collector for collector in meant if not self._refused(collector, name, runs[collector.name])]
            if asked:
                await before_each()
                await self._in_database(name, asked, runs)
        for collector in collectors:
            closed = (error for name, error in self._closed.items() if asking.wants(collector, name))
            runs[collector.name].error = next(closed, runs[collector.name].error)
            oldest = started - FRESH_FOR_INTERVALS * interval(collector)
            self._gather(collector, names, runs[collector.name], oldest)
        return [(collector, runs[collector.name]) for collector in collectors]

    def _refused(self, collector: Collector, name: str, run: Run) -> bool:
        now = self._watch.clock.monotonic()
        known = (self._silent.get(name), self._memory(collector).refusals.get(name))
        refusal = next((each for each in known if each is not None and each.until > now), None)
        if refusal is None:
            return False
        run.error = refusal.error
        return True

    async def _in_database(self, name: str, collectors: list[Collector], runs: dict[str, Run]) -> None:
        try:
            self._watch.may_log_in()
            async with self._logins:
                session = await self._engine.connect(self._watch.instance, self._lane, database=name)
        except EngineError as error:
            for collector in collectors:
                self._failed(collector, name, error, runs[collector.name])
            if await self._is_of_this_database(error):
                self._fell_silent(name, error)
            return
        self._silent.pop(name, None)
        try:
            await self._ask(session, name, collectors, runs)
        finally:
            await session.close()

    async def _is_of_this_database(self, error: EngineError) -> bool:
        """A login to one database refused or hung: before others are tried, does one to the server succeed?"""
        if error.reason not in (Reason.AUTH, Reason.TIMEOUT) or not self._watch.reached.is_set():
            return False
        try:
            async with self._logins:
                session = await self._engine.connect(self._watch.instance, self._lane)
        except EngineError as refused:
            self._watch.login_refused(refused)
            return False
        await session.close()
        return error.reason is Reason.TIMEOUT

    def _fell_silent(self, name: str, error: EngineError) -> None:
        times = self._silent[name].times + 1 if name in self._silent else 1
        wait = min(SILENT_MOST_SECONDS, SILENT_FIRST_SECONDS * 2.0 ** (times - 1))
        self._silent[name] = Refusal(asking.said_of(name, error), self._watch.clock.monotonic() + wait, times)

    async def _ask(self, session: Session, name: str, collectors: list[Collector], runs: dict[str, Run]) -> None:
        try:
            facts = await asking.read_facts(self._engine, self._watch.catalogue, session)
            self._watch.met(facts)
            facts = await asking.prove(session, facts, asking.needed_probes(self._watch.catalogue, collectors))
        except EngineError as error:
            for collector in collectors:
                self._failed(collector, name, error, runs[collector.name])
            return
        for collector in collectors:
            await self._one(session, facts, name, collector, runs[collector.name])

    async def _one(self, session: Session, facts: Facts, name: str, collector: Collector, run: Run) -> None:
        if self._is_left_out(facts, name, collector, run):
            return
        clock = self._watch.clock
        started = clock.monotonic()
        memory = self._memory(collector)
        if name not in memory.mappers:
            memory.mappers[name] = self._watch.mapper(collector, database=name)
        try:
            rows = await session.fetch(asking.query(collector, facts))
            run.seconds += clock.monotonic() - started
            rows, note = self._witnesses.judged(self._watch, collector, facts, name, rows)
            run.notes += [asking.note_of(name, note)] if note else []
            blocks = await blocks_of(memory.mappers[name], rows, clock.monotonic())
            memory.parts[name] = Part(blocks, clock.monotonic())
            memory.refusals.pop(name, None)
        except EngineError as error:
            run.seconds += clock.monotonic() - started
            self._failed(collector, name, error, run)

    def _is_left_out(self, facts: Facts, name: str, collector: Collector, run: Run) -> bool:
        """Extensions and some privileges differ by database: what lacks in one is asked in the others."""
        reason = asking.left_out(collector, facts)
        if not reason:
            return False
        self._memory(collector).parts.pop(name, None)
        run.left_out = reason
        remedy = asking.remedy(self._watch.catalogue, collector, facts, self._watch.instance.monitor.user)
        run.notes += [asking.note_of(name, remedy)] if remedy else []
        return True

    def _failed(self, collector: Collector, name: str, error: EngineError, run: Run) -> None:
        memory = self._memory(collector)
        run.error = asking.said_of(name, error)
        if error.reason not in KEEPS_LAST_VALUE:
            memory.parts.pop(name, None)
        if error.reason in RETRY_SECONDS:
            until = self._watch.clock.monotonic() + RETRY_SECONDS[error.reason]
            memory.refusals[name] = Refusal(run.error, until)

    def _memory(self, collector: Collector) -> Memory:
        return self._memories.setdefault(collector.name, Memory())

    def _gather(self, collector: Collector, names: Iterable[str], run: Run, oldest: float) -> None:
        """All databases' blocks; what belongs to a dropped database or is too old is left out for good."""
        memory = self._memory(collector)
        memory.parts = {name: memory.parts[name] for name in names if name in memory.parts}
        memory.mappers = {name: memory.mappers[name] for name in names if name in memory.mappers}
        memory.refusals = {name: memory.refusals[name] for name in names if name in memory.refusals}
        fresh = [part for part in memory.parts.values() if part.taken_at >= oldest]
        if fresh or run.error is None:
            run.blocks = [block for part in fresh for block in part.blocks]
